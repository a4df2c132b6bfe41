// worker/device: what a platform's data file says. Values only; platform_reader.h makes them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/lazy.h"
#include "worker/device/pattern.h"

namespace netfleet {

// The CLI dialect of a host. Read-only after loading, shared between session threads.
// docs/PLATFORMS.md says what each key of the file means.
struct Platform {
  enum class Confidence : std::uint8_t { kLow, kMedium, kHigh };
  // Patterns are for the last line only, after terminal control is interpreted.
  struct Mode {
    std::string name;  // "user", "privileged", "config", ...
    Pattern prompt;
    std::optional<Pattern> above;  // for the line above the prompt, where only that tells the mode
  };
  // What is typed when the device asks. A secret goes nowhere else than to a question that was just
  // matched, at most once a question's place (login, move, command).
  struct Answer {
    enum class What : std::uint8_t { kText, kUser, kPassword, kEnablePassword };
    Pattern prompt;
    std::string reply;  // kText: sent with the platform's line ending, unless `bare`
    bool bare = false;  // a key, without line ending
    What what = What::kText;
  };
  struct Prepare {  // paging off, width; a refusal is ignored
    std::string command;
    std::optional<Pattern> when_prompt;  // only sent when the prompt is like this
    std::optional<Pattern> new_prompt;   // the prompt after it, when the command changes it
    std::string mode;                    // only in that mode: sent when it is first reached
  };
  struct Move {  // an edge of the graph of modes
    std::string from;
    std::string to;
    std::string command;
    std::vector<Answer> answers;  // on the way
  };
  struct Commit {
    std::string command;
    std::string confirmed;  // with {minutes}, {seconds} or {hh:mm:ss}; empty: there is none
    std::string confirm;    // makes a confirmed commit stay
    std::string check;      // the device's own; empty: none
    std::string diff;
    std::string abort;  // forgets what is not committed
    std::optional<Pattern> success;
    std::optional<Pattern> check_success;
    std::optional<Pattern> failure;  // beside `errors`
    std::string failure_detail;      // a command that says more
    std::vector<Answer> answers;
  };
  struct Block {                 // lines that are taken without a prompt between them (a banner)
    Pattern begin;               // on the first line; its first group, if any, is the delimiter
    std::optional<Pattern> end;  // on the last line; missing: the delimiter stands in it again
  };
  struct Configure {
    std::string mode;  // where configuration is typed; empty: in any, as every command
    std::optional<Commit> commit;
    std::vector<Block> blocks;
  };
  struct Save {
    std::string command;
    std::string mode;  // empty: any
    std::vector<Answer> answers;
    std::optional<Pattern> success;
  };
  struct Probe {  // a command whose output tells the platform
    std::string command;
    Pattern output;
  };
  // How the platform "auto" knows it. One of the first three is enough where it is nobody else's.
  struct Detect {
    std::optional<Pattern> server;  // on "SSH-2.0-Cisco-1.25"
    std::optional<Pattern> banner;  // on what was shown before the first prompt
    std::optional<Pattern> prompt;  // on the first prompt
    std::vector<Probe> probes;
    bool fallback = false;  // of several that the same clue names, when no probe tells them apart
  };

  std::string name;
  std::string title;  // "Cisco IOS", for people
  Confidence confidence = Confidence::kLow;
  std::vector<std::string> aliases;
  std::vector<std::string> notes;  // what its users should know
  Detect detect;
  std::vector<Mode> modes;  // in the order in which they are tried
  // Much fits these prompts that is none (a banner's line ending in '#'): what looks like one is
  // believed when it comes a second time.
  bool confirm_prompt = false;
  // Output that ends without a line feed has the prompt right behind it, on the same line.
  bool prompt_after_text = false;
  std::vector<Pattern> context_lines;  // above a prompt, of it: no output
  std::vector<Prepare> prepare;        // in order
  std::vector<Move> moves;
  std::optional<Configure> configure;  // missing: it cannot be configured over SSH
  std::optional<Save> save;
  std::optional<Pattern> pager;  // on the last line
  std::string pager_key = " ";
  std::vector<Pattern> errors;  // multi-line, over one command's output
  std::vector<Pattern>
      volatile_text;  // on a line of output: what changes by itself (volatile_mask.h)
  std::vector<Answer> confirmations;  // platform questions with a known answer
  std::vector<Answer> login;          // dialogue before the first prompt
  std::string logout;                 // empty: just close
  std::vector<Answer> logout_answers;
  std::string line_ending = "\n";
  bool exec = false;  // runs commands over SSH's exec channel, too
};

// The platforms that can be asked for. Filled before the sessions start, then read-only. One of the
// built-in ones is read (and its expressions compiled) when it is first found, by any thread.
class PlatformSet {
 public:
  // The ones built into the binary.
  static const PlatformSet& builtin();
  // Adds or replaces from DIR/*.yaml, in the order of the files' names. The error has all that is
  // wrong with them, a line each: "file:line: ...".
  Expected<void> add_directory(const std::string& directory);
  // Adds one, or replaces the one with its name. Fails when its name or an alias of it is taken by
  // another platform.
  Expected<void> add(Platform platform);
  // By name or alias, also with "_ssh", "_telnet" or "_serial" behind it, as Netmiko has them;
  // nullptr when unknown. It lives as long as any copy of the set.
  const Platform* find(const std::string& name) const;
  std::vector<std::string> names() const;    // without aliases, sorted
  std::vector<const Platform*> all() const;  // in the order of their names; reads them all

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<const Lazy<Platform>> platform;
  };
  Expected<void> add(Entry entry, std::vector<std::string> aliases);

  std::map<std::string, Entry, std::less<>> by_name_;  // aliases are keys too
};

}  // namespace netfleet
