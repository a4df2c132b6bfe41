// worker/device: the conversation with one device's CLI, against a byte stream. Pure: bytes in,
// bytes out, no time, no socket, no SSH. The engine (or a transcript in tests) feeds it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/outcome.h"
#include "worker/device/platform.h"

namespace netfleet {

// From the first byte of the shell to the logout: finds and learns the prompt, turns paging off,
// sends the commands one by one, removes echo, pager marks, terminal control and prompt from what
// comes back. Owned by one session, one thread. After done() nothing more is sent.
class Dialogue {
 public:
  struct Options {
    std::vector<std::string> commands;
    std::uint64_t max_output = 64u << 20;  // bytes kept of a command; the rest is read and dropped
    bool stop_on_error = false;            // later commands are not sent after a refused one
    std::string server_identification;     // "SSH-2.0-Cisco-1.25": for the platform "auto"
  };
  enum class Phase : std::uint8_t { kLogin, kPrepare, kCommand, kDone };
  struct Output {  // of one command
    std::string text;
    bool truncated = false;
    bool failed = false;  // an error pattern matched, or the device asked an unknown question
    std::string error;    // why: the matched line
  };
  struct Failure {  // why the dialogue ended early
    Outcome outcome;
    std::string reason;
  };

  // `platforms` outlives this. `platform`: a name from it, or "auto".
  Dialogue(const PlatformSet& platforms, std::string platform, Options options);
  ~Dialogue();

  void receive(std::string_view bytes);  // from the device, cut anywhere
  void closed();                         // the device closed the stream
  std::string take_outgoing();           // what to send now; may be empty

  Phase phase() const;
  // The command that is running (phase kCommand), from 0; equals the count of finished ones.
  std::size_t command_index() const;
  // Grows by one as each command ends. The caller may move texts out.
  std::vector<Output>& outputs();
  const std::optional<Failure>& failure() const;  // set: phase is kDone
  std::string platform_name() const;              // as used, after detection
  // What the device showed last, safe to print (for time-out messages): at most 80 characters.
  std::string last_line() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netfleet
