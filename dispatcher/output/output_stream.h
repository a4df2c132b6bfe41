// dispatcher/output: bytes to standard output, whatever that is: a file, a pipe nobody reads at the
// moment, a stopped terminal. Not for what the bytes are.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "common/error.h"

namespace netfleet {

// Writes to `fd`, which it borrows (-1: nobody, it is never open), and waits for its reader;
// readability of `stop_fd` ends a wait and all writing. SIGPIPE must be blocked or ignored. One
// thread.
class OutputStream {
 public:
  // What cannot wait for the reader: `work` is called when `fd` is readable, and makes it
  // unreadable. -1: nothing.
  struct Meanwhile {
    int fd = -1;
    std::function<void()> work;
  };
  OutputStream(int fd, int stop_fd, Meanwhile meanwhile = {-1, {}});
  ~OutputStream();
  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;

  // All of `bytes`, or nothing more for ever: then is_open() is false.
  void write(std::string_view bytes);

  bool is_open() const { return state_ == State::kOpen; }
  bool reader_left() const { return state_ == State::kReaderLeft; }
  const std::optional<Error>& error() const { return error_; }

 private:
  enum class State : unsigned char { kOpen, kReaderLeft, kStopped, kFailed };
  bool wait();
  void fail_with(int cause);

  int fd_;
  int stop_fd_;
  Meanwhile meanwhile_;
  int own_fd_ = -1;      // our own way to the same pipe or terminal, which does not block
  std::size_t at_once_;  // the most that one write may take without blocking half-way
  bool is_socket_ = false;
  State state_ = State::kOpen;
  std::optional<Error> error_;
};

}  // namespace netfleet
