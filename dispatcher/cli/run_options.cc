#include "dispatcher/cli/run_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "common/duration.h"
#include "common/host_text.h"
#include "dispatcher/cli/named_credentials.h"
#include "dispatcher/cli/option_values.h"
#include "dispatcher/inventory/jumps.h"
#include "dispatcher/notify/notifier.h"
#include "dispatcher/sweep/heartbeat.h"

namespace netfleet {
namespace {

constexpr std::uint32_t kMaxSessions = 100'000;
constexpr std::uint64_t kMaxOutput = std::uint64_t{16} << 30;  // on disks, here and there

void add_hosts(CLI::App& run, RunOptions& options) {
  run.option_defaults()->group("What and where");
  add_list(run, "-i,--inventory", "FILE|DIR|-",
           "Hosts: text, CSV or YAML; - is standard input (repeatable)", options.inventories);
  add_list(run, "-H,--host", "HOST[,HOST...]", "Hosts: [user@]host[:port] (repeatable)",
           options.hosts);
  add_list(run, "-l,--limit", "EXPRESSION",
           "Only the hosts of this expression (repeated: all must hold)", options.limits);
  add_value(run, "--port", "N", "The port of hosts whose inventory names none (default: 22)",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              const auto port = parse_number(given, 1, 65535);
              if (!port) return std::unexpected(port.error());
              options.port = static_cast<std::uint16_t>(*port);
              return {};
            });
  add_region(run, options);
  add_value(
      run, "-J,--jump", "HOP[,HOP]|none",
      "Jump hosts, nearest first, of hosts whose inventory names none: [user@]host[:port], or "
      "names of its 'jumps'",
      Times::kOnce, [&options](const std::string& given) -> Expected<void> {
        if (given == kNoJump) {
          options.jump = given;
          return {};
        }
        auto chain = parse_typed_chain(given);
        if (!chain) return std::unexpected(chain.error());
        options.jump = *std::move(chain);
        return {};
      });
  add_text(run, "--platform-dir", "DIR", "More platform files; they replace those of the same name",
           options.platform_dir);
}

void add_commands(CLI::App& run, RunOptions& options) {
  add_value(run, "-c,--command", "COMMAND", "A command to run (repeatable)", Times::kMany,
            [&options](const std::string& given) {
              options.commands.push_back(given);
              return check_command(given);
            });
  add_text(run, "--commands-file", "FILE", "Commands, one a line; lines with # are comments",
           options.commands_file);
  add_text(run, "-P,--platform", "NAME",
           "The platform of all hosts (default: the inventory's, else auto)", options.platform);
}

void add_login(CLI::App& run, RunOptions& options) {
  run.option_defaults()->group("Login");
  add_text(run, "-u,--user", "NAME",
           "The user of hosts whose inventory names none (default: your login name)", options.user);
  add_credential_options(run, options.credentials, true);
  add_named_credentials(run, options);
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
  add_ssh_options(run, options.ssh);
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

void add_output(CLI::App& run, RunOptions& options, RunExtras& extras) {
  run.option_defaults()->group("Output");
  add_result_format(run, options.output, extras.differences);
  add_text(run, "--output-dir", "DIR", "Also write one file a host", options.output_dir);
  add_text(run, "--git", "DIR", "Also commit one file a host to this git repository", options.git);
  add_value(run, "--git-shard", "BY", "Directories there: none (default), region or group",
            Times::kOnce,
            take_word(options.git_shard,
                      std::array{std::pair{std::string_view("none"), GitShard::kNone},
                                 std::pair{std::string_view("region"), GitShard::kRegion},
                                 std::pair{std::string_view("group"), GitShard::kGroup}}));
  add_value(run, "--max-output", "SIZE", "Bytes kept of one command's output (default: 64M)",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              const auto size = parse_size(given);
              if (!size) return std::unexpected(size.error());
              if (*size > kMaxOutput) return fail(fmt::format("'{}' is more than 16G", given));
              options.max_output = *size;
              return {};
            });
}

void add_notices(CLI::App& run, RunOptions& options) {
  run.option_defaults()->group("Notices");
  add_text(run, "--notify-command", "COMMAND",
           "Run this when the sweep has ended: it is told of it, as JSON at its standard input",
           options.notify.command);
  add_value(run, "--notify-webhook", "URL", "POST the same to this address", Times::kOnce,
            [&options](const std::string& given) {
              options.notify.webhook = given;
              return check_webhook(given);
            });
  add_text(run, "--notify-webhook-file", "FILE", "The address is in this file: it may be a secret",
           options.notify.webhook_file);
  run.get_option("--notify-webhook-file")->excludes("--notify-webhook");
  add_value(run, "--notify-failures", "N|N%", "Tell also as soon as so many hosts have failed",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              const auto threshold = FailureThreshold::parse(given);
              if (!threshold) return std::unexpected(threshold.error());
              options.notify.failures = *threshold;
              return {};
            });
}

void add_reporting(CLI::App& run, RunOptions& options) {
  run.option_defaults()->group("Output");
  add_value(
      run, "--order", "ORDER", "inventory (default) or completion", Times::kOnce,
      take_word(options.order,
                std::array{std::pair{std::string_view("inventory"), OutputOrder::kInventory},
                           std::pair{std::string_view("completion"), OutputOrder::kCompletion}}));
  add_text(run, "--session-log", "DIR",
           "Write down each session, secrets masked ('netfleet replay' reads it)",
           options.session_log);
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
  add_value(run, "--only", "OUTCOME[,...]",
            "With --resume: do the job of that sweep, which has ended, once more, on those of its "
            "hosts that ended so; failed is all but ok, cancelled, skipped and deferred",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              const auto outcomes = parse_outcomes(given);
              if (!outcomes) return std::unexpected(outcomes.error());
              options.only = *outcomes;
              return {};
            });
  run.get_option("--only")->needs("--resume");
  for (const char* other : {"JOB",
                            "--host",
                            "--limit",
                            "--command",
                            "--commands-file",
                            "--platform",
                            "--port",
                            "--region",
                            "--credential",
                            "--jump",
                            "--changes",
                            "--user",
                            "--host-key-policy",
                            "--legacy-algorithms",
                            "--kex",
                            "--ciphers",
                            "--macs",
                            "--host-key-algorithms",
                            "--ssh-config",
                            "--connect-timeout",
                            "--auth-timeout",
                            "--command-timeout",
                            "--task-timeout",
                            "--retries",
                            "--on-auth-failure",
                            "--max-auth-failures",
                            "--max-output",
                            "--retry-unsafe",
                            "--mode",
                            "--config-line",
                            "--config-file",
                            "--save",
                            "--commit",
                            "--commit-confirmed",
                            "--dry-run",
                            "--answer",
                            "--exec",
                            "--canary",
                            "--batch",
                            "--batch-growth",
                            "--batch-pause",
                            "--max-failures",
                            "--on-max-failures",
                            "--count-failures"}) {
    run.get_option("--resume")->excludes(other);
  }
}

}  // namespace

Expected<void> settle_run(const CLI::App& run, RunOptions& options, const RunExtras& extras) {
  const bool fresh = options.resume.empty();
  if (fresh && options.inventories.empty() && options.hosts.empty()) {
    return fail("no hosts: give -i FILE or -H HOST");
  }
  if (!options.detect) {
    if (auto settled = settle_change(run, options); !settled) return settled;
    if (auto settled = settle_rollout(run, options.rollout); !settled) return settled;
  }
  if (auto settled = settle_named_credentials(options); !settled) return settled;
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
  } else if (!options.credentials.otp_command.empty()) {
    return fail("--otp-command: the workers run it: give it to netfleet-worker");
  }
  const RunOptions::Notify& notify = options.notify;
  if (notify.failures && notify.command.empty() && notify.webhook.empty() &&
      notify.webhook_file.empty()) {
    return fail("--notify-failures needs --notify-command or --notify-webhook");
  }
  if (options.git.empty() && options.git_shard != GitShard::kNone) {
    return fail("--git-shard needs --git");
  }
  if (auto settled = settle_output(options.output, extras.differences); !settled) return settled;
  if (options.quiet && options.verbose > 0) return fail("--quiet and --verbose exclude each other");
  if (options.quiet && options.progress == ProgressMode::kAuto) {
    options.progress = ProgressMode::kOff;
  }
  return {};
}

void add_run_options(CLI::App& run, RunOptions& options, RunExtras& extras) {
  run.add_option("JOB", options.job,
                 "A job file (YAML) that says all this; what is given here goes before it");
  add_hosts(run, options);
  add_commands(run, options);
  add_change_options(run, options);
  add_login(run, options);
  add_limits(run, options, extras);
  add_rollout_options(run, options.rollout);
  add_output(run, options, extras);
  add_reporting(run, options);
  add_notices(run, options);
  add_fleet(run, options, extras);
  add_resume(run, options);
}

void add_detect_options(CLI::App& detect, RunOptions& options, RunExtras& extras) {
  options.detect = true;
  options.platform = "auto";
  options.output = OutputFormat::kDetectionTable;
  add_hosts(detect, options);
  add_login(detect, options);
  add_limits(detect, options, extras);
  detect.option_defaults()->group("Output");
  add_value(
      detect, "-o,--output", "FORMAT", "table (default) or jsonl", Times::kOnce,
      take_word(options.output,
                std::array{std::pair{std::string_view("table"), OutputFormat::kDetectionTable},
                           std::pair{std::string_view("jsonl"), OutputFormat::kDetectionJsonl}}));
  add_reporting(detect, options);
  add_fleet(detect, options, extras);
}

}  // namespace netfleet
