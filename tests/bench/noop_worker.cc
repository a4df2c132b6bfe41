// A worker whose devices answer at once: the real link, lease holder and outbox over sessions that
// do nothing, so that what the fleet itself costs can be measured.
//   noop_worker ENDPOINT NAME SLOTS [delay_us=N] [first_ms=N] [bytes=N] [closed]
// delay_us: how long a session takes; first_ms: how long that of the sweep's first host takes;
// bytes: of its output. closed: every login is "refused", so that a slot is free again only when
// its result is stored and acknowledged; prints the time from one start to the next. Ends with its
// dispatcher.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <queue>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "worker/fleet/link.h"

namespace netfleet {
namespace {

struct Behaviour {
  Nanoseconds delay{0};
  Nanoseconds first{0};
  std::size_t bytes = 6;
  bool closed = false;
};

class NoSessions final : public Sessions {
 public:
  NoSessions(EventQueue& events, Behaviour behaviour)
      : events_(events),
        behaviour_(behaviour),
        thread_([this](const std::stop_token& stop) { end_when_due(stop); }) {}

  void start(SessionOrder order) override {
    if (behaviour_.closed) starts_.push_back(BootClock::now());
    const bool first = order.key.index == 0 && behaviour_.first > Nanoseconds(0);
    const Nanoseconds delay = first ? behaviour_.first : behaviour_.delay;
    SessionEnded ended{order.key, result_of(order)};
    if (delay == Nanoseconds(0)) return events_.push(std::move(ended));
    {
      const std::lock_guard lock(mutex_);
      due_.push({BootClock::now() + delay, std::move(ended)});
    }
    changed_.notify_one();
  }
  void stop(TaskKey, std::string) override {}

  const std::vector<TimePoint>& starts() const { return starts_; }

 private:
  struct Due {
    TimePoint at;
    SessionEnded ended;
    bool operator<(const Due& other) const { return at > other.at; }
  };

  TaskResult result_of(const SessionOrder& order) const {
    TaskResult result;
    result.index = order.key.index;
    result.attempt = order.attempt;
    result.outcome = behaviour_.closed ? Outcome::kAuthFailed : Outcome::kOk;
    result.platform = order.task.platform;
    result.command_sent = true;
    for (const std::string& command : order.job->commands) {
      result.commands.push_back({command, std::string(behaviour_.bytes, 'x')});
    }
    return result;
  }

  void end_when_due(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      changed_.wait(lock, stop, [this] { return !due_.empty(); });
      while (!due_.empty() && due_.top().at <= BootClock::now()) {
        events_.push(std::move(const_cast<Due&>(due_.top()).ended));
        due_.pop();
      }
      if (!due_.empty()) {
        const auto next = due_.top().at;
        changed_.wait_for(lock, stop, next - BootClock::now(),
                          [&] { return !due_.empty() && due_.top().at < next; });
      }
    }
  }

  EventQueue& events_;
  const Behaviour behaviour_;
  std::vector<TimePoint> starts_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::priority_queue<Due> due_;  // guarded by mutex_
  std::jthread thread_;           // last: it uses all of the above
};

bool parse_number(std::string_view argument, std::string_view name, std::uint64_t& number) {
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  const auto parsed = std::from_chars(argument.begin(), argument.end(), number);
  return parsed.ec == std::errc() && parsed.ptr == argument.end();
}

void print_cycles(const std::vector<TimePoint>& starts) {
  std::vector<std::int64_t> cycles;
  for (std::size_t i = 1; i < starts.size(); ++i)
    cycles.push_back((starts[i] - starts[i - 1]).count());
  std::sort(cycles.begin(), cycles.end());
  if (cycles.empty()) return;
  fmt::print("cycles={} p50_us={:.1f} p99_us={:.1f}\n", cycles.size(),
             static_cast<double>(cycles[cycles.size() / 2]) / 1e3,
             static_cast<double>(cycles[cycles.size() * 99 / 100]) / 1e3);
}

int serve(int argc, char** argv) {
  std::uint64_t slots = 0, delay_us = 0, first_ms = 0, bytes = 6;
  bool closed = false;
  bool good = argc >= 4 && parse_number(argv[3], "", slots) && slots > 0;
  for (int i = 4; good && i < argc; ++i) {
    const std::string_view argument = argv[i];
    closed |= argument == "closed";
    good = argument == "closed" || parse_number(argument, "delay_us=", delay_us) ||
           parse_number(argument, "first_ms=", first_ms) || parse_number(argument, "bytes=", bytes);
  }
  auto endpoint = good ? Endpoint::parse(argv[1]) : fail("usage: see the top of noop_worker.cc");
  if (!endpoint) {
    fmt::print(stderr, "noop_worker: {}\n", endpoint.error().message);
    return 2;
  }
  WorkerSetup setup;
  setup.dispatcher = *endpoint;
  setup.lease_holder.name = argv[2];
  setup.lease_holder.incarnation = random_seed() | 1;
  setup.lease_holder.slots = static_cast<std::uint32_t>(slots);
  setup.once = true;
  setup.log = [](const std::string& line) { fmt::print(stderr, "noop_worker: {}\n", line); };
  wire::Context context;
  const SystemClock clock;
  EventQueue events;
  NoSessions sessions(events,
                      {std::chrono::microseconds(delay_us), Milliseconds(first_ms), bytes, closed});
  Worker worker(context, clock, std::move(setup), events, sessions);
  const auto ended = worker.run();
  print_cycles(sessions.starts());
  if (!ended) fmt::print(stderr, "noop_worker: {}\n", ended.error().message);
  return ended ? 0 : 1;
}

}  // namespace
}  // namespace netfleet

int main(int argc, char** argv) { return netfleet::serve(argc, argv); }
