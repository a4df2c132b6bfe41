// worker/device: small help with lines of text.
#pragma once

#include <string>
#include <string_view>

namespace netfleet {

// Without blanks at that end; other white space stays.
std::string_view trim_left(std::string_view text);
std::string_view trim_right(std::string_view text);

std::string_view without_line_feed(std::string_view line);

// Valid UTF-8 without control characters, at most so many characters: for messages.
std::string printable(std::string_view text, std::size_t characters);

}  // namespace netfleet
