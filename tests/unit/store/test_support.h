// tests of the store and of what writes to it: rows whose every field has a default.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "common/task.h"
#include "dispatcher/store/store.h"
#include "tests/unit/disk.h"

namespace netfleet {

inline std::string file_content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

inline WallTime wall(std::int64_t milliseconds) { return WallTime(Milliseconds(milliseconds)); }

inline SweepRecord some_sweep(const std::string& id, std::vector<std::string> commands,
                              std::uint32_t total) {
  SweepRecord record;
  record.id = id;
  record.started_at = wall(1'795'374'948'123);
  record.total = total;
  record.job.sweep = id;
  record.job.commands = std::move(commands);
  return record;
}

inline TaskSpec some_task(std::uint32_t index) {
  return {.index = index,
          .port = 22,
          .host = fmt::format("edge-{}", index),
          .address = fmt::format("10.0.{}.{}", index / 256 % 256, index % 256),
          .user = "admin",
          .platform = "auto",
          .region = {},
          .credential = {}};
}

inline std::vector<TaskSpec> some_tasks(std::uint32_t count) {
  std::vector<TaskSpec> tasks;
  tasks.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) tasks.push_back(some_task(i));
  return tasks;
}

// In the order of their names, as they come back.
inline std::vector<JumpHost> some_jumps() {
  return {{.name = "bastion", .address = "192.0.2.1", .user = "jump", .credential = "default"},
          {.name = "core",
           .address = "10.0.0.1",
           .port = 2222,
           .user = "ann",
           .credential = "jump:core",
           .via = "bastion",
           .weight = 3,
           .max_connections = 2,
           .max_channels = 50,
           .host_key_policy = HostKeyPolicy::kStrict,
           .legacy_algorithms = true,
           .ssh_options = "kex curve25519-sha256\n"}};
}

inline TaskResult ok_result(std::uint32_t index) {
  TaskResult result;
  result.index = index;
  result.outcome = Outcome::kOk;
  result.worker = "here";
  result.platform = "cisco_ios";
  result.started_at = wall(1'795'374'949'000);
  result.duration = Milliseconds(520);
  result.command_sent = true;
  return result;
}

inline CommandResult some_output(std::string command, std::string output) {
  CommandResult result;
  result.command = std::move(command);
  result.output = std::move(output);
  result.duration = Milliseconds(300);
  return result;
}

inline TaskResult ok_result(std::uint32_t index, const std::string& command, std::string output) {
  TaskResult result = ok_result(index);
  result.commands.push_back(some_output(command, std::move(output)));
  return result;
}

inline TaskResult failed_result(std::uint32_t index, Outcome outcome, std::string error) {
  TaskResult result;
  result.index = index;
  result.outcome = outcome;
  result.error = std::move(error);
  return result;
}

// Bytes that do not compress.
inline std::string noise(std::size_t size, std::uint32_t seed) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace netfleet
