// tests of the store and of what writes to it: directories and small disks that vanish, and rows
// whose every field has a default.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "common/task.h"
#include "dispatcher/store/store.h"

namespace netfleet {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "netfleet-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// A file system of a few hundred KiB; needs root.
class SmallDisk {
 public:
  explicit SmallDisk(int kibibytes) {
    mounted_ = mount("tmpfs", (directory_ / "").c_str(), "tmpfs", 0,
                     fmt::format("size={}k", kibibytes).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2((directory_ / "").c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::string operator/(const std::string& name) const { return directory_ / name; }

  // Takes all the room that is left, by a file of this name.
  void fill(const std::string& name) {
    std::ofstream file(*this / name, std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }

 private:
  TemporaryDirectory directory_;
  bool mounted_ = false;
};

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
          .host = fmt::format("edge-{}", index),
          .address = fmt::format("10.0.{}.{}", index / 256 % 256, index % 256),
          .port = 22,
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
