#include "common/shared_text.h"

#include <atomic>
#include <cstring>
#include <limits>
#include <new>

#include "common/check.h"

namespace netfleet {

// Followed by the text and a NUL.
struct SharedText::Bytes {
  std::atomic<std::uint32_t> holders;
  std::uint32_t size;
  char* text() { return reinterpret_cast<char*>(this + 1); }
};

SharedText::Bytes* SharedText::make(std::string_view text) {
  if (text.empty()) return nullptr;
  CHECK(text.size() < std::numeric_limits<std::uint32_t>::max());
  void* memory = ::operator new(sizeof(Bytes) + text.size() + 1);
  auto* bytes = new (memory) Bytes{1, static_cast<std::uint32_t>(text.size())};
  std::memcpy(bytes->text(), text.data(), text.size());
  bytes->text()[text.size()] = '\0';
  return bytes;
}

void SharedText::hold(Bytes* bytes) {
  if (bytes != nullptr) bytes->holders.fetch_add(1, std::memory_order_relaxed);
}

void SharedText::let_go(Bytes* bytes) {
  if (bytes->holders.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  bytes->~Bytes();
  ::operator delete(bytes);
}

std::string_view SharedText::view() const {
  return bytes_ == nullptr ? std::string_view() : std::string_view(bytes_->text(), bytes_->size);
}

const char* SharedText::c_str() const { return bytes_ == nullptr ? "" : bytes_->text(); }

SharedText TextPool::operator()(std::string_view text) {
  constexpr std::size_t kMost = 4096;
  if (text.empty()) return {};
  if (const auto known = texts_.find(text); known != texts_.end()) return *known;
  if (texts_.size() >= kMost) texts_.clear();
  return *texts_.emplace(text).first;
}

}  // namespace netfleet
