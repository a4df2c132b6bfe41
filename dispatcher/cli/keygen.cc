#include "dispatcher/cli/keygen.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "common/curve_files.h"
#include "common/standard_streams.h"
#include "common/utf8.h"
#include "dispatcher/cli/verbs.h"

namespace netfleet {
namespace {

constexpr const char* kExamples = R"(Examples:
  On the dispatcher's machine, once:
    netfleet keygen keys dispatcher
  For each worker, also while a sweep runs (a dispatcher notices new keys, and removed ones):
    netfleet keygen keys worker eu-1
    scp keys/dispatcher.pub keys/worker-eu-1.secret eu-1:keys/
  Or on the worker's machine, so that its secret never travels; only the two .pub files do:
    netfleet keygen keys worker eu-1
    scp keys/workers/eu-1.pub hub:keys/workers/ && scp hub:keys/dispatcher.pub keys/
  Then:
    netfleet run --listen tcp://0.0.0.0:7600 --keys keys -i devices.txt -c "show clock"
    netfleet-worker --dispatcher tcp://hub:7600 --keys keys
  A token for the HTTP API of 'netfleet serve', and its line in the file of tokens:
    netfleet keygen --token night --scopes read,run

.secret files are readable by you alone and stay so; .pub files may be copied anywhere. Who has
keys/workers/NAME.pub in its directory lets NAME join; remove the file to lock it out.)";

std::string next_step(const KeygenOptions& options, const std::string& name) {
  const std::string& directory = options.directory;
  switch (options.role) {
    case curve::Role::kDispatcher:
      return fmt::format("give every worker {}/dispatcher.pub", directory);
    case curve::Role::kWorker:
      return fmt::format(
          "the worker needs {0}/worker-{1}.secret and {0}/dispatcher.pub, the dispatcher "
          "{0}/workers/{1}.pub",
          directory, name);
    case curve::Role::kOperator:
      return fmt::format(
          "{1} needs {0}/operator-{1}.secret and {0}/dispatcher.pub, the dispatcher "
          "{0}/operators/{1}.pub",
          directory, name);
  }
  std::abort();
}

Expected<void> make_one(const KeygenOptions& options, const std::string& name) {
  auto pair = curve::make_key_pair({options.role, name});
  if (!pair) return std::unexpected(pair.error());
  const auto written = curve::write_key_pair(options.directory, *pair, options.replace);
  if (!written) return std::unexpected(written.error());
  const auto said = print_output(fmt::format("wrote {} (secret) and {}: {}\n", written->secret_file,
                                             written->public_file, next_step(options, name)));
  if (!said) return std::unexpected(said.error());
  return {};
}

// The token is nowhere else: it is printed once, then the line that lets it in.
Expected<void> make_one_token(const KeygenOptions& options) {
  const auto made = make_token(options.token, options.scope);
  if (!made) return std::unexpected(made.error());
  const auto said = print_output(fmt::format("{}\n{}\n", made->token, made->line));
  if (!said) return std::unexpected(said.error());
  print_error(
      "The first line is the token, shown this once; the second one belongs into the file of "
      "tokens.\n");
  return {};
}

}  // namespace

void add_keygen(CLI::App& keygen, KeygenArguments& arguments) {
  keygen.footer(kExamples);
  keygen.add_option("DIR", arguments.directory, "The directory of keys; made if it is not there");
  keygen.add_option("WHO", arguments.role, "dispatcher, worker or operator");
  keygen.add_option("NAME", arguments.names, "Of the workers or operators (one pair of keys each)");
  keygen.add_flag("--replace", arguments.replace, "Make new keys in place of those that are there");
  keygen.add_option("--token", arguments.token,
                    "Instead: make a token of this name for the HTTP API");
  keygen.add_option("--scopes", arguments.scopes,
                    "What it allows: a list of read, run (jobs as they are), change");
}

namespace {

Expected<KeygenOptions> settle_token(KeygenArguments arguments) {
  if (!arguments.directory.empty() || arguments.replace) {
    return fail("--token makes no keys: as in 'netfleet keygen --token night --scopes run'");
  }
  if (!is_token_name(arguments.token)) {
    return fail(fmt::format("--token '{}': letters, digits, '.', '_', '-', at most 64",
                            to_utf8(arguments.token)));
  }
  if (arguments.scopes.empty()) return fail("--token needs --scopes: read, run, change");
  const auto scope = parse_scopes(arguments.scopes);
  if (!scope) return fail("--scopes: " + scope.error().message);
  KeygenOptions options;
  options.token = std::move(arguments.token);
  options.scope = *scope;
  return options;
}

}  // namespace

Expected<KeygenOptions> settle_keygen(KeygenArguments arguments) {
  if (!arguments.token.empty()) return settle_token(std::move(arguments));
  if (!arguments.scopes.empty()) return fail("--scopes is for --token");
  KeygenOptions options{std::move(arguments.directory),
                        curve::Role::kDispatcher,
                        std::move(arguments.names),
                        arguments.replace,
                        {},
                        Scope::kNone};
  while (options.directory.size() > 1 && options.directory.ends_with('/')) {
    options.directory.pop_back();
  }
  if (options.directory.empty())
    return fail("no directory: as in 'netfleet keygen keys dispatcher'");
  if (arguments.role == "worker") {
    options.role = curve::Role::kWorker;
  } else if (arguments.role == "operator") {
    options.role = curve::Role::kOperator;
  } else if (arguments.role != "dispatcher") {
    return fail(
        fmt::format("'{}' is not one of dispatcher, worker, operator", to_utf8(arguments.role)));
  }
  const bool dispatcher = options.role == curve::Role::kDispatcher;
  if (dispatcher && !options.names.empty()) return fail("a dispatcher's key takes no name");
  if (!dispatcher && options.names.empty()) {
    return fail(fmt::format("no name: as in 'netfleet keygen {} {} NAME'",
                            to_utf8(options.directory), arguments.role));
  }
  for (const std::string& name : options.names) {
    if (auto checked = curve::check_name(name); !checked) return std::unexpected(checked.error());
  }
  if (dispatcher) options.names = {"dispatcher"};
  return options;
}

int keygen_verb(const KeygenOptions& options) {
  if (!options.token.empty()) {
    const auto made = make_one_token(options);
    if (!made) print_error("netfleet: " + made.error().message + "\n");
    return made ? kExitOk : kExitUsage;
  }
  for (const std::string& name : options.names) {
    if (const auto made = make_one(options, name); !made) {
      print_error("netfleet: " + made.error().message + "\n");
      return kExitUsage;
    }
  }
  return kExitOk;
}

}  // namespace netfleet
