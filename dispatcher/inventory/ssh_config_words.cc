#include "dispatcher/inventory/ssh_config_words.h"

#include <algorithm>

namespace netfleet {
namespace {

constexpr std::string_view kBlanks = " \t\r\f\n";

bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
}

// Takes one word off the front of `text`.
Expected<std::string> take_word(std::string_view& text) {
  std::string word;
  char quote = '\0';
  while (!text.empty()) {
    const char c = text.front();
    if (quote == '\0' && is_blank(c)) break;
    text.remove_prefix(1);
    const char next = text.empty() ? '\0' : text.front();
    const bool escapes =
        next == '"' || next == '\'' || next == '\\' || (quote == '\0' && next == ' ');
    if (c == '\\' && next != '\0' && escapes) {
      word.push_back(next);
      text.remove_prefix(1);
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (quote != '\0' && c == quote) {
      quote = '\0';
    } else {
      word.push_back(c);
    }
  }
  if (quote != '\0') return fail("a quote is left open");
  return word;
}

}  // namespace

SshConfigLine split_ssh_config_line(std::string_view line) {
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  skip_blanks(line);
  if (line.empty() || line.front() == '#') return {};
  const auto end =
      std::ranges::find_if(line, [](char c) { return is_blank(c) || c == '='; }) - line.begin();
  SshConfigLine split;
  split.keyword = line.substr(0, static_cast<std::size_t>(end));
  std::ranges::transform(split.keyword, split.keyword.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  split.rest = line.substr(static_cast<std::size_t>(end));
  skip_blanks(split.rest);
  if (split.rest.starts_with('=')) split.rest.remove_prefix(1);
  skip_blanks(split.rest);
  return split;
}

Expected<std::vector<std::string>> ssh_config_words(std::string_view text) {
  std::vector<std::string> words;
  for (skip_blanks(text); !text.empty() && text.front() != '#'; skip_blanks(text)) {
    auto word = take_word(text);
    if (!word) return std::unexpected(word.error());
    words.push_back(*std::move(word));
  }
  return words;
}

}  // namespace netfleet
