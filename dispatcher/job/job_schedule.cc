#include "dispatcher/job/job_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/duration.h"
#include "dispatcher/job/job_reader.h"

namespace netfleet {
namespace {

using std::chrono::seconds;

constexpr std::array<std::string_view, 8> kKeys = {"cron",   "zone",   "overlap", "missed",
                                                   "latest", "jitter", "splay",   "not_in"};
constexpr std::array<std::string_view, 2> kWindowKeys = {"cron", "lasts"};
constexpr seconds kShortestWindow{60}, kLongestWindow{7 * 24 * 3600};

class ScheduleReader {
 public:
  ScheduleReader(const YamlTree& tree, const std::string& source, Problems& problems)
      : reader_(tree, source, problems) {}

  JobSchedule read(const YamlNode& node) {
    schedule_.zone = "UTC";
    if (node.kind == YamlNode::Kind::kScalar) {
      cron(node, schedule_.schedule.cron);
      schedule_.cron = node.text;
    } else {
      reader_.each_pair(node, "'schedule'",
                        [this](const YamlNode& key, const YamlNode& value) { field(key, value); });
      if (schedule_.cron.empty()) reader_.problem(node, "a schedule needs 'cron'");
    }
    auto zone = find_zone(schedule_.zone);
    if (!zone) {
      reader_.problem(zone_ == nullptr ? node : *zone_, zone.error().message);
      zone = find_zone("UTC");
    }
    schedule_.schedule.zone = zone.value_or(nullptr);
    for (Window& window : schedule_.not_in) window.zone = schedule_.schedule.zone;
    return std::move(schedule_);
  }

 private:
  void field(const YamlNode& key, const YamlNode& value) {
    if (std::ranges::find(kKeys, key.text) == kKeys.end()) return reader_.unknown_key(key, kKeys);
    if (key.text == "not_in") {
      return reader_.each_item(value, [this](const YamlNode& item) { window(item); });
    }
    if (!reader_.is_scalar(key.text, value)) return;
    Schedule& schedule = schedule_.schedule;
    if (key.text == "cron") {
      cron(value, schedule.cron);
      schedule_.cron = value.text;
    } else if (key.text == "zone") {
      schedule_.zone = value.text;
      zone_ = &value;
    } else if (key.text == "overlap") {
      word(value, schedule.overlap,
           std::array{std::pair{"skip", Overlap::kSkip}, std::pair{"queue", Overlap::kQueue},
                      std::pair{"cancel", Overlap::kCancel}});
    } else if (key.text == "missed") {
      word(value, schedule.missed,
           std::array{std::pair{"skip", Missed::kSkip}, std::pair{"once", Missed::kOnce}});
    } else if (key.text == "splay") {
      if (const auto taken = duration(value)) schedule_.splay = *taken;
    } else if (const auto taken = duration(value)) {
      (key.text == "latest" ? schedule.latest : schedule.jitter) =
          std::chrono::ceil<seconds>(*taken);
    }
  }

  void cron(const YamlNode& value, CronExpression& target) {
    auto parsed = CronExpression::parse(value.text);
    if (!parsed) return reader_.problem(value, parsed.error().message);
    target = *parsed;
  }

  std::optional<Milliseconds> duration(const YamlNode& value) {
    const auto parsed = parse_duration(value.text);
    if (parsed) return *parsed;
    reader_.problem(value, parsed.error().message);
    return std::nullopt;
  }

  template <typename Enum, std::size_t N>
  void word(const YamlNode& value, Enum& target,
            const std::array<std::pair<const char*, Enum>, N>& words) {
    std::string known;
    for (const auto& [text, meaning] : words) {
      if (value.text == text) {
        target = meaning;
        return;
      }
      known += fmt::format("{}{}", known.empty() ? "" : ", ", text);
    }
    reader_.problem(value, fmt::format("'{}' is not one of {}", shown(value.text), known));
  }

  // {cron: when it opens, lasts: how long}.
  void window(const YamlNode& node) {
    Window window{.opens = {}, .zone = nullptr, .lasts = seconds(0)};
    bool opens = false;
    reader_.each_pair(node, "a window", [&](const YamlNode& key, const YamlNode& value) {
      if (std::ranges::find(kWindowKeys, key.text) == kWindowKeys.end()) {
        return reader_.unknown_key(key, kWindowKeys);
      }
      if (!reader_.is_scalar(key.text, value)) return;
      if (key.text == "cron") {
        cron(value, window.opens);
        opens = true;
      } else if (const auto lasts = duration(value)) {
        window.lasts = std::chrono::ceil<seconds>(*lasts);
        if (window.lasts < kShortestWindow || window.lasts > kLongestWindow) {
          reader_.problem(value, "a window lasts from 1m to 168h");
        }
      }
    });
    if (!opens || window.lasts == seconds(0)) {
      return reader_.problem(node, "a window needs 'cron' (when it opens) and 'lasts'");
    }
    schedule_.not_in.push_back(window);
  }

  JobReader reader_;
  JobSchedule schedule_{};
  const YamlNode* zone_ = nullptr;
};

}  // namespace

JobSchedule read_job_schedule(const YamlTree& tree, const YamlNode& node, const std::string& source,
                              Problems& problems) {
  return ScheduleReader(tree, source, problems).read(node);
}

}  // namespace netfleet
