// common: memory for passwords and keys. Locked (never swapped), left out of core dumps, zeroed
// when it goes; it cannot be printed or copied by accident.
#pragma once

#include <cstddef>
#include <string_view>

namespace netfleet {

// Owns one secret. Move-only; clone() is the deliberate copy. Not for sharing between threads.
class Secret {
 public:
  Secret() = default;
  // Copies `text`; the caller wipes its own buffer (see wipe).
  explicit Secret(std::string_view text);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  Secret clone() const { return Secret(reveal()); }
  bool empty() const { return size_ == 0; }
  // The plain text, NUL-terminated behind its end. Never log, store or keep what this returns.
  std::string_view reveal() const { return {data_ ? data_ : "", size_}; }
  const char* c_str() const { return data_ ? data_ : ""; }

 private:
  void release();
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;
};

// Overwrites a buffer in a way that the compiler cannot leave out.
void wipe(void* data, std::size_t size);

}  // namespace netfleet
