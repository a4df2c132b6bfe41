#include "dispatcher/fleet/log.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/duration.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr std::size_t kLongestValue = 300;  // bytes; a name is shorter, an error is cut

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("._-:/@[]+%,").contains(c);
}

void append_value(std::string& line, std::string_view value) {
  if (value.size() <= kLongestValue && std::ranges::all_of(value, is_plain)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : one_line(value.substr(0, kLongestValue))) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  if (value.size() > kLongestValue) line += "...";
  line += '"';
}

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string region_name(const std::string& region) {
  return region.empty() ? "the default region" : fmt::format("region '{}'", one_line(region));
}

std::string sentence_of(const Noted& noted, const LogSubject& subject) {
  switch (noted.what) {
    case Noted::What::kWorkerJoined:
      return "worker joined";
    case Noted::What::kWorkerLeft:
      return noted.why.empty() ? "worker left" : "worker left, " + one_line(noted.why);
    case Noted::What::kWorkerSilent:
      return "worker is silent, it gets no more tasks until it is heard again";
    case Noted::What::kGranted:
      return "granted";
    case Noted::What::kRetry:
      return "another attempt follows";
    case Noted::What::kLeaseEnded:
      return "lease ended, the worker was lost with this task";
    case Noted::What::kLateResult:
      return "late result of a lost task, which was finished after all; it stays lost";
    case Noted::What::kGuard:
      return "a login was refused, the authentication guard ends the sweep, so that no account is "
             "locked out (--on-auth-failure continue goes on)";
    case Noted::What::kRegionWaits:
      return fmt::format("no worker serves {}: its {} host{} wait{} (region-timeout {})",
                         region_name(noted.worker), subject.region_hosts,
                         subject.region_hosts == 1 ? "" : "s", subject.region_hosts == 1 ? "s" : "",
                         format_duration(subject.region_timeout));
    case Noted::What::kRegionGivenUp:
      return fmt::format("no worker serves {}, for {}: its hosts that waited are given up",
                         region_name(noted.worker), format_duration(subject.region_timeout));
    case Noted::What::kBatch:
      return noted.why;
    case Noted::What::kRolloutAsks:
      return noted.why + ": nothing more is started before somebody says so";
    case Noted::What::kRolloutStopped:
    case Noted::What::kClosed:
      return noted.why + ": nothing more is started";
  }
  return "unknown note";
}

bool is_about_region(Noted::What what) {
  return what == Noted::What::kRegionWaits || what == Noted::What::kRegionGivenUp;
}

}  // namespace

std::string log_line(std::string_view sentence, std::initializer_list<LogField> fields) {
  std::string line(sentence);
  char separator = ':';
  for (const LogField& field : fields) {
    if (field.value.empty()) continue;
    if (separator == ':') line += separator;
    separator = ' ';
    line.append(1, ' ').append(field.key).append(1, '=');
    append_value(line, field.value);
  }
  return line;
}

bool is_warning(Noted::What what) {
  switch (what) {
    case Noted::What::kWorkerSilent:
    case Noted::What::kLeaseEnded:
    case Noted::What::kLateResult:
    case Noted::What::kGuard:
    case Noted::What::kRegionWaits:
    case Noted::What::kRegionGivenUp:
    case Noted::What::kBatch:
    case Noted::What::kRolloutAsks:
    case Noted::What::kRolloutStopped:
    case Noted::What::kClosed:
      return true;
    case Noted::What::kWorkerJoined:
    case Noted::What::kWorkerLeft:
    case Noted::What::kGranted:
    case Noted::What::kRetry:
      return false;
  }
  return true;
}

std::string log_noted(const Noted& noted, const LogSubject& subject) {
  const bool of_region = is_about_region(noted.what);
  const bool of_task = noted.attempt > 0;
  const bool of_result =
      noted.what == Noted::What::kRetry || noted.what == Noted::What::kLateResult;
  return log_line(sentence_of(noted, subject),
                  {{"sweep", subject.sweep},
                   {"host", of_task ? subject.host : ""},
                   {"attempt", of_task ? number(noted.attempt) : ""},
                   {"worker", of_region ? "" : noted.worker},
                   {"region", of_region ? noted.worker : ""},
                   {"hosts", subject.region_hosts > 0 ? number(subject.region_hosts) : ""},
                   {"outcome", of_result ? std::string(outcome_name(noted.outcome)) : ""}});
}

std::string log_progress(const v1::Progress& progress, const std::string& worker,
                         const LogSubject& subject) {
  return log_line("at work", {{"sweep", subject.sweep},
                              {"host", subject.host},
                              {"attempt", number(progress.task().attempt())},
                              {"worker", worker},
                              {"thread", number(progress.session_thread())},
                              {"stage", progress.stage()}});
}

std::string log_retry(const v1::TaskResult& result, const std::string& worker,
                      const LogSubject& subject) {
  return log_line("another attempt follows",
                  {{"sweep", subject.sweep},
                   {"host", subject.host},
                   {"attempt", number(result.task().attempt())},
                   {"worker", worker},
                   {"outcome", std::string(outcome_name(from_wire(result.outcome())))},
                   {"ms", number(result.duration_ms())},
                   {"error", result.error()}});
}

std::string log_result(const TaskResult& result, const LogSubject& subject) {
  return log_line("ended", {{"sweep", subject.sweep},
                            {"host", subject.host},
                            {"attempt", number(result.attempt)},
                            {"worker", result.worker},
                            {"outcome", std::string(outcome_name(result.outcome))},
                            {"ms", std::to_string(result.duration.count())}});
}

}  // namespace netfleet
