#include "dispatcher/cli/git_option.h"

#include <utility>

namespace netfleet {
namespace {

GitBackupOptions::Shard shard_of(GitShard shard) {
  switch (shard) {
    case GitShard::kNone:
      return GitBackupOptions::Shard::kNone;
    case GitShard::kRegion:
      return GitBackupOptions::Shard::kRegion;
    case GitShard::kGroup:
      return GitBackupOptions::Shard::kGroup;
  }
  std::unreachable();
}

}  // namespace

Expected<std::shared_ptr<GitBackup>> open_backup(const RunOptions& options,
                                                 const WorkerSide& worker_side,
                                                 std::vector<SharedText> groups) {
  if (options.git.empty()) return nullptr;
  auto mask = worker_side.volatile_mask(options.platform_dir, {}, false);
  if (!mask) return std::unexpected(mask.error());
  auto backup = GitBackup::open({.directory = options.git,
                                 .mask = *std::move(mask),
                                 .shard = shard_of(options.git_shard),
                                 .groups = std::move(groups)});
  if (!backup) return std::unexpected(backup.error());
  return std::make_shared<GitBackup>(*std::move(backup));
}

}  // namespace netfleet
