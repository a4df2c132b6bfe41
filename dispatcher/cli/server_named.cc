// Apart from server.cc: who asks no server needs no HTTP client.
#include <cstdlib>

#include "common/standard_streams.h"
#include "dispatcher/cli/server.h"
#include "dispatcher/output/visible.h"

namespace netfleet {

bool names_server(const ServerOptions& options) {
  const char* const usual = std::getenv("NETFLEET_SERVER");
  return !options.server.empty() || (usual != nullptr && *usual != '\0');
}

int say_error(const Error& error, int status) {
  print_error("netfleet: " + one_line(error.message) + "\n");
  return status;
}

}  // namespace netfleet
