// dispatcher/cli: asking a person for a secret on the controlling terminal. Not for output: stdout
// and stderr are main's.
#pragma once

#include <expected>
#include <string>

#include "common/secret.h"

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

}  // namespace netfleet
