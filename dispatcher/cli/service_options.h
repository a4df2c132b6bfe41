// dispatcher/cli: the command lines of the verbs that ask a long-lived dispatcher, as plain data.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/outcome_set.h"
#include "dispatcher/cli/configuration_source.h"
#include "dispatcher/cli/server_options.h"

namespace netfleet {

// What a roll-out that asks is told without asking a person.
enum class RolloutReply : std::uint8_t { kAsk, kGoOn, kStop };

struct WatchOptions {
  ServerOptions server;
  std::string sweep = "last";
  RolloutReply reply = RolloutReply::kAsk;
};

struct SubmitOptions {
  ServerOptions server;
  std::string job;
  std::vector<std::string> limits;
  std::vector<std::string> commands;
  std::vector<ConfigurationSource> configuration;
  bool dry_run = false;
  bool watch = false;
};

struct StatusOptions {
  ServerOptions server;
  std::string sweep;  // empty: of the service
  std::uint32_t sweeps = 20;
  std::string job;  // whose sweeps; empty: all
  bool jsonl = false;
};

struct CancelOptions {
  ServerOptions server;
  std::string sweep;
  bool now = false;
};

struct RetryOptions {
  ServerOptions server;
  std::string sweep;
  OutcomeSet only = kFailedOutcomes;
  bool watch = false;
};

enum class ScheduleAction : std::uint8_t { kList, kHistory, kPause, kResume };
struct ScheduleOptions {
  ServerOptions server;
  ScheduleAction action = ScheduleAction::kList;
  std::string job;
  std::uint32_t firings = 50;
  bool all = false;
  bool jsonl = false;
};

using ServiceCommand = std::variant<SubmitOptions, StatusOptions, WatchOptions, CancelOptions,
                                    RetryOptions, ScheduleOptions>;

class VerbTable;

void add_service_verbs(VerbTable& verbs);

}  // namespace netfleet
