// dispatcher/cli: the verbs of one command line, each with its options and what they come to.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "dispatcher/cli/options.h"

namespace netfleet {

// A verb has its options only where a word of the command line is its name: those of all verbs cost
// more than the rest of a start.
class VerbTable {
 public:
  // `words`: the command line's, which the table does not keep.
  VerbTable(CLI::App& app, std::span<const char* const> words)
      : app_(app), words_(words.begin(), words.end()) {}

  // `Given` is what the options fill in. `settle` judges it as a whole once all is parsed; its
  // error becomes a usage error.
  template <typename Given>
  void add(
      const std::string& name, const char* what,
      const std::type_identity_t<std::function<void(CLI::App&, Given&)>>& add_options,
      std::type_identity_t<std::function<Expected<CommandLine>(const CLI::App&, Given&)>> settle) {
    CLI::App* const verb = app_.add_subcommand(name, what);
    names_.push_back(name);
    if (!named(name)) return;
    auto given = std::make_shared<Given>();
    add_options(*verb, *given);
    asked_.push_back(
        {verb, [verb, given, settle = std::move(settle)] { return settle(*verb, *given); }});
  }

  // What the one that was given comes to, once `app` has parsed the words.
  Expected<CommandLine> settled() const;

 private:
  struct Asked {
    CLI::App* verb;
    std::function<Expected<CommandLine>()> settle;
  };
  bool named(const std::string& name) const;

  CLI::App& app_;
  std::vector<std::string> words_;
  std::vector<std::string> names_;
  std::vector<Asked> asked_;
};

}  // namespace netfleet
