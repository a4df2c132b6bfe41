// dispatcher/api: the audit log: who did what, or was refused. One JSON object a line, appended to
// a file of its own (0600) and on the disk before it counts. Not for what sweeps do to devices.
//
//   {"time":"2026-11-25T09:00:00.123Z","who":"api:night","from":"127.0.0.1:40312",
//    "action":"submit","object":"backup","outcome":"done","detail":"sweep 20261125-090000-3fa9"}
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "common/clock.h"
#include "common/error.h"

namespace netfleet {

struct AuditRecord {
  std::string who{};      // "api:NAME", "schedule"; empty: nobody that is known
  std::string from{};     // the peer's address and port; empty: from inside
  std::string action{};   // "submit", "cancel", "pause", ...
  std::string object{};   // what it was done to: a job, a sweep
  std::string outcome{};  // "asked" (before it is done), "done", "refused"
  std::string detail{};   // anything else; fields are cut to a bound, and escaped
};

// For any thread. The file may be moved away (logrotate): the next line makes a new one.
class Audit {
 public:
  // Makes the file when it is missing, not its directory. Refuses one that others may write.
  static Expected<std::unique_ptr<Audit>> open(std::string path, const Clock& clock);
  ~Audit();
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;

  // The line is on the disk when this returns. On an Error, what it is about must not be done.
  Expected<void> write(const AuditRecord& record);
  // Why the newest line was not written; empty: it was.
  std::string problem() const;

 private:
  Audit(std::string path, const Clock& clock);
  Expected<void> append(const std::string& line);
  Expected<void> reopen();

  const std::string path_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  int fd_ = -1;          // guarded by mutex_
  bool cut_ = false;     // guarded by mutex_: the newest line may be there in part
  std::string problem_;  // guarded by mutex_
};

}  // namespace netfleet
