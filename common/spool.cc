#include "common/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace netfleet {
namespace {

// Bytes that are allocated, or given back, together, in a file of this size: allocations are dearer
// than what is written.
std::uint64_t step(std::uint64_t size) { return std::min<std::uint64_t>(size / 8, 4u << 20); }

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

std::string default_spool_directory() {
  const char* const temporary = std::getenv("TMPDIR");
  return temporary == nullptr || *temporary == '\0' ? "/var/tmp" : temporary;
}

std::shared_ptr<Spool> Spool::make(std::string directory) {
  return std::shared_ptr<Spool>(new Spool(std::move(directory)));
}

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

Expected<std::uint64_t> Spool::reserve(std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
  if (end_ + size > allocated_) {
    const std::uint64_t enough = end_ + size - allocated_;
    auto allocated = allocate(std::max(enough, step(end_)));
    if (!allocated) allocated = allocate(enough);  // the disk may just have that
    if (!allocated) {
      if (records_ == 0) clear();  // of what was allocated before it failed
      return std::unexpected(std::move(allocated.error()));
    }
  }
  ++records_;
  return std::exchange(end_, end_ + size);
}

// A full disk shows here, not when a page is flushed.
Expected<void> Spool::allocate(std::uint64_t size) {
  if (fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(allocated_),
                static_cast<off_t>(size)) != 0 &&
      errno != EOPNOTSUPP && errno != EINTR) {
    return failed("write", errno);
  }
  allocated_ += size;
  return {};
}

Expected<std::shared_ptr<const Spool::Record>> Spool::write(std::string_view bytes) {
  const auto at = reserve(bytes.size());
  if (!at) return std::unexpected(at.error());
  const int cause = whole(pwrite, fd_, bytes.data(), bytes.size(), *at);
  // From here on it gives its room back by itself, also when nothing lies there.
  auto record = std::shared_ptr<const Record>(new Record(shared_from_this(), *at, bytes.size()));
  if (cause != 0) return failed("write", cause);
  return record;
}

Expected<void> Spool::Record::read(std::string& to) const {
  const std::size_t before = to.size();
  to.resize(before + size_);
  const int cause = whole(pread, spool_->fd_, to.data() + before, size_, at_);
  if (cause == 0) return {};
  to.resize(before);
  return spool_->failed("read", cause);
}

void Spool::release(std::uint64_t at, std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (--records_ == 0) return clear();
  if (at != hole_.end) {
    punch();
    hole_ = {at, at};
  }
  hole_.end += size;
  if (hole_.end - hole_.begin >= step(end_)) punch();
}

void Spool::clear() {
  end_ = allocated_ = 0;
  hole_ = {};
  [[maybe_unused]] const int cut = ftruncate(fd_, 0);
}

// Gives back what was released in a row.
void Spool::punch() {
  if (hole_.begin == hole_.end) return;
  [[maybe_unused]] const int cut =
      fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(hole_.begin),
                static_cast<off_t>(hole_.end - hole_.begin));
  hole_ = {};
}

}  // namespace netfleet
