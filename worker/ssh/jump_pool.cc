#include "worker/ssh/jump_pool.h"

#include <utility>

#include "worker/ssh/jump_station.h"

namespace netfleet::ssh {
namespace {

// Stations that nobody uses are forgotten beyond this.
constexpr std::size_t kMostStations = 1000;

}  // namespace

JumpPool::JumpPool(asio::any_io_executor executor, Resolver& resolver, KnownHosts& known_hosts,
                   JumpLogins& logins, JumpLimits limits)
    : parts_(std::make_shared<JumpParts>(
          JumpParts{std::move(executor), resolver, known_hosts, logins, limits})) {}

JumpPool::~JumpPool() { stop(); }

std::unique_ptr<JumpRequest> JumpPool::request(const JumpRoute& route) {
  JumpRequest::Tiers tiers;
  for (const auto& hops : route.tiers) {
    auto& stations = tiers.emplace_back();
    for (const auto& hop : hops) stations.push_back(station(hop));
  }
  return std::make_unique<JumpRequest>(parts_->executor, std::move(tiers));
}

std::shared_ptr<JumpStation> JumpPool::station(std::shared_ptr<const JumpHop> hop) {
  const std::string key = hop->key();
  if (const auto known = stations_.find(key); known != stations_.end()) return known->second;
  if (stations_.size() >= kMostStations) {
    std::erase_if(stations_, [](const auto& entry) {
      return entry.second.use_count() == 1 && entry.second->unused();
    });
  }
  auto via = hop->via == nullptr ? nullptr : station(hop->via);
  return stations_[key] = std::make_shared<JumpStation>(parts_, std::move(hop), std::move(via));
}

void JumpPool::stop() {
  for (const auto& [key, station] : std::exchange(stations_, {})) station->stop();
}

}  // namespace netfleet::ssh
