#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "tests/devsim/acceptor.h"
#include "tests/devsim/command_output.h"
#include "tests/devsim/loop.h"
#include "tests/devsim/options.h"

namespace netfleet::devsim {
namespace {

// The system's default hard limit suffices for most; root may have more.
void raise_file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kWanted = 65536;
  const rlimit wanted{std::max(kWanted, limit.rlim_cur), std::max(kWanted, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Expected<void> write_inventory(const Options& options) {
  std::ofstream file(options.inventory_file);
  for (const Device& device : options.devices) {
    file << format_endpoint(device.endpoint) << ' ' << platform_name(device.platform) << '\n';
  }
  file.close();
  if (!file) return fail(fmt::format("write {}", options.inventory_file));
  return {};
}

void announce(const Options& options, const Keys& keys) {
  if (options.print_fingerprint) fmt::print("fingerprint {}\n", keys.fingerprint());
  const std::string ready = fmt::format("ready {} devices\n", options.devices.size());
  fmt::print("{}", ready);
  std::fflush(stdout);
  if (options.ready_fd < 0) return;
  [[maybe_unused]] const ssize_t written = write(options.ready_fd, ready.data(), ready.size());
  close(options.ready_fd);
}

Expected<void> serve(Options& options) {
  // Taken by sigwait() below; threads inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  if (options.die_with_parent) {
    const pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) return fail("the parent process is gone");
  }
  raise_file_limit();
  const bool legacy = std::ranges::any_of(
      options.devices, [](const Device& device) { return device.faults.has(Fault::kLegacy); });
  const auto keys = Keys::make(options.host_key_file, legacy);
  if (!keys) return std::unexpected(keys.error());
  if (!options.host_key_out.empty()) {
    if (auto done = keys->write_host_key(options.host_key_out); !done) return done;
  }

  Stats stats;
  std::vector<std::unique_ptr<Loop>> loops;
  for (int index = 0; index < options.threads; ++index) {
    auto acceptor = Acceptor::make(*keys);
    if (!acceptor) return std::unexpected(acceptor.error());
    loops.push_back(std::make_unique<Loop>(std::move(*acceptor), options.session, stats));
  }
  for (std::size_t index = 0; index < options.devices.size(); ++index) {
    Device& device = options.devices[index];
    auto listener = listen_for(device);
    if (!listener) return std::unexpected(listener.error());
    loops[index % loops.size()]->add(std::move(*listener), device);
  }
  if (!options.inventory_file.empty()) {
    if (auto done = write_inventory(options); !done) return done;
  }
  announce(options, *keys);

  {
    std::vector<std::jthread> threads;
    threads.reserve(loops.size());
    for (const auto& loop : loops) threads.emplace_back([&loop] { loop->run(); });
    int signal_number = 0;
    sigwait(&signals, &signal_number);
    for (const auto& loop : loops) loop->stop();
  }
  if (options.stats) fmt::print("{}\n", stats.summary());
  return {};
}

void print_output(const Options& options, const std::string& command) {
  const Device& device = options.devices.front();
  const std::size_t prompt_width = device.name.size() + 1;
  const CommandOutput output = command_output(device.platform, device.name, command, prompt_width);
  std::fwrite(output.text.data(), 1, output.text.size(), stdout);
}

}  // namespace
}  // namespace netfleet::devsim

int main(int argc, char** argv) {
  using namespace netfleet::devsim;
  auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().exit_status == 0 ? stdout : stderr);
    return options.error().exit_status;
  }
  if (const auto& command = options->print_output) {
    print_output(*options, *command);
    return 0;
  }
  if (const auto served = serve(*options); !served) {
    fmt::print(stderr, "devsim: {}\n", served.error().message);
    return 1;
  }
  return 0;
}
