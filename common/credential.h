// common: a named credential and the place where a worker looks one up.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"

namespace netfleet {

// A device that wants a one-time code while somebody logs in to it.
struct CodeQuestion {
  std::string host;  // the inventory's name
  std::string user;
  std::string prompt;  // the device's own words, in one safe line
};
// Gets a one-time code. Called on a thread that may wait, until `deadline` or until the descriptor
// `given_up` is readable: then nobody wants the code any more. The error says only why.
using AskCode =
    std::function<Expected<Secret>(const CodeQuestion& question, TimePoint deadline, int given_up)>;

// What is needed to log in as somebody. The user's name belongs to the task, not to the credential.
struct Credential {
  struct Key {
    std::string path;         // private key file, for messages and for loading
    Secret passphrase;        // empty: none
    std::string certificate;  // path of the certificate; empty: none
  };
  Secret password;          // empty: no password (none is tried)
  Secret enable_password;   // empty: none
  std::string otp_command;  // prints a one-time code each time it is run; empty: none
  std::vector<Key> keys;
  bool use_agent = false;  // SSH_AUTH_SOCK of the worker's process
};

// Credentials by name. Filled before the sessions start, then read-only: shared between threads.
using CredentialStore = std::map<std::string, std::shared_ptr<const Credential>, std::less<>>;

// Null when there is none of that name. For any thread.
using FindCredential = std::function<std::shared_ptr<const Credential>(const std::string& name)>;

}  // namespace netfleet
