// common: bytes that wait on disk instead of in memory. One file without a name: nobody else can
// open it, and nothing is left of it however the process ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet {

// $TMPDIR, else /var/tmp: not a file system that lives in memory.
std::string default_spool_directory();

// Shared between threads. Records are appended; what they took goes back to the disk in larger
// pieces, on a file system that cannot make holes when the last one is gone.
class Spool : public std::enable_shared_from_this<Spool> {
 public:
  // What was written at once. Gives its room back with the last pointer to it.
  class Record {
   public:
    ~Record() { spool_->release(at_, size_); }
    Record(const Record&) = delete;
    Record& operator=(const Record&) = delete;

    std::size_t size() const { return size_; }
    // Appends it to `to`; after an error `to` is as it was.
    Expected<void> read(std::string& to) const;

   private:
    friend class Spool;
    Record(std::shared_ptr<Spool> spool, std::uint64_t at, std::size_t size)
        : spool_(std::move(spool)), at_(at), size_(size) {}

    std::shared_ptr<Spool> spool_;
    std::uint64_t at_;
    std::size_t size_;
  };

  // Nothing is opened before the first write.
  static std::shared_ptr<Spool> make(std::string directory);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Its room on the disk is allocated when this returns; nothing is kept of a failed write.
  Expected<std::shared_ptr<const Record>> write(std::string_view bytes);

 private:
  explicit Spool(std::string directory) : directory_(std::move(directory)) {}
  Expected<std::uint64_t> reserve(std::size_t size);
  Expected<void> open();
  Expected<void> allocate(std::uint64_t size);
  void punch();
  void clear();
  void release(std::uint64_t at, std::size_t size);
  std::unexpected<Error> failed(std::string_view doing, int cause) const;

  const std::string directory_;
  std::mutex mutex_;  // of what follows; the descriptor stays once there is one
  int fd_ = -1;
  std::uint64_t end_ = 0;
  std::uint64_t allocated_ = 0;
  struct {
    std::uint64_t begin = 0, end = 0;
  } hole_;  // released, in a row, not given back yet
  std::size_t records_ = 0;
};

}  // namespace netfleet
