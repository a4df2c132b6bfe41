#include "dispatcher/sweep/rollout.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/breach.h"

namespace netfleet {
namespace {

constexpr std::uint64_t kWhole = 100'000;  // 100 %, in thousandths of a percent

}  // namespace

Rollout::Rollout(const RolloutSpec& spec, std::uint32_t tasks)
    : spec_(spec), tasks_(tasks), done_(tasks) {
  size_ = spec.batch ? std::max(1u, of(*spec.batch, true)) : tasks;
  release();
}

std::uint32_t Rollout::of(Share share, bool up) const {
  if (!share.percent) return share.number;
  const std::uint64_t product = std::uint64_t{tasks_} * share.number;
  return static_cast<std::uint32_t>((product + (up ? kWhole - 1 : 0)) / kWhole);
}

bool Rollout::held() const {
  if (stopped_ || asked_) return true;
  if (spec_.max_failures) return failures_ > forgiven_ + of(*spec_.max_failures, false);
  return canary_failures_ > forgiven_;
}

// The next batch may start.
void Rollout::release() {
  const std::uint32_t first = end_;
  std::uint32_t size = size_;
  if (batch_ == 0 && spec_.canary > 0) {
    size = spec_.canary;
  } else {
    const std::uint64_t next = (std::uint64_t{size_} * spec_.growth + 999) / 1000;
    size_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(next, std::max(1u, tasks_)));
  }
  end_ += std::min(size, tasks_ - end_);
  open_ =
      static_cast<std::uint32_t>(std::count(done_.begin() + first, done_.begin() + end_, false));
  ++batch_;
  batch_at_ = TimePoint::max();
}

void Rollout::begun(std::uint32_t index) { furthest_ = std::max(furthest_, index + 1); }

void Rollout::catch_up() {
  while (open_ == 0 && end_ < furthest_) release();
}

void Rollout::ended(std::uint32_t index, Outcome outcome) {
  if (!spec_.counts.contains(outcome)) return;
  ++failures_;
  if (index < spec_.canary) ++canary_failures_;
}

void Rollout::done(std::uint32_t index) {
  done_[index] = true;
  if (index < end_) --open_;
}

Rollout::Step Rollout::step(TimePoint now) {
  if (stopped_ || asked_) return {};
  if (held()) {
    const std::string why = why_held();
    (spec_.ask ? asked_ : stopped_) = true;
    return {.kind = spec_.ask ? Step::Kind::kAsk : Step::Kind::kStop, .why = why};
  }
  if (open_ > 0 || end_ == tasks_) return {};
  if (batch_at_ == TimePoint::max()) batch_at_ = now + spec_.pause;
  if (now < batch_at_) return {};
  const std::uint32_t first = end_;
  release();
  return {.kind = Step::Kind::kBatch,
          .first = first,
          .end = end_,
          .why = fmt::format("batch {}: hosts {} to {} of {}", batch_, first + 1, end_, tasks_)};
}

void Rollout::go_on() {
  asked_ = false;
  forgiven_ = failures_;
}

std::string Rollout::why_held() const {
  const auto hosts = [](std::uint32_t count) {
    return fmt::format("{} host{}", count, count == 1 ? "" : "s");
  };
  if (!spec_.max_failures) {
    return fmt::format("{} of the canary's {} failed", canary_failures_, spec_.canary);
  }
  return fmt::format("{} of {} failed, {} {} borne (--max-failures {})", failures_, hosts(tasks_),
                     of(*spec_.max_failures, false),
                     of(*spec_.max_failures, false) == 1 ? "is" : "are",
                     format_share(*spec_.max_failures));
}

}  // namespace netfleet
