// Health, jobs, workers, schedules.
#include <nlohmann/json.hpp>
#include <utility>

#include "dispatcher/api/metrics.h"
#include "dispatcher/api/routes.h"
#include "dispatcher/api/views.h"

namespace netfleet {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kFirings = 50;
constexpr std::uint32_t kMostFirings = 1000;

template <typename Range>
ApiAnswer list_answer(const char* name, const Range& range) {
  Json list = Json::array();
  for (const auto& one : range) list.push_back(view(one));
  return json_answer(200, {{name, std::move(list)}});
}

ApiAnswer set_paused(ApiContext& context, const ApiRequest& request, bool paused) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  if (const auto empty = parse_body(request.body); !empty || !empty->empty()) {
    return refusal_answer(empty ? invalid("no body belongs here") : empty.error());
  }
  const std::string& job = request.parts[0];
  const auto done = act_audited(
      context, request, {paused ? "pause" : "resume", job, ""}, [&]() -> Answer<std::string> {
        if (auto set = context.service.set_paused(job, paused, request.who()); !set) {
          return std::unexpected(set.error());
        }
        return std::string();
      });
  if (!done) return refusal_answer(done.error());
  return json_answer(200, {{"job", job}, {"paused", paused}});
}

}  // namespace

ApiAnswer answer_health(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  Health health = context.service.health();
  if (const std::string problem = context.audit.problem(); !problem.empty()) {
    health.ok = false;
    health.problems.push_back(problem);
  }
  if (request.scope < Scope::kRead) {
    return json_answer(200, {{"ok", health.ok}, {"version", health.version}});
  }
  return json_answer(200, view(health));
}

ApiAnswer answer_openapi(ApiContext&, const ApiRequest&) {
  ApiAnswer answer;
  answer.body = openapi_document();
  return answer;
}

ApiAnswer answer_jobs(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  return list_answer("jobs", context.service.jobs());
}

ApiAnswer answer_workers(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  const auto workers = context.service.workers();
  return workers ? list_answer("workers", *workers) : refusal_answer(workers.error());
}

ApiAnswer answer_metrics(ApiContext& context, const ApiRequest&) {
  ApiAnswer answer;
  answer.type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = metrics_text(context.service, context.own_figures());
  return answer;
}

ApiAnswer answer_schedules(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  return list_answer("schedules", context.service.schedules());
}

ApiAnswer answer_firings(ApiContext& context, const ApiRequest& request) {
  if (const auto known = request.query.allow({"limit"}); !known) {
    return refusal_answer(known.error());
  }
  const auto limit = request.query.number("limit", 1, kMostFirings);
  if (!limit) return refusal_answer(limit.error());
  const auto firings = context.service.firings(request.parts[0], limit->value_or(kFirings));
  return firings ? list_answer("firings", *firings) : refusal_answer(firings.error());
}

ApiAnswer pause_schedule(ApiContext& context, const ApiRequest& request) {
  return set_paused(context, request, true);
}

ApiAnswer resume_schedule(ApiContext& context, const ApiRequest& request) {
  return set_paused(context, request, false);
}

}  // namespace netfleet
