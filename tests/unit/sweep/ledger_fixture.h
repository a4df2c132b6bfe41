// tests/unit/sweep: a ledger, and its workers' messages by a line each.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/sweep/ledger.h"

namespace netfleet {

inline constexpr std::uint64_t kAnna = 101, kBert = 102;

// One sweep of `tasks` hosts in one lane; a worker's messages are made by a line each.
class LedgerTest : public ::testing::Test {
 protected:
  void open(std::uint32_t tasks, SweepPlan plan = {}, LedgerOptions options = {}) {
    ledger_.emplace(options);
    add(1, tasks, std::move(plan));
  }
  // One more sweep; what the plan does not say is as simple as can be.
  void add(std::uint32_t number, std::uint32_t tasks, SweepPlan plan = {}) {
    plan.sweep = number;
    if (plan.tasks.empty()) plan.tasks.assign(tasks, {ledger_->add_lane(""), 0});
    if (plan.credentials.empty()) plan.credentials = {"default"};
    ledger_->add_sweep(now_, plan);
  }
  void hello(std::uint64_t worker, std::uint32_t slots, const std::string& name = "w") {
    v1::ToDispatcher message = envelope(worker, slots);
    message.mutable_hello()->set_name(name);
    message.mutable_hello()->set_slots(slots);
    ledger_->on_message(now_, worker, message);
  }
  v1::ToDispatcher envelope(std::uint64_t worker, std::uint32_t free) {
    v1::ToDispatcher message;
    message.set_incarnation(worker);
    message.set_sequence(++sequence_);
    message.set_free(free);
    return message;
  }
  std::vector<v1::Offer> offers(std::uint16_t lane = 0) {
    std::vector<v1::Offer> all;
    while (ledger_->wants_to_offer(lane)) {
      const v1::OfferFrame frame = ledger_->make_offers(now_, lane);
      if (frame.offers().empty()) break;
      all.insert(all.end(), frame.offers().begin(), frame.offers().end());
    }
    return all;
  }
  void claim(std::uint64_t worker, const v1::Offer& offer, std::uint32_t free = 0) {
    v1::ToDispatcher message = envelope(worker, free);
    *message.mutable_claim()->add_offers() = offer;
    ledger_->on_message(now_, worker, message);
  }
  void decline(std::uint64_t worker, const v1::Offer& offer) {
    v1::ToDispatcher message = envelope(worker, 0);
    *message.mutable_decline()->add_offers() = offer;
    ledger_->on_message(now_, worker, message);
  }
  void heartbeat(std::uint64_t worker, std::vector<v1::TaskRef> running,
                 std::vector<v1::TaskRef> finished = {}) {
    v1::ToDispatcher message = envelope(worker, 0);
    for (const auto& ref : running) *message.mutable_heartbeat()->add_running() = ref;
    for (const auto& ref : finished) *message.mutable_heartbeat()->add_finished() = ref;
    message.mutable_heartbeat();
    ledger_->on_message(now_, worker, message);
  }
  Verdict result(std::uint64_t worker, const v1::Offer& offer, Outcome outcome,
                 bool command_sent = true, bool way_lost = false) {
    return ledger_->on_result(now_, worker, key_of(offer.task()), offer.task().attempt(), outcome,
                              command_sent, way_lost);
  }
  // A claim that is granted, or a test that fails.
  v1::Offer granted(std::uint64_t worker) {
    const std::vector<v1::Offer> all = offers();
    EXPECT_EQ(all.size(), 1u);
    ledger_->take_actions();
    claim(worker, all.front());
    EXPECT_EQ(take_grants(), 1);
    return all.front();
  }
  void pass(Nanoseconds time) {
    now_ += time;
    ledger_->tick(now_);
  }
  std::vector<v1::ToWorker> take_messages(v1::ToWorker::BodyCase kind) {
    std::vector<v1::ToWorker> found;
    for (const Action& action : ledger_->take_actions()) {
      const auto* send = std::get_if<SendToWorker>(&action);
      if (send != nullptr && send->message.body_case() == kind) found.push_back(send->message);
    }
    return found;
  }
  int take_grants() {
    int grants = 0;
    for (const auto& message : take_messages(v1::ToWorker::kGrant)) {
      grants += message.grant().tasks_size();
    }
    return grants;
  }
  // Everything of one kind, without the rest.
  template <typename T>
  std::vector<T> take() {
    std::vector<T> found;
    for (Action& action : ledger_->take_actions()) {
      if (auto* one = std::get_if<T>(&action)) found.push_back(std::move(*one));
    }
    return found;
  }
  std::vector<TaskEnded> take_ended() { return take<TaskEnded>(); }
  std::vector<Noted> take_notes(Noted::What what) {
    std::vector<Noted> notes = take<Noted>();
    std::erase_if(notes, [what](const Noted& noted) { return noted.what != what; });
    return notes;
  }

  std::optional<Ledger> ledger_;
  TimePoint now_{std::chrono::seconds(1000)};
  std::uint64_t sequence_ = 0;
};

}  // namespace netfleet
