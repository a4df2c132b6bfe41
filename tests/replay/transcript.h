// tests/replay: what a device and netfleet said to each other, from a file, and what must come of
// it.
//
// A transcript is lines, read from the top. "\r \n \b \e \a \0 \t \\ \xNN" are escapes in them.
//   # ...              a comment, as are blank lines
//   platform NAME      of the dialogue; server TEXT: the server's identification
//   command TEXT       to run; repeated
//   max-output N, columns N, stop-on-error, typing-varies: options. typing-varies: Enters and
//                      blanks may be typed in vain, depending on how the bytes are cut
//   < BYTES            the device sends; consecutive lines are joined
//   > BYTES            netfleet must have sent exactly this since the last ">"
//   closed             the device closes the stream
//   output             begins the expected output of the next command
//   = TEXT             a line of it; "=- TEXT": without the line feed
//   refused TEXT       the command failed with this line; truncated: it was cut
//   detected NAME      the platform as used
//   failure OUTCOME TEXT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "worker/device/dialogue.h"

namespace netfleet::replay {

struct Transcript {
  struct Step {
    enum class Kind { kDevice, kNetfleet, kClosed } kind;
    std::string bytes;
  };
  std::string platform;
  Dialogue::Options options;
  bool typing_varies = false;
  std::vector<Step> steps;
  std::vector<Dialogue::Output> outputs;
  std::string detected;                // empty: not checked
  std::optional<std::string> failure;  // "outcome text"
};

// Aborts with file and line when the file is malformed: it is ours.
Transcript read_transcript(const std::string& path);

// Runs it with the device's bytes cut to pieces of `chunk`. Empty when all is as the transcript
// says, otherwise expected and actual side by side.
std::string replay(const Transcript& transcript, std::size_t chunk);

// The longest run of device bytes: a larger chunk makes no difference.
std::size_t longest_run(const Transcript& transcript);

// With escapes for what cannot be seen.
std::string visible(const std::string& bytes);

}  // namespace netfleet::replay
