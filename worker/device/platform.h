// worker/device: what a platform's data file says. Values only; platform_reader.h makes them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "worker/device/pattern.h"

namespace netfleet {

// The CLI dialect of a host. Read-only after loading, shared between session threads.
struct Platform {
  struct Prompt {
    std::string mode;  // "user", "privileged", "config", ...
    Pattern pattern;   // for the last line only, after terminal control is interpreted
  };
  struct Prepare {  // paging off, width; a refusal is ignored
    std::string command;
    std::optional<Pattern> when_prompt;  // only sent when the prompt is like this
    std::optional<Pattern> new_prompt;   // the prompt after it, when the command changes it
  };
  struct Answer {
    Pattern prompt;
    std::string reply;  // sent with the platform's line ending, unless `bare`
    bool bare = false;  // a key, without line ending
  };
  std::string name;
  std::vector<std::string> aliases;
  // How the platform "auto" knows it; one that matches is enough.
  std::optional<Pattern> detect_server;  // on "SSH-2.0-Cisco-1.25"
  std::optional<Pattern> detect_prompt;  // on the first prompt
  std::vector<Prompt> prompts;           // in the order in which they are tried
  // Much fits these prompts that is none (a banner's line ending in '#'): what looks like one is
  // believed when it comes a second time.
  bool confirm_prompt = false;
  // Output that ends without a line feed has the prompt right behind it, on the same line.
  bool prompt_after_text = false;
  std::vector<Prepare> prepare;  // in order
  std::optional<Pattern> pager;  // on the last line
  std::string pager_key = " ";
  std::vector<Pattern> errors;        // multi-line, over one command's output
  std::vector<Answer> confirmations;  // platform questions with a known answer
  std::vector<Answer> login;          // dialogue before the first prompt
  std::string logout;                 // empty: just close
  std::string line_ending = "\n";
};

// The platforms that can be asked for. Filled before the sessions start, then read-only.
class PlatformSet {
 public:
  // The ones built into the binary.
  static const PlatformSet& builtin();
  // Adds or replaces from DIR/*.yaml, in the order of the files' names; errors carry file:line.
  Expected<void> add_directory(const std::string& directory);
  // Adds one, or replaces the one with its name. Fails when its name or an alias of it is taken by
  // another platform.
  Expected<void> add(Platform platform);
  // By name or alias; nullptr when unknown.
  const Platform* find(const std::string& name) const;
  std::vector<std::string> names() const;  // without aliases, sorted

 private:
  std::map<std::string, std::shared_ptr<const Platform>> by_name_;  // aliases are keys too
};

}  // namespace netfleet
