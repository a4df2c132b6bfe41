// dispatcher/cli: asking a person for a secret on the controlling terminal. Not for output: stdout
// and stderr are main's (console.h).
#pragma once

#include <expected>
#include <mutex>
#include <string>

#include "common/credential.h"
#include "common/secret.h"
#include "dispatcher/cli/console.h"

namespace netfleet {

// Why there is no answer. `signal` is not 0 when the person interrupted (Ctrl-C) or the process was
// told to end: the exit status is then 128 + signal, and nothing needs to be said.
struct PromptFailure {
  std::string message;
  int signal = 0;
};

// Whether /dev/tty can be opened.
bool has_terminal();

// Asks on /dev/tty, whatever stdin is, without echo. The terminal is as before when this returns,
// also after SIGINT, SIGTERM, SIGHUP, SIGQUIT (reported in PromptFailure) and while stopped by
// Ctrl-Z. At most 4 KiB; ten minutes. Call it before threads are started: it takes signals through
// the calling thread's mask.
std::expected<Secret, PromptFailure> read_password(const std::string& prompt);

// Asks for one-time codes while the sweep runs, one question at a time, without echo; the progress
// line waits meanwhile. Any thread; Ctrl-C is the sweep's business, not the question's.
class CodePrompt {
 public:
  // `console` outlives it.
  explicit CodePrompt(Console& console) : console_(console) {}
  // As AskCode says. An error too when others hold the terminal until the deadline, or when this
  // process is in the background.
  Expected<Secret> ask(const CodeQuestion& question, TimePoint deadline, int given_up);

 private:
  Console& console_;
  std::timed_mutex one_at_a_time_;
};

}  // namespace netfleet
