#include "dispatcher/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace netfleet {
namespace {

constexpr const char* kEraseLine = "\r\x1b[K";

}  // namespace

// A failed write to stderr has nowhere to be reported.
void Console::write(const std::string& text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

void Console::say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  write((line_there_ ? kEraseLine : "") + line + "\n");
  line_there_ = false;
}

void Console::show_progress(const std::string& line) {
  if (!progress_) return;
  const std::lock_guard lock(mutex_);
  if (held_) return;
  write(kEraseLine + line);
  line_there_ = true;
}

void Console::hold_progress(bool held) {
  const std::lock_guard lock(mutex_);
  if (line_there_) write(kEraseLine);
  line_there_ = false;
  held_ = held;
}

void Console::clear() {
  const std::lock_guard lock(mutex_);
  if (line_there_) write(kEraseLine);
  line_there_ = false;
}

int terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace netfleet
