#include "dispatcher/cli/server_options.h"

#include <CLI/CLI.hpp>

#include "common/command_line.h"

namespace netfleet {

void add_server_options(CLI::App& app, ServerOptions& options) {
  add_text(app, "--server", "URL",
           "Where 'netfleet serve' answers (default: $NETFLEET_SERVER, else http://127.0.0.1:7680)",
           options.server);
  add_text(app, "--token-file", "FILE",
           "Its first line is the token (default: $NETFLEET_TOKEN_FILE, $NETFLEET_TOKEN, else that "
           "of this user's own 'netfleet serve')",
           options.token_file);
  add_text(app, "--ca", "FILE", "Who is trusted over https, PEM (default: as the system does)",
           options.ca_file);
}

}  // namespace netfleet
