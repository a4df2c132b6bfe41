// dispatcher/inventory: shell-like patterns. Pure, and linear enough: no pattern makes it hang.
#pragma once

#include <string>
#include <string_view>

namespace netfleet {

// Whether all of `text` matches `pattern`: '*' any bytes, '?' one byte, [a-z] and [!a-z] sets, '\'
// takes the next byte as it is. A '[' without ']' stands for itself.
bool glob_matches(std::string_view pattern, std::string_view text);

// `text` as a pattern that matches only it.
std::string glob_escaped(std::string_view text);

}  // namespace netfleet
