#include "dispatcher/cli/run_setup.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dispatcher/cli/credentials.h"
#include "dispatcher/inventory/inventory.h"
#include "dispatcher/sweep/plan.h"

namespace netfleet {
namespace {

Expected<Inventory> gather_hosts(const RunOptions& options) {
  Inventory all;
  for (const std::string& path : options.inventories) {
    auto read = read_inventory(path);
    if (!read) return read;
    merge_inventory(all, std::move(*read));
  }
  if (!options.hosts.empty()) {
    auto given = inventory_from_arguments(options.hosts);
    if (!given) return given;
    merge_inventory(all, std::move(*given));
  }
  if (options.logins_per_second > 0) {
    NamedLimit limit;
    limit.name = limit.place = "--logins-per-second";
    limit.everybody = true;
    limit.logins_per_second = options.logins_per_second;
    limit.burst = default_burst(options.logins_per_second);
    all.limits.push_back(std::move(limit));
  }
  if (auto resolved = resolve_limits(all); !resolved) return std::unexpected(resolved.error());
  return all;
}

std::vector<std::string> platforms_of(const std::vector<TaskSpec>& tasks) {
  std::vector<std::string> names;
  for (const TaskSpec& task : tasks) {
    if (std::find(names.begin(), names.end(), task.platform) == names.end()) {
      names.push_back(task.platform);
    }
  }
  return names;
}

std::unexpected<PromptFailure> input_error(std::string message) {
  return std::unexpected(PromptFailure{std::move(message), 0});
}

// The user that a prompt should name: everybody's, if they agree.
std::string common_user(const std::vector<TaskSpec>& tasks) {
  const std::string& first = tasks.front().user;
  const bool same = std::all_of(tasks.begin(), tasks.end(),
                                [&](const TaskSpec& task) { return task.user == first; });
  return same ? first : std::string();
}

}  // namespace

std::string make_sweep_id(WallTime now, std::uint64_t random) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  return fmt::format("{:%Y%m%d-%H%M%S}-{:04x}",
                     fmt::gmtime(static_cast<std::time_t>(seconds.count())), random & 0xFFFF);
}

std::expected<RunSetup, PromptFailure> set_up_run(const RunOptions& options,
                                                  const WorkerSide& worker_side) {
  RunSetup setup;
  auto commands = read_commands(options);
  if (!commands) return input_error(commands.error().message);
  auto inventory = gather_hosts(options);
  if (!inventory) return input_error(inventory.error().message);
  setup.warnings = inventory->warnings;
  std::vector<Host> hosts = std::move(inventory->hosts);
  for (const std::string& limit : options.limits) {
    auto selected = select_hosts(std::move(hosts), limit);
    if (!selected) return input_error(selected.error().message);
    hosts = std::move(*selected);
  }
  if (hosts.empty()) {
    return input_error(options.limits.empty() ? "no hosts: the inventories hold limits only"
                                              : "no hosts left: the limit (-l) selects none");
  }

  PlanDefaults defaults;
  defaults.user = options.user;
  if (options.port != 0) defaults.port = options.port;
  defaults.platform = options.platform;
  defaults.credential = kDefaultCredential;
  setup.tasks = plan_tasks(hosts, defaults);
  setup.limits = plan_limits(*inventory, hosts);
  const auto nameless = std::find_if(setup.tasks.begin(), setup.tasks.end(),
                                     [](const TaskSpec& task) { return task.user.empty(); });
  if (nameless != setup.tasks.end()) {
    return input_error(fmt::format("no user to log in to {} as: give -u USER", nameless->host));
  }
  auto known = worker_side.check_platforms(options.platform_dir, platforms_of(setup.tasks));
  if (!known) return input_error(known.error().message);

  const CredentialIo io{has_terminal, read_password, worker_side.needs_passphrase};
  auto credentials = gather_credentials(options.credentials, common_user(setup.tasks), hosts,
                                        *inventory, !options.listen.empty(), io, setup.warnings);
  if (!credentials) return std::unexpected(credentials.error());
  setup.credentials = std::move(*credentials);

  setup.job.sweep = make_sweep_id(SystemClock().wall(), random_seed());
  setup.job.commands = std::move(*commands);
  setup.job.timeouts = options.timeouts;
  setup.job.max_output = options.max_output;
  setup.job.host_key_policy = options.host_key_policy;
  setup.job.legacy_algorithms = options.legacy_algorithms;
  setup.job.changes_device = options.changes;
  return setup;
}

}  // namespace netfleet
