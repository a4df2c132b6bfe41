#include "dispatcher/history/git_repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "dispatcher/history/git_objects.h"
#include "dispatcher/history/git_open.h"

namespace netfleet {
namespace {

constexpr const char* kName = "netfleet";
constexpr const char* kEmail = "netfleet@localhost";
constexpr int kDigitsShown = 10;

GitId to_id(const git_oid& oid) {
  GitId id;
  static_assert(sizeof(oid.id) == std::tuple_size_v<GitId>);
  std::memcpy(id.data(), oid.id, id.size());
  return id;
}

git_oid to_oid(const GitId& id) {
  git_oid oid;
  std::memcpy(oid.id, id.data(), id.size());
  return oid;
}

}  // namespace

struct GitRepository::Impl {
  git::Library library;
  std::string directory;
  git::Opened opened;
  git::Tree tree;  // of the branch's commit; empty: none

  git_repository* repository() const { return opened.repository.get(); }

  Expected<git::Tree> make_tree(const std::vector<Change>& changes) const {
    std::vector<git_tree_update> updates;
    updates.reserve(changes.size());
    for (const Change& change : changes) {
      updates.push_back(
          {GIT_TREE_UPDATE_UPSERT, to_oid(change.content), GIT_FILEMODE_BLOB, change.path.c_str()});
    }
    git::forget_errors();
    git_oid made;
    if (git_tree_create_updated(&made, repository(), tree.get(), updates.size(), updates.data()) !=
        0) {
      return git::failure(directory, "make a tree");
    }
    auto found = git::made<git::Tree>(
        [&](git_tree** out) { return git_tree_lookup(out, repository(), &made); });
    if (!found) return git::failure(directory, "read a tree");
    return found;
  }

  Expected<git_oid> make_commit(git_tree* of, const git_commit* parent, const std::string& message,
                                WallTime when) const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(when.time_since_epoch()).count();
    const auto who = git::made<git::Signature>(
        [&](git_signature** out) { return git_signature_new(out, kName, kEmail, seconds, 0); });
    git_oid id;
    if (!who || git_commit_create(&id, repository(), nullptr, who.get(), who.get(), nullptr,
                                  message.c_str(), of, parent == nullptr ? 0 : 1, &parent) != 0) {
      return git::failure(directory, "commit");
    }
    return id;
  }

  // The branch's commit, unless there is none.
  Expected<git::Commit> last_commit() const {
    if (!tree) return git::Commit();
    auto commit = git::made<git::Commit>([&](git_commit** out) {
      git_oid id;
      const int found = git_reference_name_to_id(&id, repository(), "HEAD");
      return found != 0 ? found : git_commit_lookup(out, repository(), &id);
    });
    if (!commit) return git::failure(directory, "read its last commit");
    return commit;
  }

  // Fails when the branch is not where it was when we looked.
  Expected<void> move_branch(const git_oid& to, const git_commit* from) const {
    const auto head = git::made<git::Reference>(
        [&](git_reference** out) { return git_reference_lookup(out, repository(), "HEAD"); });
    const char* branch = head ? git_reference_symbolic_target(head.get()) : nullptr;
    if (branch == nullptr) return git::failure(directory, "find its branch");
    const auto moved = git::made<git::Reference>([&](git_reference** out) {
      constexpr const char* kReason = "commit: netfleet";
      if (from == nullptr) {
        return git_reference_create(out, repository(), branch, &to, 0, kReason);
      }
      return git_reference_create_matching(out, repository(), branch, &to, 1, git_commit_id(from),
                                           kReason);
    });
    if (!moved) return git::failure(directory, "move its branch");
    return {};
  }

  Expected<std::string> commit(const std::vector<Change>& changes, const std::string& message,
                               WallTime when) {
    auto after = make_tree(changes);
    if (!after) return std::unexpected(after.error());
    const auto parent = last_commit();
    if (!parent) return std::unexpected(parent.error());
    const auto id = make_commit(after->get(), parent->get(), message, when);
    if (!id) return std::unexpected(id.error());
    // The objects before the branch that leads to them.
    if (auto synced = opened.lock.sync(directory); !synced) return std::unexpected(synced.error());
    opened.lock.set_committing(true);
    auto done = move_branch(*id, parent->get());
    if (done) {
      const git::Tree before = std::exchange(tree, *std::move(after));
      done = git::check_out(directory, repository(), before.get(), tree.get(), false);
    }
    opened.lock.set_committing(false);
    if (!done) return std::unexpected(done.error());
    char digits[GIT_OID_HEXSZ + 1];
    return std::string(git_oid_tostr(digits, kDigitsShown + 1, &*id));
  }
};

GitRepository::GitRepository(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GitRepository::GitRepository(GitRepository&&) noexcept = default;
GitRepository& GitRepository::operator=(GitRepository&&) noexcept = default;
GitRepository::~GitRepository() = default;

Expected<GitRepository> GitRepository::open(const std::string& directory) {
  const git::Library library;  // until Impl has its own
  auto opened = git::open(directory);
  if (!opened) return std::unexpected(opened.error());
  auto tree = git::head_tree(opened->repository.get());
  git_repository_set_ident(opened->repository.get(), kName, kEmail);
  return GitRepository(
      std::unique_ptr<Impl>(new Impl{{}, directory, *std::move(opened), std::move(tree)}));
}

std::optional<GitId> GitRepository::file(const std::string& path) const {
  if (!impl_->tree) return std::nullopt;
  const auto entry = git::made<git::Entry>([&](git_tree_entry** out) {
    return git_tree_entry_bypath(out, impl_->tree.get(), path.c_str());
  });
  if (!entry || git_tree_entry_type(entry.get()) != GIT_OBJECT_BLOB) return std::nullopt;
  return to_id(*git_tree_entry_id(entry.get()));
}

Expected<std::string> GitRepository::read(const GitId& id) const {
  const git_oid oid = to_oid(id);
  const auto blob = git::made<git::Blob>(
      [&](git_blob** out) { return git_blob_lookup(out, impl_->repository(), &oid); });
  if (!blob) return git::failure(impl_->directory, "read a file");
  return std::string(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                     static_cast<std::size_t>(git_blob_rawsize(blob.get())));
}

GitId GitRepository::id_of(std::string_view content) {
  git_oid oid;
  CHECK(git_odb_hash(&oid, content.data(), content.size(), GIT_OBJECT_BLOB) == 0);
  return to_id(oid);
}

Expected<GitId> GitRepository::add(std::string_view content) {
  git::forget_errors();
  git_oid oid;
  if (git_blob_create_from_buffer(&oid, impl_->repository(), content.data(), content.size()) != 0) {
    return git::failure(impl_->directory, "write an object");
  }
  return to_id(oid);
}

Expected<GitId> GitRepository::add(const Fill& fill) {
  git::forget_errors();
  git_writestream* stream = nullptr;
  if (git_blob_create_from_stream(&stream, impl_->repository(), nullptr) != 0) {
    return git::failure(impl_->directory, "write an object");
  }
  int result = 0;
  auto filled = fill([&](std::string_view bytes) {
    if (result == 0) result = stream->write(stream, bytes.data(), bytes.size());
  });
  if (!filled || result != 0) {
    stream->free(stream);
    if (!filled) return std::unexpected(filled.error());
    return git::failure(impl_->directory, "write an object");
  }
  git_oid oid;
  if (git_blob_create_from_stream_commit(&oid, stream) != 0) {
    return git::failure(impl_->directory, "write an object");
  }
  return to_id(oid);
}

Expected<std::string> GitRepository::commit(std::vector<Change> changes, const std::string& message,
                                            WallTime when) {
  std::ranges::sort(changes, {}, &Change::path);
  return impl_->commit(changes, message, when);
}

}  // namespace netfleet
