// Sweeps: which there are, and what is done with them.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "dispatcher/api/routes.h"
#include "dispatcher/api/views.h"

namespace netfleet {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kSweeps = 50;
constexpr std::uint32_t kMostSweeps = 1000;

// What a new sweep is told as: where it is, too.
ApiAnswer started_answer(const std::string& sweep) {
  ApiAnswer answer = json_answer(202, {{"sweep", sweep}});
  answer.location = "/v1/sweeps/" + sweep;
  return answer;
}

// The whole id of the sweep that is asked for. Found in the store: live ones are there, too.
std::expected<std::string, ApiAnswer> named_id(ApiContext& context, const ApiRequest& request) {
  auto found = find_named(context, request.parts[0]);
  if (!found) return std::unexpected(std::move(found.error()));
  return found->record.id;
}

std::string detail_of(const Submission& submission) {
  std::string detail;
  const auto add = [&detail](std::string part) {
    detail += (detail.empty() ? "" : "; ") + std::move(part);
  };
  for (const std::string& limit : submission.limits) add("limit " + limit);
  for (const std::string& command : submission.commands) add("command " + command);
  if (submission.configuration) {
    add(fmt::format("configuration of {} bytes", submission.configuration->size()));
  }
  if (submission.dry_run) add("dry run");
  return detail;
}

}  // namespace

std::expected<NamedSweep, ApiAnswer> find_named(ApiContext& context, const std::string& name) {
  auto store = context.open_store();
  if (!store) return std::unexpected(store_answer(store.error()));
  auto record = store->find_sweep(name);
  if (!record) {
    // Whether there is none, or the store cannot say, is told apart by asking something harmless.
    if (const auto works = store->sweeps(1); !works) {
      return std::unexpected(store_answer(works.error()));
    }
    return std::unexpected(refusal_answer({Refusal::Kind::kNotFound, record.error().message}));
  }
  return NamedSweep{*std::move(store), *std::move(record)};
}

std::optional<LiveSweep> find_live(Service& service, const std::string& id) {
  auto live = service.live_sweeps();
  const auto found = std::ranges::find(live, id, &LiveSweep::id);
  if (found == live.end()) return {};
  return std::move(*found);
}

ApiAnswer answer_sweeps(ApiContext& context, const ApiRequest& request) {
  if (const auto known = request.query.allow({"limit", "job"}); !known) {
    return refusal_answer(known.error());
  }
  const auto limit = request.query.number("limit", 1, kMostSweeps);
  if (!limit) return refusal_answer(limit.error());
  const std::string job = request.query.text("job");
  const std::size_t most = limit->value_or(kSweeps);
  const auto live = context.service.live_sweeps();
  auto store = context.open_store();
  if (!store) return store_answer(store.error());
  const auto stored = store->sweeps(job.empty() ? most : kMostSweeps);
  if (!stored) return store_answer(stored.error());
  Json list = Json::array();
  for (const SweepRecord& sweep : *stored) {
    const auto running = std::ranges::find(live, sweep.id, &LiveSweep::id);
    Json view = sweep_view(sweep, running == live.end() ? nullptr : &*running, std::nullopt);
    if (!job.empty() && view["job"] != job) continue;
    list.push_back(std::move(view));
    if (list.size() == most) break;
  }
  return json_answer(200, {{"sweeps", std::move(list)}});
}

ApiAnswer answer_sweep(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  auto found = find_named(context, request.parts[0]);
  if (!found) return std::move(found.error());
  if (const auto live = find_live(context.service, found->record.id)) {
    return json_answer(200, sweep_view(found->record, &*live, std::nullopt));
  }
  const auto counts = found->store.outcome_counts(found->record.number);
  if (!counts) return store_answer(counts.error());
  return json_answer(200, sweep_view(found->record, nullptr, *counts));
}

ApiAnswer submit_sweep(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  auto submission = parse_submission(request.body);
  if (!submission) return refusal_answer(submission.error());
  if (const auto good = check_idempotency_key(request.key); !good) {
    return refusal_answer(good.error());
  }
  submission->may_change = request.scope >= Scope::kChange;
  submission->who = request.who();
  submission->key = request.key;
  const bool own = !submission->commands.empty() || submission->configuration;
  std::string sweep;
  const auto done =
      act_audited(context, request, {"submit", submission->job, detail_of(*submission)},
                  [&]() -> Answer<std::string> {
                    if (own && !submission->may_change) {
                      return std::unexpected(Refusal{
                          Refusal::Kind::kForbidden,
                          "own commands and configuration need a token with the scope change"});
                    }
                    auto id = context.service.submit(*submission);
                    if (!id) return id;
                    sweep = *id;
                    return "sweep " + sweep;
                  });
  return done ? started_answer(sweep) : refusal_answer(done.error());
}

ApiAnswer cancel_sweep(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  const auto now = parse_cancel(request.body);
  if (!now) return refusal_answer(now.error());
  const auto sweep = named_id(context, request);
  if (!sweep) return sweep.error();
  const auto done = act_audited(
      context, request, {"cancel", *sweep, *now ? "now" : ""}, [&]() -> Answer<std::string> {
        const auto cancelled = context.service.cancel(*sweep, *now, request.who());
        if (!cancelled) return std::unexpected(cancelled.error());
        return std::string();
      });
  return done ? json_answer(202, {{"sweep", *sweep}}) : refusal_answer(done.error());
}

ApiAnswer retry_sweep(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  const auto only = parse_retry(request.body);
  if (!only) return refusal_answer(only.error());
  if (const auto good = check_idempotency_key(request.key); !good) {
    return refusal_answer(good.error());
  }
  const auto sweep = named_id(context, request);
  if (!sweep) return sweep.error();
  std::string next;
  const auto done =
      act_audited(context, request, {"retry", *sweep, "only " + format_outcomes(*only)},
                  [&]() -> Answer<std::string> {
                    auto id = context.service.retry(*sweep, *only, request.scope >= Scope::kChange,
                                                    request.who(), request.key);
                    if (!id) return id;
                    next = *id;
                    return "sweep " + next;
                  });
  return done ? started_answer(next) : refusal_answer(done.error());
}

ApiAnswer answer_rollout(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  const auto go_on = parse_answer(request.body);
  if (!go_on) return refusal_answer(go_on.error());
  const auto sweep = named_id(context, request);
  if (!sweep) return sweep.error();
  const auto done = act_audited(context, request, {"answer", *sweep, *go_on ? "go on" : "stop"},
                                [&]() -> Answer<std::string> {
                                  const auto answered =
                                      context.service.answer(*sweep, *go_on, request.who());
                                  if (!answered) return std::unexpected(answered.error());
                                  return std::string();
                                });
  return done ? json_answer(202, {{"sweep", *sweep}}) : refusal_answer(done.error());
}

}  // namespace netfleet
