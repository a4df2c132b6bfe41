// dispatcher/cli: where a long-lived dispatcher is asked, and with which token, as it is typed.
// What is meant where nothing is: server.h.
#pragma once

#include <string>

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

}  // namespace netfleet
