#include "dispatcher/output/output_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace netfleet {

OutputStream::OutputStream(int fd, int stop_fd, Meanwhile meanwhile)
    : fd_(fd),
      stop_fd_(stop_fd),
      meanwhile_(std::move(meanwhile)),
      at_once_(std::size_t{256} << 10) {
  if (fd < 0) state_ = State::kStopped;
  struct stat status{};
  if (fstat(fd, &status) != 0) return;  // the first write says why
  is_socket_ = S_ISSOCK(status.st_mode);
  if (!S_ISFIFO(status.st_mode) && isatty(fd) == 0) return;
  // O_NONBLOCK on the descriptor itself would be set for the shell and everybody else who has it.
  own_fd_ = open(fmt::format("/proc/self/fd/{}", fd).c_str(),
                 O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (own_fd_ >= 0) {
    fd_ = own_fd_;
  } else {
    at_once_ = PIPE_BUF;  // a pipe that is writable has room for so much (pipe(7))
  }
}

OutputStream::~OutputStream() {
  if (own_fd_ >= 0) close(own_fd_);
}

void OutputStream::write(std::string_view bytes) {
  while (state_ == State::kOpen && !bytes.empty() && wait()) {
    const std::size_t size = std::min(bytes.size(), at_once_);
    const ssize_t written = is_socket_ ? send(fd_, bytes.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT)
                                       : ::write(fd_, bytes.data(), size);
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      fail_with(errno);
    }
  }
}

// Until something can be written; false when there will be nothing more to write.
bool OutputStream::wait() {
  while (true) {
    pollfd descriptors[] = {{fd_, POLLOUT, 0}, {stop_fd_, POLLIN, 0}, {meanwhile_.fd, POLLIN, 0}};
    const int ready = poll(descriptors, 3, -1);  // a reader may take its time; stop_fd ends it
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) {
      fail_with(errno);
      return false;
    }
    if (descriptors[1].revents != 0) {
      state_ = State::kStopped;
      return false;
    }
    if (descriptors[2].revents != 0) meanwhile_.work();
    if (descriptors[0].revents != 0) return true;  // writable, or broken: the write says which
  }
}

void OutputStream::fail_with(int cause) {
  if (cause == EPIPE || cause == ECONNRESET) {
    state_ = State::kReaderLeft;
    return;
  }
  state_ = State::kFailed;
  error_ = Error{fmt::format("write standard output: {}", std::strerror(cause))};
}

}  // namespace netfleet
