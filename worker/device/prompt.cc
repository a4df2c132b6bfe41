#include "worker/device/prompt.h"

#include <algorithm>

namespace netfleet {
namespace {

constexpr std::size_t kMaxPrompt = 512;
// In configuration modes IOS cuts the host name to 20 characters, some relatives shorter.
constexpr std::size_t kMinCutHostName = 16;
// A shorter prompt ("$ ", "# ") behind text is more likely text.
constexpr std::size_t kMinPromptAfterText = 4;

// What stands before the mode, the directory and the end mark: "R1" of "R1(config)#",
// "user@host" of "user@host:~$ ".
std::string_view host_part(std::string_view prompt) {
  return prompt.substr(0, std::min(prompt.find_first_of(" :()#>$%]"), prompt.size()));
}

bool is_end_mark(char c) { return c == '#' || c == '>' || c == '$' || c == '%'; }

// "#", "(config-if)#", ":/etc$ ", " etc]# ": what follows the host in a prompt.
bool is_mode_part(std::string_view text, bool blank_at_end) {
  if (blank_at_end != text.ends_with(' ')) return false;
  if (blank_at_end) text.remove_suffix(1);
  if (text.empty() || !is_end_mark(text.back())) return false;
  text.remove_suffix(1);
  if (text.empty()) return true;
  const bool one_word = text.find_first_of(" \t", 1) == std::string_view::npos;
  switch (text.front()) {
    case '(':
      return text.find(')') == text.size() - 1;
    case ':':
      return one_word && text.size() > 1;
    case ' ':
      return one_word && text.back() == ']';
    default:
      return false;
  }
}

}  // namespace

bool PromptFinder::fits(std::string_view line) const {
  if (line.empty() || line.size() > kMaxPrompt) return false;
  return std::any_of(platform_->modes.begin(), platform_->modes.end(),
                     [line](const Platform::Mode& mode) { return mode.prompt.matches(line); });
}

bool PromptFinder::is_prompt(std::string_view line) const {
  if (literal_.empty()) return false;
  if (line == literal_) return true;
  // It was learned before its last blank had come.
  if (line.size() == literal_.size() + 1 && line.starts_with(literal_) && line.ends_with(' ') &&
      !literal_.ends_with(' ')) {
    return true;
  }
  return (digits_change_ && equal_but_digits(line, literal_)) || other_mode(line);
}

std::optional<std::size_t> PromptFinder::find_at_end(std::string_view line) const {
  if (is_prompt(line)) return 0;
  if (!platform_->prompt_after_text || literal_.size() < kMinPromptAfterText ||
      !line.ends_with(literal_)) {
    return std::nullopt;
  }
  return line.size() - literal_.size();
}

bool PromptFinder::other_mode(std::string_view line) const {
  if (line.size() > kMaxPrompt) return false;
  const std::string_view host = host_part(line);
  const std::string_view learned = host_part(literal_);
  const bool cut = host.size() >= kMinCutHostName && host.size() < learned.size() &&
                   learned.starts_with(host) && line.substr(host.size()).starts_with('(');
  const bool uncut = learned.size() >= kMinCutHostName && learned.size() < host.size() &&
                     host.starts_with(learned) && literal_[learned.size()] == '(';
  if (host.empty() || (host != learned && !cut && !uncut)) return false;
  return is_mode_part(line.substr(host.size()), literal_.ends_with(' ')) && fits(line);
}

bool PromptFinder::equal_but_digits(std::string_view left, std::string_view right) {
  const auto skip_digits = [](std::string_view text, std::size_t& at) {
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at != begin;
  };
  std::size_t l = 0;
  std::size_t r = 0;
  for (;;) {
    if (skip_digits(left, l) != skip_digits(right, r)) return false;
    if (l == left.size() || r == right.size()) return l == left.size() && r == right.size();
    if (left[l++] != right[r++]) return false;
  }
}

}  // namespace netfleet
