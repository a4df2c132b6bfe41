// dispatcher/cli: `netfleet keygen`: makes the keys of a fleet (common/curve_files.h), and tokens
// for the HTTP API (dispatcher/api/tokens.h).
#pragma once

#include <string>
#include <vector>

#include "common/curve.h"
#include "common/error.h"
#include "dispatcher/api/tokens.h"

namespace CLI {
class App;
}

namespace netfleet {

struct KeygenOptions {
  std::string directory;
  curve::Role role = curve::Role::kDispatcher;
  std::vector<std::string> names;  // of workers or operators; empty for the dispatcher
  bool replace = false;
  std::string token{};         // whose, instead of keys
  Scope scope = Scope::kNone;  // of the token
};

// Adds the arguments; settle_keygen judges them together once they are parsed.
struct KeygenArguments {
  std::string directory;
  std::string role;
  std::vector<std::string> names;
  bool replace = false;
  std::string token{};
  std::string scopes{};
};
void add_keygen(CLI::App& keygen, KeygenArguments& arguments);
Expected<KeygenOptions> settle_keygen(KeygenArguments arguments);

// Makes a pair for each name, or a token; prints what it made, and what to do with it. The exit
// status.
int keygen_verb(const KeygenOptions& options);

}  // namespace netfleet
