#include <CLI/CLI.hpp>
#include <array>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "dispatcher/cli/option_values.h"
#include "dispatcher/cli/run_options.h"

namespace netfleet {
namespace {

// Takes what `parse` makes of the text.
template <typename Target, typename Parse>
TakeValue take_parsed(Target& target, Parse parse) {
  return [&target, parse](const std::string& given) -> Expected<void> {
    auto parsed = parse(given);
    if (!parsed) return std::unexpected(parsed.error());
    target = *std::move(parsed);
    return {};
  };
}

}  // namespace

void add_rollout_options(CLI::App& run, RolloutSpec& rollout) {
  run.option_defaults()->group("Roll-out");
  add_number(run, "--canary", "Hosts that go first, and alone", rollout.canary, 1, 100'000'000);
  add_value(run, "--batch", "N|N%", "Then so many hosts at a time (default: all that are left)",
            Times::kOnce, take_parsed(rollout.batch, [](const std::string& given) {
              return parse_share(given, 1);
            }));
  add_value(run, "--batch-growth", "FACTOR", "Each batch is so many times as large as the last",
            Times::kOnce, take_parsed(rollout.growth, parse_growth));
  add_duration(run, "--batch-pause", "Between the end of a batch and the beginning of the next",
               rollout.pause);
  add_value(run, "--max-failures", "N|N%",
            "Failed hosts that are borne in all; one more, and nothing else is started (default: "
            "any number, but with --canary no failed canary)",
            Times::kOnce, take_parsed(rollout.max_failures, [](const std::string& given) {
              return parse_share(given, 0);
            }));
  add_value(run, "--on-max-failures", "ACTION",
            "Then stop (default; the rest is skipped), or ask on the terminal", Times::kOnce,
            take_word(rollout.ask, std::array{std::pair{std::string_view("stop"), false},
                                              std::pair{std::string_view("ask"), true}}));
  add_value(run, "--count-failures", "OUTCOME[,...]",
            "Outcomes that count as failed (default: failed, which is all but ok, cancelled, "
            "skipped and deferred)",
            Times::kOnce, take_parsed(rollout.counts, parse_outcomes));
}

Expected<void> settle_rollout(const CLI::App& run, const RolloutSpec& rollout) {
  const auto given = [&run](const char* name) { return run.get_option(name)->count() > 0; };
  if (given("--batch-growth") && !rollout.batch) return fail("--batch-growth needs --batch");
  if (given("--batch-pause") && !rollout.batch && rollout.canary == 0) {
    return fail("--batch-pause needs --canary or --batch");
  }
  for (const char* option : {"--on-max-failures", "--count-failures"}) {
    if (given(option) && !rollout.max_failures && rollout.canary == 0) {
      return fail(std::string(option) + " needs --max-failures or --canary");
    }
  }
  return {};
}

}  // namespace netfleet
