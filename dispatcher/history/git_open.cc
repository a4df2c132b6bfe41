#include "dispatcher/history/git_open.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

namespace netfleet::git {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMark = "netfleet.backup";
constexpr const char* kBranch = "main";
constexpr const char* kBegun = ".netfleet-new-";
constexpr std::size_t kPathsNamed = 3;

std::unexpected<Error> refused(const std::string& directory, std::string_view why) {
  return fail(fmt::format("git {}: {}", directory, why));
}

Expected<void> set_mark(const std::string& directory, git_repository* repository) {
  const auto config =
      made<Config>([&](git_config** out) { return git_repository_config(out, repository); });
  if (!config || git_config_set_bool(config.get(), kMark, 1) != 0) {
    return failure(directory, "write its configuration");
  }
  return {};
}

// Whether nothing is there but what we ourselves had begun.
Expected<bool> is_unused(const std::string& directory) {
  std::error_code error;
  if (!fs::exists(directory, error) && !error) return true;
  std::vector<fs::path> begun;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().string().starts_with(kBegun)) return false;
    begun.push_back(at->path());
  }
  for (const fs::path& path : begun) fs::remove_all(path, error);
  if (error) return refused(directory, error.message());
  return true;
}

// All of it beside its place, then at once. Devices' configurations are for their owner only.
Expected<Repository> make(const std::string& directory) {
  std::error_code error;
  fs::create_directories(fs::absolute(directory).parent_path(), error);
  if (!error && mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    error = std::error_code(errno, std::generic_category());
  }
  if (error) return refused(directory, "create directory: " + error.message());
  const fs::path begun = fs::path(directory) / fmt::format("{}{}", kBegun, getpid());
  git_repository_init_options options;
  git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
  options.flags = GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKDIR;
  options.initial_head = kBranch;
  {
    const auto repository = made<Repository>([&](git_repository** out) {
      return git_repository_init_ext(out, begun.c_str(), &options);
    });
    if (!repository) return failure(directory, "make a repository");
    if (auto marked = set_mark(directory, repository.get()); !marked) {
      return std::unexpected(marked.error());
    }
  }
  fs::rename(begun / ".git", fs::path(directory) / ".git", error);
  if (error) return refused(directory, "make a repository: " + error.message());
  fs::remove(begun, error);
  auto repository = made<Repository>(
      [&](git_repository** out) { return git_repository_open(out, directory.c_str()); });
  if (!repository) return failure(directory, "open the new repository");
  return repository;
}

bool has_mark(git_repository* repository) {
  const auto config = made<Config>(
      [&](git_config** out) { return git_repository_config_snapshot(out, repository); });
  int mark = 0;
  return config && git_config_get_bool(&mark, config.get(), kMark) == 0 && mark != 0;
}

Expected<Repository> open_there(const std::string& directory) {
  int result = 0;
  auto repository = made<Repository>([&](git_repository** out) {
    return result = git_repository_open_ext(out, directory.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH,
                                            nullptr);
  });
  if (result == GIT_ENOTFOUND) {
    return refused(directory, "this directory is not empty, and no git repository");
  }
  if (!repository) return failure(directory, "open it as a repository");
  const char* root = git_repository_workdir(repository.get());
  std::error_code error;
  if (root != nullptr && !fs::equivalent(root, directory, error)) {
    return refused(directory, fmt::format("the files of this repository are in {}", root));
  }
  return repository;
}

// Ours by its mark, or without any commit.
Expected<void> check_ours(const std::string& directory, git_repository* repository) {
  if (has_mark(repository) || git_repository_is_empty(repository) == 1) return {};
  return refused(directory,
                 fmt::format("this repository was not made by netfleet; if it shall be used, say: "
                             "git -C {} config {} true",
                             directory, kMark));
}

Expected<void> check_branch(const std::string& directory, git_repository* repository) {
  if (git_repository_head_detached(repository) == 1) {
    return refused(directory, "no branch is checked out (HEAD is detached)");
  }
  if (git_repository_state(repository) != GIT_REPOSITORY_STATE_NONE) {
    return refused(directory, "a merge, rebase or the like is under way there");
  }
  return {};
}

Expected<void> check_clean(const std::string& directory, git_repository* repository) {
  if (git_repository_is_bare(repository) == 1) return {};
  git_status_options options;
  git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
  options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
  options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED;
  const auto list = made<StatusList>(
      [&](git_status_list** out) { return git_status_list_new(out, repository, &options); });
  if (!list) return failure(directory, "look for changes");
  const std::size_t count = git_status_list_entrycount(list.get());
  if (count == 0) return {};
  std::string names;
  for (std::size_t i = 0; i < std::min(count, kPathsNamed); ++i) {
    const git_status_entry* entry = git_status_byindex(list.get(), i);
    const git_diff_delta* delta =
        entry->index_to_workdir != nullptr ? entry->index_to_workdir : entry->head_to_index;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", delta->new_file.path);
  }
  if (count > kPathsNamed) names += fmt::format(" and {} more", count - kPathsNamed);
  return refused(directory, fmt::format("there are changes that are not committed: {}", names));
}

// What a process of ours left that died while it committed: locks of libgit2, which nobody holds
// any more, and a working tree that is not what was committed.
Expected<void> recover(const std::string& directory, git_repository* repository) {
  const fs::path root = git_repository_path(repository);
  std::error_code error;
  for (const char* name : {"index.lock", "HEAD.lock", "config.lock", "packed-refs.lock"}) {
    fs::remove(root / name, error);
  }
  for (const auto& entry : fs::recursive_directory_iterator(root / "refs", error)) {
    if (entry.path().extension() == ".lock") fs::remove(entry.path(), error);
  }
  const Tree tree = head_tree(repository);
  if (!tree) return {};
  const auto head =
      made<Reference>([&](git_reference** out) { return git_repository_head(out, repository); });
  const auto commit = made<Commit>([&](git_commit** out) {
    return git_commit_lookup(out, repository, git_reference_target(head.get()));
  });
  if (!commit) return failure(directory, "read its last commit");
  const auto parent =
      made<Commit>([&](git_commit** out) { return git_commit_parent(out, commit.get(), 0); });
  Tree before;
  if (parent) {
    before = made<Tree>([&](git_tree** out) { return git_commit_tree(out, parent.get()); });
    if (!before) return failure(directory, "read the commit before the last");
  }
  return check_out(directory, repository, before.get(), tree.get(), true);
}

}  // namespace

Expected<WorkLock> WorkLock::take(const std::string& directory, git_repository* repository) {
  const std::string file = std::string(git_repository_path(repository)) + "netfleet.lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return refused(directory, fmt::format("open {}: {}", file, std::strerror(errno)));
  WorkLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return refused(directory, "another netfleet is at work there");
  }
  return lock;
}

WorkLock::~WorkLock() {
  if (fd_ >= 0) close(fd_);
}

bool WorkLock::committing() const {
  struct stat status{};
  return fstat(fd_, &status) == 0 && status.st_size > 0;
}

void WorkLock::set_committing(bool committing) const {
  // A full disk only costs that a later process does not tidy up by itself.
  [[maybe_unused]] const bool written =
      committing ? pwrite(fd_, "committing\n", 11, 0) == 11 : ftruncate(fd_, 0) == 0;
}

Expected<void> WorkLock::sync(const std::string& directory) const {
  if (syncfs(fd_) == 0) return {};
  return refused(directory, fmt::format("write to the disk: {}", std::strerror(errno)));
}

Tree head_tree(git_repository* repository) {
  const auto head =
      made<Reference>([&](git_reference** out) { return git_repository_head(out, repository); });
  if (!head) return {};
  return made<Tree>([&](git_tree** out) {
    return git_reference_peel(reinterpret_cast<git_object**>(out), head.get(), GIT_OBJECT_TREE);
  });
}

Expected<void> check_out(const std::string& directory, git_repository* repository, git_tree* before,
                         git_tree* after, bool force) {
  if (git_repository_is_bare(repository) == 1) return {};
  const auto diff = made<Diff>([&](git_diff** out) {
    return git_diff_tree_to_tree(out, repository, before, after, nullptr);
  });
  if (!diff) return failure(directory, "find out what differs");
  std::vector<char*> paths;
  for (std::size_t i = 0; i < git_diff_num_deltas(diff.get()); ++i) {
    paths.push_back(const_cast<char*>(git_diff_get_delta(diff.get(), i)->new_file.path));
  }
  if (paths.empty()) return {};
  const auto nothing = made<Index>([](git_index** out) { return git_index_new(out); });
  git_checkout_options options;
  git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
  options.checkout_strategy =
      GIT_CHECKOUT_DISABLE_PATHSPEC_MATCH | (force ? GIT_CHECKOUT_FORCE : GIT_CHECKOUT_SAFE);
  options.disable_filters = 1;  // bytes as they came
  options.paths = {paths.data(), paths.size()};
  if (before != nullptr) {
    options.baseline = before;
  } else {
    options.baseline_index = nothing.get();
  }
  forget_errors();
  if (git_checkout_tree(repository, reinterpret_cast<git_object*>(after), &options) != 0) {
    return failure(directory, "bring what is committed to its files");
  }
  return {};
}

Expected<Opened> open(const std::string& directory) {
  const auto unused = is_unused(directory);
  if (!unused) return std::unexpected(unused.error());
  auto repository = *unused ? make(directory) : open_there(directory);
  if (!repository) return std::unexpected(repository.error());
  git_repository* const raw = repository->get();
  if (auto ours = check_ours(directory, raw); !ours) return std::unexpected(ours.error());
  auto lock = WorkLock::take(directory, raw);
  if (!lock) return std::unexpected(lock.error());
  if (auto branch = check_branch(directory, raw); !branch) return std::unexpected(branch.error());
  if (lock->committing()) {
    if (auto done = recover(directory, raw); !done) return std::unexpected(done.error());
    lock->set_committing(false);
  }
  if (auto clean = check_clean(directory, raw); !clean) return std::unexpected(clean.error());
  if (!has_mark(raw)) {
    if (auto marked = set_mark(directory, raw); !marked) return std::unexpected(marked.error());
  }
  return Opened{*std::move(repository), *std::move(lock)};
}

}  // namespace netfleet::git
