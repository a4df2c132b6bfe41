// The codec between the wire's messages and the values of common/task.h.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/codec.h"
#include "common/wire.h"

namespace netfleet {
namespace {

constexpr std::size_t kEnvelope = 64;  // more than what a ToWorker adds to its body

v1::Outcome to_wire(Outcome outcome) {
  return static_cast<v1::Outcome>(static_cast<int>(outcome) + 1);
}

v1::HostKeyPolicy to_wire(HostKeyPolicy policy) {
  return static_cast<v1::HostKeyPolicy>(static_cast<int>(policy) + 1);
}

HostKeyPolicy from_wire(v1::HostKeyPolicy policy) {
  return static_cast<HostKeyPolicy>(static_cast<int>(policy) - 1);
}

std::uint32_t to_ms(Milliseconds duration) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration.count(), 0, UINT32_MAX));
}

}  // namespace

Expected<void> check_size(const JobSpec& job) {
  const std::size_t size = to_wire(job, UINT32_MAX).ByteSizeLong() + kEnvelope;
  if (size <= wire::kMaxControlFrame) return {};
  return fail(
      fmt::format("commands, configuration, answers and jump hosts take {} bytes together; more "
                  "than {} do not fit into one message",
                  size, wire::kMaxControlFrame));
}

v1::JobSpec to_wire(const JobSpec& job, std::uint32_t sweep) {
  v1::JobSpec out;
  out.set_sweep(sweep);
  out.set_id(job.sweep);
  for (const auto& command : job.commands) out.add_commands(command);
  out.set_connect_timeout_ms(to_ms(job.timeouts.connect));
  out.set_auth_timeout_ms(to_ms(job.timeouts.auth));
  out.set_command_timeout_ms(to_ms(job.timeouts.command));
  out.set_task_timeout_ms(to_ms(job.timeouts.task));
  out.set_max_output(job.max_output);
  out.set_host_key_policy(to_wire(job.host_key_policy));
  out.set_legacy_algorithms(job.legacy_algorithms);
  out.set_changes_device(job.changes_device);
  out.set_mode(job.mode);
  if (job.configuration != Configuration{}) {
    v1::Configuration& configuration = *out.mutable_configuration();
    for (const auto& line : job.configuration.lines) configuration.add_lines(line);
    configuration.set_dry_run(job.configuration.dry_run);
    configuration.set_save(job.configuration.save);
    if (const auto within = job.configuration.confirm_within) {
      configuration.set_confirm_within_ms(to_ms(*within));
    }
  }
  for (const ExpectedQuestion& answer : job.answers) {
    v1::ExpectedQuestion& added = *out.add_answers();
    added.set_pattern(answer.pattern);
    added.set_reply(answer.reply);
  }
  out.set_exec(job.exec);
  for (const JumpHost& host : job.jumps) to_wire(host, *out.add_jumps());
  return out;
}

void to_wire(const JumpHost& host, v1::JumpHost& out) {
  out.set_name(host.name);
  out.set_address(host.address);
  out.set_port(host.port);
  out.set_user(host.user);
  out.set_credential(host.credential);
  out.set_via(host.via);
  out.set_weight(host.weight);
  out.set_max_connections(host.max_connections);
  out.set_max_channels(host.max_channels);
  out.set_host_key_policy(to_wire(host.host_key_policy));
  out.set_legacy_algorithms(host.legacy_algorithms);
  out.set_ssh_options(host.ssh_options);
}

JumpHost from_wire(const v1::JumpHost& host) {
  return {.name = host.name(),
          .address = host.address(),
          .port = static_cast<std::uint16_t>(host.port()),
          .user = host.user(),
          .credential = host.credential(),
          .via = host.via(),
          .weight = host.weight(),
          .max_connections = host.max_connections(),
          .max_channels = host.max_channels(),
          .host_key_policy = from_wire(host.host_key_policy()),
          .legacy_algorithms = host.legacy_algorithms(),
          .ssh_options = host.ssh_options()};
}

JobSpec from_wire(const v1::JobSpec& job) {
  JobSpec out;
  out.sweep = job.id();
  out.commands.assign(job.commands().begin(), job.commands().end());
  out.timeouts = {Milliseconds(job.connect_timeout_ms()), Milliseconds(job.auth_timeout_ms()),
                  Milliseconds(job.command_timeout_ms()), Milliseconds(job.task_timeout_ms())};
  out.max_output = job.max_output();
  out.host_key_policy = from_wire(job.host_key_policy());
  out.legacy_algorithms = job.legacy_algorithms();
  out.changes_device = job.changes_device();
  out.mode = job.mode();
  const v1::Configuration& configuration = job.configuration();
  out.configuration.lines.assign(configuration.lines().begin(), configuration.lines().end());
  out.configuration.dry_run = configuration.dry_run();
  out.configuration.save = configuration.save();
  if (const auto within = configuration.confirm_within_ms(); within > 0) {
    out.configuration.confirm_within = Milliseconds(within);
  }
  for (const v1::ExpectedQuestion& answer : job.answers()) {
    out.answers.push_back({answer.pattern(), answer.reply()});
  }
  out.exec = job.exec();
  for (const v1::JumpHost& host : job.jumps()) out.jumps.push_back(from_wire(host));
  return out;
}

v1::TaskSpec to_wire(const TaskSpec& task, std::uint32_t sweep, std::uint32_t attempt) {
  v1::TaskSpec out;
  *out.mutable_task() = make_ref({sweep, task.index}, attempt);
  fill_in(task, out);
  return out;
}

void fill_in(const TaskSpec& task, v1::TaskSpec& out) {
  out.set_host(task.host.data(), task.host.size());
  out.set_address(task.address.data(), task.address.size());
  out.set_port(task.port);
  out.set_user(task.user.data(), task.user.size());
  out.set_platform(task.platform.data(), task.platform.size());
  if (!task.region.empty()) out.set_region(task.region.data(), task.region.size());
  out.set_credential(task.credential.data(), task.credential.size());
  if (!task.ssh_options.empty()) {
    out.set_ssh_options(task.ssh_options.data(), task.ssh_options.size());
  }
  if (!task.jump.empty()) out.set_jump(task.jump.data(), task.jump.size());
  if (!task.configuration.empty()) {
    out.set_configuration(task.configuration.data(), task.configuration.size());
  }
  if (!task.remembered_platform.empty()) {
    out.set_remembered_platform(task.remembered_platform.data(), task.remembered_platform.size());
    out.set_remembered_key(task.remembered_key);
  }
}

TaskSpec from_wire(const v1::TaskSpec& task) {
  TaskSpec out;
  out.index = task.task().index();
  out.host = task.host();
  out.address = task.address();
  out.port = static_cast<std::uint16_t>(task.port());
  out.user = task.user();
  out.platform = task.platform();
  out.region = task.region();
  out.credential = task.credential();
  out.ssh_options = task.ssh_options();
  out.jump = task.jump();
  out.configuration = task.configuration();
  out.remembered_platform = task.remembered_platform();
  out.remembered_key = task.remembered_key();
  return out;
}

v1::TaskResult to_wire(TaskResult result, std::uint32_t sweep) {
  v1::TaskResult out;
  to_wire(std::move(result), sweep, out);
  return out;
}

void to_wire(TaskResult result, std::uint32_t sweep, v1::TaskResult& out) {
  *out.mutable_task() = make_ref({sweep, result.index}, result.attempt);
  out.set_outcome(to_wire(result.outcome));
  out.set_error(std::move(result.error));
  out.set_platform(std::move(result.platform));
  out.set_jump(std::move(result.jump));
  out.set_started_at_ms(result.started_at ? result.started_at->time_since_epoch().count() : 0);
  out.set_duration_ms(to_ms(result.duration));
  out.set_command_sent(result.command_sent);
  out.set_way_lost(result.way_lost);
  out.set_evidence(std::move(result.evidence));
  out.set_found_on_key(result.found_on_key);
  for (auto& command : result.commands) {
    auto& added = *out.add_commands();
    added.set_command(std::move(command.command));
    added.set_output(command.output.take_memory());
    added.set_outcome(to_wire(command.outcome));
    added.set_duration_ms(to_ms(command.duration));
    added.set_truncated(command.truncated);
  }
}

Outcome from_wire(v1::Outcome outcome) {
  return static_cast<Outcome>(static_cast<int>(outcome) - 1);
}

TaskResult from_wire(v1::TaskResult& result) {
  TaskResult out;
  out.index = result.task().index();
  out.attempt = result.task().attempt();
  out.outcome = from_wire(result.outcome());
  out.error = std::move(*result.mutable_error());
  out.platform = std::move(*result.mutable_platform());
  out.jump = std::move(*result.mutable_jump());
  if (result.started_at_ms() != 0) out.started_at = WallTime(Milliseconds(result.started_at_ms()));
  out.duration = Milliseconds(result.duration_ms());
  out.command_sent = result.command_sent();
  out.way_lost = result.way_lost();
  out.evidence = std::move(*result.mutable_evidence());
  out.found_on_key = result.found_on_key();
  out.commands.reserve(static_cast<std::size_t>(result.commands_size()));
  for (auto& command : *result.mutable_commands()) {
    out.commands.push_back({std::move(*command.mutable_command()),
                            std::move(*command.mutable_output()), from_wire(command.outcome()),
                            Milliseconds(command.duration_ms()), command.truncated()});
  }
  return out;
}

}  // namespace netfleet
