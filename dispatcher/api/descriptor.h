// dispatcher/api: a file descriptor with an owner. Nothing more.
#pragma once

#include <unistd.h>

#include <utility>

namespace netfleet {

class ApiDescriptor {
 public:
  explicit ApiDescriptor(int fd = -1) : fd_(fd) {}
  ApiDescriptor(ApiDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ApiDescriptor& operator=(ApiDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~ApiDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace netfleet
