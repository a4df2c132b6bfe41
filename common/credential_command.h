// common: a secret from a shell command. Where else secrets come from: credential_source.h.
#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "common/credential.h"
#include "common/error.h"
#include "common/secret.h"

namespace netfleet {

struct SecretCommand {
  std::string command;                   // for /bin/sh -c; never shown: it may hold a token
  std::vector<std::string> environment;  // "NAME=value", besides this process's own
  TimePoint deadline;
  int given_up = -1;  // a descriptor; readable once nobody wants the secret any more
};

// The first line that the command prints. It must exit 0; its standard input is empty. Killed when
// it is not done by the deadline. Any thread.
Expected<Secret> run_secret_command(const SecretCommand& wanted);

// Answers questions for one-time codes by running `command` for each, with NETFLEET_HOST,
// NETFLEET_USER and NETFLEET_PROMPT in its environment.
AskCode codes_from_command(std::string command);

}  // namespace netfleet
