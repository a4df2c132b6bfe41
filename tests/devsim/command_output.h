// devsim: what the devices' commands print. Pure and deterministic: a text depends on the platform,
// the device's name and the command alone, so that a test can predict it. Not for prompts, echo,
// pages or modes (cli.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/devsim/device.h"

namespace netfleet::devsim {

// Whether the typed line is the command, abbreviated as IOS allows: "sh ver" is "show version".
// Each word is a beginning of the pattern's, of two letters at least; '*' takes any word.
bool is_command(std::string_view line, std::string_view pattern);

// All lines, each ended by '\n'; empty: the command is known and prints nothing. Unknown commands
// have the platform's error text, and `known` becomes false. Commands that need a mode are not
// here. `prompt_width`: columns before the typed text, for the mark under the wrong word.
struct CommandOutput {
  std::string text;
  bool known = true;
};
CommandOutput command_output(Platform platform, std::string_view name, std::string_view command,
                             std::size_t prompt_width);
CommandOutput ios_output(std::string_view name, std::string_view command, std::size_t prompt_width);
std::string ios_invalid_input(std::string_view command, std::size_t prompt_width);

// `kib` KiB in lines of 64 bytes, the last byte of each '\n'.
std::string bulk_output(std::string_view name, std::size_t kib);
// The argument of "show tech N", at most 1 GiB.
std::optional<std::size_t> bulk_size(std::string_view command);

// 4 KiB of control bytes, NUL and invalid UTF-8, the same for the same name.
std::string garbage_output(std::string_view name);
// Lines that look like prompts of `name` and of other devices.
std::string lookalike_output(std::string_view name);

}  // namespace netfleet::devsim
