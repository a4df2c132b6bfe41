#include "dispatcher/cli/options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "dispatcher/cli/help.h"
#include "dispatcher/cli/option_values.h"
#include "dispatcher/cli/run_options.h"
#include "dispatcher/cli/verb_table.h"

namespace netfleet {
namespace {

struct RunGiven {
  RunOptions options;
  RunExtras extras;
};

struct ResultsGiven {
  ResultsOptions options;
  bool differences = false;
};

void add_results(CLI::App& results, ResultsGiven& given) {
  auto& [options, differences] = given;
  results.footer(std::string(kResultsExamples));
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

Expected<CommandLine> settle_results(ResultsGiven& given) {
  auto& [options, differences] = given;
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
  if (auto settled = settle_output(options.output, differences); !settled) {
    return std::unexpected(settled.error());
  }
  return options;
}

void add_workers(CLI::App& workers, WorkersOptions& options) {
  workers.footer(std::string(kWorkersExamples));
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

// What a verb's check has let pass, or its error.
template <typename Options>
Expected<CommandLine> settled(const Expected<void>& check, Options& options) {
  if (!check) return std::unexpected(check.error());
  return std::move(options);
}

// `with_job`: what a job file says is among the words.
void add_run(VerbTable& verbs, const std::string& login_name, bool with_job) {
  verbs.add<RunGiven>(
      "run", "Run commands on devices and print what they say",
      [&](CLI::App& verb, RunGiven& given) {
        given.options.user = login_name;
        verb.footer(std::string(kRunExamples));
        add_run_options(verb, given.options, given.extras);
      },
      [with_job](const CLI::App& verb, RunGiven& given) -> Expected<CommandLine> {
        auto& [options, extras] = given;
        options.user_given = verb.get_option("--user")->count() > 0;
        for (const CLI::Option* option : verb.parse_order()) {
          options.given.push_back(option->get_name());
        }
        if (!options.job.empty() && !with_job) return std::move(options);
        return settled(settle_run(verb, options, extras), options);
      });
}

void add_detect(VerbTable& verbs, const std::string& login_name) {
  verbs.add<RunGiven>(
      "detect", "Find out which platform each device is",
      [&](CLI::App& verb, RunGiven& given) {
        given.options.user = login_name;
        verb.footer(std::string(kDetectExamples));
        add_detect_options(verb, given.options, given.extras);
      },
      [](const CLI::App& verb, RunGiven& given) {
        return settled(settle_run(verb, given.options, given.extras), given.options);
      });
}

// The verbs about what is stored, and those that serve or ask for others.
void add_sweep_verbs(VerbTable& verbs) {
  verbs.add<ResultsGiven>(
      "results", "Print the results of an earlier sweep", add_results,
      [](const CLI::App&, ResultsGiven& given) { return settle_results(given); });
  verbs.add<DiffOptions>(
      "diff", "Say what differs between two sweeps", add_diff,
      [](const CLI::App&, DiffOptions& options) { return settled(settle_diff(options), options); });
  verbs.add<PruneOptions>("prune", "Remove old sweeps from the store", add_prune,
                          [](const CLI::App&, PruneOptions& options) {
                            return settled(settle_prune(options), options);
                          });
  verbs.add<ServeOptions>("serve", "Run jobs by their schedules, for years", add_serve,
                          [](const CLI::App& verb, ServeOptions& options) {
                            return settled(settle_serve(verb, options), options);
                          });
  verbs.add<WorkersOptions>("workers", "Ask a running dispatcher which workers it has", add_workers,
                            [](const CLI::App&, WorkersOptions& options) {
                              return settled(settle_workers(options), options);
                            });
}

void add_preparing_verbs(VerbTable& verbs) {
  verbs.add<KeygenArguments>(
      "keygen", "Make keys for workers on other machines", add_keygen,
      [](const CLI::App&, KeygenArguments& arguments) -> Expected<CommandLine> {
        return settle_keygen(std::move(arguments));
      });
  verbs.add<ReplayOptions>(
      "replay", "Run the dialogue over a session log again", add_replay,
      [](const CLI::App&, ReplayOptions& options) { return settled({}, options); });
  verbs.add<PlatformsOptions>(
      "platforms", "List the platforms, or show one", add_platforms,
      [](const CLI::App&, PlatformsOptions& options) { return settled({}, options); });
  verbs.add<CheckOptions>("check", "Say what is wrong with files of a run", add_check,
                          [](const CLI::App&, CheckOptions& options) {
                            return settled(settle_check(options), options);
                          });
}

}  // namespace

Expected<CommandLine> parse_command_line(int argc, const char* const* argv,
                                         const std::string& login_name,
                                         const std::vector<std::string>* of_job) {
  std::vector<const char*> words(argv, argv + argc);
  if (of_job != nullptr) {  // behind the verb, before the user's own
    for (const std::string& word : *of_job) {
      words.insert(words.begin() + 2 + (&word - of_job->data()), word.c_str());
    }
  }
  CLI::App app("Runs commands on very many network devices over SSH.", "netfleet");
  app.set_version_flag("--version", "netfleet " NETFLEET_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(std::string(kTopExamples));
  app.require_subcommand(0, 1);  // behind one, another's name is a job's, a file's, ...
  VerbTable verbs(app, words);
  add_run(verbs, login_name, of_job != nullptr);
  add_detect(verbs, login_name);
  add_sweep_verbs(verbs);
  add_preparing_verbs(verbs);
  add_service_verbs(verbs);

  auto parsed = parse_arguments(app, static_cast<int>(words.size()), words.data());
  if (!parsed) return std::unexpected(parsed.error());
  if (*parsed) return HelpText{**std::move(parsed)};
  return verbs.settled();
}

}  // namespace netfleet
