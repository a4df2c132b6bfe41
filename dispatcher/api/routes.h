// dispatcher/api: which requests are answered, by whom, and what a token must allow for them. The
// same list as in openapi.json.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/api/exchange.h"

namespace netfleet {

struct Route {
  std::string_view method;   // GET (which answers HEAD, too) or POST
  std::string_view pattern;  // "/v1/sweeps/{sweep}": {...} is any one part
  Scope scope;               // that the token must have; kNone: no token
  bool streams;              // for as long as its reader likes
  ApiAnswer (*handle)(ApiContext& context, const ApiRequest& request);
};
std::span<const Route> api_routes();

// What the path leads to. `values`: the parts that stand for {...}.
struct Routed {
  const Route* route = nullptr;  // nullptr: nothing, or not by this method
  std::vector<std::string> values;
  std::string allowed;  // methods of the path, "GET, HEAD"; empty: there is no such path
};
Routed find_route(std::string_view method, const std::vector<std::string>& parts);

// Each in the file of its subject.
ApiAnswer answer_health(ApiContext& context, const ApiRequest& request);  // about_service.cc
ApiAnswer answer_openapi(ApiContext& context, const ApiRequest& request);
ApiAnswer answer_jobs(ApiContext& context, const ApiRequest& request);
ApiAnswer answer_workers(ApiContext& context, const ApiRequest& request);
ApiAnswer answer_metrics(ApiContext& context, const ApiRequest& request);
ApiAnswer answer_schedules(ApiContext& context, const ApiRequest& request);
ApiAnswer answer_firings(ApiContext& context, const ApiRequest& request);
ApiAnswer pause_schedule(ApiContext& context, const ApiRequest& request);
ApiAnswer resume_schedule(ApiContext& context, const ApiRequest& request);
ApiAnswer answer_sweeps(ApiContext& context, const ApiRequest& request);  // about_sweeps.cc
ApiAnswer answer_sweep(ApiContext& context, const ApiRequest& request);
ApiAnswer submit_sweep(ApiContext& context, const ApiRequest& request);
ApiAnswer cancel_sweep(ApiContext& context, const ApiRequest& request);
ApiAnswer retry_sweep(ApiContext& context, const ApiRequest& request);
ApiAnswer answer_rollout(ApiContext& context, const ApiRequest& request);
ApiAnswer stream_events(ApiContext& context, const ApiRequest& request);      // event_stream.cc
ApiAnswer stream_results(ApiContext& context, const ApiRequest& request);     // result_stream.cc
ApiAnswer stream_comparison(ApiContext& context, const ApiRequest& request);  // diff_stream.cc

// openapi.json
std::string_view openapi_document();

// The sweep that a request names first, and the store it is in.
struct NamedSweep {
  Store store;
  SweepRecord record;
};
std::expected<NamedSweep, ApiAnswer> find_named(ApiContext& context, const std::string& name);
// As it runs, if it does.
std::optional<LiveSweep> find_live(Service& service, const std::string& id);

}  // namespace netfleet
