#include "worker/engine/session_recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/file_name.h"

namespace netfleet {
namespace {

constexpr std::size_t kWriteAt = 32 << 10;  // bytes gathered of what a device sends

}  // namespace

Expected<std::unique_ptr<SessionLogs>> SessionLogs::open(std::string path, Say say) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(fmt::format("create directory {}: {}", path, std::strerror(errno)));
  }
  struct stat status{};
  if (stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) errno = ENOTDIR;
  if (!S_ISDIR(status.st_mode) || access(path.c_str(), W_OK | X_OK) != 0) {
    return fail(fmt::format("write to directory {}: {}", path, std::strerror(errno)));
  }
  return std::unique_ptr<SessionLogs>(new SessionLogs(std::move(path), std::move(say)));
}

void SessionLogs::trouble(const std::string& file, int cause) {
  if (told_.exchange(true) || !say_) return;
  say_(fmt::format("write {}: {}; sessions go on, without their logs where that happens", file,
                   std::strerror(cause)));
}

SessionRecorder::SessionRecorder(SessionLogs& logs, const JobSpec& job, const TaskSpec& task,
                                 std::uint32_t attempt, TimePoint started)
    : logs_(logs),
      started_(started),
      writer_(task.host.view(),
              fmt::format("{} port {}, sweep {}, attempt {}, {}", task.address, task.port,
                          job.sweep, attempt, format_wall_time(SystemClock().wall())),
              task.platform.view()),
      file_(fmt::format("{}/{}.{}.log", logs.path_, file_name_of(task.host.view()),
                        file_name_of(fmt::format("{}.{}", job.sweep, attempt)))) {
  fd_ = open(file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0 || fchmod(fd_, 0600) != 0) logs_.trouble(file_, errno);
}

SessionRecorder::~SessionRecorder() {
  write();
  if (fd_ >= 0) close(fd_);
}

void SessionRecorder::received(std::string_view bytes) {
  writer_.received(now(), bytes);
  if (writer_.size() >= kWriteAt) write();
}

// Whoever follows the file sees all up to what is waited for now.
void SessionRecorder::typed(std::string_view bytes, bool secret) {
  writer_.typed(now(), bytes, secret);
  write();
}

void SessionRecorder::ended(Outcome outcome, std::string_view reason) {
  writer_.ended(now(), outcome, reason);
  write();
}

Milliseconds SessionRecorder::now() const {
  return std::chrono::floor<Milliseconds>(BootClock::now() - started_);
}

void SessionRecorder::write() {
  const std::string text = writer_.take();
  std::string_view rest = text;
  while (fd_ >= 0 && !rest.empty()) {
    const ssize_t count = ::write(fd_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    logs_.trouble(file_, errno);
    if (ftruncate(fd_, written_) != 0) logs_.trouble(file_, errno);
    close(std::exchange(fd_, -1));
  }
  written_ += static_cast<std::int64_t>(text.size());
}

}  // namespace netfleet
