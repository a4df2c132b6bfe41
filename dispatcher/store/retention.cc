// The store for forgetting: sweeps that are too old or too many, and what nothing refers to any
// more. Everything goes in short transactions, so that a sweep that writes waits for little;
// readers wait for nothing. A process that dies in between leaves rows without a sweep, which the
// next one finds.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dispatcher/store/impl.h"

namespace netfleet {
namespace {

constexpr std::int64_t kTasksAtOnce = 10'000;
constexpr int kBodiesAtOnce = 5'000;

std::int64_t number_of(SQLite::Database& database, const std::string& query) {
  return database.execAndGet(query).getInt64();
}

void remove_record(SQLite::Database& database, std::uint32_t sweep) {
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  for (const char* statement :
       {"DELETE FROM sweeps WHERE number=?", "DELETE FROM sweep_commands WHERE sweep=?",
        "DELETE FROM sweep_answers WHERE sweep=?", "DELETE FROM sweep_jumps WHERE sweep=?"}) {
    SQLite::Statement remove(database, statement);
    remove.bind(1, sweep);
    remove.exec();
  }
  transaction.commit();
}

// The tasks of a sweep that has no record any more, and all that is theirs.
void remove_tasks(SQLite::Database& database, std::uint32_t sweep) {
  const std::int64_t end = key_of(sweep + 1, 0);
  while (true) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement first(database, "SELECT min(key) FROM tasks WHERE key>=? AND key<?");
    first.bind(1, key_of(sweep, 0));
    first.bind(2, end);
    if (!first.executeStep() || first.isColumnNull(0)) return;
    const std::int64_t begin = first.getColumn(0).getInt64();
    first.reset();
    for (const char* table : {"outputs", "results", "grants", "tasks"}) {
      SQLite::Statement remove(database,
                               fmt::format("DELETE FROM {} WHERE key>=? AND key<?", table));
      remove.bind(1, begin);
      remove.bind(2, std::min(begin + kTasksAtOnce, end));
      remove.exec();
    }
    transaction.commit();
  }
}

// Sweeps of which tasks are there and no record.
std::vector<std::uint32_t> half_removed(SQLite::Database& database) {
  std::vector<std::uint32_t> found;
  SQLite::Statement next(database, "SELECT min(key) FROM tasks WHERE key>=?");
  SQLite::Statement record(database, "SELECT 1 FROM sweeps WHERE number=?");
  for (std::int64_t key = 0;;) {
    next.bind(1, key);
    if (!next.executeStep() || next.isColumnNull(0)) return found;
    const auto sweep = static_cast<std::uint32_t>(next.getColumn(0).getInt64() >> 32);
    next.reset();
    record.bind(1, sweep);
    if (!record.executeStep()) found.push_back(sweep);
    record.reset();
    key = key_of(sweep + 1, 0);
  }
}

// Takes away what no row refers to. Rows of sweeps that were unfinished when it began, or are
// newer, may come to refer to any body meanwhile: they are looked at again before each removal.
std::uint64_t remove_bodies(SQLite::Database& database) {
  std::string live =
      fmt::format("key>={}", key_of(static_cast<std::uint32_t>(number_of(
                                        database, "SELECT coalesce(max(number),0)+1 FROM sweeps")),
                                    0));
  SQLite::Statement unfinished(database, "SELECT number FROM sweeps WHERE ended_at IS NULL");
  while (unfinished.executeStep()) {
    const auto sweep = static_cast<std::uint32_t>(unfinished.getColumn(0).getInt64());
    live += fmt::format(" OR key>={} AND key<{}", key_of(sweep, 0), key_of(sweep + 1, 0));
  }
  const auto use = [&](const std::string& where) {
    for (const auto& [column, table] :
         {std::pair("body", "outputs"), std::pair("configuration", "tasks"),
          std::pair("jump", "tasks")}) {
      database.exec(
          fmt::format("INSERT OR IGNORE INTO temp.used SELECT {0} FROM main.{1}"
                      " WHERE {0} IS NOT NULL AND ({2})",
                      column, table, where));
    }
    database.exec(
        "INSERT OR IGNORE INTO temp.used SELECT configuration FROM main.sweeps"
        " WHERE configuration IS NOT NULL");
  };
  database.exec("DROP TABLE IF EXISTS temp.used; DROP TABLE IF EXISTS temp.unused");
  database.exec("CREATE TEMP TABLE used(number INTEGER PRIMARY KEY)");
  database.exec("CREATE TEMP TABLE unused(number INTEGER PRIMARY KEY)");
  use("1");
  database.exec(
      "INSERT INTO temp.unused SELECT number FROM main.bodies"
      " WHERE number NOT IN (SELECT number FROM temp.used)");
  std::uint64_t removed = 0;
  while (number_of(database, "SELECT count(*) FROM temp.unused") > 0) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    use(live);
    removed += static_cast<std::uint64_t>(
        database.exec(fmt::format("DELETE FROM main.bodies WHERE number IN"
                                  " (SELECT number FROM temp.unused ORDER BY number LIMIT {})"
                                  " AND number NOT IN (SELECT number FROM temp.used)",
                                  kBodiesAtOnce)));
    database.exec(
        fmt::format("DELETE FROM temp.unused WHERE number IN"
                    " (SELECT number FROM temp.unused ORDER BY number LIMIT {})",
                    kBodiesAtOnce));
    transaction.commit();
  }
  database.exec("DROP TABLE temp.used; DROP TABLE temp.unused");
  return removed;
}

}  // namespace

Expected<std::vector<SweepRecord>> Store::old_sweeps(const RetentionRules& rules) {
  return impl_->guarded("look for old sweeps", [&] {
    SQLite::Statement select(
        impl_->database, "SELECT number,id,started_at,ended_at FROM sweeps ORDER BY number DESC");
    std::vector<std::string> ids;
    std::uint64_t newer = 0;  // of those that count
    while (select.executeStep()) {
      if (select.isColumnNull(3) && !rules.unfinished) continue;
      const WallTime started_at{Milliseconds(select.getColumn(2).getInt64())};
      const bool among_newest = rules.keep_sweeps && newer < *rules.keep_sweeps;
      const bool young = rules.keep_since && started_at >= *rules.keep_since;
      ++newer;
      if (!among_newest && !young) ids.push_back(select.getColumn(1).getString());
    }
    select.reset();
    std::vector<SweepRecord> found;
    for (const std::string& id : ids) {
      if (auto record = impl_->sweep_with_id(id)) found.push_back(*std::move(record));
    }
    return found;
  });
}

Expected<bool> Store::remove_sweep(const SweepRecord& sweep) {
  const auto lock = lock_sweep(sweep);
  if (!lock) return false;  // it is being worked at
  return impl_->guarded("remove a sweep", [&] {
    remove_record(impl_->database, sweep.number);
    remove_tasks(impl_->database, sweep.number);
    return true;
  });
}

Expected<std::uint64_t> Store::remove_leftovers() {
  return impl_->guarded("remove what is not needed", [&] {
    for (const std::uint32_t sweep : half_removed(impl_->database)) {
      remove_tasks(impl_->database, sweep);
    }
    impl_->texts_of_bodies.clear();
    return remove_bodies(impl_->database);
  });
}

Expected<void> Store::compact() {
  return impl_->guarded("make it smaller", [&] { impl_->database.exec("VACUUM"); });
}

}  // namespace netfleet
