#include "dispatcher/cli/platforms_verb.h"

#include <CLI/CLI.hpp>
#include <array>

#include "common/standard_streams.h"
#include "dispatcher/cli/option_values.h"
#include "dispatcher/cli/verbs.h"

namespace netfleet {
namespace {

constexpr const char* kExamples = R"(Examples:
  netfleet platforms                        all of them, with the names that others have for them
  netfleet platforms junos                  modes, commands, questions, notes of one
  netfleet platforms --platform-dir my sw   one of yours (my/*.yaml), or yours in place of ours
  netfleet platforms -o jsonl | jq 'select(.configure.commit) | .name')";

}  // namespace

void add_platforms(CLI::App& platforms, PlatformsOptions& options) {
  platforms.footer(kExamples);
  platforms.add_option("NAME", options.name, "One platform, by any of its names");
  add_text(platforms, "--platform-dir", "DIR",
           "More platform files; they replace those of the same name", options.platform_dir);
  add_value(platforms, "-o,--output", "FORMAT", "text (default) or jsonl", Times::kOnce,
            take_word(options.jsonl, std::array{std::pair{std::string_view("text"), false},
                                                std::pair{std::string_view("jsonl"), true}}));
}

int platforms_verb(const PlatformsOptions& options, const WorkerSide& worker_side) {
  const auto text =
      worker_side.describe_platforms(options.platform_dir, options.name, options.jsonl);
  if (!text) {
    print_error("netfleet: " + text.error().message + "\n");
    return kExitUsage;
  }
  if (const auto printed = print_output(*text); !printed) {
    print_error("netfleet: " + printed.error().message + "\n");
    return kExitUsage;
  }
  return kExitOk;
}

}  // namespace netfleet
