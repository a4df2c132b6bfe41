// dispatcher/inventory: lines of ssh_config(5) cut into words. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace netfleet {

// A line's keyword, in small letters, and what stands behind it and its '='. Empty: nothing there.
struct SshConfigLine {
  std::string keyword;
  std::string_view rest;
};
SshConfigLine split_ssh_config_line(std::string_view line);

// Words between blanks; quotes hold one together, a backslash takes the next quote, backslash or
// blank as it is, a word that begins with '#' ends the line. Fails for a quote that is left open.
Expected<std::vector<std::string>> ssh_config_words(std::string_view text);

}  // namespace netfleet
