#include "dispatcher/history/git_backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/file_name.h"
#include "dispatcher/output/output_directory.h"

namespace netfleet {
namespace {

// More is not held in memory, and not compared but by its hash.
constexpr std::uint64_t kMostInMemory = 64u << 20;

std::uint64_t size_of_outputs(const TaskResult& result) {
  std::uint64_t size = 0;
  for (const CommandResult& command : result.commands) size += command.output.size();
  return size;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// What a good file may be replaced by. Blank lines alone are no configuration.
bool is_good(const TaskResult& result) {
  const auto cut = [](const CommandResult& command) { return command.truncated; };
  const auto blank = [](const CommandResult& command) {
    return !command.output.is_spooled() && is_blank(command.output.memory());
  };
  return result.outcome == Outcome::kOk && std::ranges::none_of(result.commands, cut) &&
         !std::ranges::all_of(result.commands, blank);  // none are all blank, too
}

// A leading '-' would be an option to those who name the file to a program.
std::string safe(std::string name) {
  if (name.starts_with('-')) name.replace(0, 1, "%2D");
  return name;
}

}  // namespace

Expected<GitBackup> GitBackup::open(GitBackupOptions options) {
  auto repository = GitRepository::open(options.directory);
  if (!repository) return std::unexpected(repository.error());
  return GitBackup(std::move(options), *std::move(repository));
}

std::string GitBackup::path_of(const TaskSpec& task) const {
  const std::string name = safe(output_file_name(task.host));
  switch (options_.shard) {
    case GitBackupOptions::Shard::kNone:
      return name;
    case GitBackupOptions::Shard::kRegion:
      return (task.region.empty() ? "default" : safe(file_name_of(task.region))) + "/" + name;
    case GitBackupOptions::Shard::kGroup:
      break;
  }
  const SharedText group =
      task.index < options_.groups.size() ? options_.groups[task.index] : SharedText();
  return (group.empty() ? "ungrouped" : safe(file_name_of(group))) + "/" + name;
}

Expected<void> GitBackup::write(const TaskSpec& task, const TaskResult& result) {
  if (!is_good(result)) {
    ++kept_;
    return {};
  }
  std::string path = path_of(task);
  if (size_of_outputs(result) > kMostInMemory) return write_large(std::move(path), result);
  std::string content;
  if (auto read = read_file_content(result, [&](std::string_view part) { content += part; });
      !read) {
    return read;
  }
  if (const auto before = repository_.file(path)) {
    const auto news = is_news(*before, content, result.platform);
    if (!news) return std::unexpected(news.error());
    if (!*news) {
      ++same_;
      return {};
    }
  }
  const auto added = repository_.add(content);
  if (!added) return std::unexpected(added.error());
  changes_.push_back({std::move(path), *added});
  return {};
}

Expected<bool> GitBackup::is_news(const GitId& before, std::string_view content,
                                  std::string_view platform) const {
  if (GitRepository::id_of(content) == before) return false;
  if (!options_.mask) return true;
  const auto old_content = repository_.read(before);
  if (!old_content) return std::unexpected(old_content.error());
  return options_.mask(platform, *old_content) != options_.mask(platform, content);
}

Expected<void> GitBackup::write_large(std::string path, const TaskResult& result) {
  const auto added = repository_.add(
      [&](const GitRepository::Put& put) { return read_file_content(result, put); });
  if (!added) return std::unexpected(added.error());
  if (repository_.file(path) == *added) {
    ++same_;
  } else {
    changes_.push_back({std::move(path), *added});
  }
  return {};
}

Expected<void> GitBackup::commit(const std::string& sweep, WallTime when) {
  const std::string changed =
      fmt::format("{} file{} changed", changes_.size(), changes_.size() == 1 ? "" : "s");
  std::string others = fmt::format("{} did not", same_);
  if (kept_ > 0) others += fmt::format(", {} kept (failed, cut or empty)", kept_);
  std::string made;
  if (!changes_.empty()) {
    const auto id =
        repository_.commit(std::exchange(changes_, {}),
                           fmt::format("Sweep {}\n\n{}, {}\n", sweep, changed, others), when);
    if (!id) return std::unexpected(id.error());
    made = fmt::format(" (commit {})", *id);
  }
  report_ = fmt::format("git {}: {}{}, {}", options_.directory, changed, made, others);
  return {};
}

}  // namespace netfleet
