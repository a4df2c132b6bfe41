// No action before the journal entries ahead of it are safe.
#include "dispatcher/fleet/action_gate.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

Journal entry(std::uint32_t index, std::uint64_t owner = 7, std::uint32_t sweep = 1) {
  return {.task = {sweep, index}, .attempt = 1, .owner = owner, .deaths = 0, .retries_used = 0};
}

SendToWorker grant(std::uint32_t index, std::uint32_t sweep = 1) {
  SendToWorker send{7, {}};
  send.message.mutable_grant()->add_tasks()->mutable_task()->set_index(index);
  send.message.mutable_grant()->mutable_tasks(0)->mutable_task()->set_sweep(sweep);
  send.message.mutable_grant()->mutable_tasks(0)->mutable_task()->set_attempt(1);
  return send;
}

std::vector<Action> take(ActionGate& gate, std::uint64_t journaled) {
  gate.journaled(1, journaled);
  return gate.take();
}

SendToWorker acknowledgement() {
  SendToWorker send{7, {}};
  send.message.mutable_result_ack();
  return send;
}

std::vector<Action> actions(auto... all) {
  std::vector<Action> list;
  (list.push_back(std::move(all)), ...);
  return list;
}

std::uint32_t granted(const Action& action) {
  return std::get<SendToWorker>(action).message.grant().tasks(0).task().index();
}

TEST(ActionGate, WithoutJournalNothingWaits) {
  ActionGate gate;
  EXPECT_TRUE(gate.add(actions(acknowledgement(), grant(0))).empty());
  EXPECT_EQ(take(gate, 0).size(), 2u);
  EXPECT_TRUE(gate.empty());
}

TEST(ActionGate, HoldsBackUntilTheEntriesAheadAreSafe) {
  ActionGate gate;
  const auto entries = gate.add(actions(acknowledgement(), entry(0), entry(1), grant(0)));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].task.index, 1u);
  EXPECT_EQ(take(gate, 0).size(), 1u) << "what is ahead of the entries need not wait";
  gate.add(actions(entry(2), grant(2)));
  EXPECT_TRUE(take(gate, 1).empty());
  const auto released = take(gate, 2);
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(granted(released[0]), 0u);
  EXPECT_FALSE(gate.empty());
  EXPECT_EQ(granted(take(gate, 3).at(0)), 2u);
  EXPECT_TRUE(gate.empty());
}

TEST(ActionGate, WhatComesLaterDoesNotOvertake) {
  ActionGate gate;
  gate.add(actions(entry(0), grant(0)));
  gate.add(actions(acknowledgement()));
  EXPECT_TRUE(take(gate, 0).empty());
  EXPECT_EQ(take(gate, 1).size(), 2u);
}

TEST(ActionGate, RenewalsDoNotWaitForTheDisk) {
  ActionGate gate;
  SendToWorker renewal{7, {}};
  renewal.message.mutable_renewal();
  gate.add(actions(entry(0), grant(0), renewal));
  const auto released = take(gate, 0);
  ASSERT_EQ(released.size(), 1u);
  EXPECT_TRUE(std::get<SendToWorker>(released[0]).message.has_renewal());
  EXPECT_FALSE(gate.empty());
  EXPECT_EQ(granted(take(gate, 1).at(0)), 0u);
  EXPECT_TRUE(gate.empty());
}

TEST(ActionGate, WhoSaysHelloIsWelcomeWhateverTheDiskDoes) {
  ActionGate gate;
  SendToWorker again{7, {}}, welcome{7, {}};
  again.message.mutable_hello_again();
  welcome.message.mutable_welcome();
  gate.add(actions(entry(0), grant(0), again, welcome));
  EXPECT_EQ(take(gate, 0).size(), 2u);
  EXPECT_EQ(granted(take(gate, 1).at(0)), 0u);
}

TEST(ActionGate, GivenUpItDropsGrantsAndLetsTheRestGo) {
  ActionGate gate;
  gate.add(actions(entry(0), grant(0), entry(1), grant(1), acknowledgement()));
  EXPECT_EQ(take(gate, 1).size(), 1u);
  const auto unsafe = gate.give_up(1);
  ASSERT_EQ(unsafe.size(), 1u);
  EXPECT_EQ(unsafe[0].task.index, 1u);
  const auto released = take(gate, 1);
  ASSERT_EQ(released.size(), 1u);
  EXPECT_TRUE(std::get<SendToWorker>(released[0]).message.has_result_ack());
  EXPECT_TRUE(gate.empty());
}

TEST(ActionGate, SweepsCountTheirEntriesByThemselves) {
  ActionGate gate;
  gate.add(actions(entry(0, 7, 1), grant(0, 1), entry(0, 7, 2), grant(0, 2), acknowledgement()));
  gate.journaled(2, 1);
  EXPECT_TRUE(gate.take().empty()) << "the order is one for all";
  gate.journaled(1, 1);
  EXPECT_EQ(gate.take().size(), 3u);
  EXPECT_TRUE(gate.empty());
}

TEST(ActionGate, OneSweepThatIsGivenUpDoesNotHoldTheOthers) {
  ActionGate gate;
  gate.add(actions(entry(0, 7, 1), grant(0, 1), entry(0, 7, 2), grant(0, 2)));
  gate.journaled(2, 1);
  EXPECT_EQ(gate.give_up(1).size(), 1u);
  const auto released = gate.take();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(std::get<SendToWorker>(released[0]).message.grant().tasks(0).task().sweep(), 2u);
}

TEST(ActionGate, WhatStandsBehindAnotherSweepsEntryIsWithheldToo) {
  ActionGate gate;
  gate.add(actions(entry(0, 7, 1), entry(0, 7, 2), grant(0, 1), grant(0, 2)));
  gate.journaled(1, 1);
  EXPECT_TRUE(gate.take().empty());
  EXPECT_EQ(gate.withhold(), (std::vector<TaskKey>{{1, 0}, {2, 0}}));
  EXPECT_TRUE(gate.withhold().empty()) << "once";
  gate.journaled(2, 1);
  EXPECT_TRUE(gate.take().empty());
  EXPECT_TRUE(gate.empty());
}

TEST(ActionGate, WithheldGrantsAreDroppedAndTheirEntriesStillCome) {
  ActionGate gate;
  gate.add(actions(entry(0), grant(0), entry(1), grant(1), entry(2, 0), acknowledgement()));
  EXPECT_EQ(take(gate, 1).size(), 1u);
  const std::vector<TaskKey> withheld = gate.withhold();
  ASSERT_EQ(withheld.size(), 1u) << "an entry without an owner granted nothing";
  EXPECT_EQ(withheld[0].index, 1u);
  EXPECT_TRUE(take(gate, 2).empty());
  const auto released = take(gate, 3);
  ASSERT_EQ(released.size(), 1u);
  EXPECT_TRUE(std::get<SendToWorker>(released[0]).message.has_result_ack());
}

TEST(ActionGate, AGrantThatWasToldBeforeIsNotWithheld) {
  ActionGate gate;
  gate.add(actions(entry(0), grant(0)));
  EXPECT_EQ(take(gate, 1).size(), 1u);
  gate.add(actions(entry(1), grant(0)));  // its owner asked again
  EXPECT_EQ(gate.withhold().size(), 1u);
  EXPECT_EQ(take(gate, 2).size(), 1u);
}

TEST(ActionGate, KnowsOfEndsThatWait) {
  ActionGate gate;
  gate.add(actions(entry(0), TaskEnded{.task = {1, 3},
                                       .attempt = 1,
                                       .outcome = Outcome::kCancelled,
                                       .error = {},
                                       .worker = {}}));
  EXPECT_TRUE(gate.holds_end(1));
  EXPECT_FALSE(gate.holds_end(2));
  EXPECT_EQ(take(gate, 1).size(), 1u);
  EXPECT_FALSE(gate.holds_end(1));
}

}  // namespace
}  // namespace netfleet
