#include "tests/simulation/brakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace netfleet::simulation {

void Brakes::ended(std::uint32_t index, Outcome outcome) {
  failed_[index] = outcome != Outcome::kOk && outcome != Outcome::kCancelled &&
                   outcome != Outcome::kSkipped && outcome != Outcome::kDeferred;
}

std::uint32_t Brakes::part(Share share, double rounded_up) const {
  if (!share.percent) return share.number;
  const double exact = static_cast<double>(script_->hosts.size()) * share.number / 100'000;
  return static_cast<std::uint32_t>(std::floor(exact + rounded_up));
}

// Failures that count: without a number of them only the canary's.
std::uint32_t Brakes::count() const {
  const RolloutSpec& rollout = script_->rollout;
  const std::size_t among =
      rollout.max_failures ? failed_.size() : std::min<std::size_t>(rollout.canary, failed_.size());
  return static_cast<std::uint32_t>(
      std::count(failed_.begin(), failed_.begin() + static_cast<std::ptrdiff_t>(among), true));
}

bool Brakes::too_many() const {
  const RolloutSpec& rollout = script_->rollout;
  const std::uint32_t borne = rollout.max_failures ? part(*rollout.max_failures, 0) : 0;
  return rollout.brakes() && count() > forgiven_ + borne;
}

std::uint32_t Brakes::batch_begin(std::uint32_t index) const {
  const RolloutSpec& rollout = script_->rollout;
  if (index < rollout.canary) return 0;
  if (!rollout.batch) return rollout.canary;
  std::uint32_t begin = rollout.canary;
  std::uint32_t size = std::max(1u, part(*rollout.batch, 0.999999));
  while (index >= begin + size) {
    begin += size;
    size = std::min(1'000'000u, (size * rollout.growth + 999) / 1'000);
  }
  return begin;
}

std::string Brakes::why_not(std::uint32_t index) const {
  if (!script_->rollout.brakes()) return "";
  if (too_many()) return fmt::format("{} have failed", count());
  const auto before = done_.begin() + batch_begin(index);
  const auto open = std::find(done_.begin(), before, false);
  return open == before ? "" : fmt::format("{} is not done", open - done_.begin());
}

}  // namespace netfleet::simulation
