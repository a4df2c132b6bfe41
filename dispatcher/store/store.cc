#include "dispatcher/store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "dispatcher/store/impl.h"

namespace netfleet {

bool Store::may_recover() const { return impl_->recoverable; }

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Expected<Store> Store::open(const std::string& path) {
  auto database = open_database(path);
  if (!database) return std::unexpected(std::move(database.error()));
  try {
    return Store(std::make_unique<Impl>(path, std::move(*database)));
  } catch (const std::exception& cause) {
    return std::unexpected(database_error(path, "open", cause));
  }
}

std::string Store::default_path(const std::string& state_home, const std::string& home) {
  if (state_home.starts_with('/')) return state_home + "/netfleet/store.db";
  if (home.starts_with('/')) return home + "/.local/state/netfleet/store.db";
  return {};
}

Expected<void> Store::add_sweep(SweepRecord& record, std::span<const TaskSpec> tasks) {
  return impl_->guarded("add a sweep", [&] {
    SQLite::Transaction transaction(impl_->database, SQLite::TransactionBehavior::IMMEDIATE);
    impl_->insert_sweep(record);
    impl_->insert_tasks(record.number, tasks);
    transaction.commit();
  });
}

Expected<void> Store::save(std::uint32_t sweep, std::span<const GrantRecord> grants,
                           std::span<const TaskResult> results) {
  if (grants.empty() && results.empty()) return {};
  return impl_->guarded("save results", [&] {
    SQLite::Transaction transaction(impl_->database, SQLite::TransactionBehavior::IMMEDIATE);
    impl_->put_grants(sweep, grants);
    impl_->insert_results(sweep, results);
    transaction.commit();
  });
}

Expected<void> Store::end_sweep(std::uint32_t sweep, WallTime ended_at, bool guarded) {
  return impl_->guarded("end a sweep", [&] {
    SQLite::Statement update(impl_->database,
                             "UPDATE sweeps SET ended_at=?, guarded=? WHERE number=?");
    update.bind(1, static_cast<std::int64_t>(ended_at.time_since_epoch().count()));
    update.bind(2, guarded ? 1 : 0);
    update.bind(3, sweep);
    update.exec();
  });
}

Expected<SweepRecord> Store::find_sweep(const std::string& name) {
  auto found = impl_->guarded("find a sweep", [&]() -> Expected<SweepRecord> {
    auto newest = impl_->newest_sweeps(1);
    if (newest.empty()) return fail("no sweep has been stored yet");
    if (name == "last") return std::move(newest[0]);
    if (auto exact = impl_->sweep_with_id(name)) return std::move(*exact);
    const auto begin_so = impl_->candidates(name);
    if (name.empty() || begin_so.count == 0) {
      return fail(
          fmt::format("no sweep '{}'; the newest: {}", name, impl_->candidates("").named()));
    }
    if (begin_so.count > 1) {
      return fail(fmt::format("sweep '{}' is ambiguous: {}", name, begin_so.named()));
    }
    auto only = impl_->sweep_with_id(begin_so.ids[0]);
    if (!only) return fail(fmt::format("sweep '{}' has just been removed", name));
    return std::move(*only);
  });
  if (!found) return std::unexpected(std::move(found.error()));
  return std::move(*found);
}

Expected<std::vector<SweepRecord>> Store::sweeps(std::size_t limit) {
  return impl_->guarded("list the sweeps", [&] {
    const std::size_t most = std::numeric_limits<std::int64_t>::max();
    return impl_->newest_sweeps(static_cast<std::int64_t>(std::min(limit, most)));
  });
}

Expected<TaskSpec> Store::task(std::uint32_t sweep, std::uint32_t index) {
  return impl_->guarded("read a task", [&] {
    const std::int64_t key = key_of(sweep, index);
    auto chunk = impl_->read_chunk(sweep, key, key + 1, Impl::With::kConfiguration);
    if (chunk.empty()) throw StoreFailure(fmt::format("sweep {} has no task {}", sweep, index));
    return std::move(chunk[0].task);
  });
}

Expected<std::optional<TaskResult>> Store::result(std::uint32_t sweep, std::uint32_t index) {
  return impl_->guarded("read a result", [&]() -> std::optional<TaskResult> {
    const std::int64_t key = key_of(sweep, index);
    auto chunk = impl_->read_chunk(sweep, key, key + 1, Impl::With::kOutputs);
    if (chunk.empty()) return std::nullopt;
    return std::move(chunk[0].result);
  });
}

Expected<void> Store::for_each(std::uint32_t sweep, const Visit& visit) {
  return for_range(sweep, 0, std::numeric_limits<std::uint32_t>::max(), visit);
}

Expected<void> Store::for_range(std::uint32_t sweep, std::uint32_t first, std::uint32_t count,
                                const Visit& visit) {
  std::int64_t next = key_of(sweep, first);
  const std::int64_t end = std::min(next + count, key_of(sweep + 1, 0));
  while (next < end) {
    auto chunk = impl_->guarded(
        "read results", [&] { return impl_->read_chunk(sweep, next, end, Impl::With::kOutputs); });
    if (!chunk) return std::unexpected(std::move(chunk.error()));
    if (chunk->empty()) return {};
    for (const Impl::Row& row : *chunk) {
      if (!visit(row.task, row.result ? &*row.result : nullptr)) return {};
    }
    next = key_of(sweep, chunk->back().task.index) + 1;
  }
  return {};
}

}  // namespace netfleet
