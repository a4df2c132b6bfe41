// No action before the journal entries ahead of it are safe.
#include "dispatcher/fleet/action_gate.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

Journal entry(std::uint32_t index, std::uint64_t owner = 7) {
  return {.task = {1, index}, .attempt = 1, .owner = owner, .deaths = 0, .retries_used = 0};
}

SendToWorker grant(std::uint32_t index) {
  SendToWorker send{7, {}};
  send.message.mutable_grant()->add_tasks()->mutable_task()->set_index(index);
  return send;
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
  EXPECT_EQ(gate.take(0).size(), 2u);
  EXPECT_TRUE(gate.empty());
}

TEST(ActionGate, HoldsBackUntilTheEntriesAheadAreSafe) {
  ActionGate gate;
  const auto entries = gate.add(actions(acknowledgement(), entry(0), entry(1), grant(0)));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].task.index, 1u);
  EXPECT_EQ(gate.take(0).size(), 1u) << "what is ahead of the entries need not wait";
  gate.add(actions(entry(2), grant(2)));
  EXPECT_TRUE(gate.take(1).empty());
  const auto released = gate.take(2);
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(granted(released[0]), 0u);
  EXPECT_FALSE(gate.empty());
  EXPECT_EQ(granted(gate.take(3).at(0)), 2u);
  EXPECT_TRUE(gate.empty());
}

TEST(ActionGate, WhatComesLaterDoesNotOvertake) {
  ActionGate gate;
  gate.add(actions(entry(0), grant(0)));
  gate.add(actions(acknowledgement()));
  EXPECT_TRUE(gate.take(0).empty());
  EXPECT_EQ(gate.take(1).size(), 2u);
}

TEST(ActionGate, RenewalsDoNotWaitForTheDisk) {
  ActionGate gate;
  SendToWorker renewal{7, {}};
  renewal.message.mutable_renewal();
  gate.add(actions(entry(0), grant(0), renewal));
  const auto released = gate.take(0);
  ASSERT_EQ(released.size(), 1u);
  EXPECT_TRUE(std::get<SendToWorker>(released[0]).message.has_renewal());
  EXPECT_FALSE(gate.empty());
  EXPECT_EQ(granted(gate.take(1).at(0)), 0u);
  EXPECT_TRUE(gate.empty());
}

TEST(ActionGate, GivenUpItDropsGrantsAndLetsTheRestGo) {
  ActionGate gate;
  gate.add(actions(entry(0), grant(0), entry(1), grant(1), acknowledgement()));
  EXPECT_EQ(gate.take(1).size(), 1u);
  const auto unsafe = gate.give_up();
  ASSERT_EQ(unsafe.size(), 1u);
  EXPECT_EQ(unsafe[0].task.index, 1u);
  const auto released = gate.take(1);
  ASSERT_EQ(released.size(), 1u);
  EXPECT_TRUE(std::get<SendToWorker>(released[0]).message.has_result_ack());
  EXPECT_TRUE(gate.empty());
}

}  // namespace
}  // namespace netfleet
