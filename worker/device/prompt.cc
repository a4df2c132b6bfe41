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

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// A prompt around the host's name: "[user@", "R1", "] /ip>".
struct Parts {
  std::string_view before;
  std::string_view name;
  std::string_view after;
};

// The name follows the first '@', else the last ':' before a word, else it is the first word.
Parts split(std::string_view prompt) {
  const auto word_at = [prompt](std::size_t at) {
    return at < prompt.size() && is_word(prompt[at]);
  };
  std::size_t begin = prompt.find('@');
  if (begin != std::string_view::npos) begin += prompt.substr(begin + 1).starts_with('(') ? 2 : 1;
  if (!word_at(begin)) {
    begin = prompt.rfind(':');
    while (begin != std::string_view::npos && begin > 0 && !word_at(begin + 1)) {
      begin = prompt.rfind(':', begin - 1);
    }
    begin = begin == std::string_view::npos ? 0 : begin + 1;
    if (!word_at(begin)) begin = 0;
  }
  while (begin < prompt.size() && !is_word(prompt[begin])) ++begin;
  std::size_t end = begin;
  while (word_at(end)) ++end;
  return {prompt.substr(0, begin), prompt.substr(begin, end - begin), prompt.substr(end)};
}

// Without the marks of unsaved changes, and without what stands for a view: "<R1>", "[~R1]".
std::string_view without_marks(std::string_view before) {
  return before.substr(std::min(before.find_first_not_of("*!~+<[ "), before.size()));
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
  return (digits_change_ && fits(line) && equal_but_digits(line, literal_)) || other_mode(line) ||
         other_form(line);
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

// Another mode's prompt where it does not just follow the host's name. Only where the platform's
// patterns are strict: they decide, with the name.
bool PromptFinder::other_form(std::string_view line) const {
  if (platform_->confirm_prompt || name_.empty() || line.size() > kMaxPrompt) return false;
  if (line.ends_with(' ') != literal_.ends_with(' ')) return false;
  const Parts known = split(literal_);
  const Parts parts = split(line);
  const bool view = parts.before.find('[') != std::string_view::npos &&
                    parts.name.starts_with(name_) && parts.name.substr(name_.size(), 1) == "-";
  if (parts.name != name_ && !view) return false;
  if (without_marks(parts.before) != without_marks(known.before)) return false;
  if (parts.after.starts_with(":#") || parts.after.starts_with(":>")) return false;
  return fits(line);
}

std::string_view PromptFinder::other_name(std::string_view line) const {
  const std::string_view name = split(line).name;
  if (name.empty() || name_.empty() || !fits(line)) return {};
  PromptFinder renamed(*platform_);
  const Parts known = split(literal_);
  renamed.learn(std::string(known.before) + std::string(name) + std::string(known.after));
  return renamed.is_prompt(line) ? name : std::string_view();
}

void PromptFinder::learn(std::string_view prompt) {
  if (!is_prompt(prompt)) name_ = split(prompt).name;
  literal_ = prompt;
}

bool PromptFinder::equal_but_digits(std::string_view left, std::string_view right) {
  const auto skip_digits = [](std::string_view text, std::size_t& at) {
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at != begin;
  };
  left = without_marks(left);
  right = without_marks(right);
  std::size_t l = 0;
  std::size_t r = 0;
  for (;;) {
    if (skip_digits(left, l) != skip_digits(right, r)) return false;
    if (l == left.size() || r == right.size()) return l == left.size() && r == right.size();
    if (left[l++] != right[r++]) return false;
  }
}

bool holds_word(std::string_view text, std::string_view word, bool cut) {
  for (std::size_t at = text.find(word); at != std::string_view::npos && !word.empty();
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if (at > 0 && is_word(text[at - 1])) continue;
    if (end == text.size() || !is_word(text[end])) return true;
    if (cut && word.size() >= kMinCutHostName) return true;
  }
  return false;
}

}  // namespace netfleet
