// The JSON of requests: what is not expected is refused, not left out.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/task.h"
#include "dispatcher/api/request.h"

namespace netfleet {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostLimits = 100;
constexpr std::size_t kMostCommands = 1000;
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestLimit = 4096;
constexpr std::size_t kLongestCommand = 64u << 10;

// Refuses fields that are none of these.
Answer<Json> parse_object(std::string_view body, std::initializer_list<std::string_view> fields) {
  auto object = parse_body(body);
  if (!object) return object;
  for (const auto& [name, value] : object->items()) {
    if (std::ranges::find(fields, name) == fields.end()) {
      return std::unexpected(invalid(fmt::format("there is no field '{}' here", name)));
    }
  }
  return object;
}

Answer<std::string> text_of(const Json& value, std::string_view name, std::size_t longest,
                            bool lines) {
  if (!value.is_string()) return std::unexpected(invalid(fmt::format("'{}' is a text", name)));
  auto text = value.get<std::string>();
  if (text.size() > longest) {
    return std::unexpected(invalid(fmt::format("'{}': more than {} bytes", name, longest)));
  }
  const auto wrong = [lines](char c) { return c == '\0' || (!lines && (c == '\n' || c == '\r')); };
  if (std::ranges::any_of(text, wrong)) {
    return std::unexpected(invalid(
        fmt::format("'{}': {}", name, lines ? "there is a NUL in it" : "a text of one line")));
  }
  return text;
}

Answer<std::vector<std::string>> texts_of(const Json& object, const char* name, std::size_t most,
                                          std::size_t longest) {
  std::vector<std::string> texts;
  const auto found = object.find(name);
  if (found == object.end()) return texts;
  if (!found->is_array() || found->size() > most) {
    return std::unexpected(invalid(fmt::format("'{}' is a list of at most {} texts", name, most)));
  }
  for (const Json& value : *found) {
    auto text = text_of(value, name, longest, false);
    if (!text) return std::unexpected(text.error());
    texts.push_back(*std::move(text));
  }
  return texts;
}

Answer<bool> flag_of(const Json& object, const char* name, std::optional<bool> otherwise) {
  const auto found = object.find(name);
  if (found == object.end() && otherwise) return *otherwise;
  if (found == object.end() || !found->is_boolean()) {
    return std::unexpected(invalid(fmt::format("'{}' is true or false", name)));
  }
  return found->get<bool>();
}

}  // namespace

Answer<Json> parse_body(std::string_view body) {
  if (body.empty()) return Json::object();
  if (body.size() > kLongestBody) return std::unexpected(invalid("the body is too large"));
  bool too_deep = false;
  const auto watch = [&too_deep](int depth, Json::parse_event_t event, Json&) {
    if (depth >= kDeepestBody &&
        (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start)) {
      too_deep = true;
    }
    return !too_deep;
  };
  Json json = Json::parse(body, watch, false);
  if (too_deep) return std::unexpected(invalid("the body is nested too deeply"));
  if (json.is_discarded()) return std::unexpected(invalid("the body is no JSON in UTF-8"));
  if (!json.is_object()) return std::unexpected(invalid("the body is no JSON object"));
  return json;
}

Answer<Submission> parse_submission(std::string_view body) {
  const auto object = parse_object(body, {"job", "limit", "commands", "configuration", "dry_run"});
  if (!object) return std::unexpected(object.error());
  Submission submission;
  const auto job = object->find("job");
  if (job == object->end()) return std::unexpected(invalid("'job' is missing: a job's name"));
  auto name = text_of(*job, "job", kLongestName, false);
  if (!name) return std::unexpected(name.error());
  if (name->empty()) return std::unexpected(invalid("'job' is empty"));
  submission.job = *std::move(name);
  auto limits = texts_of(*object, "limit", kMostLimits, kLongestLimit);
  if (!limits) return std::unexpected(limits.error());
  submission.limits = *std::move(limits);
  auto commands = texts_of(*object, "commands", kMostCommands, kLongestCommand);
  if (!commands) return std::unexpected(commands.error());
  submission.commands = *std::move(commands);
  const auto configuration = object->find("configuration");
  if (configuration != object->end() && !configuration->is_null()) {
    auto lines = text_of(*configuration, "configuration", kMaxConfiguration, true);
    if (!lines) return std::unexpected(lines.error());
    submission.configuration = *std::move(lines);
  }
  const auto dry_run = flag_of(*object, "dry_run", false);
  if (!dry_run) return std::unexpected(dry_run.error());
  submission.dry_run = *dry_run;
  return submission;
}

Answer<bool> parse_cancel(std::string_view body) {
  const auto object = parse_object(body, {"now"});
  if (!object) return std::unexpected(object.error());
  return flag_of(*object, "now", false);
}

Answer<OutcomeSet> parse_retry(std::string_view body) {
  const auto object = parse_object(body, {"only"});
  if (!object) return std::unexpected(object.error());
  const auto only = object->find("only");
  if (only == object->end()) return kFailedOutcomes;
  const auto text = text_of(*only, "only", kLongestName, false);
  if (!text) return std::unexpected(text.error());
  const auto outcomes = parse_outcomes(*text);
  if (!outcomes) return std::unexpected(invalid("'only': " + outcomes.error().message));
  return *outcomes;
}

Answer<bool> parse_answer(std::string_view body) {
  const auto object = parse_object(body, {"go_on"});
  if (!object) return std::unexpected(object.error());
  return flag_of(*object, "go_on", std::nullopt);
}

}  // namespace netfleet
