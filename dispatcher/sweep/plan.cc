#include "dispatcher/sweep/plan.h"

#include <arpa/inet.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_set>

namespace netfleet {
namespace {

// One spelling for each IPv6 address, and for names in capitals.
std::string canonical(std::string_view address) {
  std::string text(address.substr(0, address.find('%')));
  in6_addr binary{};
  if (text.contains(':') && inet_pton(AF_INET6, text.c_str(), &binary) == 1) {
    text.assign(reinterpret_cast<const char*>(&binary), sizeof binary);
    return text.append(address.substr(std::min(address.size(), address.find('%'))));
  }
  text = address;
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return text;
}

// Of the jump hosts that may connect to a device, in whatever order.
std::uint64_t ends_of(std::string_view route) {
  std::uint64_t ends = 0;
  const auto tiers = parse_jump_route(route);
  if (!tiers) return ends;
  for (const auto& tier : *tiers) {
    for (const JumpChain& chain : tier) ends += std::hash<std::string_view>()(chain.back());
  }
  return ends;
}

std::uint64_t device_of(const TaskSpec& task) {
  const std::hash<std::string_view> hash;
  constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio
  std::uint64_t device = hash(canonical(task.address));
  device = (device ^ task.port) * kSpread;
  device = (device ^ (device >> 32) ^ hash(task.region.view())) * kSpread;
  if (!task.jump.empty()) device = (device ^ (device >> 32) ^ ends_of(task.jump)) * kSpread;
  return device == 0 ? 1 : device;
}

}  // namespace

std::vector<TaskSpec> plan_tasks(const std::vector<Host>& hosts, const PlanDefaults& defaults) {
  std::vector<TaskSpec> tasks;
  tasks.reserve(hosts.size());
  const SharedText user(defaults.user), platform(defaults.platform), unknown("auto");
  const SharedText credential(defaults.credential);
  for (const Host& host : hosts) {
    TaskSpec task;
    task.index = static_cast<std::uint32_t>(tasks.size());
    task.host = host.name;
    task.address = host.address;
    task.port = host.port != 0 ? host.port : defaults.port;
    task.user = host.user.empty() ? user : host.user;
    task.platform = !platform.empty() ? platform : host.platform;
    if (task.platform.empty()) task.platform = unknown;
    task.region = host.region;
    task.credential = host.credential.empty() ? credential : host.credential;
    task.ssh_options = host.ssh_options;
    task.jump = host.jump;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

std::vector<std::string> regions_of(std::span<const TaskSpec> tasks) {
  std::vector<std::string> regions;
  for (const TaskSpec& task : tasks) {
    if (std::find(regions.begin(), regions.end(), task.region) == regions.end()) {
      regions.push_back(task.region.str());
    }
  }
  return regions;
}

LimitPlan plan_limits(const Inventory& inventory, const std::vector<Host>& hosts) {
  LimitPlan plan;
  if (inventory.limits.empty()) return plan;
  for (const NamedLimit& limit : inventory.limits) {
    plan.limits.push_back({limit.name, limit.sessions, limit.logins_per_second, limit.burst});
  }
  plan.sets = inventory.limit_lists;
  plan.set_of_task.reserve(hosts.size());
  for (const Host& host : hosts) plan.set_of_task.push_back(host.limits);
  return plan;
}

std::vector<std::uint64_t> all_devices(std::span<const TaskSpec> tasks) {
  std::vector<std::uint64_t> devices;
  devices.reserve(tasks.size());
  for (const TaskSpec& task : tasks) devices.push_back(device_of(task));
  return devices;
}

std::vector<std::uint64_t> shared_devices(std::span<const TaskSpec> tasks) {
  std::vector<std::uint64_t> devices = all_devices(tasks);
  std::vector<std::uint64_t> sorted = devices;
  std::ranges::sort(sorted);
  std::unordered_set<std::uint64_t> shared;
  for (auto at = std::ranges::adjacent_find(sorted); at != sorted.end();
       at = std::adjacent_find(at + 1, sorted.end())) {
    shared.insert(*at);
  }
  if (shared.empty()) return {};
  for (std::uint64_t& device : devices) {
    if (!shared.contains(device)) device = 0;
  }
  return devices;
}

}  // namespace netfleet
