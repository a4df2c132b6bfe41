#include "common/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <utility>

namespace netfleet {

Secret::Secret(std::string_view text) : size_(text.size()) {
  if (text.empty()) return;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  mapped_ = (size_ + 1 + page - 1) / page * page;
  void* memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mlock(memory, mapped_);  // best effort: RLIMIT_MEMLOCK may be 0 for an ordinary user
  madvise(memory, mapped_, MADV_DONTDUMP);
  data_ = static_cast<char*>(memory);
  std::memcpy(data_, text.data(), size_);
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_ = std::exchange(other.mapped_, 0);
  }
  return *this;
}

Secret::~Secret() { release(); }

void Secret::release() {
  if (data_ == nullptr) return;
  wipe(data_, mapped_);
  munmap(data_, mapped_);
  data_ = nullptr;
  size_ = mapped_ = 0;
}

void wipe(void* data, std::size_t size) { explicit_bzero(data, size); }

}  // namespace netfleet
