// worker/ssh: what a way over jump hosts gives: a stream to use in place of a TCP connection.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "worker/ssh/connection.h"

namespace netfleet::ssh {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Descriptor() { reset(-1); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  void reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  int fd_ = -1;
};

// Shared by a stream's user and what carries it, on one thread.
struct JumpPassage {
  std::string lost;  // why the way is gone; empty while it is there
};

struct JumpStream {
  Descriptor descriptor;  // non-blocking, close-on-exec
  std::string via;        // the chain that is used, "bastion1,core"
  std::shared_ptr<const JumpPassage> passage;
};

// Why there is no stream. jump_failed: a hop could not be used; unreachable: the last hop worked
// and says that the device does not answer; cancelled.
struct JumpFailure {
  Failure failure;
  std::string via;  // the chain that was tried last
};

}  // namespace netfleet::ssh
