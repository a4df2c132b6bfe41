#include "dispatcher/cli/run_setup.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "common/codec.h"
#include "dispatcher/cli/configuration.h"
#include "dispatcher/cli/credentials.h"
#include "dispatcher/cli/named_credentials.h"
#include "dispatcher/cli/ssh_settings.h"
#include "dispatcher/inventory/inventory.h"
#include "dispatcher/inventory/jumps.h"
#include "dispatcher/inventory/passwords.h"
#include "dispatcher/sweep/plan.h"

namespace netfleet {
namespace {

// Of a host that a sweep has and its inventories do not: no inventory can write this name.
constexpr const char* kUnknownCredential = "inventory:unknown";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// `stored`: tasks of a sweep that goes on; those that the inventories do not know are added bare,
// so that limits over all hosts are over these, too.
Expected<Inventory> gather_hosts(const RunOptions& options, std::span<const TaskSpec> stored = {}) {
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
  settle_hosts(options, all.hosts);
  const bool workers_know = !options.listen.empty();
  if (auto known = resolve_jumps(all, workers_know); !known) return std::unexpected(known.error());
  if (options.logins_per_second > 0) {
    NamedLimit limit;
    limit.name = limit.place = "--logins-per-second";
    limit.everybody = true;
    limit.logins_per_second = options.logins_per_second;
    limit.burst = default_burst(options.logins_per_second);
    all.limits.push_back(std::move(limit));
  }
  std::unordered_set<std::string_view> known;  // hosts move as others are added, their names do not
  if (!stored.empty()) {
    for (const Host& host : all.hosts) known.insert(host.name);
  }
  for (const TaskSpec& task : stored) {
    if (known.contains(task.host)) continue;
    Host& bare = all.hosts.emplace_back();
    bare.name = task.host;
    bare.region = task.region;
    bare.credential = kUnknownCredential;
  }
  if (auto resolved = resolve_limits(all); !resolved) return std::unexpected(resolved.error());
  return all;
}

// Puts hosts under the limits of the jump hosts on their ways.
Expected<void> limit_by_jumps(Inventory& inventory, const std::vector<JumpHost>& jumps,
                              std::vector<Host>& hosts, const RunOptions& options) {
  JumpHosts by_name;
  for (const JumpHost& jump : jumps) by_name.emplace(jump.name, jump);
  return limit_jumps(inventory, by_name, hosts, options.limits.empty());
}

std::vector<std::string> platforms_of(const std::vector<TaskSpec>& tasks) {
  std::vector<std::string> names;
  for (const TaskSpec& task : tasks) {
    if (std::find(names.begin(), names.end(), task.platform) == names.end()) {
      names.push_back(task.platform.str());
    }
  }
  return names;
}

std::unexpected<PromptFailure> input_error(std::string message) {
  return std::unexpected(PromptFailure{std::move(message), 0});
}

// The user that a prompt should name: everybody's, if they agree.
std::string common_user(const std::vector<TaskSpec>& tasks) {
  const SharedText& first = tasks.front().user;
  const bool same = std::all_of(tasks.begin(), tasks.end(),
                                [&](const TaskSpec& task) { return task.user == first; });
  return same ? first.str() : std::string();
}

// What this process knows to log in with; nothing when no worker would be told.
std::expected<CredentialStore, PromptFailure> credentials_of(const RunOptions& options,
                                                             const WorkerSide& worker_side,
                                                             RunSetup& setup,
                                                             const std::vector<Host>& hosts,
                                                             const Inventory& inventory) {
  const bool remote = !options.listen.empty();
  if (remote && !sends_credentials(options)) {
    if (options.credentials == CredentialOptions{}) return CredentialStore{};
    return input_error(
        "workers on other machines log in with what they have themselves; --send-credentials "
        "sends them the password from here, encrypted");
  }
  const auto nobody = [] { return false; };
  const CredentialIo io{options.unattended ? std::function<bool()>(nobody) : has_terminal,
                        read_password, worker_side.needs_passphrase, variable("HOME")};
  NamedCredentials named;
  if (!options.credential_file.empty()) {
    auto read = read_credential_file(options.credential_file, io.home);
    if (!read) return input_error(read.error().message);
    named = *std::move(read);
  }
  return gather_credentials(options.credentials, named, common_user(setup.tasks), hosts,
                            setup.record.job.jumps, inventory, remote, io, setup.warnings);
}

void begin_anew(SweepRecord& record, const RunOptions& options, std::size_t tasks) {
  record.number = 0;
  record.started_at = SystemClock().wall();
  record.ended_at.reset();
  record.guarded = false;
  record.id = record.job.sweep = make_sweep_id(record.started_at, random_seed());
  record.total = static_cast<std::uint32_t>(tasks);
  record.lease = options.lease;
  record.boot_id = boot_id();
}

SweepRecord new_record(const RunOptions& options, std::vector<std::string> commands,
                       std::size_t tasks) {
  SweepRecord record;
  begin_anew(record, options, tasks);
  record.retries = options.retries;
  record.max_auth_failures = options.max_auth_failures;
  record.retry_unsafe = options.retry_unsafe;
  record.rollout = format_rollout(options.rollout);
  record.job.commands = std::move(commands);
  record.job.timeouts = options.timeouts;
  record.job.max_output = options.max_output;
  record.job.host_key_policy = options.host_key_policy;
  record.job.legacy_algorithms = options.legacy_algorithms;
  record.job.changes_device = options.changes;
  record.job.mode = options.mode;
  record.job.configuration.dry_run = options.dry_run;
  record.job.configuration.confirm_within = options.commit_confirmed;
  record.job.configuration.save = options.save;
  record.job.answers = options.answers;
  record.job.exec = options.exec;
  return record;
}

std::expected<RunSetup, PromptFailure> with_credentials(RunSetup setup, const RunOptions& options,
                                                        const std::vector<Host>& hosts,
                                                        const Inventory& inventory,
                                                        const WorkerSide& worker_side) {
  auto credentials = credentials_of(options, worker_side, setup, hosts, inventory);
  if (!credentials) return std::unexpected(credentials.error());
  setup.credentials = std::move(*credentials);
  return setup;
}

// Each task's group, where it is asked for.
Expected<void> set_groups(const RunOptions& options, const Inventory& inventory,
                          const std::vector<Host>& hosts, RunSetup& setup) {
  if (options.git_shard != GitShard::kGroup) return {};
  for (const Host& host : inventory.hosts) {
    if (host.credential != kUnknownCredential) continue;
    return fail(fmt::format(
        "--git-shard group: the groups of {} are not stored: give its inventory again with -i",
        host.name));
  }
  TextPool texts;
  for (const Host& host : hosts) {
    setup.groups.push_back(host.groups.empty() ? SharedText() : texts(host.groups->front()));
  }
  return {};
}

// The hosts of a stored sweep, as far as they matter again: by which credential, under which
// limits. A credential that an inventory made up ("inventory:1") may mean another password in
// another reading: the host's own counts.
Expected<std::vector<Host>> hosts_again(const RunOptions& options, RunSetup& setup,
                                        const Inventory& inventory) {
  if (setup.record.limited && inventory.limits.empty()) {
    return fail(
        fmt::format("sweep {} runs under limits, and these are not stored: give its inventory "
                    "again with -i, or --logins-per-second",
                    setup.record.id));
  }
  std::unordered_map<std::string_view, const Host*> by_name;
  for (const Host& host : inventory.hosts) by_name[host.name] = &host;
  std::vector<Host> hosts;
  hosts.reserve(setup.tasks.size());
  for (TaskSpec& task : setup.tasks) {
    Host& host = hosts.emplace_back(*by_name.at(task.host));
    if (task.credential.view().starts_with(kInventoryCredentials)) {
      if (host.credential == kUnknownCredential) {
        return fail(
            fmt::format("the password of {} came from the sweep's inventory, and passwords "
                        "are not stored: give the inventory again with -i",
                        task.host));
      }
      task.credential =
          host.credential.empty() ? SharedText(credential_of_rest(options)) : host.credential;
    }
    host.credential = task.credential;
    host.jump = task.jump;
  }
  return hosts;
}

// Passwords and keys of jump hosts are in their inventory only.
Expected<void> check_jump_secrets(const std::vector<JumpHost>& jumps, const Inventory& inventory) {
  for (const JumpHost& jump : jumps) {
    if (!jump.credential.starts_with(kJumpCredentials)) continue;
    const auto known = std::ranges::find_if(inventory.jumps, [&](const JumpDefinition& definition) {
      return definition.host.name == jump.name && definition.has_secret();
    });
    if (known != inventory.jumps.end()) continue;
    return fail(
        fmt::format("the password or key of jump host '{}' came from the sweep's inventory, and "
                    "these are not stored: give the inventory again with -i",
                    jump.name));
  }
  return {};
}

// What a sweep of the store still needs from its inventories.
std::expected<RunSetup, PromptFailure> with_hosts_again(RunSetup setup, const RunOptions& options,
                                                        const WorkerSide& worker_side) {
  auto inventory = gather_hosts(options, setup.tasks);
  if (!inventory) return input_error(inventory.error().message);
  auto hosts = hosts_again(options, setup, *inventory);
  if (!hosts) return input_error(hosts.error().message);
  if (auto known = check_jump_secrets(setup.record.job.jumps, *inventory); !known) {
    return input_error(known.error().message);
  }
  if (auto limited = limit_by_jumps(*inventory, setup.record.job.jumps, *hosts, options);
      !limited) {
    return input_error(limited.error().message);
  }
  setup.limits = plan_limits(*inventory, *hosts);
  if (auto set = set_groups(options, *inventory, *hosts, setup); !set) {
    return input_error(set.error().message);
  }
  auto rollout = parse_rollout(setup.record.rollout);
  if (!rollout) return input_error(rollout.error().message);
  setup.rollout = *rollout;
  auto known = worker_side.check_platforms(options.platform_dir, platforms_of(setup.tasks));
  if (!known) return input_error(known.error().message);
  return with_credentials(std::move(setup), options, *hosts, *inventory, worker_side);
}

}  // namespace

bool sends_credentials(const RunOptions& options) {
  if (options.listen.empty()) return false;
  const auto endpoint = Endpoint::parse(options.listen);
  return options.send_credentials || (endpoint && endpoint->is_local());
}

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

  auto jumps = apply_ssh_settings(options, variable("HOME"), variable("USER"), inventory->jumps,
                                  hosts, setup.warnings);
  if (!jumps) return input_error(jumps.error().message);
  if (auto limited = limit_by_jumps(*inventory, *jumps, hosts, options); !limited) {
    return input_error(limited.error().message);
  }
  setup.warnings.insert(setup.warnings.begin(), inventory->warnings.begin(),
                        inventory->warnings.end());
  PlanDefaults defaults;
  defaults.user = options.user;
  if (options.port != 0) defaults.port = options.port;
  defaults.platform = options.platform;
  defaults.credential = credential_of_rest(options);
  setup.tasks = plan_tasks(hosts, defaults);
  setup.limits = plan_limits(*inventory, hosts);
  if (auto set = set_groups(options, *inventory, hosts, setup); !set) {
    return input_error(set.error().message);
  }
  const auto nameless = std::find_if(setup.tasks.begin(), setup.tasks.end(),
                                     [](const TaskSpec& task) { return task.user.empty(); });
  if (nameless != setup.tasks.end()) {
    return input_error(fmt::format("no user to log in to {} as: give -u USER", nameless->host));
  }
  setup.record = new_record(options, std::move(*commands), setup.tasks.size());
  setup.record.limited = !setup.limits.limits.empty();
  setup.rollout = options.rollout;
  JobSpec& job = setup.record.job;
  job.jumps = *std::move(jumps);
  auto configured =
      add_configuration(options.configuration, hosts, job, setup.tasks, setup.warnings);
  if (!configured) return input_error(configured.error().message);
  if (auto fits = check_size(job); !fits) return input_error(fits.error().message);
  const auto platforms = platforms_of(setup.tasks);
  auto known = worker_side.check_platforms(options.platform_dir, platforms);
  if (known) {
    known =
        worker_side.check_job(options.platform_dir, platforms, job, !options.configuration.empty());
  }
  if (!known) return input_error(known.error().message);
  return with_credentials(std::move(setup), options, hosts, *inventory, worker_side);
}

std::expected<RunSetup, PromptFailure> set_up_resume(const RunOptions& options, Store& store,
                                                     const WorkerSide& worker_side) {
  RunSetup setup;
  auto record = store.find_sweep(options.resume);
  if (!record) return input_error(record.error().message);
  if (record->ended_at) {
    return input_error(
        fmt::format("sweep {} has ended: nothing is left to go on with; 'netfleet "
                    "results {}' prints it",
                    record->id, record->id));
  }
  auto lock = store.lock_sweep(*record);
  if (!lock) return input_error(lock.error().message);
  auto tasks = store.tasks(record->number);
  if (!tasks) return input_error(tasks.error().message);
  auto states = store.task_states(record->number);
  if (!states) return input_error(states.error().message);
  setup.record = std::move(*record);
  setup.tasks = std::move(*tasks);
  setup.resumed = Resumed{std::move(*states), std::move(*lock),
                          setup.record.boot_id.empty() || setup.record.boot_id != boot_id()};
  return with_hosts_again(std::move(setup), options, worker_side);
}

std::expected<RunSetup, PromptFailure> set_up_repeat(const RunOptions& options, Store& store,
                                                     const WorkerSide& worker_side) {
  RunSetup setup;
  auto record = store.find_sweep(options.resume);
  if (!record) return input_error(record.error().message);
  if (!record->ended_at) {
    return input_error(
        fmt::format("sweep {} has not ended: first go on with it, without --only", record->id));
  }
  auto tasks = store.tasks(record->number);
  if (!tasks) return input_error(tasks.error().message);
  const auto states = store.task_states(record->number);
  if (!states) return input_error(states.error().message);
  for (const TaskState& state : *states) {
    if (!state.outcome || !options.only->contains(*state.outcome)) continue;
    TaskSpec& task = setup.tasks.emplace_back(std::move((*tasks)[state.grant.index]));
    task.index = static_cast<std::uint32_t>(setup.tasks.size()) - 1;
  }
  const std::string wanted = format_outcomes(*options.only);
  if (setup.tasks.empty()) {
    return input_error(fmt::format("sweep {} has no host that ended as {}", record->id, wanted));
  }
  setup.warnings.push_back(fmt::format("sweep {} once more, on {} of its {} hosts ({})", record->id,
                                       setup.tasks.size(), record->total, wanted));
  setup.record = std::move(*record);
  begin_anew(setup.record, options, setup.tasks.size());
  return with_hosts_again(std::move(setup), options, worker_side);
}

}  // namespace netfleet
