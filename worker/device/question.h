// worker/device: what an unfinished last line asks for, whatever the platform. Pure text matching.
#pragma once

#include <string_view>

namespace netfleet {

// A longer last line is neither question nor pager.
inline constexpr std::size_t kMaxQuestion = 512;

// A password, passphrase, token, PIN or code. Nothing but the secret that is asked for is ever
// typed at such a line: it would be echoed nowhere and might be taken for one.
bool asks_for_secret(std::string_view line);

// Something that waits for an answer: "Proceed? [confirm]", "Name:", "Continue (y/n)". For
// messages.
bool is_question(std::string_view line);

// A forced password change.
bool asks_for_new_password(std::string_view line);

// Frames of banners: one sign over and over. As a prompt it stands alone with a blank, like "# ".
bool is_drawing(std::string_view line);

}  // namespace netfleet
