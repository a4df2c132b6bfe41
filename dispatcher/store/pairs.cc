// The store for comparing two sweeps: which tasks are of one host, and which results are the same
// without a look at their outputs.
#include <fmt/format.h>

#include "dispatcher/store/impl.h"

namespace netfleet {
namespace {

constexpr int kPairsAtOnce = 256;

// Both ok, no output cut, and the same outputs: equal ones are the same body.
constexpr const char* kSame =
    "SELECT (SELECT count(*) FROM results WHERE key IN (?1,?2) AND outcome='ok')=2"
    " AND (SELECT count(*) FROM outputs WHERE key=?1)=(SELECT count(*) FROM outputs WHERE key=?2)"
    " AND (SELECT count(*) FROM outputs WHERE key=?1)=(SELECT count(*) FROM outputs x"
    " JOIN outputs y ON y.key=?2 AND y.position=x.position AND y.command IS x.command"
    " AND y.outcome=x.outcome AND y.short IS x.short AND y.body IS x.body"
    " WHERE x.key=?1 AND NOT x.truncated AND NOT y.truncated)";

// In the order of the second sweep, then what only the first one has, in its order.
constexpr const char* kPage =
    "SELECT p.before,p.after,p.host,t.region,coalesce(r.platform,t.platform) FROM temp.pairs p"
    " JOIN tasks t ON t.key=coalesce(p.after,p.before) LEFT JOIN results r ON r.key=t.key WHERE ";

void fill(SQLite::Database& database, const char* insert, std::uint32_t sweep) {
  SQLite::Statement statement(database, insert);
  statement.bind(1, key_of(sweep, 0));
  statement.bind(2, key_of(sweep + 1, 0));
  statement.exec();
}

std::optional<std::uint32_t> index_at(SQLite::Statement& row, int column) {
  if (row.isColumnNull(column)) return std::nullopt;
  return static_cast<std::uint32_t>(row.getColumn(column).getInt64());  // the lower half
}

}  // namespace

Expected<std::optional<SweepRecord>> Store::sweep_before(const SweepRecord& sweep) {
  return impl_->guarded("find a sweep", [&]() -> std::optional<SweepRecord> {
    SQLite::Statement select(impl_->database,
                             "SELECT number,id FROM sweeps WHERE number<? AND ended_at IS NOT NULL "
                             "ORDER BY number DESC");
    select.bind(1, sweep.number);
    while (select.executeStep()) {
      const auto number = static_cast<std::uint32_t>(select.getColumn(0).getInt64());
      if (impl_->read_commands(number) != sweep.job.commands) continue;
      return impl_->sweep_with_id(select.getColumn(1).getString());
    }
    return std::nullopt;
  });
}

Expected<void> Store::pair_tasks(std::uint32_t before, std::uint32_t after) {
  return impl_->guarded("compare two sweeps", [&] {
    SQLite::Database& database = impl_->database;
    database.exec("DROP TABLE IF EXISTS temp.pairs");
    database.exec(
        "CREATE TEMP TABLE pairs(host TEXT PRIMARY KEY, before INTEGER, after INTEGER)"
        " WITHOUT ROWID");
    fill(database,
         "INSERT INTO temp.pairs SELECT host,key,NULL FROM main.tasks WHERE key>=? AND key<?",
         before);
    fill(database,
         "INSERT INTO temp.pairs SELECT host,NULL,key FROM main.tasks WHERE key>=? AND key<?"
         " ON CONFLICT(host) DO UPDATE SET after=excluded.after",
         after);
    database.exec("CREATE INDEX temp.pairs_order ON pairs(after, before)");
  });
}

Expected<void> Store::for_pairs(bool look_for_same,
                                const std::function<bool(const TaskPair&)>& visit) {
  std::int64_t after = -1;
  std::int64_t before = -1;
  const auto page = [&](const std::string& where, std::int64_t& last) {
    return impl_->guarded("compare two sweeps", [&] {
      SQLite::Statement rows(impl_->database, kPage + where);
      SQLite::Statement same(impl_->database, kSame);
      rows.bind(1, last);
      rows.bind(2, kPairsAtOnce);
      std::vector<TaskPair> pairs;
      while (rows.executeStep()) {
        TaskPair& pair = pairs.emplace_back();
        pair.before = index_at(rows, 0);
        pair.after = index_at(rows, 1);
        pair.host = rows.getColumn(2).getString();
        pair.region = rows.getColumn(3).getString();
        pair.platform = rows.getColumn(4).getString();
        last = rows.getColumn(pair.after ? 1 : 0).getInt64();
        if (!look_for_same || !pair.before || !pair.after) continue;
        same.bind(1, rows.getColumn(0).getInt64());
        same.bind(2, rows.getColumn(1).getInt64());
        pair.same = same.executeStep() && same.getColumn(0).getInt() != 0;
        same.reset();
      }
      return pairs;
    });
  };
  for (const bool both : {true, false}) {
    while (true) {
      auto pairs = both ? page("p.after>? ORDER BY p.after LIMIT ?", after)
                        : page("p.after IS NULL AND p.before>? ORDER BY p.before LIMIT ?", before);
      if (!pairs) return std::unexpected(pairs.error());
      if (pairs->empty()) break;
      for (const TaskPair& pair : *pairs) {
        if (!visit(pair)) return {};
      }
    }
  }
  return {};
}

}  // namespace netfleet
