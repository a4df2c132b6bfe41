// devsim: the books. What happened, a JSON line each for tests that balance them, and the totals.
// Not for passwords or device output: neither is ever written.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet::devsim {

// Appends to a file, one write(2) a line: several threads and processes may share it, and a line is
// in the file before the device's answer is on the wire. Without a path it does nothing.
class Record {
 public:
  static Expected<Record> open(const std::string& path);
  Record() = default;
  Record(Record&& other) noexcept;
  Record& operator=(Record&& other) noexcept;
  ~Record();

  // {"time_ns":1,"device":"sim-1","session":7,"event":"login","text":"admin"}; at most 1 KiB of the
  // text. time_ns is CLOCK_REALTIME, `session` one connection of this devsim, from 1. Events:
  // connect, login, login-refused, shell, command, disconnect.
  void write(std::string_view device, std::uint64_t session, std::string_view event,
             std::string_view text) const;

 private:
  int fd_ = -1;
};

struct Stats {
  // A count that knows its highest value.
  class Level {
   public:
    void up();
    void down() { now_.fetch_sub(1, std::memory_order_relaxed); }
    std::uint64_t peak() const { return peak_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> now_{0};
    std::atomic<std::uint64_t> peak_{0};
  };

  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> logins{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> commands{0};
  Level connected;  // TCP connections at once
  Level shells;     // shells and execs at once

  // "connections=1 logins=1 ... cpu_ms=0.5 max_rss_kb=9000"
  std::string summary() const;
};

}  // namespace netfleet::devsim
