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
  struct Answer {
    Pattern prompt;
    std::string reply;  // sent with the platform's line ending, unless `bare`
    bool bare = false;  // a key, without line ending
  };
  std::string name;
  std::vector<std::string> aliases;
  std::vector<Prompt> prompts;                 // in the order in which they are tried
  std::vector<std::string> prepare;            // paging off, width; in order; a refusal is ignored
  std::optional<Pattern> pager;                // on the last line
  std::string pager_key = " ";
  std::vector<Pattern> errors;                 // multi-line, over one command's output
  std::vector<Answer> confirmations;           // platform questions with a known answer
  std::vector<Answer> login;                   // dialogue before the first prompt
  std::string logout;                          // empty: just close
  std::string line_ending = "\n";
};

class PlatformSet {
 public:
  // The ones built into the binary.
  static const PlatformSet& builtin();
  // Adds or replaces from DIR/*.yaml; errors carry file:line.
  Expected<void> add_directory(const std::string& directory);
  // By name or alias; nullptr when unknown.
  const Platform* find(const std::string& name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::shared_ptr<const Platform>> by_name_;
  friend Expected<PlatformSet> parse_platforms(const std::string&, const std::string&);
};

}  // namespace netfleet
