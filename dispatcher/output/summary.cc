// -o summary: one line a host in columns of fixed width, so that it can be shown at once.
#include <fmt/format.h>

#include <iterator>

#include "dispatcher/output/formats.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr int kHostWidth = 32;
constexpr int kOutcomeWidth = 17;  // host_key_rejected, the longest
constexpr int kSecondsWidth = 9;

class SummaryRenderer final : public Renderer {
 public:
  void result(const TaskSpec& task, const TaskResult& result, std::string& out) override {
    fmt::format_to(std::back_inserter(out), "{:<{}} {:<{}} {:>{}}", one_line(task.host), kHostWidth,
                   outcome_name(result.outcome), kOutcomeWidth, seconds_text(result.duration),
                   kSecondsWidth);
    if (!result.error.empty()) out.append("  ").append(one_line(result.error));
    out.push_back('\n');
  }

  void end(const Summary& summary, std::string& out) override {
    out.append(totals_line(summary)).push_back('\n');
  }
};

}  // namespace

std::unique_ptr<Renderer> make_summary_renderer() { return std::make_unique<SummaryRenderer>(); }

}  // namespace netfleet
