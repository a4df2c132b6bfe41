#include "tests/devsim/record.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace netfleet::devsim {
namespace {

void append_json(std::string& line, std::string_view text) {
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte == '"' || byte == '\\') {
      line += '\\';
      line += letter;
    } else if (byte < ' ' || byte >= 0x7F) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", byte);
    } else {
      line += letter;
    }
  }
}

}  // namespace

Expected<Record> Record::open(const std::string& path) {
  Record record;
  record.fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (record.fd_ < 0) return fail(fmt::format("open {}: {}", path, std::strerror(errno)));
  return record;
}

Record::Record(Record&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Record& Record::operator=(Record&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Record::~Record() {
  if (fd_ >= 0) ::close(fd_);
}

void Record::write(std::string_view device, std::uint64_t session, std::string_view event,
                   std::string_view text) const {
  if (fd_ < 0) return;
  constexpr std::size_t kMaxText = 1024;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::string line =
      fmt::format("{{\"time_ns\":{},\"device\":\"", now.tv_sec * 1'000'000'000L + now.tv_nsec);
  append_json(line, device);
  fmt::format_to(std::back_inserter(line), "\",\"session\":{},\"event\":\"{}\",\"text\":\"",
                 session, event);
  append_json(line, text.substr(0, kMaxText));
  line += "\"}\n";
  // A full disk must not stop the devices; the test that reads the books notices.
  [[maybe_unused]] const ssize_t written = ::write(fd_, line.data(), line.size());
}

void Stats::Level::up() {
  const std::uint64_t now = now_.fetch_add(1, std::memory_order_relaxed) + 1;
  std::uint64_t peak = peak_.load(std::memory_order_relaxed);
  while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

std::string Stats::summary() const {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return fmt::format(
      "connections={} logins={} refused={} commands={} peak_connections={} peak_sessions={} "
      "cpu_ms={:.1f} max_rss_kb={}",
      connections.load(), logins.load(), refused.load(), commands.load(), connected.peak(),
      shells.peak(), milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime), usage.ru_maxrss);
}

}  // namespace netfleet::devsim
