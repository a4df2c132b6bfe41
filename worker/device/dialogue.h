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
#include "common/secret.h"
#include "common/task.h"
#include "worker/device/platform.h"

namespace netfleet {

class Conversation;

// From the first byte of the shell to the logout: finds and learns the prompt, turns paging off,
// sends the commands one by one, removes echo, pager marks, terminal control and prompt from what
// comes back. Owned by one session, one thread. In phase kDone nothing more is sent or read.
//
// There is no clock here, so the end of an output is the learned prompt at the end of what has
// arrived. An output line that is the very prompt, cut just there by the transport, ends the
// command too early; when the echo of the next command then fails to come, the lines go where they
// belong. Only after the last command nothing is left to find that out.
class Dialogue {
 public:
  struct Answer {      // to a question that a command is expected to ask
    Pattern question;  // on the last line
    std::string reply;
  };
  // What is done, in this order: configuration, its commit, save, commands. A commit that has to be
  // confirmed is confirmed, and then saved, after the commands: they are the check. A configuration
  // that fails ends it all; what the platform cannot do is found out before anything is sent.
  struct Options {
    std::string mode;  // where the commands run; empty: where the login leads
    Configuration configuration;
    std::vector<std::string> commands;
    std::vector<Answer> answers;       // before the platform's own
    std::string user;                  // for dialogues inside the shell
    const Secret* password = nullptr;  // outlive the dialogue; null or empty: there is none
    const Secret* enable_password = nullptr;
    std::uint64_t max_output = 64u << 20;  // bytes kept of a command; the rest is read and dropped
    bool stop_on_error = false;            // later commands are not sent after a refused one
    // For the platform "auto".
    std::string server_identification;  // "SSH-2.0-Cisco-1.25"
    std::string banner;                 // what the server said before the authentication
    std::string remembered_platform;    // of this host, from before; empty: not known
    std::size_t columns = 511;          // of the terminal that the device was told
  };
  // kLogout: all is done, the device may ask something before it closes.
  enum class Phase : std::uint8_t { kLogin, kPrepare, kCommand, kLogout, kDone };
  struct Output {  // of one command
    enum class Kind : std::uint8_t { kCommand, kConfiguration, kCommit, kConfirm, kSave };
    std::string command;  // as typed, or "configure" for all lines of a configuration
    Kind kind = Kind::kCommand;
    std::string text;  // of a configuration: prompts, lines and what came back
    bool truncated = false;
    bool failed = false;  // an error pattern matched, or what says success did not
    std::string error;    // why: the matched line; of a configuration and a confirmation: all of it
    std::string head{};   // of a text of which parts were taken: what it began with
    std::uint64_t taken = 0;  // bytes that take_settled() has moved out of it
  };
  struct Failure {  // why the dialogue ended early
    Outcome outcome;
    std::string reason;
  };

  // What comes of a configuration that needs no device: the platform cannot do it, or it is a dry
  // run of which nothing would be typed. Nothing: it needs one.
  static std::optional<Output> output_without_device(const Platform& platform,
                                                     const Configuration& configuration);

  // `platforms` outlives this. `platform`: a name from it, or "auto".
  Dialogue(const PlatformSet& platforms, const std::string& platform, Options options);
  ~Dialogue();

  void receive(std::string_view bytes);  // from the device, cut anywhere
  void closed();                         // the device closed the stream
  struct Outgoing {
    std::string bytes;
    bool secret = false;  // to be wiped after it was sent, and shown nowhere
  };
  Outgoing take_outgoing();  // what to send now; may be empty

  Phase phase() const;
  // The command that is running (phase kCommand), from 0; equals the count of finished ones.
  std::size_t command_index() const;
  // Grows by one as each command ends. A text may still grow until the next command has ended: move
  // texts out only when phase() is kDone, or when this dialogue is given up.
  std::vector<Output>& outputs();
  // What the output under way, the one behind all of outputs(), begins with and which nothing will
  // change any more; empty: too little to be worth it. So a large output needs little memory here:
  // put together are all that was taken, in order, and then its text.
  std::string take_settled();
  // What the running command has printed so far, for one that never ended. Without a command:
  // nothing of which there would be an output was running.
  Output take_partial_output();
  // Grows with each line that is typed and waited for: the time-out of a command begins anew.
  std::uint64_t turns() const;
  // What is under way, to be followed by "on HOST: what went wrong"; empty during the login.
  std::string doing() const;
  // The same for people who watch: "command 1/3", "configuration line 2/9".
  std::string stage() const;
  const std::optional<Failure>& failure() const;  // set: phase is kDone
  std::string platform_name() const;              // as used, after detection
  // Why it is this platform, for people; empty: it was not asked to find out, or has not yet.
  std::string evidence() const;
  // What the device showed last, safe to print (for time-out messages): at most 80 characters.
  std::string last_line() const;
  // Whether that is a question which waits for an answer.
  bool asks() const;

 private:
  std::unique_ptr<Conversation> conversation_;
};

}  // namespace netfleet
