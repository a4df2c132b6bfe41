#include "worker/fleet/jump_routes.h"

#include <utility>

namespace netfleet {

void JumpRoutes::know_job(std::uint32_t sweep, const JobSpec& job) {
  Sweep& known = sweeps_[sweep] = {own_, {}};
  for (const JumpHost& host : job.jumps) known.hosts.try_emplace(host.name, host);
}

void JumpRoutes::forget_routes() {
  for (auto& [number, sweep] : sweeps_) sweep.routes.clear();
}

Expected<JumpRoutes::Route> JumpRoutes::find(std::uint32_t sweep, std::string_view text) {
  if (text.empty()) return nullptr;
  Sweep& known = sweeps_[sweep];
  if (const auto made = known.routes.find(text); made != known.routes.end()) return made->second;
  auto route = ssh::make_jump_route(
      text, known.hosts, [this](const JumpHost& host) { return keyring_.find(host.credential); });
  if (route) known.routes.emplace(text, *route);
  return route;
}

}  // namespace netfleet
