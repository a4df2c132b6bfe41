#include "dispatcher/cli/rollout_question.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace netfleet {
namespace {

constexpr std::size_t kLongest = 80;
constexpr const char* kQuestion = "go on with the rest? [y/N] ";

}  // namespace

bool TerminalQuestion::can_ask() {
  const int fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return false;
  const bool foreground = tcgetpgrp(fd) == getpgrp();
  close(fd);
  return foreground;
}

void TerminalQuestion::ask() {
  close_terminal();
  console_.hold_progress(true);
  fd_ = open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  refused_ = fd_ < 0 || tcgetpgrp(fd_) != getpgrp();
  if (refused_) {
    console_.say("netfleet: this process has no terminal to ask at: it stops");
    if (fd_ >= 0) close(fd_);
    fd_ = open("/dev/null", O_RDONLY | O_CLOEXEC);  // readable at once
    return;
  }
  tcflush(fd_, TCIFLUSH);  // what was typed before is no answer
  write(kQuestion);
}

std::optional<bool> TerminalQuestion::take_answer() {
  if (!refused_) {
    if (tcgetpgrp(fd_) != getpgrp()) return std::nullopt;  // put into the background meanwhile
    char bytes[kLongest];
    const ssize_t got = read(fd_, bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (got > 0) {
      typed_.append(bytes, static_cast<std::size_t>(got));
      if (!typed_.ends_with('\n') && typed_.size() < kLongest) return std::nullopt;
    }
  }
  const bool yes = typed_ == "y\n" || typed_ == "Y\n" || typed_ == "yes\n";
  close_terminal();
  return yes;
}

void TerminalQuestion::write(const std::string& text) {
  [[maybe_unused]] const auto written = ::write(fd_, text.data(), text.size());
}

void TerminalQuestion::close_terminal() {
  if (fd_ < 0) return;
  close(fd_);
  fd_ = -1;
  typed_.clear();
  console_.hold_progress(false);
}

}  // namespace netfleet
