// What `netfleet detect` prints: which platform each host is, and why.
#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "dispatcher/output/formats.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

// What was found out; empty: nothing was.
std::string platform_of(const TaskResult& result) {
  return result.evidence.empty() ? std::string() : result.platform;
}

// Columns of a width that most hosts fit into: a row is printed as soon as it is known.
class DetectionTable final : public Renderer {
 public:
  void result(const TaskSpec& task, const TaskResult& result, std::string& out) override {
    if (!begun_) row("host", "platform", "why", out);
    begun_ = true;
    const std::string platform = platform_of(result);
    const std::string why = result.error.empty() ? result.evidence
                            : platform.empty()
                                ? fmt::format("{}: {}", outcome_name(result.outcome), result.error)
                                : fmt::format("{}; then {}: {}", result.evidence,
                                              outcome_name(result.outcome), result.error);
    row(one_line(task.host), platform.empty() ? "-" : one_line(platform), one_line(why), out);
  }
  void end(const Summary&, std::string&) override {}

 private:
  static void row(std::string_view host, std::string_view platform, std::string_view why,
                  std::string& out) {
    fmt::format_to(std::back_inserter(out), "{:<24}  {:<20}  {}\n", host, platform, why);
  }
  bool begun_ = false;
};

class DetectionJsonl final : public Renderer {
 public:
  void result(const TaskSpec& task, const TaskResult& result, std::string& out) override {
    using Json = nlohmann::ordered_json;
    const auto text_or_null = [](const std::string& text) {
      return text.empty() ? Json(nullptr) : Json(text);
    };
    const Json object = {{"host", task.host.str()},
                         {"address", task.address.str()},
                         {"port", task.port},
                         {"platform", text_or_null(platform_of(result))},
                         {"evidence", text_or_null(result.evidence)},
                         {"outcome", outcome_name(result.outcome)},
                         {"error", text_or_null(result.error)},
                         {"duration_ms", result.duration.count()}};
    out += object.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n';
  }
  void end(const Summary&, std::string&) override {}
};

}  // namespace

std::unique_ptr<Renderer> make_detection_table() { return std::make_unique<DetectionTable>(); }
std::unique_ptr<Renderer> make_detection_jsonl() { return std::make_unique<DetectionJsonl>(); }

}  // namespace netfleet
