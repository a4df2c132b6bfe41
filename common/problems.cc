#include "common/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/utf8.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxShown = 20;
constexpr std::size_t kMaxQuoted = 80;
constexpr std::size_t kMaxWord = 64;

}  // namespace

void Problems::add(std::string_view source, std::size_t line, std::string_view message) {
  if (++count_ > kMaxShown) return;
  if (!text_.empty()) text_ += '\n';
  text_ += fmt::format("{}:{}: {}", source, line, message);
}

Error Problems::error() const {
  if (count_ <= kMaxShown) return Error{text_};
  return Error{fmt::format("{}\n... and {} more", text_, count_ - kMaxShown)};
}

std::string shown(std::string_view text) {
  std::string safe = to_utf8(text.substr(0, kMaxQuoted));
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }, '?');
  if (text.size() > kMaxQuoted) safe += "...";
  return safe;
}

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit || a.size() > kMaxWord || b.size() > kMaxWord) return limit + 1;
  std::array<std::size_t, kMaxWord + 1> row;
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return std::min(row[b.size()], limit + 1);
}

bool is_near(std::string_view word, std::string_view candidate) {
  const std::size_t limit = word.size() < 5 ? 1 : 2;
  return edit_distance(word, candidate, limit) <= limit;
}

}  // namespace netfleet
