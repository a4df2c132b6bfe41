// dispatcher/output: what users see of results. A renderer turns one result after another into
// bytes; it never decides the order (order.h) and never reads a store.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/task.h"

namespace netfleet {

// The last two are those of `netfleet detect`.
enum class OutputFormat : std::uint8_t {
  kText,
  kGrouped,
  kGroupedDiff,  // all groups but the largest as what differs from it
  kJsonl,
  kCsv,
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
  virtual bool reads_back() const { return false; }                // needs set_read_back()

  // `drain` takes what is in `out`, and empties it, between the pieces of a large output: memory
  // need not hold it whole.
  void set_drain(std::function<void(std::string& out)> drain) { drain_ = std::move(drain); }
  // Reads a task and its result again, by the task's index, for formats that show them at the end.
  using Show = std::function<void(const TaskSpec& task, const TaskResult& result)>;
  using ReadBack = std::function<Expected<void>(std::uint32_t index, const Show& show)>;
  void set_read_back(ReadBack read_back) { read_back_ = std::move(read_back); }
  // Why an output could not be read back from the disk, and is cut: the first one.
  const std::optional<Error>& error() const { return error_; }

 protected:
  // Calls `visit`, which appends to `out`, with each piece of `output`.
  template <typename Visit>
  void for_pieces(const OutputText& output, std::string& out, Visit visit) {
    const auto read = output.read([&](std::string_view piece) {
      visit(piece);
      if (output.is_spooled() && drain_) drain_(out);
    });
    if (!read && !error_) error_ = read.error();
  }
  // Lets go of what is in `out`, once it is much.
  void drain(std::string& out) const {
    if (out.size() >= kMuch && drain_) drain_(out);
  }
  void read_back(std::uint32_t index, const Show& show) {
    const auto read = read_back_ ? read_back_(index, show) : fail("results cannot be read back");
    if (!read && !error_) error_ = read.error();
  }

 private:
  static constexpr std::size_t kMuch = 64u << 10;
  std::function<void(std::string& out)> drain_;
  ReadBack read_back_;
  std::optional<Error> error_;
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
