// dispatcher/output: what differs between two texts, line by line, as `diff -u` writes it. The only
// user of libgit2's comparison. Not for which lines matter: the caller says.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet {

// A text as it is compared, and as it is shown: with as many lines.
struct DiffText {
  std::string_view compared;
  std::string_view shown;
};

// One thread.
class TextDiff {
 public:
  // Texts of more bytes are not compared.
  static constexpr std::size_t kMostBytes = 64u << 20;

  TextDiff();
  ~TextDiff();
  TextDiff(const TextDiff&) = delete;
  TextDiff& operator=(const TextDiff&) = delete;

  // The hunks, with three lines around each change and without the two lines of names; empty when
  // nothing differs. Lines that are equal as compared are shown as in `after`. An error when there
  // is too much to compare.
  Expected<std::string> hunks(const DiffText& before, const DiffText& after) const;
};

}  // namespace netfleet
