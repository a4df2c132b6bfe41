// common: the first line of a file or of a command's output, read in pieces and wiped in the end:
// how a secret comes in. Private to the credential sources.
#pragma once

#include <unistd.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "common/error.h"
#include "common/secret.h"

namespace netfleet {

inline constexpr std::size_t kMaxSecret = 4096;  // bytes of one secret

// Closes a descriptor on the way out.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class FirstLine {
 public:
  FirstLine() = default;
  FirstLine(const FirstLine&) = delete;
  FirstLine& operator=(const FirstLine&) = delete;
  ~FirstLine() { wipe(bytes_.data(), bytes_.size()); }

  // Reads once; what read(2) answered. What comes after the first line is read and forgotten.
  ssize_t read_from(int fd);
  bool complete() const { return complete_; }
  // The line without its ending; an error that says what is wrong with it.
  Expected<Secret> secret() const;

 private:
  std::string_view text() const {
    const std::string_view all(bytes_.data(), used_);
    return all.substr(0, all.find('\n'));
  }

  std::array<char, kMaxSecret + 2> bytes_;
  std::size_t used_ = 0;
  bool complete_ = false;
};

}  // namespace netfleet
