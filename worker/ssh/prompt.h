// worker/ssh: what a keyboard-interactive prompt wants. No input or output.
#pragma once

#include <cstdint>
#include <string_view>

namespace netfleet::ssh {

enum class Prompt : std::uint8_t {
  kPassword,
  kCode,             // a one-time code: of a token, a message, an app; with a PIN before it or not
  kPasswordAndCode,  // one behind the other, in one answer
  kAcceptance,       // of a disclaimer, by yes or no
  kNewSecret,        // a new password or PIN is wanted
  kOther,
};

// `introduction`: name and instruction of the request. Only what says clearly what it wants is
// anything but kOther: a password is typed where it is asked for and not echoed, a code where one
// is asked for (with a PIN: not echoed), and only a question that is echoed and asks for agreement
// is an acceptance.
Prompt classify_prompt(std::string_view introduction, std::string_view prompt, bool echo);

// The answer to a prompt that is an acceptance: "yes", or "y" where that is the choice.
std::string_view acceptance_of(std::string_view prompt);

}  // namespace netfleet::ssh
