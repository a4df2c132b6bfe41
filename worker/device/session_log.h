// worker/device: what a device and netfleet said to each other, as text: the format of the session
// logs that `run --session-log` writes and of the transcripts that tests replay. Not for files.
//
// Lines, read from the top; each is a word and a text behind one blank. "\r \n \b \e \a \t
// \0 \\ \xNN" are escapes in texts. Blanks before a line do not count.
//   # ...              a comment, as are blank lines
//   host NAME          whose session it was
//   platform NAME      of the dialogue, or "auto"
//   server TEXT, banner TEXT: the server's identification, and what it said before the login
//   remembered NAME    the platform of this host, from before
//   user NAME, password TEXT, enable-password TEXT: for dialogues inside the shell
//   mode NAME, command TEXT (repeated): where and what to run
//   configure LINE (repeated), save, dry-run, confirm-within MILLISECONDS: the configuration
//   question PATTERN, then reply TEXT: an expected question of a command
//   max-output N, columns N, stop-on-error: options
// Then what happened. Milliseconds since the session's start may stand before such a line; a "<"
// without them goes on with the one before, as what came together.
//   < BYTES            the device sent
//   > BYTES            netfleet typed
//   closed             the device closed the stream
//   ended OUTCOME TEXT how the session ended
// What must come of it, in transcripts:
//   output             begins the expected output of the next command
//   = TEXT             a line of it; "=- TEXT": without the line feed
//   refused TEXT       the command failed with this line; truncated: it was cut
//   detected NAME      the platform as used
//   failure OUTCOME TEXT
//   typing-varies      Enters and blanks may be typed in vain, depending on how the bytes are cut
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "worker/device/dialogue.h"

namespace netfleet {

struct SessionLog {
  struct Step {
    enum class Kind : std::uint8_t { kDevice, kNetfleet, kClosed } kind;
    std::string bytes;
    std::size_t line = 0;  // where it stands, from 1
    std::optional<Milliseconds> at{};
  };
  std::string host;
  std::string platform;
  Dialogue::Options options;  // but for the secrets
  Secret password;
  Secret enable_password;
  std::vector<Step> steps;
  std::string ended;  // "outcome text"; empty: not said

  // Expectations of a transcript.
  bool typing_varies = false;
  std::vector<Dialogue::Output> outputs;
  std::string detected;                // empty: not checked
  std::optional<std::string> failure;  // "outcome text"

  // The longest run of device bytes: cut to larger pieces makes no difference.
  std::size_t longest_run() const;
};

// An error says what is wrong in which line, without a file's name: "12: unknown word \"x\"".
Expected<SessionLog> parse_session_log(std::string_view text);

// `bytes` with escapes, on one line that keeps its blanks at the end.
std::string escape(std::string_view bytes);

}  // namespace netfleet
