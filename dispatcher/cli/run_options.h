// dispatcher/cli: the options of `netfleet run`, by topic: who, what and how (run_options.cc), what
// changes devices (change_options.cc). Those of `netfleet detect` are some of them.
#pragma once

#include <cstdint>
#include <optional>

#include "dispatcher/cli/options.h"

namespace CLI {
class App;
}

namespace netfleet {

// What parsing needs besides RunOptions: values that are judged together afterwards.
struct RunExtras {
  bool continue_on_auth_failure = false;
  std::optional<std::uint32_t> max_auth_failures;
  std::optional<std::uint32_t> min_workers;
  bool differences = false;  // --diff
};

void add_run_options(CLI::App& run, RunOptions& options, RunExtras& extras);
void add_detect_options(CLI::App& detect, RunOptions& options, RunExtras& extras);
// What single options cannot say: which ones must be there, and which exclude each other.
Expected<void> settle_run(const CLI::App& run, RunOptions& options, const RunExtras& extras);

// The part of both that is about modes, configuration and questions.
void add_change_options(CLI::App& run, RunOptions& options);
Expected<void> settle_change(const CLI::App& run, RunOptions& options);

// The part of `netfleet run` that is about canaries and batches.
void add_rollout_options(CLI::App& run, RolloutSpec& rollout);
Expected<void> settle_rollout(const CLI::App& run, const RolloutSpec& rollout);

}  // namespace netfleet
