// tests/simulation: a worker's process around the real LeaseHolder: sessions that act out a script,
// an outbox, a restart under another incarnation. What worker/fleet and worker/engine do.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/books.h"
#include "tests/simulation/dispatcher.h"
#include "tests/simulation/network.h"
#include "tests/simulation/process.h"
#include "tests/simulation/trace.h"
#include "worker/fleet/lease_holder.h"

namespace netfleet::simulation {

class Worker final : public Process {
 public:
  Worker(const Scenario& scenario, std::uint32_t number, EventLoop& loop, Random& random,
         Books& books, Network& network, Dispatcher& dispatcher, Trace& trace);

  void begin();
  void end();  // kill -9
  void drain();
  void on_message(const v1::ToWorker& message);
  void on_offers(const v1::OfferFrame& frame);
  void check_at_end();

 private:
  struct Session {
    std::shared_ptr<SessionRecord> record;
    std::uint32_t acts_done = 0;
    std::uint32_t acts = 0;  // connect, log in, commands
    Nanoseconds pause{0};    // between two of them
    bool unreachable = false;
    bool way_lost = false;  // before the last act
    bool stopping = false;
  };
  void turn() override;
  void on_resume() override;
  void act();
  void act(const SendToDispatcher& action);
  void act(const StartTask& action);
  void act(const StopTask& action);
  void act(const SendResult& action);
  void act(const DropResult& action);
  void act(const OpenControl& action);
  void act(const JoinLanes& action);
  void act(const LeaveLanes& action);
  void act(const KnowJob& action);
  void act(const ForgetJob& action);
  void act(const Part& action);
  void step_at(Nanoseconds time, std::uint64_t session);
  void step(std::uint64_t session);
  void finish(std::uint64_t session, Outcome outcome);
  void check_holder();
  TimePoint clock() const { return now(); }

  const Scenario& scenario_;
  const WorkerScript& script_;
  const std::uint32_t number_;
  Books& books_;
  Network& network_;
  Dispatcher& dispatcher_;
  Trace& trace_;
  // Of this life.
  std::optional<LeaseHolder> holder_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t journal_ = 0;
  bool forgetting_ = false;  // what it held under another journal
  std::map<std::uint64_t, Session> sessions_;
  std::map<TaskKey, std::uint64_t> running_;
  std::vector<std::uint64_t> overdue_;  // steps that were due while it was stopped
  std::map<TaskKey, v1::TaskResult> outbox_;
  std::set<std::pair<TaskKey, std::uint32_t>> acknowledged_;
  std::map<std::uint32_t, std::string> jobs_;
  TimePoint full_since_{};  // by its own clock
  bool full_ = false;
  bool says_hello_ = false;  // among the actions that are carried out now
  std::uint32_t hellos_ = 0;
  Nanoseconds hellos_since_{0};
  std::uint64_t next_session_ = 0;
};

}  // namespace netfleet::simulation
