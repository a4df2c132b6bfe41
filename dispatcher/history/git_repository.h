// dispatcher/history: a git repository that is only ours to write: objects, one commit at a time,
// its working tree. With git_repository.cc the only user of libgit2's repositories. Runs no hooks
// and reads no configuration but the repository's own. Not for what belongs into a file.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"

namespace netfleet {

using GitId = std::array<unsigned char, 20>;

// One thread at a time. Nobody else of us has the same repository meanwhile.
class GitRepository {
 public:
  // `directory` missing or empty: makes a repository there, marked as ours
  // (netfleet.backup=true in its configuration). Else it must be one with that mark or without any
  // commit, without changes that are not committed, on a branch; a bare one will do. What a process
  // of ours that died left half done is done first.
  static Expected<GitRepository> open(const std::string& directory);

  GitRepository(GitRepository&&) noexcept;
  GitRepository& operator=(GitRepository&&) noexcept;
  ~GitRepository();

  // The file as it was last committed; nothing when there is none.
  std::optional<GitId> file(const std::string& path) const;
  Expected<std::string> read(const GitId& id) const;
  static GitId id_of(std::string_view content);
  Expected<GitId> add(std::string_view content);
  // The same, of more than memory should hold: `fill` calls `put` with one piece after another.
  using Put = std::function<void(std::string_view)>;
  using Fill = std::function<Expected<void>(const Put& put)>;
  Expected<GitId> add(const Fill& fill);

  struct Change {
    std::string path;
    GitId content;
  };
  // Commits these files over what is there, by "netfleet", and brings them to the working tree.
  // When it fails, the branch is where it was, or the working tree is said to be behind. Returns
  // the commit's first digits. Each path once.
  Expected<std::string> commit(std::vector<Change> changes, const std::string& message,
                               WallTime when);

 private:
  struct Impl;
  explicit GitRepository(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace netfleet
