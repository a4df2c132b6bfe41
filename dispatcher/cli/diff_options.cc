#include <CLI/CLI.hpp>
#include <array>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "dispatcher/cli/diff_verb.h"
#include "dispatcher/cli/option_values.h"

namespace netfleet {
namespace {

constexpr const char* kExamples = R"(Examples:
  netfleet diff                          the last sweep against the one before with its commands
  netfleet diff 20261124                 that one against the one before
  netfleet diff 20261101 last -l 'edge-* and not region:eu'
  netfleet diff --volatile 'Total output drops: \d+'
  netfleet diff last -o jsonl            a line of JSON for each host that differs, then the totals
  netfleet diff --server https://hub:7680   the same of the sweeps of a long-lived dispatcher

Clocks, uptimes and the like are masked, as the platforms' files say ('netfleet platforms NAME').
Exit status: 0 nothing differs; 1 something does, or a host cannot be compared; 2 usage or input.)";

}  // namespace

void add_diff(CLI::App& diff, DiffOptions& options) {
  diff.footer(kExamples);
  // One sweep alone is the later one; settled below, since positions come in order.
  diff.add_option("BEFORE", options.before, "A sweep's id, its beginning, or last");
  diff.add_option("AFTER", options.after, "The later one");
  add_list(diff, "-l,--limit", "EXPRESSION",
           "Only these hosts: names, region: and platform: (repeated: all must hold)",
           options.limits);
  add_list(diff, "--volatile", "REGEX", "Mask what this matches in a line, too (repeatable)",
           options.volatile_patterns);
  add_value(diff, "-o,--output", "FORMAT", "text (default) or jsonl", Times::kOnce,
            take_word(options.jsonl, std::array{std::pair{std::string_view("text"), false},
                                                std::pair{std::string_view("jsonl"), true}}));
  diff.add_flag("--no-mask", options.no_mask,
                "Do not mask what changes by itself as the platforms' files say");
  add_text(diff, "--platform-dir", "DIR",
           "More platform files; they replace those of the same name", options.platform_dir);
  add_text(diff, "--store", "FILE", "Where results are kept (default: your state directory)",
           options.store);
  add_server_options(diff, options.server);
}

Expected<void> settle_diff(const DiffOptions& options) {
  if (!options.store.empty() && !options.server.server.empty()) {
    return fail("--store and --server exclude each other");
  }
  return {};
}

}  // namespace netfleet
