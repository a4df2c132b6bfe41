// common: bytes from devices made safe to show as text.
#pragma once

#include <string>
#include <string_view>

namespace netfleet {

// The same bytes when they are valid UTF-8; otherwise each maximal invalid part becomes U+FFFD.
std::string to_utf8(std::string_view bytes);

// Bytes of the character that `bytes` begin with; 0: they begin with no valid UTF-8.
std::size_t character_size(std::string_view bytes);

}  // namespace netfleet
