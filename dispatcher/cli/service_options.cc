#include "dispatcher/cli/service_options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "dispatcher/cli/option_values.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/cli/service_help.h"

namespace netfleet {
namespace {

void add_table_format(CLI::App& app, bool& jsonl) {
  add_value(app, "-o,--output", "FORMAT", "table (default) or jsonl", Times::kOnce,
            take_word(jsonl, std::array{std::pair{std::string_view("table"), false},
                                        std::pair{std::string_view("jsonl"), true}}));
}

CLI::App* add_verb(CLI::App& app, const char* name, const char* what, std::string_view examples,
                   ServerOptions& server) {
  CLI::App* verb = app.add_subcommand(name, what);
  verb->footer(std::string(examples));
  add_server_options(*verb, server);
  return verb;
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
constexpr const char* kWatchHelp = "Then watch it, as 'netfleet watch' does";

Expected<void> settle_submit(const CLI::App& verb, SubmitOptions& options) {
  if (options.job.empty())
    return fail("no job: give its name; 'netfleet schedule list --all' has them");
  options.configuration = configuration_of(verb);
  if (options.dry_run && options.configuration.empty()) {
    return fail("--dry-run needs --config-line or --config-file: others change what the job says");
  }
  return {};
}

Expected<void> settle_schedule(const std::string& action, ScheduleOptions& options) {
  using Word = std::pair<std::string_view, ScheduleAction>;
  const auto taken = take_word(
      options.action,
      std::array{Word("list", ScheduleAction::kList), Word("history", ScheduleAction::kHistory),
                 Word("pause", ScheduleAction::kPause), Word("resume", ScheduleAction::kResume)});
  if (auto known = taken(action); !known) return known;
  const bool acts =
      options.action == ScheduleAction::kPause || options.action == ScheduleAction::kResume;
  if (acts && options.job.empty()) return fail("no job: give the name of the one that is meant");
  if (options.action == ScheduleAction::kList && !options.job.empty()) {
    return fail("list takes no job: 'netfleet schedule history JOB' tells of one");
  }
  if (options.all && options.action != ScheduleAction::kList) return fail("--all is for list");
  return {};
}

}  // namespace

void ServiceVerbs::add_to(CLI::App& app) {
  submit_verb_ = add_verb(app, "submit", "Let a long-lived dispatcher run one of its jobs now",
                          kSubmitExamples, submit_.server);
  submit_verb_->add_option("JOB", submit_.job, "The job's name in the service's directory");
  add_list(*submit_verb_, "-l,--limit", "EXPRESSION",
           "Only these of the job's hosts (repeated: all must hold)", submit_.limits);
  add_value(*submit_verb_, "-c,--command", "COMMAND",
            "Run this instead of what the job does (repeatable)", Times::kMany,
            [this](const std::string& given) -> Expected<void> {
              submit_.commands.push_back(given);
              return check_command(given);
            });
  add_configuration_options(*submit_verb_);
  submit_verb_->add_flag("--dry-run", submit_.dry_run, "Of a configuration: change nothing");
  submit_verb_->add_flag("--watch", submit_.watch, kWatchHelp);

  status_verb_ = add_verb(app, "status", "Say how a long-lived dispatcher and its sweeps are",
                          kStatusExamples, status_.server);
  status_verb_->add_option("SWEEP", status_.sweep, "Of this sweep alone: its id, or last");
  add_number(*status_verb_, "--sweeps", "The newest N sweeps (default: 20)", status_.sweeps, 1,
             1000);
  add_text(*status_verb_, "--job", "NAME", "Sweeps of this job only", status_.job);
  add_table_format(*status_verb_, status_.jsonl);

  watch_verb_ = add_verb(app, "watch", "Watch a sweep of a long-lived dispatcher to its end",
                         kWatchExamples, watch_.server);
  watch_verb_->add_option("SWEEP", watch_.sweep,
                          "The sweep's id, its beginning, or last (default)");
  watch_verb_->add_flag("--go-on", go_on_, "A roll-out that asks goes on: nobody is asked");
  watch_verb_->add_flag("--stop", stop_, "A roll-out that asks stops: nobody is asked");

  cancel_verb_ = add_verb(app, "cancel", "End a sweep of a long-lived dispatcher early",
                          kCancelExamples, cancel_.server);
  cancel_verb_->add_option("SWEEP", cancel_.sweep, kSweepHelp);
  cancel_verb_->add_flag("--now", cancel_.now, "Stop what runs, instead of letting it finish");

  retry_verb_ = add_verb(app, "retry", "Let those hosts of a sweep that failed run again",
                         kRetryExamples, retry_.server);
  retry_verb_->add_option("SWEEP", retry_.sweep, kSweepHelp);
  add_only(*retry_verb_, retry_.only);
  retry_verb_->add_flag("--watch", retry_.watch, kWatchHelp);

  schedule_verb_ = add_verb(app, "schedule", "List, explain, pause and resume schedules",
                            kScheduleExamples, schedule_.server);
  schedule_verb_->add_option("ACTION", action_, "list (default), history, pause or resume");
  schedule_verb_->add_option("JOB", schedule_.job, "The job whose schedule is meant");
  add_number(*schedule_verb_, "--firings", "history: the newest N of a job (default: 50)",
             schedule_.firings, 1, 1000);
  schedule_verb_->add_flag("--all", schedule_.all, "list: jobs without a schedule, too");
  add_table_format(*schedule_verb_, schedule_.jsonl);
}

Expected<std::optional<ServiceCommand>> ServiceVerbs::parsed() {
  if (submit_verb_->parsed()) {
    if (auto settled = settle_submit(*submit_verb_, submit_); !settled) {
      return usage_error(settled.error().message, "netfleet submit");
    }
    return submit_;
  }
  if (status_verb_->parsed()) return status_;
  if (watch_verb_->parsed()) {
    if (go_on_ && stop_) {
      return usage_error("--go-on and --stop exclude each other", "netfleet watch");
    }
    watch_.reply = go_on_ ? RolloutReply::kGoOn : stop_ ? RolloutReply::kStop : RolloutReply::kAsk;
    return watch_;
  }
  if (cancel_verb_->parsed()) {
    if (cancel_.sweep.empty()) return usage_error("no sweep: give its id", "netfleet cancel");
    return cancel_;
  }
  if (retry_verb_->parsed()) {
    if (retry_.sweep.empty()) return usage_error("no sweep: give its id", "netfleet retry");
    return retry_;
  }
  if (schedule_verb_->parsed()) {
    if (auto settled = settle_schedule(action_, schedule_); !settled) {
      return usage_error(settled.error().message, "netfleet schedule");
    }
    return schedule_;
  }
  return std::nullopt;
}

}  // namespace netfleet
