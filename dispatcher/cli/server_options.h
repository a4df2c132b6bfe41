// dispatcher/cli: where a long-lived dispatcher is asked, and with which token: what is typed, then
// the environment, then what its own user has in the state directory.
#pragma once

#include <string>

#include "common/error.h"

namespace CLI {
class App;
}

namespace netfleet {

// As typed; empty: not given.
struct ServerOptions {
  std::string server;
  std::string token_file;
  std::string ca_file;
};
void add_server_options(CLI::App& app, ServerOptions& options);

// Whether a server is meant where the store on this machine could be, too.
bool names_server(const ServerOptions& options);

}  // namespace netfleet
