// A sweep's progress as server-sent events.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "dispatcher/api/routes.h"
#include "dispatcher/api/views.h"

namespace netfleet {
namespace {

constexpr Milliseconds kBetween{250};    // two events of progress: at most 4 a second
constexpr Milliseconds kNotLonger{500};  // without a look whether all is being stopped

class EventStream {
 public:
  EventStream(ApiContext& context, NamedSweep named)
      : context_(context), named_(std::move(named)) {}

  bool run(const ApiWrite& write) {
    const std::string& id = named_.record.id;
    auto live = find_live(context_.service, id);
    while (live) {
      const std::uint64_t seen = live->version;
      if (!send(write, "progress", sweep_view(named_.record, &*live, std::nullopt))) return false;
      if (context_.stopping.wait(kBetween)) return false;
      do {
        if (context_.stopping.begun()) return false;
        live = context_.service.watch(id, seen, std::min(kNotLonger, context_.heartbeat));
        if (BootClock::now() >= quiet_since_ + context_.heartbeat && !send_heartbeat(write)) {
          return false;
        }
      } while (live && live->version == seen);
    }
    return end(write);
  }

 private:
  bool end(const ApiWrite& write) {
    const auto record = named_.store.find_sweep(named_.record.id);
    if (!record) return failed(record.error());
    const auto counts = named_.store.outcome_counts(record->number);
    if (!counts) return failed(counts.error());
    return send(write, "end", sweep_view(*record, nullptr, *counts));
  }

  bool send(const ApiWrite& write, std::string_view event, const nlohmann::json& data) {
    quiet_since_ = BootClock::now();
    return write(fmt::format("event: {}\ndata: {}\n\n", event, json_text(data)));
  }

  // A comment, so that whoever carries the connection sees that it is alive.
  bool send_heartbeat(const ApiWrite& write) {
    quiet_since_ = BootClock::now();
    return write(":\n\n");
  }

  bool failed(const Error& error) {
    context_.log(fmt::format("events of sweep {}: {}", named_.record.id, error.message));
    return false;
  }

  ApiContext& context_;
  NamedSweep named_;
  TimePoint quiet_since_{};
};

}  // namespace

ApiAnswer stream_events(ApiContext& context, const ApiRequest& request) {
  if (const auto none = request.query.allow({}); !none) return refusal_answer(none.error());
  auto named = find_named(context, request.parts[0]);
  if (!named) return std::move(named.error());
  ApiAnswer answer;
  answer.type = "text/event-stream";
  auto events = std::make_shared<EventStream>(context, *std::move(named));
  answer.stream = [events](const ApiWrite& write) { return events->run(write); };
  return answer;
}

}  // namespace netfleet
