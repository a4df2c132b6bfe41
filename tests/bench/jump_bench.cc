// What a way over a jump host costs a worker: `show version` on many devices with the worker's own
// session threads, directly or through one jump host.
//   jump_bench INVENTORY AT_ONCE [JUMP_PORT JUMP_USER JUMP_KEY [CHAIN]]
// INVENTORY has "address:port platform" on each line; the devices take admin/admin. The jump host
// is on 127.0.0.1; a CHAIN of n goes through it n times. Prints failures, wall s, CPU s, peak MB.
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "worker/engine/engine.h"

namespace netfleet {
namespace {

struct Device {
  std::string address;
  std::uint16_t port;
  std::string platform;
};

std::vector<Device> read_inventory(const char* path) {
  std::vector<Device> devices;
  std::ifstream file(path);
  for (std::string endpoint, platform; file >> endpoint >> platform;) {
    const std::size_t colon = endpoint.rfind(':');
    const int port = std::atoi(endpoint.c_str() + colon + 1);
    devices.push_back({endpoint.substr(0, colon), static_cast<std::uint16_t>(port), platform});
  }
  return devices;
}

std::shared_ptr<const ssh::JumpRoute> make_route(int count, char** words) {
  if (count < 6) return nullptr;
  auto credential = std::make_shared<Credential>();
  credential->keys.push_back({words[5], Secret(), ""});
  const auto identity = *ssh::Identity::load(credential);
  const int hops = count > 6 ? std::atoi(words[6]) : 1;
  ssh::JumpHosts hosts;
  std::string last;
  for (int hop = 0; hop < hops; ++hop) {
    const std::string name = "hop" + std::to_string(hop);
    JumpHost& host = hosts[name];
    host.name = name;
    host.address = "127.0.0.1";
    host.port = static_cast<std::uint16_t>(std::atoi(words[3]));
    host.user = words[4];
    host.via = std::exchange(last, name);
  }
  const auto find = [&](const JumpHost&) {
    return Expected<std::shared_ptr<const ssh::Identity>>(identity);
  };
  return *ssh::make_jump_route(last, hosts, find);
}

class Bench {
 public:
  Bench(std::vector<Device> devices, std::shared_ptr<const ssh::JumpRoute> route)
      : devices_(std::move(devices)), route_(std::move(route)) {
    auto credential = std::make_shared<Credential>();
    credential->password = Secret("admin");
    identity_ = *ssh::Identity::load(credential);
    auto job = std::make_shared<JobSpec>();
    job->commands = {"show version"};
    job->timeouts.connect = Milliseconds(60'000);
    job_ = job;
  }

  void run(std::size_t at_once) {
    for (next_ = 0; next_ < std::min(at_once, devices_.size());) start();
    for (std::size_t ended = 0; ended < devices_.size();) {
      pollfd item{events_.fd(), POLLIN, 0};
      poll(&item, 1, -1);
      for (EngineEvent& event : events_.take()) {
        auto* const end = std::get_if<SessionEnded>(&event);
        if (end == nullptr) continue;
        ++ended;
        if (end->result.outcome != Outcome::kOk) ++failures_[end->result.error];
        if (next_ < devices_.size()) start();
      }
    }
  }
  int report() const {
    int failures = 0;
    for (const auto& [error, count] : failures_) failures += count;
    if (failures > 0) std::fprintf(stderr, "%s\n", failures_.begin()->first.c_str());
    return failures;
  }

 private:
  void start() {
    const Device& device = devices_[next_];
    const auto index = static_cast<std::uint32_t>(next_++);
    SessionOrder order;
    order.key = {1, index};
    order.job = job_;
    order.task = {index,           device.port, device.address, device.address, "admin",
                  device.platform, "",          "default"};
    order.identity = identity_;
    order.lease = std::make_shared<Lease>(BootClock::now() + std::chrono::hours(1));
    order.route = route_;
    engine_.start(std::move(order));
  }

  const std::vector<Device> devices_;
  const std::shared_ptr<const ssh::JumpRoute> route_;
  std::shared_ptr<const ssh::Identity> identity_;
  std::shared_ptr<const JobSpec> job_;
  ssh::Resolver resolver_;
  std::unique_ptr<ssh::KnownHosts> known_hosts_ = *ssh::KnownHosts::load("", {});
  EventQueue events_;
  std::map<std::string, int> failures_;
  std::size_t next_ = 0;
  const std::shared_ptr<Spool> spool_ = Spool::make(default_spool_directory());
  Engine engine_{EngineParts{resolver_, *known_hosts_, PlatformSet::builtin(), events_, *spool_},
                 1};
};

}  // namespace
}  // namespace netfleet

int main(int count, char** words) {
  using namespace netfleet;
  if (count < 3) return 2;
  signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const auto begun = std::chrono::steady_clock::now();
  int failures = 0;
  {
    Bench bench(read_inventory(words[1]), make_route(count, words));
    bench.run(static_cast<std::size_t>(std::atoi(words[2])));
    failures = bench.report();
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begun;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  std::printf("failures %d wall %.2f cpu %.3f rss %.1f\n", failures, wall.count(),
              seconds(usage.ru_utime) + seconds(usage.ru_stime),
              static_cast<double>(usage.ru_maxrss) / 1024);
  return failures == 0 ? 0 : 1;
}
