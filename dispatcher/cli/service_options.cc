#include "dispatcher/cli/service_options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "dispatcher/cli/option_values.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/cli/service_help.h"
#include "dispatcher/cli/verb_table.h"

namespace netfleet {
namespace {

void add_table_format(CLI::App& app, bool& jsonl) {
  add_value(app, "-o,--output", "FORMAT", "table (default) or jsonl", Times::kOnce,
            take_word(jsonl, std::array{std::pair{std::string_view("table"), false},
                                        std::pair{std::string_view("jsonl"), true}}));
}

void add_only(CLI::App& app, OutcomeSet& only) {
  add_value(app, "--only", "OUTCOME[,...]",
            "Of its hosts those that ended so (default: failed, which is all but ok, cancelled, "
            "skipped and deferred)",
            Times::kOnce, [&only](const std::string& given) -> Expected<void> {
              auto parsed = parse_outcomes(given);
              if (!parsed) return std::unexpected(parsed.error());
              only = *parsed;
              return {};
            });
}

constexpr const char* kSweepHelp = "The sweep's id, its beginning, or last";
constexpr const char* kNoSweep = "no sweep: give its id";
constexpr const char* kWatchHelp = "Then watch it, as 'netfleet watch' does";

void add_submit(CLI::App& verb, SubmitOptions& options) {
  verb.footer(std::string(kSubmitExamples));
  add_server_options(verb, options.server);
  verb.add_option("JOB", options.job, "The job's name in the service's directory");
  add_list(verb, "-l,--limit", "EXPRESSION",
           "Only these of the job's hosts (repeated: all must hold)", options.limits);
  add_value(verb, "-c,--command", "COMMAND", "Run this instead of what the job does (repeatable)",
            Times::kMany, [&options](const std::string& given) -> Expected<void> {
              options.commands.push_back(given);
              return check_command(given);
            });
  add_configuration_options(verb);
  verb.add_flag("--dry-run", options.dry_run, "Of a configuration: change nothing");
  verb.add_flag("--watch", options.watch, kWatchHelp);
}

Expected<CommandLine> settle_submit(const CLI::App& verb, SubmitOptions& options) {
  if (options.job.empty())
    return fail("no job: give its name; 'netfleet schedule list --all' has them");
  options.configuration = configuration_of(verb);
  if (options.dry_run && options.configuration.empty()) {
    return fail("--dry-run needs --config-line or --config-file: others change what the job says");
  }
  return ServiceCommand(options);
}

void add_status(CLI::App& verb, StatusOptions& options) {
  verb.footer(std::string(kStatusExamples));
  add_server_options(verb, options.server);
  verb.add_option("SWEEP", options.sweep, "Of this sweep alone: its id, or last");
  add_number(verb, "--sweeps", "The newest N sweeps (default: 20)", options.sweeps, 1, 1000);
  add_text(verb, "--job", "NAME", "Sweeps of this job only", options.job);
  add_table_format(verb, options.jsonl);
}

struct WatchGiven {
  WatchOptions options;
  bool go_on = false;
  bool stop = false;
};

void add_watch(CLI::App& verb, WatchGiven& given) {
  verb.footer(std::string(kWatchExamples));
  add_server_options(verb, given.options.server);
  verb.add_option("SWEEP", given.options.sweep, "The sweep's id, its beginning, or last (default)");
  verb.add_flag("--go-on", given.go_on, "A roll-out that asks goes on: nobody is asked");
  verb.add_flag("--stop", given.stop, "A roll-out that asks stops: nobody is asked");
}

Expected<CommandLine> settle_watch(WatchGiven& given) {
  if (given.go_on && given.stop) return fail("--go-on and --stop exclude each other");
  given.options.reply = given.go_on  ? RolloutReply::kGoOn
                        : given.stop ? RolloutReply::kStop
                                     : RolloutReply::kAsk;
  return ServiceCommand(given.options);
}

void add_cancel(CLI::App& verb, CancelOptions& options) {
  verb.footer(std::string(kCancelExamples));
  add_server_options(verb, options.server);
  verb.add_option("SWEEP", options.sweep, kSweepHelp);
  verb.add_flag("--now", options.now, "Stop what runs, instead of letting it finish");
}

void add_retry(CLI::App& verb, RetryOptions& options) {
  verb.footer(std::string(kRetryExamples));
  add_server_options(verb, options.server);
  verb.add_option("SWEEP", options.sweep, kSweepHelp);
  add_only(verb, options.only);
  verb.add_flag("--watch", options.watch, kWatchHelp);
}

struct ScheduleGiven {
  ScheduleOptions options;
  std::string action = "list";
};

void add_schedule(CLI::App& verb, ScheduleGiven& given) {
  ScheduleOptions& options = given.options;
  verb.footer(std::string(kScheduleExamples));
  add_server_options(verb, options.server);
  verb.add_option("ACTION", given.action, "list (default), history, pause or resume");
  verb.add_option("JOB", options.job, "The job whose schedule is meant");
  add_number(verb, "--firings", "history: the newest N of a job (default: 50)", options.firings, 1,
             1000);
  verb.add_flag("--all", options.all, "list: jobs without a schedule, too");
  add_table_format(verb, options.jsonl);
}

Expected<CommandLine> settle_schedule(ScheduleGiven& given) {
  auto& [options, action] = given;
  using Word = std::pair<std::string_view, ScheduleAction>;
  const auto taken = take_word(
      options.action,
      std::array{Word("list", ScheduleAction::kList), Word("history", ScheduleAction::kHistory),
                 Word("pause", ScheduleAction::kPause), Word("resume", ScheduleAction::kResume)});
  if (auto known = taken(action); !known) return std::unexpected(known.error());
  const bool acts =
      options.action == ScheduleAction::kPause || options.action == ScheduleAction::kResume;
  if (acts && options.job.empty()) return fail("no job: give the name of the one that is meant");
  if (options.action == ScheduleAction::kList && !options.job.empty()) {
    return fail("list takes no job: 'netfleet schedule history JOB' tells of one");
  }
  if (options.all && options.action != ScheduleAction::kList) return fail("--all is for list");
  return ServiceCommand(options);
}

}  // namespace

void add_service_verbs(VerbTable& verbs) {
  verbs.add<SubmitOptions>(
      "submit", "Let a long-lived dispatcher run one of its jobs now", add_submit,
      [](const CLI::App& verb, SubmitOptions& options) { return settle_submit(verb, options); });
  verbs.add<StatusOptions>("status", "Say how a long-lived dispatcher and its sweeps are",
                           add_status,
                           [](const CLI::App&, StatusOptions& options) -> Expected<CommandLine> {
                             return ServiceCommand(options);
                           });
  verbs.add<WatchGiven>("watch", "Watch a sweep of a long-lived dispatcher to its end", add_watch,
                        [](const CLI::App&, WatchGiven& given) { return settle_watch(given); });
  verbs.add<CancelOptions>("cancel", "End a sweep of a long-lived dispatcher early", add_cancel,
                           [](const CLI::App&, CancelOptions& options) -> Expected<CommandLine> {
                             if (options.sweep.empty()) return fail(kNoSweep);
                             return ServiceCommand(options);
                           });
  verbs.add<RetryOptions>("retry", "Let those hosts of a sweep that failed run again", add_retry,
                          [](const CLI::App&, RetryOptions& options) -> Expected<CommandLine> {
                            if (options.sweep.empty()) return fail(kNoSweep);
                            return ServiceCommand(options);
                          });
  verbs.add<ScheduleGiven>(
      "schedule", "List, explain, pause and resume schedules", add_schedule,
      [](const CLI::App&, ScheduleGiven& given) { return settle_schedule(given); });
}

}  // namespace netfleet
