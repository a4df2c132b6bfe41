#include "worker/ssh/prompt.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <string>

namespace netfleet::ssh {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> phrases) {
  return std::ranges::any_of(phrases, [&](std::string_view phrase) {
    return text.find(phrase) != std::string_view::npos;
  });
}

bool contains_word(std::string_view text, std::string_view word) {
  const auto is_letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !is_letter(text[at - 1])) && (end == text.size() || !is_letter(text[end]))) {
      return true;
    }
  }
  return false;
}

// Without "admin@otp-gateway's": how a host or a user is called says nothing about the question.
std::string without_addresses(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (word.find('@') == std::string_view::npos) kept.append(word).push_back(' ');
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return kept;
}

// "One-time password" is a code and no password: takes such names out, and tells if there were any.
bool take_out(std::string& text, std::initializer_list<std::string_view> phrases) {
  bool found = false;
  for (const std::string_view phrase : phrases) {
    for (auto at = text.find(phrase); at != std::string::npos; at = text.find(phrase)) {
      text.erase(at, phrase.size());
      found = true;
    }
  }
  return found;
}

bool asks_for_new_secret(std::string_view said, std::string_view asked, bool code) {
  if (contains_any(said, {"expired", "required to change", "must change"})) return true;
  if (contains_any(asked, {"new pass", "new pin", "retype", "re-enter", "reenter"})) return true;
  return !code && contains_any(asked, {"change", "expired", "current"});
}

bool asks_for_agreement(std::string_view asked) {
  return contains_any(asked, {"yes/no", "y/n"}) &&
         contains_any(asked, {"accept", "agree", "acknowledge", "consent"}) &&
         !contains_any(asked, {"disagree", "decline", "reject", "refuse", "not accept", "not agree",
                               "do not", "don't", "delete", "erase", "reset", "reload"});
}

}  // namespace

Prompt classify_prompt(std::string_view introduction, std::string_view prompt, bool echo) {
  std::string asked = without_addresses(lower(prompt));
  const bool named_code =
      take_out(asked, {"one-time password", "one time password", "onetime password", "otp password",
                       "dynamic password", "passcode"});
  const bool pin = contains_word(asked, "pin");
  const bool code =
      named_code || pin || contains_any(asked, {"token", "one-time", "authenticator"}) ||
      contains_any(asked, {"verification code", "authentication code", "security code"}) ||
      contains_word(asked, "otp") || contains_word(asked, "totp") ||
      (contains_word(asked, "code") && !echo);
  const bool password = contains_any(asked, {"pass"});
  if (asks_for_new_secret(lower(introduction), asked, code)) return Prompt::kNewSecret;
  if (code && password) {
    const bool both = contains_any(asked, {"&", "+", " and ", "followed by"});
    return both && !echo ? Prompt::kPasswordAndCode : Prompt::kOther;
  }
  if (code) return pin && echo ? Prompt::kOther : Prompt::kCode;
  if (password) return echo ? Prompt::kOther : Prompt::kPassword;
  return echo && asks_for_agreement(asked) ? Prompt::kAcceptance : Prompt::kOther;
}

std::string_view acceptance_of(std::string_view prompt) {
  return contains_any(lower(prompt), {"yes/no"}) ? "yes" : "y";
}

}  // namespace netfleet::ssh
