// dispatcher/history: whether a directory is a repository that backups may be written to, and
// making it one. Only for git_repository.cc.
#pragma once

#include <string>
#include <utility>

#include "common/error.h"
#include "dispatcher/history/git_objects.h"

namespace netfleet::git {

// A file of the repository that says that we are at work there, and at what; the lock on it goes
// with the process.
class WorkLock {
 public:
  static Expected<WorkLock> take(const std::string& directory, git_repository* repository);
  WorkLock(WorkLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  WorkLock& operator=(WorkLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~WorkLock();

  // Whether a commit was begun and not ended, by this process or one that died.
  bool committing() const;
  void set_committing(bool committing) const;
  // All that was written is on the disk. An error is the disk's.
  Expected<void> sync(const std::string& directory) const;

 private:
  explicit WorkLock(int fd) : fd_(fd) {}
  int fd_;
};

struct Opened {
  Repository repository;
  WorkLock lock;
};
Expected<Opened> open(const std::string& directory);

// The tree of the branch's commit; empty: there is no commit yet.
Tree head_tree(git_repository* repository);
// Brings what differs between two trees (`before` empty: nothing was there) to the working tree and
// the index. Files that are neither as before nor as after are an error, and left alone unless
// `force`. Nothing to do in a bare repository.
Expected<void> check_out(const std::string& directory, git_repository* repository, git_tree* before,
                         git_tree* after, bool force);

}  // namespace netfleet::git
