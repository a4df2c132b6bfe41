#include <nlohmann/json.hpp>

#include "worker/device/platform_page.h"

namespace netfleet {
namespace {

using Json = nlohmann::ordered_json;

void add(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

void add(Json& object, const char* key, const std::optional<Pattern>& pattern) {
  if (pattern) object[key] = pattern->expression();
}

void add(Json& object, const char* key, const std::vector<Pattern>& patterns) {
  for (const Pattern& pattern : patterns) object[key].push_back(pattern.expression());
}

void add(Json& object, const char* key, const std::vector<Platform::Answer>& answers) {
  for (const Platform::Answer& answer : answers) {
    Json item{{"prompt", answer.prompt.expression()}};
    switch (answer.what) {
      case Platform::Answer::What::kText:
        item["reply"] = answer.reply;
        if (answer.bare) item["bare"] = true;
        break;
      case Platform::Answer::What::kUser:
        item["send"] = "user";
        break;
      case Platform::Answer::What::kPassword:
        item["send"] = "password";
        break;
      case Platform::Answer::What::kEnablePassword:
        item["send"] = "enable_password";
        break;
    }
    object[key].push_back(std::move(item));
  }
}

Json json_of(const Platform::Commit& commit) {
  Json json{{"command", commit.command}};
  add(json, "confirmed", commit.confirmed);
  add(json, "confirm", commit.confirm);
  add(json, "check", commit.check);
  add(json, "check_success", commit.check_success);
  add(json, "diff", commit.diff);
  add(json, "abort", commit.abort);
  add(json, "success", commit.success);
  add(json, "failure", commit.failure);
  add(json, "failure_detail", commit.failure_detail);
  add(json, "answers", commit.answers);
  return json;
}

Json json_of(const Platform::Configure& configure) {
  Json json = Json::object();
  add(json, "mode", configure.mode);
  if (configure.commit) json["commit"] = json_of(*configure.commit);
  for (const Platform::Block& block : configure.blocks) {
    Json& item = json["blocks"].emplace_back(Json{{"begin", block.begin.expression()}});
    add(item, "end", block.end);
  }
  return json;
}

Json json_of(const Platform::Detect& detect) {
  Json json = Json::object();
  add(json, "server", detect.server);
  add(json, "banner", detect.banner);
  add(json, "prompt", detect.prompt);
  for (const Platform::Probe& probe : detect.probes) {
    json["probes"].push_back({{"command", probe.command}, {"output", probe.output.expression()}});
  }
  if (detect.fallback) json["fallback"] = true;
  return json;
}

void add_modes(Json& json, const Platform& platform) {
  for (const Platform::Mode& mode : platform.modes) {
    Json& item =
        json["modes"].emplace_back(Json{{"name", mode.name}, {"prompt", mode.prompt.expression()}});
    add(item, "above", mode.above);
  }
  for (const Platform::Move& move : platform.moves) {
    Json& item = json["moves"].emplace_back(
        Json{{"from", move.from}, {"to", move.to}, {"command", move.command}});
    add(item, "answers", move.answers);
  }
  for (const Platform::Prepare& step : platform.prepare) {
    Json& item = json["prepare"].emplace_back(Json{{"command", step.command}});
    add(item, "mode", step.mode);
    add(item, "when_prompt", step.when_prompt);
    add(item, "new_prompt", step.new_prompt);
  }
}

const char* confidence(Platform::Confidence confidence) {
  if (confidence == Platform::Confidence::kHigh) return "high";
  return confidence == Platform::Confidence::kMedium ? "medium" : "low";
}

}  // namespace

std::string platform_json(const Platform& platform) {
  Json json{{"name", platform.name},
            {"title", platform.title},
            {"confidence", confidence(platform.confidence)},
            {"aliases", platform.aliases},
            {"notes", platform.notes},
            {"detect", json_of(platform.detect)}};
  add_modes(json, platform);
  if (platform.confirm_prompt) json["confirm_prompt"] = true;
  if (platform.prompt_after_text) json["prompt_after_text"] = true;
  add(json, "context_lines", platform.context_lines);
  if (platform.configure) json["configure"] = json_of(*platform.configure);
  if (platform.save) {
    Json& save = json["save"] = Json{{"command", platform.save->command}};
    add(save, "mode", platform.save->mode);
    add(save, "success", platform.save->success);
    add(save, "answers", platform.save->answers);
  }
  if (platform.pager) {
    json["pager"] = {{"mark", platform.pager->expression()}, {"key", platform.pager_key}};
  }
  add(json, "errors", platform.errors);
  add(json, "volatile", platform.volatile_text);
  add(json, "confirmations", platform.confirmations);
  add(json, "login", platform.login);
  add(json, "logout", platform.logout);
  add(json, "logout_answers", platform.logout_answers);
  json["line_ending"] = platform.line_ending;
  json["exec"] = platform.exec;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace netfleet
