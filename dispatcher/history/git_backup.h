// dispatcher/history: `run --git`: the configuration of each device as a file of a git repository,
// one commit a sweep. Decides what belongs into it; git_repository.h does it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/shared_text.h"
#include "common/task.h"
#include "dispatcher/history/git_repository.h"

namespace netfleet {

struct GitBackupOptions {
  std::string directory;
  // What makes of an output what is compared (history/compare.h); empty: every byte counts.
  std::function<std::string(std::string_view platform, std::string_view text)> mask;
  enum class Shard : std::uint8_t { kNone, kRegion, kGroup } shard = Shard::kNone;
  std::vector<SharedText> groups;  // of kGroup, by task index; empty: in none
};

// A file is written when its task ended ok, nothing of it was cut, and it printed something; else
// the one that is there stays. Bytes are kept as they came; a file in which only what the mask
// takes away has changed is left as it is, so that it is no reason for a commit. Nothing is removed
// ever: not the file of a host that is gone, nor that of one whose shard was another. One thread.
class GitBackup {
 public:
  static Expected<GitBackup> open(GitBackupOptions options);

  // The file of a task goes into the repository's objects; no commit has it yet.
  Expected<void> write(const TaskSpec& task, const TaskResult& result);
  // One commit of all that changed; none when nothing has. `when` is its time.
  Expected<void> commit(const std::string& sweep, WallTime when);
  // "git DIR: 3 files changed (commit 0123456789), 5 did not, 2 kept (failed, cut or empty)".
  const std::string& report() const { return report_; }

  // The file of a host, below the repository.
  std::string path_of(const TaskSpec& task) const;

 private:
  GitBackup(GitBackupOptions options, GitRepository repository)
      : options_(std::move(options)), repository_(std::move(repository)) {}
  Expected<bool> is_news(const GitId& before, std::string_view content,
                         std::string_view platform) const;
  Expected<void> write_large(std::string path, const TaskResult& result);

  GitBackupOptions options_;
  GitRepository repository_;
  std::vector<GitRepository::Change> changes_;
  std::size_t same_ = 0;
  std::size_t kept_ = 0;
  std::string report_;
};

}  // namespace netfleet
