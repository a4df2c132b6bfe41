// The store for a sweep whose dispatcher has died: the newest grants, and who may go on with it.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <limits>
#include <system_error>

#include "dispatcher/store/impl.h"

namespace netfleet {
namespace {

// More attempts at one task than one dispatcher can have begun without a trace.
constexpr int kMostAttemptsForgotten = 16;

}  // namespace

void Store::Impl::put_grants(std::uint32_t sweep, std::span<const GrantRecord> grants) {
  replace_grants(grants, [&](SQLite::Statement& row, int at, const GrantRecord& grant) {
    row.bind(at, key_of(sweep, grant.index));
    row.bind(at + 1, grant.attempt);
    if (grant.owner == 0) {
      row.bind(at + 2);
    } else {
      row.bind(at + 2, static_cast<std::int64_t>(grant.owner));
    }
    row.bind(at + 3, static_cast<int>(grant.deaths));
    row.bind(at + 4, static_cast<int>(grant.retries_used));
  });
}

Expected<void> Store::set_durable() {
  return impl_->guarded("set it up", [&] { impl_->database.exec("PRAGMA synchronous=FULL"); });
}

Expected<std::uint64_t> Store::identity() {
  return impl_->guarded("read its identity", [&] {
    return static_cast<std::uint64_t>(
        impl_->database.execAndGet("SELECT identity FROM store").getInt64());
  });
}

Expected<std::vector<TaskSpec>> Store::tasks(std::uint32_t sweep) {
  return impl_->guarded("read the tasks", [&] {
    std::vector<TaskSpec> found;
    const std::int64_t end = key_of(sweep + 1, 0);
    for (std::int64_t next = key_of(sweep, 0); next < end;) {
      auto chunk = impl_->read_chunk(sweep, next, end, Impl::With::kConfiguration);
      if (chunk.empty()) break;
      next = key_of(sweep, chunk.back().task.index) + 1;
      for (auto& row : chunk) found.push_back(std::move(row.task));
    }
    return found;
  });
}

Expected<std::vector<TaskState>> Store::task_states(std::uint32_t sweep) {
  return impl_->guarded("read what was granted", [&] {
    SQLite::Statement select(
        impl_->database,
        "SELECT t.key,g.attempt,g.owner,g.deaths,g.retries_used,r.attempt,r.outcome FROM tasks t"
        " LEFT JOIN grants g ON g.key=t.key LEFT JOIN results r ON r.key=t.key"
        " WHERE t.key>=? AND t.key<? AND (g.key IS NOT NULL OR r.key IS NOT NULL) ORDER BY t.key");
    select.bind(1, key_of(sweep, 0));
    select.bind(2, key_of(sweep + 1, 0));
    std::vector<TaskState> found;
    while (select.executeStep()) {
      const auto number = [&](int column) { return select.getColumn(column).getInt64(); };
      TaskState& state = found.emplace_back();
      state.grant.index = static_cast<std::uint32_t>(number(0));  // the lower half
      if (!select.isColumnNull(1)) {
        state.grant.attempt = static_cast<std::uint32_t>(number(1));
        state.grant.owner = static_cast<std::uint64_t>(number(2));
        state.grant.deaths = static_cast<std::uint8_t>(number(3));
        state.grant.retries_used = static_cast<std::uint8_t>(number(4));
      }
      if (select.isColumnNull(6)) continue;
      state.grant.attempt = static_cast<std::uint32_t>(number(5));
      state.outcome = outcome_from_name(select.getColumn(6).getString());
      if (!state.outcome) throw StoreFailure("a row holds an unknown outcome");
    }
    return found;
  });
}

Expected<std::uint32_t> Store::take_over(std::uint32_t sweep, Milliseconds lease, bool uncertain) {
  return impl_->guarded("go on with a sweep", [&] {
    SQLite::Database& database = impl_->database;
    const int before = database.execAndGet("PRAGMA synchronous").getInt();
    if (uncertain) database.exec("PRAGMA synchronous=FULL");
    SQLite::Statement update(
        database,
        "UPDATE sweeps SET lease_ms=max(lease_ms,?3), least_attempt=CASE WHEN ?4 THEN"
        " ?5+max(least_attempt,"
        " coalesce((SELECT max(attempt) FROM grants WHERE key>=?1 AND key<?2),1),"
        " coalesce((SELECT max(attempt) FROM results WHERE key>=?1 AND key<?2),1))"
        " ELSE least_attempt END WHERE number=?6 RETURNING least_attempt");
    update.bind(1, key_of(sweep, 0));
    update.bind(2, key_of(sweep + 1, 0));
    update.bind(3, static_cast<std::int64_t>(lease.count()));
    update.bind(4, uncertain ? 1 : 0);
    update.bind(5, kMostAttemptsForgotten);
    update.bind(6, sweep);
    if (!update.executeStep()) throw StoreFailure("the sweep is not there");
    const auto least = static_cast<std::uint32_t>(update.getColumn(0).getInt64());
    while (update.executeStep()) continue;
    database.exec(fmt::format("PRAGMA synchronous={}", before));
    return least;
  });
}

SweepLock::~SweepLock() {
  if (fd_ >= 0) close(fd_);
}

// One byte of a file beside the store, at the sweep's number: the system gives it up with the
// process, however that ends.
Expected<SweepLock> Store::lock_sweep(const SweepRecord& sweep) {
  if (impl_->path.empty()) return SweepLock();
  std::error_code unresolved;  // one lock for all the names of a store
  const auto path = std::filesystem::canonical(impl_->path, unresolved);
  const std::string file = (unresolved ? impl_->path : path.string()) + ".lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail(fmt::format("store {}: cannot open {}: {}", impl_->path, file,
                            std::generic_category().message(errno)));
  }
  SweepLock lock(fd);
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = sweep.number;
  range.l_len = 1;
  if (fcntl(fd, F_OFD_SETLK, &range) != 0) {
    return fail(fmt::format("sweep {} is being worked at by another process", sweep.id));
  }
  return lock;
}

}  // namespace netfleet
