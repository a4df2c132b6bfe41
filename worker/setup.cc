#include "worker/setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "common/clock.h"
#include "worker/device/configuration_plan.h"
#include "worker/device/platform_page.h"
#include "worker/device/volatile_mask.h"

// LeakSanitizer looks at the process as a tracer does. g++ says so in one way, clang in another.
#if defined(__has_feature)
#define NETFLEET_HAS_ASAN __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define NETFLEET_HAS_ASAN 1
#else
#define NETFLEET_HAS_ASAN 0
#endif

namespace netfleet {
namespace {

constexpr bool kMayBeTraced = NETFLEET_HAS_ASAN != 0;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Error unknown_platform(const std::string& name) {
  return {fmt::format("no platform is named '{}'; 'netfleet platforms' lists them", name)};
}

Expected<void> check_mode(const Platform& platform, const std::string& mode) {
  std::vector<std::string_view> names;
  for (const Platform::Mode& known : platform.modes) {
    if (known.name == mode) return {};
    names.push_back(known.name);
  }
  return fail(fmt::format("platform {} has no mode '{}'; it has: {}", platform.name, mode,
                          fmt::join(names, ", ")));
}

Expected<void> check_abilities(const Platform& platform, const JobSpec& job, bool configures) {
  if (!job.mode.empty()) {
    if (auto known = check_mode(platform, job.mode); !known) return known;
  }
  if (job.exec && !platform.exec) {
    return fail(fmt::format(
        "--exec: platform {} is not known to run commands over SSH's exec channel", platform.name));
  }
  Configuration configuration = job.configuration;
  if (configures && configuration.lines.empty()) configuration.lines = {"of each host its own"};
  if (auto plan = plan_configuration(platform, configuration); !plan) {
    return std::unexpected(plan.error());
  }
  return {};
}

}  // namespace

Expected<PlatformSet> load_platforms(const std::string& directory) {
  PlatformSet platforms = PlatformSet::builtin();
  if (directory.empty()) return platforms;
  if (auto added = platforms.add_directory(directory); !added) {
    return std::unexpected(added.error());
  }
  return platforms;
}

Expected<WorkerParts> make_worker_parts(const std::string& known_hosts,
                                        const std::string& platform_dir) {
  std::string writable = known_hosts;
  std::vector<std::string> readable;
  if (known_hosts.empty()) {
    const std::string home = variable("HOME");
    std::string state = variable("XDG_STATE_HOME");
    if (!state.starts_with('/')) state = home.empty() ? "" : home + "/.local/state";
    if (!state.empty()) writable = state + "/netfleet/known_hosts";
    if (!home.empty()) readable.push_back(home + "/.ssh/known_hosts");
    readable.emplace_back("/etc/ssh/ssh_known_hosts");
  }
  auto keys = ssh::KnownHosts::load(std::move(writable), std::move(readable));
  if (!keys) return std::unexpected(keys.error());
  auto platforms = load_platforms(platform_dir);
  if (!platforms) return std::unexpected(platforms.error());
  return WorkerParts{std::move(*keys), std::move(*platforms)};
}

Expected<std::unique_ptr<SessionLogs>> open_session_logs(const std::string& directory,
                                                         SessionLogs::Say say) {
  if (directory.empty()) return nullptr;
  return SessionLogs::open(directory, std::move(say));
}

Expected<void> check_platforms(const std::string& platform_dir,
                               const std::vector<std::string>& names) {
  auto platforms = load_platforms(platform_dir);
  if (!platforms) return std::unexpected(platforms.error());
  for (const std::string& name : names) {
    if (name == "auto" || platforms->find(name) != nullptr) continue;
    return std::unexpected(unknown_platform(name));
  }
  return {};
}

Expected<std::string> describe_platforms(const std::string& platform_dir, const std::string& name,
                                         bool jsonl) {
  auto platforms = load_platforms(platform_dir);
  if (!platforms) return std::unexpected(platforms.error());
  if (name.empty()) return jsonl ? platform_table_jsonl(*platforms) : platform_table(*platforms);
  const Platform* platform = platforms->find(name);
  if (platform == nullptr) return std::unexpected(unknown_platform(name));
  return jsonl ? platform_json(*platform) : platform_page(*platform);
}

Expected<void> check_job(const std::string& platform_dir, const std::vector<std::string>& names,
                         const JobSpec& job, bool configures) {
  for (const ExpectedQuestion& answer : job.answers) {
    if (auto pattern = Pattern::compile(answer.pattern); !pattern) {
      return fail(fmt::format("--answer '{}': {}", answer.pattern, pattern.error().message));
    }
  }
  auto platforms = load_platforms(platform_dir);
  if (!platforms) return std::unexpected(platforms.error());
  for (const std::string& name : names) {
    const Platform* platform = platforms->find(name);
    if (platform == nullptr && job.exec) {
      return fail(
          "--exec: a platform is found out in a shell: name it, with -P or in the inventory");
    }
    if (platform == nullptr) continue;  // "auto": found out on the device
    if (auto able = check_abilities(*platform, job, configures); !able) return able;
  }
  return {};
}

Expected<VolatileMask> volatile_mask(const std::string& platform_dir,
                                     const std::vector<std::string>& more, bool bare) {
  std::vector<Pattern> given;
  for (const std::string& expression : more) {
    auto pattern = Pattern::compile(expression);
    if (!pattern) return fail("--volatile: " + pattern.error().message);
    given.push_back(*std::move(pattern));
  }
  auto platforms = load_platforms(platform_dir);
  if (!platforms) return std::unexpected(platforms.error());
  return [given = std::move(given), platforms = *std::move(platforms), bare](
             std::string_view name, std::string_view text) {
    const Platform* platform = bare ? nullptr : platforms.find(std::string(name));
    const std::string masked = given.empty() ? std::string(text) : mask_volatile(text, given);
    return platform == nullptr ? masked : mask_volatile(masked, platform->volatile_text);
  };
}

std::uint64_t make_incarnation() { return random_seed() | 1; }

std::uint32_t session_threads(std::uint32_t wanted) {
  return wanted != 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
}

std::string home_directory() { return variable("HOME"); }

void keep_memory_private() {
  if (!kMayBeTraced) prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace netfleet
