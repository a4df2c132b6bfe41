// worker/device: which last line is the prompt. Knows the platform's patterns and, once it was
// seen, this device's own literal prompt. Not for finding it (dialogue) and not for terminal
// control.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "worker/device/platform.h"

namespace netfleet {

// Of one dialogue. `platform` outlives it.
class PromptFinder {
 public:
  explicit PromptFinder(const Platform& platform) : platform_(&platform) {}

  // It turned out to be this platform; what was learned stays.
  void use(const Platform& platform) { platform_ = &platform; }

  // Whether it looks like a prompt of the platform.
  bool fits(std::string_view line) const;

  void learn(std::string_view prompt);
  // The same prompt came as two different lines: its digits change (a clock, a counter).
  void learn_changing_digits() { digits_change_ = true; }
  const std::string& literal() const { return literal_; }

  // Whether the line is the learned prompt, or the same host's in another mode.
  bool is_prompt(std::string_view line) const;
  // The name in a prompt that is like the learned one, or another mode's, but for the host's name;
  // empty when it is none. Such a prompt comes when the device was given that name.
  std::string_view other_name(std::string_view line) const;
  // Where the learned prompt begins at the end of the line: 0, or behind text that came without a
  // line feed (where the platform has that).
  std::optional<std::size_t> find_at_end(std::string_view line) const;

  // Equal but for the digits in them, and marks of unsaved changes before them.
  static bool equal_but_digits(std::string_view left, std::string_view right);

 private:
  bool other_mode(std::string_view line) const;
  bool other_form(std::string_view line) const;

  const Platform* platform_;
  std::string literal_;  // empty: not learned
  std::string name_;     // the host's, as it was when another prompt was learned at first
  bool digits_change_ = false;
};

// Whether the text holds this word, between blanks, quotes and the like. `cut`: or one that begins
// with it, when it is so long that devices cut it.
bool holds_word(std::string_view text, std::string_view word, bool cut);

}  // namespace netfleet
