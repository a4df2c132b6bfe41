#include "dispatcher/cli/interrupt_note.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/check.h"

namespace netfleet {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

// What a signal handler may touch. Written while the handlers are not installed.
struct Note {
  std::array<char, 512> text{};
  std::size_t size = 0;
};
Note note_of_process;

void end_with_note(int signal) {
  [[maybe_unused]] const auto written =
      write(STDERR_FILENO, note_of_process.text.data(), note_of_process.size);
  _exit(128 + signal);
}

void handle(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) CHECK(sigaction(signal, &action, nullptr) == 0);
}

}  // namespace

InterruptNote::InterruptNote(const std::string& note) {
  // "\r\x1b[K": over a progress line, on a terminal only.
  const std::string text = (isatty(STDERR_FILENO) != 0 ? "\r\x1b[K" : "") + note + "\n";
  note_of_process.size = std::min(text.size(), note_of_process.text.size());
  std::copy_n(text.begin(), note_of_process.size, note_of_process.text.begin());
  handle(end_with_note);
}

InterruptNote::~InterruptNote() { handle(SIG_DFL); }

}  // namespace netfleet
