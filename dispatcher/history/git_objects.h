// dispatcher/history: libgit2's objects with owners, and its errors in words. Only for
// git_repository.cc and git_open.cc.
#pragma once

#include <fmt/format.h>
#include <git2.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/check.h"
#include "common/error.h"

namespace netfleet::git {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Repository = std::unique_ptr<git_repository, Free<git_repository_free>>;
using Tree = std::unique_ptr<git_tree, Free<git_tree_free>>;
using Commit = std::unique_ptr<git_commit, Free<git_commit_free>>;
using Reference = std::unique_ptr<git_reference, Free<git_reference_free>>;
using Config = std::unique_ptr<git_config, Free<git_config_free>>;
using Index = std::unique_ptr<git_index, Free<git_index_free>>;
using Blob = std::unique_ptr<git_blob, Free<git_blob_free>>;
using Diff = std::unique_ptr<git_diff, Free<git_diff_free>>;
using Entry = std::unique_ptr<git_tree_entry, Free<git_tree_entry_free>>;
using Signature = std::unique_ptr<git_signature, Free<git_signature_free>>;
using StatusList = std::unique_ptr<git_status_list, Free<git_status_list_free>>;

// Libgit2 for as long as it lives. It looks for no configuration outside of repositories.
class Library {
 public:
  Library() {
    CHECK(git_libgit2_init() >= 0);
    for (const int level : {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
                            GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
  }
  ~Library() { git_libgit2_shutdown(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

// Before a call whose failure is told: libgit2 keeps what an earlier one said.
inline void forget_errors() {
  git_error_clear();
  errno = 0;
}

// "git DIR: cannot DOING: why". Of some failures to write libgit2 says nothing; the system does.
inline std::unexpected<Error> failure(const std::string& directory, std::string_view doing) {
  const int cause = errno;
  const git_error* error = git_error_last();
  const std::string why = error != nullptr ? error->message
                          : cause != 0     ? std::generic_category().message(cause)
                                           : std::string("for a reason unknown");
  return fail(fmt::format("git {}: cannot {}: {}", directory, doing, why));
}

// What `make(&pointer)` made; empty when it failed.
template <typename Owner, typename Make>
Owner made(Make make) {
  forget_errors();
  typename Owner::pointer object = nullptr;
  if (make(&object) != 0) return {};
  return Owner(object);
}

}  // namespace netfleet::git
