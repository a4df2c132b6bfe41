#include "dispatcher/output/output_stream.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;

class OutputStreamTest : public ::testing::Test {
 protected:
  OutputStreamTest() { signal(SIGPIPE, SIG_IGN); }
  ~OutputStreamTest() override { close(stop_fd_); }

  void stop() const { ASSERT_EQ(eventfd_write(stop_fd_, 1), 0); }

  int stop_fd_ = eventfd(0, EFD_CLOEXEC);
};

// Reads to the end of `fd`, which it closes.
std::string read_all(int fd) {
  std::string all;
  char part[10'000];
  ssize_t size = 0;
  while ((size = read(fd, part, sizeof part)) > 0) all.append(part, static_cast<std::size_t>(size));
  close(fd);
  return all;
}

TEST_F(OutputStreamTest, WritesMoreThanAPipeHolds) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string bytes = noise(1'000'000, 1);
  std::string got;
  std::jthread reader([&] { got = read_all(ends[0]); });
  {
    OutputStream stream(ends[1], stop_fd_);
    stream.write(bytes);
    stream.write("end");
    EXPECT_TRUE(stream.is_open());
  }
  // Others who have the pipe must not find it changed.
  EXPECT_EQ(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
  close(ends[1]);
  reader.join();
  EXPECT_EQ(got, bytes + "end");
}

TEST_F(OutputStreamTest, WritesToASocketAndToAFile) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const std::string bytes = noise(3'000'000, 1);
  std::string got;
  std::jthread reader([&] { got = read_all(ends[0]); });
  OutputStream(ends[1], stop_fd_).write(bytes);
  close(ends[1]);
  reader.join();
  EXPECT_EQ(got, bytes);

  const TemporaryDirectory directory;
  const int file = open((directory / "out").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  OutputStream(file, stop_fd_).write(bytes);
  OutputStream(file, stop_fd_).write("end");
  close(file);
  EXPECT_EQ(file_content(directory / "out"), bytes + "end");
}

TEST_F(OutputStreamTest, StopEndsTheWaitForAReaderThatIsStuck) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  OutputStream stream(ends[1], stop_fd_);
  std::jthread writer([&] { stream.write(std::string(1'000'000, 'x')); });
  char byte = 0;
  ASSERT_EQ(read(ends[0], &byte, 1), 1);  // it has begun
  stop();
  writer.join();
  EXPECT_FALSE(stream.is_open());
  EXPECT_FALSE(stream.reader_left());
  EXPECT_FALSE(stream.error());
  stream.write("more");  // returns at once
  close(ends[0]);
  close(ends[1]);
}

TEST_F(OutputStreamTest, NoticesThatTheReaderLeft) {
  for (const bool is_socket : {false, true}) {
    int ends[2];
    ASSERT_EQ(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends), 0);
    OutputStream stream(ends[1], stop_fd_);
    stream.write("read");
    EXPECT_TRUE(stream.is_open());
    close(ends[0]);
    stream.write("not read");
    EXPECT_TRUE(stream.reader_left());
    EXPECT_FALSE(stream.error());
    close(ends[1]);
  }
}

TEST_F(OutputStreamTest, PipeWhoseReaderLeftBeforeIsNoError) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  OutputStream stream(ends[1], stop_fd_);
  stream.write("x");
  EXPECT_TRUE(stream.reader_left());
  close(ends[1]);
}

TEST_F(OutputStreamTest, FullDiskIsAnErrorOnce) {
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  OutputStream stream(full, stop_fd_);
  stream.write("");
  EXPECT_TRUE(stream.is_open());
  stream.write("x");
  EXPECT_FALSE(stream.is_open());
  ASSERT_TRUE(stream.error());
  EXPECT_THAT(stream.error()->message, HasSubstr("standard output: No space left"));
  close(full);
}

TEST_F(OutputStreamTest, ClosedDescriptorIsAnError) {
  OutputStream stream(987'654, stop_fd_);
  stream.write("x");
  ASSERT_TRUE(stream.error());
  EXPECT_THAT(stream.error()->message, HasSubstr("Bad file descriptor"));
}

}  // namespace
}  // namespace netfleet
