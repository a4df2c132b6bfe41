// The store's memory of platforms that were found out: by where the host is and who logs in (one
// server may show different users different shells), good only for the host key it was found on.
#include "dispatcher/store/impl.h"

namespace netfleet {
namespace {

// What a wrong platform may lead to.
bool went_wrong(Outcome outcome) {
  return outcome == Outcome::kTimedOut || outcome == Outcome::kCommandFailed ||
         outcome == Outcome::kDisconnected;
}

}  // namespace

// A remembered platform under which something went wrong may be the wrong one: it is forgotten.
void Store::Impl::remember_platform(std::uint32_t sweep, const TaskResult& result) {
  if (path.empty()) return;  // nobody will ask
  if (went_wrong(result.outcome) && result.found_on_key == 0) {
    const Use use(forget_detection);
    forget_detection.bind(1, key_of(sweep, result.index));
    forget_detection.exec();
  }
  if (result.found_on_key == 0) return;
  const WallTime found_at = result.started_at.value_or(WallTime()) + result.duration;
  const Use use(put_detection);
  put_detection.bind(1, static_cast<std::int64_t>(result.found_on_key));
  put_detection.bindNoCopy(2, result.platform);
  put_detection.bind(3, static_cast<std::int64_t>(found_at.time_since_epoch().count()));
  put_detection.bind(4, key_of(sweep, result.index));
  put_detection.exec();
}

Expected<void> Store::recall_platforms(std::span<TaskSpec> tasks) {
  return impl_->guarded("recall platforms", [&] {
    SQLite::Database& database = impl_->database;
    if (database.execAndGet("SELECT EXISTS(SELECT * FROM detections)").getInt() == 0) return;
    SQLite::Statement find(database,
                           "SELECT host_key,platform FROM detections"
                           " WHERE address=? AND port=? AND user=?");
    for (TaskSpec& task : tasks) {
      if (task.platform != std::string_view("auto")) continue;
      const Use use(find);
      find.bindNoCopy(1, task.address.c_str());
      find.bind(2, static_cast<int>(task.port));
      find.bindNoCopy(3, task.user.c_str());
      if (!find.executeStep()) continue;
      task.remembered_key = static_cast<std::uint64_t>(find.getColumn(0).getInt64());
      task.remembered_platform = impl_->texts(find.getColumn(1).getString());
    }
  });
}

}  // namespace netfleet
