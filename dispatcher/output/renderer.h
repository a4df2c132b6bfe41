// dispatcher/output: what users see of results. A renderer turns one result after another into
// bytes; it never decides the order (order.h) and never reads a store.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/task.h"

namespace netfleet {

// The last two are those of `netfleet detect`.
enum class OutputFormat : std::uint8_t {
  kText,
  kJsonl,
  kSummary,
  kDetectionTable,
  kDetectionJsonl,
};
Expected<OutputFormat> output_format_from_name(std::string_view name);

// What a sweep came to, for the summary and the exit status.
struct Summary {
  std::string sweep;
  std::uint32_t total = 0;
  std::array<std::uint32_t, kOutcomeCount> by_outcome{};
  std::optional<Milliseconds> elapsed = std::nullopt;  // none: the sweep has not ended
  void count(Outcome outcome) { ++by_outcome[static_cast<std::size_t>(outcome)]; }
};

// Appends to `out`; the caller writes it. One thread.
class Renderer {
 public:
  virtual ~Renderer() = default;
  virtual void result(const TaskSpec& task, const TaskResult& result, std::string& out) = 0;
  virtual void end(const Summary& summary, std::string& out) = 0;  // once, after the last result
};

// `sweep` is the sweep's id as users see it. `to_terminal`: a terminal reads the bytes, so control
// sequences out of devices are made visible; anything else gets the outputs byte for byte (jsonl:
// as JSON needs it).
std::unique_ptr<Renderer> make_renderer(OutputFormat format, std::string sweep, bool to_terminal);

// The human summary for stderr: counts by outcome, time, then the failed hosts with their messages,
// by outcome, at most kFailedHostsShown of them. `failed` may hold fewer than there are: how many
// there are is counted in `summary`.
inline constexpr std::size_t kFailedHostsShown = 20;
struct FailedHost {
  std::string host;
  Outcome outcome = Outcome::kInternal;
  std::string error;
};
std::string render_summary(const Summary& summary, const std::vector<FailedHost>& failed);

}  // namespace netfleet
