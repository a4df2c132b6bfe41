#include "common/standard_streams.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace netfleet {
namespace {

// The statements of these tests run in a process of their own.

TEST(StandardStreamsDeathTest, AFileOfOursIsNoStandardStream) {
  const auto closed = [] {
    for (const int fd : {0, 1, 2}) close(fd);
    occupy_standard_streams();
    const int ours = open("/dev/zero", O_RDWR);
    char byte = 0;
    const bool unusable = read(0, &byte, 1) < 0 && write(1, &byte, 1) < 0 && write(2, &byte, 1) < 0;
    print_error("dropped");
    _exit(ours > 2 && unusable && !print_output("text") ? 0 : 1);
  };
  EXPECT_EXIT(closed(), testing::ExitedWithCode(0), "");
}

TEST(StandardStreamsDeathTest, OpenOnesStayAsTheyAre) {
  const auto open_ones = [] {
    occupy_standard_streams();
    print_error("said");
    _exit(0);
  };
  EXPECT_EXIT(open_ones(), testing::ExitedWithCode(0), "said");
}

TEST(StandardStreamsDeathTest, AFullDiskIsAnErrorOfStdoutOnly) {
  const auto full = [] {
    const int disk = open("/dev/full", O_WRONLY);
    dup2(disk, 1);
    const auto printed = print_output("text");
    print_error(printed ? "no error" : printed.error().message);
    dup2(disk, 2);
    print_error("dropped");
    _exit(0);
  };
  EXPECT_EXIT(full(), testing::ExitedWithCode(0), "write standard output: No space left on device");
}

TEST(StandardStreamsDeathTest, AReaderThatLeftIsNoError) {
  const auto left = [] {
    int ends[2];
    if (pipe(ends) != 0) _exit(1);
    signal(SIGPIPE, SIG_IGN);
    dup2(ends[1], 1);
    close(ends[0]);
    const auto printed = print_output("text");
    _exit(printed && !*printed ? 0 : 1);
  };
  EXPECT_EXIT(left(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace netfleet
