// common: what is wrong with an input, collected so that one run shows all of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet {

// Collects "source:line: message" lines, the first 20 of them. One thread.
class Problems {
 public:
  void add(std::string_view source, std::size_t line, std::string_view message);
  bool any() const { return count_ > 0; }
  // How often add() was called.
  std::size_t count() const { return count_; }
  Error error() const;

 private:
  std::string text_;
  std::size_t count_ = 0;
};

// `text` for a message: control characters and bytes that are no UTF-8 replaced, at most 80 bytes.
std::string shown(std::string_view text);

// Levenshtein distance, or `limit` + 1 when it is greater. Words over 64 bytes are never near.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// Whether `word` may be a slip for `candidate`: at most two edits, one in a short word.
bool is_near(std::string_view word, std::string_view candidate);

}  // namespace netfleet
