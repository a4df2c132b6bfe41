#include "dispatcher/api/routes.h"

#include <array>

namespace netfleet {
namespace {

constexpr std::array kRoutes = {
    Route{"GET", "/v1/health", Scope::kNone, false, answer_health},
    Route{"GET", "/v1/openapi.json", Scope::kNone, false, answer_openapi},
    Route{"GET", "/v1/jobs", Scope::kRead, false, answer_jobs},
    Route{"GET", "/v1/sweeps", Scope::kRead, false, answer_sweeps},
    Route{"POST", "/v1/sweeps", Scope::kRun, false, submit_sweep},
    Route{"GET", "/v1/sweeps/{sweep}", Scope::kRead, false, answer_sweep},
    Route{"GET", "/v1/sweeps/{sweep}/events", Scope::kRead, true, stream_events},
    Route{"GET", "/v1/sweeps/{sweep}/results", Scope::kRead, true, stream_results},
    Route{"GET", "/v1/sweeps/{sweep}/diff", Scope::kRead, true, stream_comparison},
    Route{"POST", "/v1/sweeps/{sweep}/cancel", Scope::kRun, false, cancel_sweep},
    Route{"POST", "/v1/sweeps/{sweep}/retry", Scope::kRun, false, retry_sweep},
    Route{"POST", "/v1/sweeps/{sweep}/answer", Scope::kChange, false, answer_rollout},
    Route{"GET", "/v1/schedules", Scope::kRead, false, answer_schedules},
    Route{"GET", "/v1/schedules/{job}/firings", Scope::kRead, false, answer_firings},
    Route{"POST", "/v1/schedules/{job}/pause", Scope::kRun, false, pause_schedule},
    Route{"POST", "/v1/schedules/{job}/resume", Scope::kRun, false, resume_schedule},
    Route{"GET", "/v1/workers", Scope::kRead, false, answer_workers},
    Route{"GET", "/metrics", Scope::kRead, false, answer_metrics},
};

bool matches(std::string_view pattern, const std::vector<std::string>& parts,
             std::vector<std::string>& values) {
  values.clear();
  for (const std::string& part : parts) {
    if (pattern.empty()) return false;
    pattern.remove_prefix(1);  // the '/'
    const std::string_view wanted = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(wanted.size());
    if (wanted.starts_with('{')) {
      values.push_back(part);
    } else if (wanted != part) {
      return false;
    }
  }
  return pattern.empty();
}

}  // namespace

std::span<const Route> api_routes() { return kRoutes; }

Routed find_route(std::string_view method, const std::vector<std::string>& parts) {
  Routed found;
  std::vector<std::string> values;
  for (const Route& route : kRoutes) {
    if (!matches(route.pattern, parts, values)) continue;
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += route.method == "GET" ? "GET, HEAD" : route.method;
    if (route.method == (method == "HEAD" ? "GET" : method)) {
      found.route = &route;
      found.values = values;
    }
  }
  return found;
}

}  // namespace netfleet
