#include "dispatcher/cli/options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "dispatcher/cli/help.h"
#include "dispatcher/cli/option_values.h"
#include "dispatcher/cli/run_options.h"

namespace netfleet {
namespace {

void add_results(CLI::App& results, ResultsOptions& options, bool& differences) {
  results.add_option("SWEEP", options.sweep, "The sweep's id, or last (default)");
  results.add_flag("--list", options.list, "List the sweeps instead");
  add_result_format(results, options.output, differences);
  add_text(results, "--output-dir", "DIR", "Also write one file a host", options.output_dir);
  add_text(results, "--git", "DIR", "Also commit one file a host to this git repository",
           options.git);
  add_value(
      results, "--git-shard", "BY", "Directories there: none (default) or region", Times::kOnce,
      take_word(options.git_by_region, std::array{std::pair{std::string_view("none"), false},
                                                  std::pair{std::string_view("region"), true}}));
  add_text(results, "--platform-dir", "DIR", "With --git: more platform files",
           options.platform_dir);
  add_text(results, "--store", "FILE", "Where results are kept (default: your state directory)",
           options.store);
  results.add_flag("--follow", options.follow, "Of a server: also those that are still to come");
  add_server_options(results, options.server);
}

Expected<void> settle_results(ResultsOptions& options, bool differences) {
  if (options.follow && options.list) return fail("--follow and --list exclude each other");
  if (options.git.empty() && options.git_by_region) return fail("--git-shard needs --git");
  if (options.git.empty() && !options.platform_dir.empty()) {
    return fail("--platform-dir is for --git: it says what is no change");
  }
  if (!options.git.empty() && (options.list || !options.server.server.empty())) {
    return fail("--git is for one sweep of a store here: a server sends text, not bytes");
  }
  if (!options.store.empty() && !options.server.server.empty()) {
    return fail("--store and --server exclude each other");
  }
  return settle_output(options.output, differences);
}

void add_workers(CLI::App& workers, WorkersOptions& options) {
  add_value(workers, "--dispatcher", "ENDPOINT",
            "Ask this one by its own protocol: tcp://HOST:PORT or ipc://PATH", Times::kOnce,
            [&options](const std::string& given) {
              options.dispatcher = given;
              return check_endpoint(given);
            });
  add_text(workers, "--keys", "DIR", "An operator's keys, from 'netfleet keygen'", options.keys);
  add_value(workers, "-o,--output", "FORMAT", "table (default) or jsonl", Times::kOnce,
            take_word(options.jsonl, std::array{std::pair{std::string_view("table"), false},
                                                std::pair{std::string_view("jsonl"), true}}));
  add_server_options(workers, options.server);
}

Expected<void> settle_workers(const WorkersOptions& options) {
  if (options.dispatcher.empty()) {
    if (!options.keys.empty()) return fail("--keys needs --dispatcher");
    return {};
  }
  if (!options.server.server.empty()) return fail("--dispatcher and --server exclude each other");
  if (auto safe = check_keys(options.dispatcher, options.keys); !safe) {
    return fail("--dispatcher: " + safe.error().message);
  }
  return {};
}

}  // namespace

Expected<CommandLine> parse_command_line(int argc, const char* const* argv,
                                         const std::string& login_name,
                                         const std::vector<std::string>* of_job) {
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
  add_run_options(*run_verb, run, extras);
  CLI::App* detect_verb = app.add_subcommand("detect", "Find out which platform each device is");
  detect_verb->footer(std::string(kDetectExamples));
  RunOptions detect;
  RunExtras detect_extras;
  detect.user = login_name;
  add_detect_options(*detect_verb, detect, detect_extras);
  CLI::App* results_verb = app.add_subcommand("results", "Print the results of an earlier sweep");
  results_verb->footer(std::string(kResultsExamples));
  bool results_differences = false;
  add_results(*results_verb, results, results_differences);
  CLI::App* diff_verb = app.add_subcommand("diff", "Say what differs between two sweeps");
  DiffOptions diff;
  add_diff(*diff_verb, diff);
  CLI::App* prune_verb = app.add_subcommand("prune", "Remove old sweeps from the store");
  PruneOptions prune;
  add_prune(*prune_verb, prune);
  CLI::App* serve_verb = app.add_subcommand("serve", "Run jobs by their schedules, for years");
  ServeOptions serve;
  add_serve(*serve_verb, serve);
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
  CLI::App* platforms_verb = app.add_subcommand("platforms", "List the platforms, or show one");
  PlatformsOptions platforms;
  add_platforms(*platforms_verb, platforms);
  CLI::App* check_verb = app.add_subcommand("check", "Say what is wrong with files of a run");
  CheckOptions check;
  add_check(*check_verb, check);
  ServiceVerbs service;
  service.add_to(app);

  std::vector<const char*> arguments(argv, argv + argc);
  if (of_job != nullptr) {  // behind the verb, before the user's own
    for (const std::string& argument : *of_job) {
      arguments.insert(arguments.begin() + 2 + (&argument - of_job->data()), argument.c_str());
    }
  }
  auto parsed = parse_arguments(app, static_cast<int>(arguments.size()), arguments.data());
  if (!parsed) return std::unexpected(parsed.error());
  if (*parsed) return HelpText{**std::move(parsed)};
  if (app.get_subcommands().size() > 1) {
    return usage_error("one command at a time", "netfleet");
  }
  if (run_verb->parsed()) {
    run.user_given = run_verb->get_option("--user")->count() > 0;
    for (const CLI::Option* option : run_verb->parse_order())
      run.given.push_back(option->get_name());
    if (!run.job.empty() && of_job == nullptr) return run;
    if (const auto settled = settle_run(*run_verb, run, extras); !settled) {
      return usage_error(settled.error().message, "netfleet run");
    }
    return run;
  }
  if (detect_verb->parsed()) {
    if (const auto settled = settle_run(*detect_verb, detect, detect_extras); !settled) {
      return usage_error(settled.error().message, "netfleet detect");
    }
    return detect;
  }
  if (results_verb->parsed()) {
    if (auto settled = settle_results(results, results_differences); !settled) {
      return usage_error(settled.error().message, "netfleet results");
    }
    return results;
  }
  if (diff_verb->parsed()) {
    if (auto settled = settle_diff(diff); !settled) {
      return usage_error(settled.error().message, "netfleet diff");
    }
    return diff;
  }
  if (prune_verb->parsed()) {
    if (auto settled = settle_prune(prune); !settled) {
      return usage_error(settled.error().message, "netfleet prune");
    }
    return prune;
  }
  if (serve_verb->parsed()) {
    if (auto settled = settle_serve(*serve_verb, serve); !settled) {
      return usage_error(settled.error().message, "netfleet serve");
    }
    return serve;
  }
  if (workers_verb->parsed()) {
    if (auto settled = settle_workers(workers); !settled) {
      return usage_error(settled.error().message, "netfleet workers");
    }
    return workers;
  }
  if (replay_verb->parsed()) return replay;
  if (keygen_verb->parsed()) {
    auto settled = settle_keygen(std::move(keygen));
    if (!settled) return usage_error(settled.error().message, "netfleet keygen");
    return *std::move(settled);
  }
  if (platforms_verb->parsed()) return platforms;
  if (check_verb->parsed()) {
    if (const auto settled = settle_check(check); !settled) {
      return usage_error(settled.error().message, "netfleet check");
    }
    return check;
  }
  auto asks = service.parsed();
  if (!asks) return std::unexpected(asks.error());
  if (*asks) return **std::move(asks);
  return usage_error(
      "a command is missing: run, detect, results, diff, prune, serve, workers, keygen, replay, "
      "platforms, check, submit, status, watch, cancel, retry or schedule",
      "netfleet");
}

}  // namespace netfleet
