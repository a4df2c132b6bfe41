// devsim: the command line. Not for what the options mean beyond their syntax.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/devsim/device.h"
#include "tests/devsim/session.h"

namespace netfleet::devsim {

struct Options {
  std::vector<Device> devices;  // port 0 where the system is to choose
  SessionOptions session;
  int threads = 1;
  std::string host_key_file;
  std::string host_key_out;
  bool print_fingerprint = false;
  std::string inventory_file;
  int ready_fd = -1;
  bool die_with_parent = false;
  bool stats = false;
  std::optional<std::string> print_output;  // print what this command prints, and leave
};

// The error of an unusable command line, or the text of --help with exit status 0.
struct Usage {
  int exit_status;
  std::string text;
};
std::expected<Options, Usage> parse_options(int argc, const char* const* argv);

}  // namespace netfleet::devsim
