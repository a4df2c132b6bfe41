// worker/ssh: small texts for messages: what a server sent, made safe to show; durations.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace netfleet::ssh {

// Valid UTF-8 in one line, without control characters, at most `limit` bytes ("..." behind it when
// something was left out).
std::string printable(std::string_view bytes, std::size_t limit = 200);

// "10 s", "0.3 s": how long something was waited for.
std::string seconds_text(Nanoseconds duration);

// "Connection refused" as it reads inside a sentence: "connection refused".
std::string errno_text(int error);

// RFC 4648 with padding, without line breaks; nothing for anything else.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace netfleet::ssh
