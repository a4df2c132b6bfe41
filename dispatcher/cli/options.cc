#include "dispatcher/cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "common/duration.h"
#include "dispatcher/cli/help.h"
#include "dispatcher/inventory/host_text.h"
#include "dispatcher/sweep/heartbeat.h"

namespace netfleet {
namespace {

constexpr std::uint32_t kMaxSessions = 100'000;
constexpr std::uint64_t kMaxOutput = 512u << 20;  // SQLite takes values up to 1e9 bytes

// Takes one of a few words.
template <typename Enum, std::size_t N>
TakeValue take_word(Enum& target, std::array<std::pair<std::string_view, Enum>, N> words) {
  return [&target, words](const std::string& given) -> Expected<void> {
    std::string expected;
    for (const auto& [word, value] : words) {
      if (given == word) {
        target = value;
        return {};
      }
      expected += fmt::format("{}{}", expected.empty() ? "" : ", ", word);
    }
    return fail(fmt::format("'{}' is not one of {}", given, expected));
  };
}

TakeValue take_output_format(OutputFormat& target) {
  return [&target](const std::string& given) -> Expected<void> {
    if (given == "grouped") return fail("'grouped' is not available yet");
    return take_word(
        target, std::array{std::pair{std::string_view("text"), OutputFormat::kText},
                           std::pair{std::string_view("jsonl"), OutputFormat::kJsonl},
                           std::pair{std::string_view("summary"), OutputFormat::kSummary}})(given);
  };
}

// What parsing needs besides RunOptions: values that are judged together afterwards.
struct RunExtras {
  bool continue_on_auth_failure = false;
  std::optional<std::uint32_t> max_auth_failures;
  std::optional<std::uint32_t> min_workers;
};

void add_what(CLI::App& run, RunOptions& options) {
  run.option_defaults()->group("What and where");
  add_list(run, "-i,--inventory", "FILE|DIR|-",
           "Hosts: text, CSV or YAML; - is standard input (repeatable)", options.inventories);
  add_list(run, "-H,--host", "HOST[,HOST...]", "Hosts: [user@]host[:port] (repeatable)",
           options.hosts);
  add_list(run, "-l,--limit", "EXPRESSION",
           "Only the hosts of this expression (repeated: all must hold)", options.limits);
  add_value(run, "-c,--command", "COMMAND", "A command to run (repeatable)", Times::kMany,
            [&options](const std::string& given) {
              options.commands.push_back(given);
              return check_command(given);
            });
  add_text(run, "--commands-file", "FILE", "Commands, one a line; lines with # are comments",
           options.commands_file);
  add_text(run, "-P,--platform", "NAME",
           "The platform of all hosts (default: the inventory's, else auto)", options.platform);
  add_value(run, "--port", "N", "The port of hosts whose inventory names none (default: 22)",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              const auto port = parse_number(given, 1, 65535);
              if (!port) return std::unexpected(port.error());
              options.port = static_cast<std::uint16_t>(*port);
              return {};
            });
  run.add_flag("--changes", options.changes,
               "The commands change the device: what was started is never repeated");
  run.add_flag("--retry-unsafe", options.retry_unsafe,
               "With --changes: repeat even so what was lost with its worker");
  run.get_option("--retry-unsafe")->needs("--changes");
  add_text(run, "--platform-dir", "DIR", "More platform files; they replace those of the same name",
           options.platform_dir);
}

void add_login(CLI::App& run, RunOptions& options) {
  run.option_defaults()->group("Login");
  add_text(run, "-u,--user", "NAME",
           "The user of hosts whose inventory names none (default: your login name)", options.user);
  add_credential_options(run, options.credentials, true);
  add_value(
      run, "--host-key-policy", "POLICY",
      "strict, accept-new (default: unknown hosts are remembered) or off", Times::kOnce,
      take_word(options.host_key_policy,
                std::array{std::pair{std::string_view("strict"), HostKeyPolicy::kStrict},
                           std::pair{std::string_view("accept-new"), HostKeyPolicy::kAcceptNew},
                           std::pair{std::string_view("off"), HostKeyPolicy::kOff}}));
  add_text(run, "--known-hosts", "FILE", "Where host keys are kept", options.known_hosts);
  run.add_flag("--legacy-algorithms", options.legacy_algorithms,
               "Offer old key exchanges, ciphers and host keys too");
}

void add_limits(CLI::App& run, RunOptions& options, RunExtras& extras) {
  run.option_defaults()->group("Speed, time and failures");
  add_number(run, "-s,--sessions", "Sessions at once (default: 50)", options.sessions, 1,
             kMaxSessions);
  add_number(run, "-t,--threads", "The same, as the old script called it", options.sessions, 1,
             kMaxSessions);
  run.get_option("--threads")->excludes("--sessions");
  add_number(run, "--session-threads", "Threads that carry them (default: one a core)",
             options.session_threads, 1, 1024);
  add_value(run, "--logins-per-second", "N",
            "Logins a second, over all devices (default: any; more in the inventory's limits)",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              const auto rate = parse_login_rate(given);
              if (!rate) return std::unexpected(rate.error());
              options.logins_per_second = *rate;
              return {};
            });
  add_duration(run, "--connect-timeout", "Until the server may be logged in to (default: 10s)",
               options.timeouts.connect);
  add_duration(run, "--auth-timeout", "Authentication, up to the first prompt (default: 30s)",
               options.timeouts.auth);
  add_duration(run, "--command-timeout", "One command (default: 60s)", options.timeouts.command);
  add_duration(run, "--task-timeout", "One host, all together (default: 1h)",
               options.timeouts.task);
  add_number(run, "--retries", "Times a host that was not reached is tried again (default: 1)",
             options.retries, 0, 100);
  add_value(run, "--on-auth-failure", "ACTION", "After a refused login: stop (default) or continue",
            Times::kOnce,
            take_word(extras.continue_on_auth_failure,
                      std::array{std::pair{std::string_view("stop"), false},
                                 std::pair{std::string_view("continue"), true}}));
  add_value(run, "--max-auth-failures", "N", "Refused logins that end the sweep", Times::kOnce,
            [&extras](const std::string& given) -> Expected<void> {
              const auto number = parse_number(given, 1, UINT32_MAX);
              if (!number) return std::unexpected(number.error());
              extras.max_auth_failures = static_cast<std::uint32_t>(*number);
              return {};
            });
}

void add_output(CLI::App& run, RunOptions& options) {
  run.option_defaults()->group("Output");
  add_value(run, "-o,--output", "FORMAT", "text (default), jsonl or summary", Times::kOnce,
            take_output_format(options.output));
  add_value(
      run, "--order", "ORDER", "inventory (default) or completion", Times::kOnce,
      take_word(options.order,
                std::array{std::pair{std::string_view("inventory"), OutputOrder::kInventory},
                           std::pair{std::string_view("completion"), OutputOrder::kCompletion}}));
  add_text(run, "--output-dir", "DIR", "Also write one file a host", options.output_dir);
  add_text(run, "--session-log", "DIR",
           "Write down each session, secrets masked ('netfleet replay' reads it)",
           options.session_log);
  add_value(run, "--max-output", "SIZE", "Bytes kept of one command's output (default: 64M)",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              const auto size = parse_size(given);
              if (!size) return std::unexpected(size.error());
              if (*size > kMaxOutput) return fail(fmt::format("'{}' is more than 512M", given));
              options.max_output = *size;
              return {};
            });
  add_value(run, "--progress", "WHEN", "auto (default: on a terminal), on or off", Times::kOnce,
            take_word(options.progress,
                      std::array{std::pair{std::string_view("auto"), ProgressMode::kAuto},
                                 std::pair{std::string_view("on"), ProgressMode::kOn},
                                 std::pair{std::string_view("off"), ProgressMode::kOff}}));
  add_value(run, "--store", "FILE|none", "Where results are kept (default: your state directory)",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              options.store.enabled = given != "none";
              options.store.path = options.store.enabled ? given : "";
              return {};
            });
  run.add_flag("-v,--verbose", options.verbose, "Say more on stderr (repeatable)");
  run.add_flag("-q,--quiet", options.quiet, "Say only errors on stderr");
}

void add_fleet(CLI::App& run, RunOptions& options, RunExtras& extras) {
  run.option_defaults()->group("Workers");
  add_value(run, "--listen", "ENDPOINT",
            "Let netfleet-worker processes do it: tcp://ADDRESS:PORT or ipc://PATH", Times::kOnce,
            [&options](const std::string& given) {
              options.listen = given;
              return check_endpoint(given);
            });
  add_value(run, "--min-workers", "N", "Workers to wait for before starting (default: 1)",
            Times::kOnce, [&extras](const std::string& given) -> Expected<void> {
              const auto number = parse_number(given, 1, 100'000);
              if (!number) return std::unexpected(number.error());
              extras.min_workers = static_cast<std::uint32_t>(*number);
              return {};
            });
  add_duration(run, "--region-timeout",
               "How long hosts wait for a worker that serves their region (default: 5m)",
               options.region_timeout);
  add_duration(run, "--lease",
               "How long a worker that is not heard keeps its tasks, 1s or more (default: 10s)",
               options.lease);
  add_text(run, "--keys", "DIR", "Keys of 'netfleet keygen': only workers on their list may join",
           options.keys);
  run.add_flag("--send-credentials", options.send_credentials,
               "Send passwords to workers on other machines too, encrypted");
}

// After all others: which of them the store answers when a sweep goes on.
void add_resume(CLI::App& run, RunOptions& options) {
  run.option_defaults()->group("What and where");
  add_text(run, "--resume", "SWEEP|last",
           "Go on with a sweep whose dispatcher died: hosts and commands come from the store",
           options.resume);
  for (const char* other :
       {"--host", "--limit", "--command", "--commands-file", "--platform", "--port", "--changes",
        "--user", "--host-key-policy", "--legacy-algorithms", "--connect-timeout", "--auth-timeout",
        "--command-timeout", "--task-timeout", "--retries", "--on-auth-failure",
        "--max-auth-failures", "--max-output", "--retry-unsafe"}) {
    run.get_option("--resume")->excludes(other);
  }
}

// What single options cannot say: which ones must be there, and which exclude each other.
Expected<void> settle(RunOptions& options, const RunExtras& extras) {
  const bool fresh = options.resume.empty();
  if (fresh && options.inventories.empty() && options.hosts.empty()) {
    return fail("no hosts: give -i FILE or -H HOST");
  }
  if (fresh && options.commands.empty() && options.commands_file.empty()) {
    return fail("nothing to run: give -c COMMAND or --commands-file FILE");
  }
  if (!fresh && !options.store.enabled) return fail("--resume needs a store");
  if (std::ranges::count(options.inventories, "-") > 1) {
    return fail("--inventory: standard input can be read only once");
  }
  if (extras.continue_on_auth_failure) {
    if (extras.max_auth_failures) {
      return fail("--on-auth-failure continue and --max-auth-failures exclude each other");
    }
    options.max_auth_failures = 0;
  } else if (extras.max_auth_failures) {
    options.max_auth_failures = *extras.max_auth_failures;
  }
  if (extras.min_workers) {
    if (options.listen.empty()) return fail("--min-workers needs --listen");
    options.min_workers = *extras.min_workers;
  }
  if (options.lease < kShortestLease || options.lease > kLongestLease) {
    return fail("--lease: expected 1s to 24h");
  }
  if (options.lease < shortest_lease(options.min_workers)) {
    return fail(
        fmt::format("--lease: {} workers need at least {}, to be heard {} times a lease and "
                    "{} times a second all together",
                    options.min_workers, format_duration(shortest_lease(options.min_workers)),
                    kHeartbeatsALease, kHeartbeatsASecond));
  }
  if (options.listen.empty()) {
    if (!options.keys.empty()) return fail("--keys needs --listen");
    if (options.send_credentials) return fail("--send-credentials needs --listen");
  } else if (!options.session_log.empty()) {
    return fail("--session-log and --listen exclude each other: give it to netfleet-worker");
  } else if (auto safe = check_keys(options.listen, options.keys); !safe) {
    return fail("--listen: " + safe.error().message);
  }
  if (options.quiet && options.verbose > 0) return fail("--quiet and --verbose exclude each other");
  if (options.quiet && options.progress == ProgressMode::kAuto) {
    options.progress = ProgressMode::kOff;
  }
  return {};
}

void add_results(CLI::App& results, ResultsOptions& options) {
  results.add_option("SWEEP", options.sweep, "The sweep's id, or last (default)");
  results.add_flag("--list", options.list, "List the sweeps instead");
  add_value(results, "-o,--output", "FORMAT", "text (default), jsonl or summary", Times::kOnce,
            take_output_format(options.output));
  add_text(results, "--output-dir", "DIR", "Also write one file a host", options.output_dir);
  add_text(results, "--store", "FILE", "Where results are kept (default: your state directory)",
           options.store);
}

void add_workers(CLI::App& workers, WorkersOptions& options) {
  add_value(workers, "--dispatcher", "ENDPOINT", "Where it listens: tcp://HOST:PORT or ipc://PATH",
            Times::kOnce, [&options](const std::string& given) {
              options.dispatcher = given;
              return check_endpoint(given);
            });
  add_text(workers, "--keys", "DIR", "An operator's keys, from 'netfleet keygen'", options.keys);
  add_value(workers, "-o,--output", "FORMAT", "table (default) or jsonl", Times::kOnce,
            take_word(options.jsonl, std::array{std::pair{std::string_view("table"), false},
                                                std::pair{std::string_view("jsonl"), true}}));
}

}  // namespace

Expected<CommandLine> parse_command_line(int argc, const char* const* argv,
                                         const std::string& login_name) {
  RunOptions run;
  RunExtras extras;
  ResultsOptions results;
  WorkersOptions workers;
  run.user = login_name;

  CLI::App app("Runs commands on very many network devices over SSH.", "netfleet");
  app.set_version_flag("--version", "netfleet " NETFLEET_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(std::string(kTopExamples));
  CLI::App* run_verb = app.add_subcommand("run", "Run commands on devices and print what they say");
  run_verb->footer(std::string(kRunExamples));
  add_what(*run_verb, run);
  add_login(*run_verb, run);
  add_limits(*run_verb, run, extras);
  add_output(*run_verb, run);
  add_fleet(*run_verb, run, extras);
  add_resume(*run_verb, run);
  CLI::App* results_verb = app.add_subcommand("results", "Print the results of an earlier sweep");
  results_verb->footer(std::string(kResultsExamples));
  add_results(*results_verb, results);
  CLI::App* workers_verb =
      app.add_subcommand("workers", "Ask a running dispatcher which workers it has");
  workers_verb->footer(std::string(kWorkersExamples));
  add_workers(*workers_verb, workers);

  CLI::App* keygen_verb = app.add_subcommand("keygen", "Make keys for workers on other machines");
  KeygenArguments keygen;
  add_keygen(*keygen_verb, keygen);

  CLI::App* replay_verb = app.add_subcommand("replay", "Run the dialogue over a session log again");
  ReplayOptions replay;
  add_replay(*replay_verb, replay);

  auto parsed = parse_arguments(app, argc, argv);
  if (!parsed) return std::unexpected(parsed.error());
  if (*parsed) return HelpText{**std::move(parsed)};
  if (app.get_subcommands().size() > 1) {
    return usage_error("one command at a time", "netfleet");
  }
  if (run_verb->parsed()) {
    if (const auto settled = settle(run, extras); !settled) {
      return usage_error(settled.error().message, "netfleet run");
    }
    return run;
  }
  if (results_verb->parsed()) return results;
  if (workers_verb->parsed()) {
    if (workers.dispatcher.empty()) {
      return usage_error("no dispatcher: give --dispatcher ENDPOINT", "netfleet workers");
    }
    if (auto safe = check_keys(workers.dispatcher, workers.keys); !safe) {
      return usage_error("--dispatcher: " + safe.error().message, "netfleet workers");
    }
    return workers;
  }
  if (replay_verb->parsed()) return replay;
  if (keygen_verb->parsed()) {
    auto settled = settle_keygen(std::move(keygen));
    if (!settled) return usage_error(settled.error().message, "netfleet keygen");
    return *std::move(settled);
  }
  return usage_error("a command is missing: run, results, workers, keygen or replay", "netfleet");
}

}  // namespace netfleet
