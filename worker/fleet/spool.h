// worker/fleet: the part of the outbox that lies on disk. One file without a name: nobody else can
// open it, and nothing is left of it however the process ends.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet {

// One thread. Records are appended; what they took goes back to the disk record by record, on a
// file system that cannot make holes when the last one is released.
class Spool {
 public:
  // Nothing is opened before the first write.
  explicit Spool(std::string directory) : directory_(std::move(directory)) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Where it was written, with its room on the disk allocated; nothing is kept of a failed write.
  Expected<std::uint64_t> write(std::string_view bytes);
  // The same for a record of `size` bytes that `produce` hands over in parts, all of them unless
  // Put says no.
  using Put = std::function<bool(std::string_view part)>;
  Expected<std::uint64_t> write(std::size_t size, const std::function<void(const Put&)>& produce);
  // Fills `to` with what was written there.
  Expected<void> read(std::uint64_t at, std::span<char> to) const;
  void release(std::uint64_t at, std::size_t size);

 private:
  Expected<void> open();
  std::unexpected<Error> failed(std::string_view doing, int cause) const;

  std::string directory_;
  int fd_ = -1;
  std::uint64_t end_ = 0;
  std::size_t records_ = 0;
};

}  // namespace netfleet
