// worker/fleet: the lease holder decides what this worker may do. Pure: messages and times in,
// actions out. It holds no session and no result, only which task is in which state (PROTOCOL.md
// §6).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "common/codec.h"
#include "worker/engine/lease.h"

namespace netfleet {

struct LeaseHolderOptions {
  std::string name;
  std::uint64_t incarnation = 1;
  std::vector<std::string> regions;  // none: the default region
  std::uint32_t slots = 50;
  std::uint32_t most_unacknowledged = 4096;  // results; at the bound no slot is free
  std::uint64_t most_unacknowledged_bytes = std::uint64_t{4} << 30;
};

// What the shell must do, in order.
struct SendToDispatcher {
  v1::ToDispatcher message;
};
struct StartTask {
  v1::TaskSpec task;
  std::shared_ptr<Lease> lease;
};
enum class StopReason : std::uint8_t { kLeaseEnded, kRevoked, kCancelled };
struct StopTask {
  TaskKey task;
  StopReason reason;
};
struct SendResult {  // (again); stamp() the frame first
  TaskKey task;
};
struct DropResult {  // acknowledged
  TaskKey task;
};
struct OpenControl {};  // close the DEALER if there is one, open a new one
struct JoinLanes {      // connect the PULL to these; the sink too, if it is not connected
  std::uint32_t sink_offset;
  std::vector<std::uint32_t> offsets;
};
struct LeaveLanes {};
struct KnowJob {
  v1::JobSpec job;
};
struct ForgetJob {  // nothing of that sweep is held; it is described again before a start
  std::uint32_t sweep;
};
// kDismissed: the dispatcher has finished; a Hello is tried again. The others are the end.
enum class Parting : std::uint8_t { kDismissed, kDrained, kRefused };
struct Part {
  Parting why;
  std::string reason;
};
using WorkerAction = std::variant<SendToDispatcher, StartTask, StopTask, SendResult, DropResult,
                                  OpenControl, JoinLanes, LeaveLanes, KnowJob, ForgetJob, Part>;

class LeaseHolder {
 public:
  explicit LeaseHolder(LeaseHolderOptions options) : options_(std::move(options)) {}

  void start(TimePoint now);  // opens control and says Hello
  void on_offers(TimePoint now, const v1::OfferFrame& frame);
  void on_message(TimePoint now, const v1::ToWorker& message);
  // The session of this task ended; the shell keeps its result (`bytes` long) until DropResult, or
  // drops it at once when this returns false (fenced or revoked meanwhile). After a refused login
  // the slot stays taken until the result is acknowledged: the authentication guard decides first,
  // so no more logins than slots ever reach a device with a wrong password.
  bool on_finished(TimePoint now, TaskKey task, std::size_t bytes, bool login_refused = false);
  // The session of this task noticed the end of its lease before tick() did, and is ending:
  // on_finished() follows and drops the result, which says nothing of the device.
  void on_fenced(TaskKey task);
  void on_progress(TaskKey task, std::uint32_t session_thread, std::string stage);
  // While the shell has no room for further results no slot is free.
  void set_outbox_full(bool full) { outbox_full_ = full; }
  // This granted task cannot be started here: it is given back.
  void give_back(TaskKey task);
  // Finish, take no more, then part; the dispatcher is told why, if there is a reason.
  void drain(TimePoint now, std::string why = {});
  void cancel_all();  // stop what runs; its results are still sent
  void tick(TimePoint now);
  TimePoint next_deadline() const;

  // Writes incarnation, sequence and free count into a result frame.
  void stamp(v1::ResultFrame& frame);
  std::vector<WorkerAction> take_actions();
  std::uint32_t free_slots() const;
  bool wants_progress() const { return report_progress_; }  // the dispatcher asked for it

 private:
  enum class State : std::uint8_t { kClaimed, kRunning, kStopped, kFinished };
  struct Held {
    std::uint32_t attempt = 0;
    std::uint32_t round = 0;
    State state = State::kClaimed;
    TimePoint since{};    // kClaimed: first claim; kRunning: when the grant came
    TimePoint claimed{};  // last, the claim that counts
    TimePoint retry{};    // kClaimed: claim again; kFinished: send again
    std::size_t bytes = 0;
    bool keeps_slot = false;  // kFinished: the slot is still taken
    std::uint64_t epoch = 0;  // kRunning, kStopped: that granted it
    std::shared_ptr<Lease> lease{};
  };
  // Given back, and no Renewal has shown yet that the dispatcher knows.
  struct Released {
    std::uint32_t attempt = 0;
    TimePoint listed = TimePoint::max();  // first, in a heartbeat
  };
  using Refs = google::protobuf::RepeatedPtrField<v1::TaskRef>;

  void on_welcome(TimePoint now, std::uint64_t epoch, const v1::Welcome& welcome);
  void change_journal(std::uint64_t journal);
  void list_held(Refs& running, Refs& finished) const;
  void close(TaskKey key, std::uint32_t attempt);
  bool is_closed(TaskKey key, std::uint32_t attempt) const;
  void send_release(v1::Release release);
  void list_released(TimePoint now, Refs& released);
  Milliseconds first_wait() const;  // for the answer to a Hello
  void on_job(const v1::JobSpec& job);
  void on_deny(const v1::Deny& deny);
  void on_grant(TimePoint now, const v1::Grant& grant);
  void on_renewal(const v1::Renewal& renewal);
  void on_cancel(std::uint32_t sweep);
  void on_dismissed(TimePoint now);
  void stop(TaskKey key, Held& held, StopReason reason);
  void forget(TaskKey key);
  void say_hello(TimePoint now);
  void heartbeat(TimePoint now);
  void scan(TimePoint now);
  void tell_free(TimePoint now);
  void mind_lanes(TimePoint now);
  void part_if_drained();
  v1::ToDispatcher& add_message();
  void send_claim(TimePoint now, v1::Claim claim);

  LeaseHolderOptions options_;
  std::unordered_map<TaskKey, Held, TaskKeyHash> held_;
  std::uint32_t busy_ =
      0;  // slots taken: claimed, running, stopped but not yet ended, see on_finished
  std::uint32_t unacknowledged_ = 0;
  std::uint64_t unacknowledged_bytes_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t epoch_ = 0;                 // of the last Welcome
  std::uint64_t journal_ = 0;               // of the last Welcome; 0: none yet
  std::unordered_set<std::uint32_t> jobs_;  // sweeps that the shell knows the commands of
  std::unordered_map<TaskKey, std::uint32_t, TaskKeyHash> closed_;  // attempts, in this epoch
  std::deque<TaskKey> closed_order_;
  std::unordered_map<TaskKey, Released, TaskKeyHash> released_;
  std::uint32_t told_free_ = 0;
  TimePoint told_free_at_{};
  bool welcomed_ = false;
  bool reopening_ = false;  // what still comes is of the connection that is being closed
  bool draining_ = false;
  std::string why_;  // it drains
  bool outbox_full_ = false;
  bool parted_ = false;
  bool in_lanes_ = false;
  bool report_progress_ = false;
  TimePoint full_since_ = TimePoint::max();
  TimePoint last_heard_{};
  TimePoint next_heartbeat_ = TimePoint::max();
  TimePoint next_scan_ = TimePoint::max();
  TimePoint next_hello_ = TimePoint::max();
  Milliseconds hello_again_after_{1000};  // doubled each time
  Milliseconds heartbeat_{1000};
  Milliseconds lease_{10'000};
  JoinLanes lanes_{};
  std::vector<WorkerAction> actions_;
};

}  // namespace netfleet
