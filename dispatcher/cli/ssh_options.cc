#include "dispatcher/cli/ssh_options.h"

#include <CLI/CLI.hpp>
#include <string>

#include "common/command_line.h"

namespace netfleet {
namespace {

void add_algorithms(CLI::App& app, AlgorithmKind kind, const std::string& help,
                    SshOptions& options) {
  add_value(app, std::string(info_of(kind).option), "LIST", help, Times::kOnce,
            [&options, kind](const std::string& given) {
              options[kind] = given;
              return check_algorithms(kind, given);
            });
}

}  // namespace

void add_ssh_options(CLI::App& app, SshCommandLine& options) {
  SshOptions& algorithms = options.algorithms;
  add_algorithms(app, AlgorithmKind::kKeyExchange,
                 "Key exchange methods: a,b instead of the usual ones, +a,b behind, ^a,b before "
                 "them, -a,b without",
                 algorithms);
  add_algorithms(app, AlgorithmKind::kCiphers, "Ciphers, in the same way", algorithms);
  add_algorithms(app, AlgorithmKind::kMacs, "MACs, in the same way", algorithms);
  add_algorithms(app, AlgorithmKind::kHostKeys, "Host key types, in the same way", algorithms);
  add_text(app, "--ssh-config", "FILE|none",
           "What neither inventory nor command line say (default: ~/.ssh/config)", options.config);
}

}  // namespace netfleet
