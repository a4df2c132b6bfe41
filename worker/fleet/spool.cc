#include "worker/fleet/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/check.h"

namespace netfleet {
namespace {

// All of it, by calls that may do less. 0 or the cause; an end of the file too early is EIO.
template <typename Call, typename Byte>
int whole(Call call, int fd, Byte* bytes, std::size_t size, std::uint64_t at) {
  while (size > 0) {
    const ssize_t done = call(fd, bytes, size, static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return done < 0 ? errno : EIO;
    bytes += done;
    size -= static_cast<std::size_t>(done);
    at += static_cast<std::uint64_t>(done);
  }
  return 0;
}

}  // namespace

Spool::~Spool() {
  if (fd_ >= 0) close(fd_);
}

std::unexpected<Error> Spool::failed(std::string_view doing, int cause) const {
  const bool no_room = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
  return fail(fmt::format("spool {}: cannot {}: {}", directory_, doing,
                          no_room ? "the disk is full" : std::strerror(cause)));
}

Expected<void> Spool::open() {
  if (fd_ >= 0) return {};
  fd_ = ::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  if (fd_ >= 0) return {};
  if (errno != EOPNOTSUPP && errno != EISDIR) return failed("open a file", errno);
  std::string name = directory_ + "/netfleet-spool-XXXXXX";  // a file system without O_TMPFILE
  fd_ = mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0) return failed("open a file", errno);
  unlink(name.c_str());
  return {};
}

Expected<std::uint64_t> Spool::write(std::string_view bytes) {
  return write(bytes.size(), [bytes](const Put& put) { put(bytes); });
}

Expected<std::uint64_t> Spool::write(std::size_t size,
                                     const std::function<void(const Put&)>& produce) {
  if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
  // Allocated first: a full disk costs no copying, and cannot show only when the page is flushed.
  int cause = 0;
  if (fallocate(fd_, 0, static_cast<off_t>(end_), static_cast<off_t>(size)) != 0 &&
      errno != EOPNOTSUPP && errno != EINTR) {
    cause = errno;
  }
  std::uint64_t at = end_;
  if (cause == 0) {
    produce([&](std::string_view part) {
      if (cause == 0) cause = whole(pwrite, fd_, part.data(), part.size(), at);
      at += part.size();
      return cause == 0;
    });
  }
  if (cause != 0) {
    [[maybe_unused]] const int cut = ftruncate(fd_, static_cast<off_t>(end_));
    return failed("write", cause);
  }
  CHECK(at == end_ + size);
  ++records_;
  return std::exchange(end_, at);
}

Expected<void> Spool::read(std::uint64_t at, std::span<char> to) const {
  if (const int cause = whole(pread, fd_, to.data(), to.size(), at); cause != 0) {
    return failed("read", cause);
  }
  return {};
}

void Spool::release(std::uint64_t at, std::size_t size) {
  if (--records_ == 0) {
    end_ = 0;
    [[maybe_unused]] const int cut = ftruncate(fd_, 0);
  } else {
    [[maybe_unused]] const int cut = fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                               static_cast<off_t>(at), static_cast<off_t>(size));
  }
}

}  // namespace netfleet
