// tests/simulation: the dispatcher's process around the real Ledger and ActionGate: it stores,
// sends, offers, and is killed. What dispatcher/fleet's Hub does over sockets, in the same order.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dispatcher/fleet/action_gate.h"
#include "dispatcher/output/order.h"
#include "dispatcher/sweep/ledger.h"
#include "tests/simulation/books.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/network.h"
#include "tests/simulation/process.h"
#include "tests/simulation/trace.h"

namespace netfleet::simulation {

class Dispatcher final : public Process {
 public:
  // One run of a script under one disk.
  struct Sweep {
    std::uint32_t id = 0;  // of HostId
    std::uint32_t script = 0;
    std::uint32_t number = 0;  // on the wire and on the disk
    TimePoint began{}, closes = TimePoint::max();
    bool has_closed = false;  // before that was moved
    bool forgotten = false;   // by the ledger of this life: every task has ended
    bool over = false;        // every result is safe
    Nanoseconds ended{0};
    Nanoseconds half_done{0};  // and how far the others were then
    std::vector<std::uint32_t> done_at_half;
    std::uint32_t done = 0;
  };

  Dispatcher(const Scenario& scenario, EventLoop& loop, Random& random, Books& books,
             Network& network, Trace& trace);

  void begin();              // a new process on the same disk
  void end(bool power_cut);  // kill -9, or worse
  void lose_disk();          // while it is down
  void fill_disk(Nanoseconds length);
  void on_control(std::uint64_t from, const v1::ToDispatcher& message);
  void on_sink(const v1::ResultFrame& frame);
  void on_room();
  void strike(Blow blow, std::uint32_t script);
  // A worker was told to forget a result: is it safe?
  void check_acknowledged(const v1::TaskRef& ref, std::uint64_t incarnation) const;
  void sweep_is_due(std::uint32_t script);
  bool all_over() const;
  std::string what_is_open() const;  // for people
  std::uint32_t workers() const { return ledger_->workers_welcomed(); }
  void check_at_end();
  const std::vector<Sweep>& sweeps() const { return sweeps_; }
  std::uint64_t journal() const { return disk_->identity(); }

 private:
  // Of one sweep: what it was told and is not safe yet, and what is new since it was asked.
  struct Recorder {
    std::deque<Entry> waiting;
    std::size_t batch = 0;        // so many are under way to the disk
    std::uint64_t journaled = 0;  // grants, in this life
    std::vector<TaskKey> stored;
    bool stalled = false;  // the disk has no room
  };
  struct Offered {
    std::uint32_t attempt, round;
    TimePoint at;
    bool answered;
  };
  struct Heard {
    std::uint64_t sequence = 0;
    std::uint32_t free = 0;
  };
  void turn() override;
  void add_sweep(Sweep& sweep, bool again);
  SweepPlan plan_of(const Sweep& sweep, bool again) const;
  void collect();
  void carry_out();
  void note(const Noted& noted);
  void send(SendToWorker& action);
  void check_journaled(const v1::TaskRef& ref, std::uint64_t incarnation) const;
  void check_time(TaskKey key);
  void offer_tasks();
  std::uint16_t lane_of(const std::string& region);
  void begin_commits();
  void write(std::uint32_t sweep);
  void tell_news();
  void collect_news();
  void mind_room();
  void store(TaskKey key, std::uint32_t attempt, Outcome outcome);
  void check_free(std::uint64_t from);
  void end_early(Sweep& sweep, Blow blow);
  void move_window(Sweep& sweep);
  void cancel(const Sweep& sweep);
  void on_rollout(const Noted& noted);
  Sweep* sweep_of(std::uint32_t number);
  HostId host_of(TaskKey key);
  void finish_sweeps();

  const Scenario& scenario_;
  Books& books_;
  Network& network_;
  Trace& trace_;
  std::unique_ptr<Disk> disk_;
  std::vector<Sweep> sweeps_;
  std::set<std::uint32_t> due_;  // scripts
  std::uint32_t next_number_ = 1;
  Milliseconds longest_lease_{0};  // that this disk's dispatchers ever gave
  // Of this life.
  std::optional<Ledger> ledger_;
  ActionGate gate_;
  std::map<std::uint32_t, Recorder> recorders_;  // by number
  std::uint16_t lanes_ = 0;
  std::set<TaskKey> ended_;
  std::set<TaskKey> ended_without_;           // a worker's result; of every life
  std::map<TaskKey, std::uint32_t> granted_;  // attempts
  std::map<TaskKey, std::uint32_t> untold_;   // those of them that nobody was told of
  std::map<TaskKey, Offered> offered_;
  std::map<std::uint64_t, Heard> heard_;
  std::map<std::uint32_t, std::pair<Order, std::vector<std::uint32_t>>> orders_;
  Nanoseconds disk_full_until_{0};
  bool stalled_ = false;  // there is no room on it now, as far as is known
  bool uncertain_ = false;
  std::uint32_t turns_ = 0;
  std::uint32_t declines_ = 0;
};

}  // namespace netfleet::simulation
