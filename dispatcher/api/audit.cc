#include "dispatcher/api/audit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include "common/utf8.h"
#include "dispatcher/api/descriptor.h"

namespace netfleet {
namespace {

constexpr std::size_t kLongestField = 512;  // bytes, before they are escaped

// As a JSON string of ASCII: nothing that a terminal or a reader of lines could take amiss.
void append_string(std::string& out, std::string_view bytes) {
  const bool cut = bytes.size() > kLongestField;
  const std::string text = to_utf8(bytes.substr(0, kLongestField));
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80) {
      const std::size_t size = character_size(std::string_view(text).substr(i));
      std::uint32_t code = byte & (0xFFu >> (size + 1));
      for (std::size_t k = 1; k < size; ++k) {
        code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
      }
      if (code >= 0x10000) {
        code -= 0x10000;
        fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xD800 + (code >> 10),
                       0xDC00 + (code & 0x3FF));
      } else {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
      }
      i += size;
      continue;
    }
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[i];
    } else if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out += text[i];
    }
    ++i;
  }
  out += cut ? "...\"" : "\"";
}

std::string line_of(const AuditRecord& record, WallTime time) {
  std::string line = fmt::format("{{\"time\":\"{}\"", format_wall_time(time));
  for (const auto& [name, value] :
       {std::pair<std::string_view, const std::string*>("who", &record.who),
        {"from", &record.from},
        {"action", &record.action},
        {"object", &record.object},
        {"outcome", &record.outcome},
        {"detail", &record.detail}}) {
    line += fmt::format(",\"{}\":", name);
    append_string(line, *value);
  }
  return line + "}\n";
}

std::string system_error() { return std::strerror(errno); }

// That the file has its name outlives a power cut, too.
void sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const ApiDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) fsync(fd.get());
}

}  // namespace

Audit::Audit(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

Audit::~Audit() {
  if (fd_ >= 0) close(fd_);
}

Expected<std::unique_ptr<Audit>> Audit::open(std::string path, const Clock& clock) {
  std::unique_ptr<Audit> audit(new Audit(std::move(path), clock));
  const std::lock_guard lock(audit->mutex_);
  if (auto opened = audit->reopen(); !opened) return std::unexpected(opened.error());
  return audit;
}

Expected<void> Audit::write(const AuditRecord& record) {
  const std::string line = line_of(record, clock_.wall());
  const std::lock_guard lock(mutex_);
  auto written = append(line);
  problem_ = written ? std::string() : written.error().message;
  return written;
}

std::string Audit::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

Expected<void> Audit::append(const std::string& line) {
  // It may have been moved away, or removed, since the last line.
  struct stat named{}, held{};
  const bool same = fd_ >= 0 && stat(path_.c_str(), &named) == 0 && fstat(fd_, &held) == 0 &&
                    named.st_ino == held.st_ino && named.st_dev == held.st_dev;
  if (!same) {
    if (auto opened = reopen(); !opened) return opened;
  }
  // A line that was cut by a full disk is ended first, so that it spoils no other.
  const std::string bytes = cut_ ? "\n" + line : line;
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t took = ::write(fd_, bytes.data() + written, bytes.size() - written);
    if (took < 0 && errno == EINTR) continue;
    if (took < 0) {
      const std::string why = system_error();
      if (written > 0) cut_ = true;
      return fail(fmt::format("write audit log {}: {}", path_, why));
    }
    written += static_cast<std::size_t>(took);
  }
  cut_ = false;
  if (fdatasync(fd_) != 0) {
    return fail(fmt::format("write audit log {} to the disk: {}", path_, system_error()));
  }
  return {};
}

Expected<void> Audit::reopen() {
  const int fd = ::open(path_.c_str(),
                        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0) return fail(fmt::format("open audit log {}: {}", path_, system_error()));
  struct stat status{};
  std::string wrong;
  if (fstat(fd, &status) != 0) {
    wrong = system_error();
  } else if (!S_ISREG(status.st_mode)) {
    wrong = "it is no regular file";
  } else if ((status.st_mode & 022) != 0) {
    wrong = "others may write it";
  }
  if (!wrong.empty()) {
    close(fd);
    return fail(fmt::format("audit log {}: {}", path_, wrong));
  }
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  if (status.st_size == 0) sync_directory_of(path_);
  // Whoever died in the middle of a line left it open.
  char last = '\n';
  const int reading = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (reading >= 0) {
    if (status.st_size > 0 && pread(reading, &last, 1, status.st_size - 1) != 1) last = '\n';
    close(reading);
  }
  cut_ = last != '\n';
  return {};
}

}  // namespace netfleet
