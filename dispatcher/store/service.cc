// The store for a service: what came of its schedules' firings, and which sweeps are its own.
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

#include "dispatcher/store/impl.h"

namespace netfleet {
namespace {

constexpr int kFiringsKept = 10'000;  // of a job: a week of one a minute

std::int64_t to_column(WallTime time) { return time.time_since_epoch().count(); }

void bind_or_null(SQLite::Statement& statement, int position, const std::string& text) {
  if (text.empty()) {
    statement.bind(position);
  } else {
    statement.bindNoCopy(position, text);
  }
}

// By its first bytes; another file is not ours to move.
bool is_database(const std::string& path) {
  constexpr std::string_view kMagic = "SQLite format 3";
  std::string begin(kMagic.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  return file.read(begin.data(), static_cast<std::streamsize>(begin.size())) && begin == kMagic;
}

bool is_whole(const std::string& path) {
  constexpr std::uintmax_t kMostRead = std::uintmax_t{1} << 30;
  try {
    SQLite::Database database(path, SQLite::OPEN_READWRITE);
    std::error_code unknown;
    const char* check = std::filesystem::file_size(path, unknown) > kMostRead
                            ? "SELECT count(*) FROM sqlite_master"
                            : "PRAGMA quick_check(1)";
    const std::string found = database.execAndGet(check).getString();
    return found == "ok" || std::ranges::all_of(found, [](char c) { return c >= '0' && c <= '9'; });
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode() & 0xff;
    return code != SQLITE_CORRUPT && code != SQLITE_NOTADB;
  }
}

std::optional<SweepRecord> first_of(std::vector<SweepRecord> sweeps) {
  if (sweeps.empty()) return std::nullopt;
  return std::move(sweeps.front());
}

}  // namespace

void Store::Impl::take_firing(const FiringRecord& firing, WallTime taken) {
  SQLite::Statement take(database,
                         "INSERT INTO schedules(job,taken) VALUES(?,?) ON CONFLICT DO"
                         " UPDATE SET taken=excluded.taken");
  take.bindNoCopy(1, firing.job);
  take.bind(2, to_column(taken));
  take.exec();
  SQLite::Statement insert(database,
                           "INSERT INTO firings(job,due,what,sweep,why) VALUES(?,?,?,?,?)");
  insert.bindNoCopy(1, firing.job);
  insert.bind(2, to_column(firing.due));
  insert.bindNoCopy(3, firing.what);
  bind_or_null(insert, 4, firing.sweep);
  bind_or_null(insert, 5, firing.why);
  insert.exec();
  SQLite::Statement forget(database,
                           "DELETE FROM firings WHERE job=?1 AND number<=(SELECT number FROM"
                           " firings WHERE job=?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)");
  forget.bindNoCopy(1, firing.job);
  forget.bind(2, kFiringsKept);
  forget.exec();
}

Expected<void> Store::add_fired_sweep(SweepRecord& record, std::span<const TaskSpec> tasks,
                                      WallTime taken) {
  return impl_->guarded("add a sweep", [&] {
    SQLite::Transaction transaction(impl_->database, SQLite::TransactionBehavior::IMMEDIATE);
    impl_->insert_sweep(record);
    impl_->insert_tasks(record.number, tasks);
    impl_->take_firing({.job = record.job_name,
                        .due = record.due.value_or(record.started_at),
                        .what = "started",
                        .sweep = record.id,
                        .why = {}},
                       taken);
    transaction.commit();
  });
}

Expected<void> Store::add_firing(const FiringRecord& firing, WallTime taken) {
  return impl_->guarded("write down a firing", [&] {
    SQLite::Transaction transaction(impl_->database, SQLite::TransactionBehavior::IMMEDIATE);
    impl_->take_firing(firing, taken);
    transaction.commit();
  });
}

Expected<void> Store::put_schedule(const ScheduleRecord& schedule) {
  return impl_->guarded("write down a schedule", [&] {
    SQLite::Statement put(impl_->database,
                          "INSERT INTO schedules(job,taken,paused) VALUES(?,?,?) ON CONFLICT DO"
                          " UPDATE SET taken=excluded.taken, paused=excluded.paused");
    put.bindNoCopy(1, schedule.job);
    put.bind(2, to_column(schedule.taken));
    bind_or_null(put, 3, schedule.paused);
    put.exec();
  });
}

Expected<std::vector<ScheduleRecord>> Store::schedules() {
  return impl_->guarded("read the schedules", [&] {
    SQLite::Statement select(impl_->database, "SELECT job,taken,paused FROM schedules");
    std::vector<ScheduleRecord> found;
    while (select.executeStep()) {
      found.push_back({select.getColumn(0).getString(),
                       WallTime(Milliseconds(select.getColumn(1).getInt64())),
                       select.getColumn(2).getString()});
    }
    return found;
  });
}

Expected<std::vector<FiringRecord>> Store::firings(const std::string& job, std::size_t limit) {
  return impl_->guarded("read the firings", [&] {
    SQLite::Statement select(impl_->database,
                             "SELECT job,due,what,sweep,why FROM firings WHERE ?1='' OR job=?1"
                             " ORDER BY number DESC LIMIT ?2");
    select.bindNoCopy(1, job);
    const std::size_t most = std::numeric_limits<std::int64_t>::max();
    select.bind(2, static_cast<std::int64_t>(std::min(limit, most)));
    std::vector<FiringRecord> found;
    while (select.executeStep()) {
      const auto text = [&](int column) { return select.getColumn(column).getString(); };
      found.push_back({text(0), WallTime(Milliseconds(select.getColumn(1).getInt64())), text(2),
                       text(3), text(4)});
    }
    return found;
  });
}

Expected<std::vector<SweepRecord>> Store::unfinished_sweeps() {
  return impl_->guarded("list the sweeps", [&] {
    return impl_->sweeps_where("WHERE ended_at IS NULL AND job IS NOT NULL ORDER BY number", {});
  });
}

Expected<std::optional<SweepRecord>> Store::newest_ended(const std::string& job) {
  return impl_->guarded("find a sweep", [&] {
    return first_of(impl_->sweeps_where(
        "WHERE ended_at IS NOT NULL AND job=? ORDER BY number DESC LIMIT 1", {job}));
  });
}

Expected<std::optional<SweepRecord>> Store::sweep_of_request(const std::string& origin,
                                                             const std::string& request) {
  return impl_->guarded("find a sweep", [&] {
    return first_of(impl_->sweeps_where("WHERE origin=? AND request=?", {origin, request}));
  });
}

Expected<SweepLock> Store::lock_service() {
  SweepRecord service;  // no sweep has number 0
  auto lock = lock_sweep(service);
  if (lock) return lock;
  return fail(fmt::format("store {}: another netfleet serve works with it", impl_->path));
}

Expected<std::string> Store::set_aside_if_damaged(const std::string& path, WallTime now) {
  if (!is_database(path) || is_whole(path)) return std::string();
  std::string kept = fmt::format("{}.damaged-{}", path, now.time_since_epoch().count());
  for (const char* suffix : {"-wal", "-shm", ""}) {
    std::error_code failed;
    std::filesystem::rename(path + suffix, kept + suffix, failed);
    if (failed && failed != std::errc::no_such_file_or_directory) {
      return fail(fmt::format("store {}: it is damaged, and cannot be renamed: {}", path,
                              failed.message()));
    }
  }
  return kept;
}

}  // namespace netfleet
