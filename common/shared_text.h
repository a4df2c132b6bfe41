// common: a text that many values have in common: a million tasks name three platforms, and a host
// that is called by its address has it twice. A pointer to bytes that never change.
#pragma once

#include <fmt/core.h>

#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace netfleet {

// A value: equal when the texts are. Copies share the bytes, also across threads; the empty text
// has none. At most 4 GiB.
class SharedText {
 public:
  SharedText() = default;
  template <std::convertible_to<std::string_view> Text>
    requires(!std::same_as<Text, SharedText>)
  SharedText(const Text& text) : bytes_(make(text)) {}  // NOLINT: as a std::string would be made
  SharedText(const SharedText& other) : bytes_(other.bytes_) { hold(bytes_); }
  SharedText(SharedText&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
  SharedText& operator=(SharedText other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~SharedText() {
    if (bytes_ != nullptr) let_go(bytes_);
  }

  operator std::string_view() const { return view(); }  // NOLINT: as a std::string does
  std::string_view view() const;
  std::string str() const { return std::string(view()); }
  const char* c_str() const;
  bool empty() const { return bytes_ == nullptr; }
  std::size_t size() const { return view().size(); }
  const char* data() const { return view().data(); }

  friend bool operator==(const SharedText& a, const SharedText& b) {
    return a.bytes_ == b.bytes_ || a.view() == b.view();
  }
  template <std::convertible_to<std::string_view> Text>
    requires(!std::same_as<Text, SharedText>)
  friend bool operator==(const SharedText& a, const Text& b) {
    return a.view() == std::string_view(b);
  }
  template <std::convertible_to<std::string_view> Text>
  friend auto operator<=>(const SharedText& a, const Text& b) {
    return a.view() <=> std::string_view(b);
  }

 private:
  struct Bytes;
  static Bytes* make(std::string_view text);
  static void hold(Bytes* bytes);
  static void let_go(Bytes* bytes);

  Bytes* bytes_ = nullptr;
};

// Gives equal texts the same bytes, as long as it remembers them: when they are too many to be
// repeated ones, it begins anew. One thread.
class TextPool {
 public:
  SharedText operator()(std::string_view text);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_set<SharedText, Hash, std::equal_to<>> texts_;
};

}  // namespace netfleet

template <>
struct fmt::formatter<netfleet::SharedText> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const netfleet::SharedText& text, Context& context) const {
    return fmt::formatter<std::string_view>::format(text.view(), context);
  }
};
