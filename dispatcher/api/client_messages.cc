#include "dispatcher/api/client_messages.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace netfleet {
namespace {

using Json = nlohmann::json;

constexpr int kDeepest = 8;

// Reads the fields of one object; keeps the first thing that is wrong. A field that is null is as
// good as none.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {
    if (!object.is_object()) wrong("it is no object");
  }

  std::string text(const char* name) {
    const Json& value = must(name, &Json::is_string, "a text");
    return value.is_string() ? value.get<std::string>() : std::string();
  }
  std::string text_or_none(const char* name) { return has(name) ? text(name) : std::string(); }
  bool flag(const char* name) {
    const Json& value = must(name, &Json::is_boolean, "true or false");
    return value.is_boolean() && value.get<bool>();
  }
  template <typename Number = std::uint32_t>
  Number number(const char* name) {
    const Json& value = must(name, &Json::is_number_unsigned, "a number");
    if (!value.is_number_unsigned()) return 0;
    return number_of<Number>(name, value);
  }
  WallTime time(const char* name) {
    const auto parsed = parse_wall_time(text(name));
    if (!parsed) wrong(fmt::format("'{}' is no time", name));
    return parsed.value_or(WallTime());
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> all;
    for (const Json& value : list(name)) {
      if (!value.is_string()) wrong(fmt::format("'{}' holds what is no text", name));
      if (value.is_string()) all.push_back(value.get<std::string>());
    }
    return all;
  }
  const Json& list(const char* name) {
    static const Json none = Json::array();
    const Json& value = must(name, &Json::is_array, "a list");
    return value.is_array() ? value : none;
  }
  void outcomes(const char* name, std::array<std::uint32_t, kOutcomeCount>& by_outcome) {
    if (!has(name)) return;
    const Json& value = must(name, &Json::is_object, "an object");
    if (!value.is_object()) return;
    for (const auto& [word, count] : value.items()) {
      const auto outcome = outcome_from_name(word);
      if (!outcome || !count.is_number_unsigned()) {
        wrong(fmt::format("'{}' holds what is no number of an outcome", name));
      } else {
        by_outcome[static_cast<std::size_t>(*outcome)] = number_of<std::uint32_t>(name, count);
      }
    }
  }

  bool has(const char* name) const {
    if (!object_.is_object()) return false;
    const auto found = object_.find(name);
    return found != object_.end() && !found->is_null();
  }
  void wrong(std::string what) {
    if (!error_) error_ = Error{"an answer that no dispatcher gives: " + std::move(what)};
  }
  template <typename T>
  Expected<T> done(T value) const {
    if (error_) return std::unexpected(*error_);
    return value;
  }

 private:
  const Json& must(const char* name, bool (Json::*is)() const noexcept, const char* kind) {
    static const Json none;
    if (!has(name)) {
      wrong(fmt::format("it has no '{}'", name));
      return none;
    }
    const Json& value = object_[name];
    if (!(value.*is)()) wrong(fmt::format("'{}' is not {}", name, kind));
    return value;
  }
  template <typename Number>
  Number number_of(const char* name, const Json& value) {
    const auto number = value.get<std::uint64_t>();
    if (number > std::numeric_limits<Number>::max()) wrong(fmt::format("'{}' is too large", name));
    return static_cast<Number>(number);
  }

  const Json& object_;
  std::optional<Error> error_;
};

Expected<Json> parse(std::string_view text) {
  // What lies deeper than anything that is read is not kept.
  const auto keep = [](int depth, Json::parse_event_t, const Json&) { return depth <= kDeepest; };
  Json json = Json::parse(text, keep, false);
  if (json.is_discarded()) return fail("an answer that no dispatcher gives: it is no JSON");
  return json;
}

// What `read` makes of it.
template <typename Read>
auto parse_one(std::string_view text, Read read) -> decltype(read(std::declval<const Json&>())) {
  const auto json = parse(text);
  if (!json) return std::unexpected(json.error());
  return read(*json);
}

template <typename T>
Expected<std::vector<T>> parse_list(std::string_view text, const char* name,
                                    Expected<T> (*read)(const Json&)) {
  return parse_one(text, [&](const Json& json) -> Expected<std::vector<T>> {
    Fields fields(json);
    std::vector<T> all;
    for (const Json& item : fields.list(name)) {
      auto value = read(item);
      if (!value) return std::unexpected(value.error());
      all.push_back(*std::move(value));
    }
    return fields.done(std::move(all));
  });
}

Expected<SweepView> read_sweep(const Json& json) {
  Fields fields(json);
  SweepView sweep;
  sweep.id = fields.text("sweep");
  sweep.job = fields.text_or_none("job");
  sweep.origin = fields.text_or_none("origin");
  sweep.state = fields.text("state");
  sweep.why = fields.text_or_none("why");
  sweep.started_at = fields.time("started_at");
  if (fields.has("ended_at")) sweep.ended_at = fields.time("ended_at");
  sweep.commands = fields.texts("commands");
  sweep.changes = fields.flag("changes");
  if (fields.has("guarded")) sweep.guarded = fields.flag("guarded");
  sweep.total = fields.number("total");
  sweep.running = fields.number("running");
  if (fields.has("done")) sweep.done = fields.number("done");
  fields.outcomes("outcomes", sweep.by_outcome);
  return fields.done(std::move(sweep));
}

Expected<JobView> read_job(const Json& json) {
  Fields fields(json);
  JobView job;
  job.name = fields.text("name");
  job.path = fields.text("path");
  job.error = fields.text_or_none("error");
  job.changes = fields.flag("changes");
  job.scheduled = fields.flag("scheduled");
  return fields.done(std::move(job));
}

Expected<ScheduleView> read_schedule(const Json& json) {
  Fields fields(json);
  ScheduleView schedule;
  schedule.job = fields.text("job");
  schedule.cron = fields.text("cron");
  schedule.zone = fields.text("zone");
  if (fields.has("next")) schedule.next = fields.time("next");
  schedule.paused = fields.flag("paused");
  if (fields.has("running")) schedule.running = fields.text("running");
  schedule.warning = fields.text_or_none("warning");
  return fields.done(std::move(schedule));
}

Expected<FiringView> read_firing(const Json& json) {
  Fields fields(json);
  FiringView firing;
  firing.job = fields.text("job");
  firing.due = fields.time("due");
  firing.what = fields.text("what");
  firing.sweep = fields.text_or_none("sweep");
  firing.why = fields.text_or_none("why");
  return fields.done(std::move(firing));
}

Expected<WorkerInfo> read_worker(const Json& json) {
  Fields fields(json);
  WorkerInfo worker;
  worker.name = fields.text("name");
  worker.regions = fields.texts("regions");
  worker.slots = fields.number("slots");
  worker.free = fields.number("free");
  worker.running = fields.number("running");
  worker.done = fields.number<std::uint64_t>("done");
  worker.joined_ago = Milliseconds(fields.number<std::int64_t>("joined_ago_ms"));
  worker.seen_ago = Milliseconds(fields.number<std::int64_t>("seen_ago_ms"));
  worker.silent = fields.flag("silent");
  return fields.done(std::move(worker));
}

// A host's part of a comparison.
Expected<HostComparison> read_host(const Json& json) {
  Fields fields(json);
  HostComparison host;
  host.host = fields.text("host");
  for (const Json& item : fields.list("changed")) {
    Fields changed(item);
    auto read =
        changed.done(HostComparison::Changed{changed.text("command"), changed.text("hunks")});
    if (!read) return std::unexpected(read.error());
    host.changed.push_back(*std::move(read));
  }
  host.not_compared = fields.texts("not_compared");
  return fields.done(std::move(host));
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace

Expected<SweepView> parse_sweep(std::string_view json) { return parse_one(json, read_sweep); }

Expected<std::vector<SweepView>> parse_sweeps(std::string_view json) {
  return parse_list(json, "sweeps", read_sweep);
}

Expected<std::vector<JobView>> parse_jobs(std::string_view json) {
  return parse_list(json, "jobs", read_job);
}

Expected<std::vector<ScheduleView>> parse_schedules(std::string_view json) {
  return parse_list(json, "schedules", read_schedule);
}

Expected<std::vector<FiringView>> parse_firings(std::string_view json) {
  return parse_list(json, "firings", read_firing);
}

Expected<std::vector<WorkerInfo>> parse_workers(std::string_view json) {
  return parse_list(json, "workers", read_worker);
}

Expected<Health> parse_health(std::string_view text) {
  return parse_one(text, [](const Json& json) {
    Fields fields(json);
    Health health;
    health.ok = fields.flag("ok");
    health.version = fields.text("version");
    if (!fields.has("since")) return fields.done(std::move(health));  // to those without a token
    health.since = fields.time("since");
    health.problems = fields.texts("problems");
    health.workers = fields.number("workers");
    health.slots = fields.number("slots");
    health.running = fields.number("running");
    health.sweeps = fields.number("sweeps");
    return fields.done(std::move(health));
  });
}

Expected<std::variant<HostComparison, ComparisonEnd>> parse_comparison(std::string_view line) {
  using Parsed = std::variant<HostComparison, ComparisonEnd>;
  return parse_one(line, [](const Json& json) -> Expected<Parsed> {
    Fields fields(json);
    if (fields.has("host")) return read_host(json);
    ComparisonEnd end;
    end.before = fields.text("before");
    end.after = fields.text("after");
    end.hosts = fields.number("hosts");
    return fields.done(Parsed(std::move(end)));
  });
}

Expected<std::string> parse_sweep_id(std::string_view text) {
  return parse_one(text, [](const Json& json) {
    Fields fields(json);
    return fields.done(fields.text("sweep"));
  });
}

Expected<std::string> json_lines(std::string_view text, const char* list) {
  return parse_one(text, [&](const Json& json) {
    Fields fields(json);
    std::string lines;
    for (const Json& item : fields.list(list)) lines += dump(item) + '\n';
    return fields.done(std::move(lines));
  });
}

Expected<std::string> json_line(std::string_view text) {
  return parse_one(text,
                   [](const Json& json) -> Expected<std::string> { return dump(json) + '\n'; });
}

std::string submission_json(const Submission& submission) {
  Json json = {{"job", submission.job}};
  if (!submission.limits.empty()) json["limit"] = submission.limits;
  if (!submission.commands.empty()) json["commands"] = submission.commands;
  if (submission.configuration) json["configuration"] = *submission.configuration;
  if (submission.dry_run) json["dry_run"] = true;
  return dump(json);
}

std::string cancel_json(bool now) { return dump({{"now", now}}); }

std::string retry_json(OutcomeSet only) { return dump({{"only", format_outcomes(only)}}); }

std::string answer_json(bool go_on) { return dump({{"go_on", go_on}}); }

}  // namespace netfleet
