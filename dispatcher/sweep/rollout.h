// dispatcher/sweep: the brakes of a sweep: a canary, then batches with pauses between them, and an
// end when too much has failed. Pure: ends of tasks in, steps out, the time passed in. It knows
// indexes, not hosts; the ledger asks it which tasks may start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/outcome_set.h"

namespace netfleet {

// A number of hosts, or a part of the sweep's: "20", "10%", "0.5%".
struct Share {
  std::uint32_t number = 0;  // hosts, or thousandths of a percent
  bool percent = false;
  bool operator==(const Share&) const = default;
};
// From `least` hosts on, at most 100%.
Expected<Share> parse_share(std::string_view text, std::uint32_t least);
std::string format_share(Share share);

struct RolloutSpec {
  std::uint32_t canary = 0;     // hosts that go first and alone; 0: none
  std::optional<Share> batch;   // hosts of each batch after it; none: all that are left
  std::uint32_t growth = 1000;  // thousandths: each batch is so many times as large as the last
  Milliseconds pause{0};        // from the end of a batch to the beginning of the next
  // Failed hosts that are borne, of the whole sweep; one more is too many. None: any number, but
  // no failed canary.
  std::optional<Share> max_failures;
  bool ask = false;  // when they are too many: wait for go_on(), else end
  OutcomeSet counts = kFailedOutcomes;

  // Whether it can hold anything back.
  bool brakes() const { return canary > 0 || batch || max_failures; }
  bool operator==(const RolloutSpec&) const = default;
};

// "1", "1.5": how many times as large, in thousandths. From 1 to 1000 times.
Expected<std::uint32_t> parse_growth(std::string_view text);

// As one line, for the store: "canary=5 batch=10% max-failures=2%"; empty when nothing is set.
std::string format_rollout(const RolloutSpec& spec);
Expected<RolloutSpec> parse_rollout(std::string_view text);

// Batches are ranges of indexes: [0, canary), then one after the other.
class Rollout {
 public:
  // What the first batch is is known at once: it may start.
  Rollout(const RolloutSpec& spec, std::uint32_t tasks);

  // Of a sweep that goes on: this task was granted before, so its batch had begun. After ended()
  // and done() of all tasks that had ended; then catch_up().
  void begun(std::uint32_t index);
  // What had begun may go on, without pauses.
  void catch_up();

  // The outcome of a task is final. Once a task.
  void ended(std::uint32_t index, Outcome outcome);
  // And it is safe. Once a task, whether it may start or not.
  void done(std::uint32_t index);

  // False at once when too many have failed.
  bool may_start(std::uint32_t index) const { return index < end_ && !held(); }

  struct Step {
    enum class Kind : std::uint8_t { kNone, kBatch, kStop, kAsk };
    Kind kind = Kind::kNone;
    std::uint32_t first = 0, end = 0;  // kBatch: these may start now
    std::string why{};                 // for people
  };
  // What is to be done now; call it again until there is none.
  Step step(TimePoint now);
  // The answer to kAsk: as many failures as at first are borne once more.
  void go_on();
  bool asks() const { return asked_; }
  // When step() has something to do without another event; max() for never.
  TimePoint next_deadline() const { return asked_ || held() ? TimePoint::max() : batch_at_; }

  std::uint32_t released() const { return end_; }       // tasks that may have started
  std::uint32_t open() const { return open_; }          // of them, not yet done
  std::uint32_t failures() const { return failures_; }  // so far
  // "5 of 200 hosts failed": why nothing starts any more.
  std::string why_held() const;

 private:
  bool held() const;
  std::uint32_t of(Share share, bool up) const;
  void release();

  RolloutSpec spec_;
  std::uint32_t tasks_;
  std::vector<bool> done_;
  std::uint32_t end_ = 0;  // of the newest batch
  std::uint32_t open_ = 0;
  std::uint32_t batch_ = 0;     // its number, from 1
  std::uint32_t size_ = 0;      // of the next one
  std::uint32_t furthest_ = 0;  // behind the last task that had begun before
  std::uint32_t failures_ = 0;
  std::uint32_t canary_failures_ = 0;
  std::uint32_t forgiven_ = 0;             // by go_on()
  TimePoint batch_at_ = TimePoint::max();  // when the next may begin
  bool asked_ = false;
  bool stopped_ = false;
};

}  // namespace netfleet
