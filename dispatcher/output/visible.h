// dispatcher/output: text from devices and files that must not steer a terminal.
#pragma once

#include <string>
#include <string_view>

namespace netfleet {

// Appends `bytes` as valid UTF-8 without control characters: "^[" for ESC, "^M" for CR, U+FFFD for
// the eight-bit ones and for invalid bytes. Tabs and line ends stay.
void append_visible(std::string& out, std::string_view bytes);

// The same on one line: tabs and line ends become blanks.
std::string one_line(std::string_view bytes);

}  // namespace netfleet
