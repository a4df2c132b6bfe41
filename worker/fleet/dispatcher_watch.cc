#include "worker/fleet/dispatcher_watch.h"

#include <fmt/format.h>

#include <utility>

namespace netfleet {
namespace {

constexpr Milliseconds kSilentAfter{3000};  // a few Hellos
constexpr Milliseconds kStuckAfter{30'000};

}  // namespace

std::string DispatcherWatch::line(const std::string& what) const {
  return fmt::format("worker={} dispatcher={} {}", worker_, dispatcher_, what);
}

void DispatcherWatch::on_hello(TimePoint now) {
  if (!unanswered_since_) unanswered_since_ = now;
}

DispatcherWatch::Line DispatcherWatch::on_welcome(TimePoint now, std::uint64_t epoch,
                                                  const v1::Welcome& welcome) {
  unanswered_since_.reset();
  progress_at_ = now;
  const bool was_silent = std::exchange(told_silent_, false);
  const bool first = std::exchange(dismissed_, false) || epoch_ == 0;
  const bool restarted = !first && epoch_ != epoch;
  epoch_ = epoch;
  if (first) {
    return line(fmt::format("joined lanes={} heartbeat_ms={} lease_ms={}", welcome.lanes_size(),
                            welcome.heartbeat_ms(), welcome.lease_ms()));
  }
  if (restarted) return line("back: it was started again");
  if (was_silent) return line("back");
  return std::nullopt;
}

DispatcherWatch::Line DispatcherWatch::on_dismissed() {
  unanswered_since_.reset();
  if (std::exchange(dismissed_, true)) return std::nullopt;
  return line("finished: waiting for the next one");
}

DispatcherWatch::Line DispatcherWatch::tick(TimePoint now, std::size_t kept) {
  const bool silent = unanswered_since_ && now - *unanswered_since_ >= kSilentAfter;
  if (silent && !dismissed_ && !std::exchange(told_silent_, true)) {
    const bool stranger = with_keys_ && epoch_ == 0;  // it has never answered
    return line(fmt::format("silent: trying until it answers, results={} are kept{}", kept,
                            stranger ? "; if it runs, is this worker's .pub file among its keys, "
                                       "and dispatcher.pub of this worker's the dispatcher's own?"
                                     : ""));
  }
  if (kept == 0 || unanswered_since_) progress_at_ = now;
  const bool stuck = now - progress_at_ >= kStuckAfter;
  if (std::exchange(told_kept_, stuck) || !stuck) return std::nullopt;
  return line(fmt::format("results={} are sent, but none was acknowledged for {} s", kept,
                          kStuckAfter.count() / 1000));
}

}  // namespace netfleet
