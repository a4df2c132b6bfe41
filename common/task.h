// common: the values both sides agree on: what a task is and what came of it. Plain data; the codec
// turns them into bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/host_key_policy.h"
#include "common/jump_host.h"
#include "common/outcome.h"
#include "common/output_text.h"
#include "common/shared_text.h"

namespace netfleet {

struct Timeouts {
  Milliseconds connect{10'000};  // name, TCP, key exchange: until the server may be logged in to
  Milliseconds auth{30'000};     // authentication, and the login dialogue up to the first prompt
  Milliseconds command{60'000};  // one command, from its sending to the prompt after it
  Milliseconds task{3'600'000};  // everything together
  bool operator==(const Timeouts&) const = default;
};

// Bounds of a job, so that it and a grant of each of its tasks fit into a control frame.
inline constexpr std::size_t kMaxConfiguration = 1'000'000;  // bytes, with an end for each line
inline constexpr std::size_t kMaxAnswers = 100;

// What is typed into a device's configuration. Lines are without line ending.
struct Configuration {
  std::vector<std::string> lines;  // empty: nothing is configured
  bool dry_run = false;            // changes nothing: says what would be sent, or lets the device
                                   // check and compare, where it can, and forget it
  std::optional<Milliseconds> confirm_within;  // the device takes it back unless it is confirmed
  bool save = false;                           // make it last; without lines too
  bool operator==(const Configuration&) const = default;
};

// A question that a command may ask, and its answer.
struct ExpectedQuestion {
  std::string pattern;  // regular expression, on the device's last line
  std::string reply;
  bool operator==(const ExpectedQuestion&) const = default;
};

// What every task of one sweep has in common.
struct JobSpec {
  std::string sweep;                  // the sweep's id, as users see it
  std::vector<std::string> commands;  // each one line, without line ending
  std::string mode;                   // the platform's mode they run in; empty: after the login
  Configuration configuration;        // before the commands
  std::vector<ExpectedQuestion> answers;
  bool exec = false;  // commands over SSH's exec channel instead of a shell
  Timeouts timeouts;
  std::uint64_t max_output = 64u << 20;  // bytes kept of one command's output
  HostKeyPolicy host_key_policy = HostKeyPolicy::kAcceptNew;
  bool legacy_algorithms = false;
  bool changes_device = false;  // such a task is never repeated once it was granted
  std::vector<JumpHost> jumps;  // that its tasks name; a worker may know others, or know better
  bool operator==(const JobSpec&) const = default;
};

// One host of a sweep. Carries no secret: `credential` names one.
struct TaskSpec {
  std::uint32_t index = 0;  // position in the sweep, from 0: the inventory's order
  std::uint16_t port = 22;
  SharedText host;     // the inventory's name
  SharedText address;  // name or IP literal, without brackets
  SharedText user;
  SharedText platform;  // a platform's name, or "auto"
  SharedText region;    // empty: the default region
  SharedText credential;
  SharedText configuration{};  // this host's lines, '\n' between them; empty: the job's
  // For platform "auto": what was found the last time, and on which host key (the first 64 bits of
  // its SHA-256). Good only for that key. Empty and 0: nothing is remembered.
  SharedText remembered_platform{};
  std::uint64_t remembered_key = 0;
  SharedText ssh_options{};  // of common/ssh_algorithms.h, as text; empty: none
  SharedText jump{};         // the route, of common/jump_host.h, as text; empty: directly
  bool operator==(const TaskSpec&) const = default;
};

struct CommandResult {
  std::string command;
  OutputText output;  // bytes as the device meant them: echo, prompt and terminal control removed,
                      // lines end in \n
  Outcome outcome = Outcome::kOk;
  Milliseconds duration{0};
  bool truncated = false;  // more than max_output came
  bool operator==(const CommandResult&) const = default;
};

struct TaskResult {
  std::uint32_t index = 0;
  std::uint32_t attempt = 1;
  Outcome outcome = Outcome::kInternal;
  std::string error;     // what was tried, on what, through what, and why; empty when ok
  std::string worker;    // empty: it never reached one
  std::string platform;  // as used, after detection
  std::string evidence;  // why it is that platform; empty: it was given, or not found out
  // The host key (as remembered_key) on which the platform was newly found; 0: nothing to remember.
  std::uint64_t found_on_key = 0;
  std::string jump;  // the chain that was used, "a,b"; empty: direct
  std::optional<WallTime> started_at;
  Milliseconds duration{0};
  bool command_sent = false;  // at least one command reached the device
  bool way_lost = false;      // the connection to a jump host went from under the session
  std::vector<CommandResult> commands;
  bool operator==(const TaskResult&) const = default;
};

}  // namespace netfleet
