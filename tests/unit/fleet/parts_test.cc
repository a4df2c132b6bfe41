// Which parts of a result's outputs count, and when all of them are there: also when parts are lost
// on the way, repeated, or come from somebody who makes them up.
#include "dispatcher/fleet/parts.h"

#include <gtest/gtest.h>

#include <random>

namespace netfleet {
namespace {

struct Given {
  std::uint32_t command = 0;
  std::uint64_t offset = 0;
  std::size_t size = 10;
  bool first = false;
  std::uint32_t attempt = 1;
};

v1::OutputPart part(Given given, std::uint32_t index = 3) {
  v1::OutputPart out;
  *out.mutable_task() = make_ref({1, index}, given.attempt);
  out.set_first(given.first);
  out.set_command(given.command);
  out.set_offset(given.offset);
  out.set_output(std::string(given.size, 'x'));
  return out;
}

v1::TaskResult result(const std::vector<std::uint64_t>& sizes, std::uint32_t attempt = 1) {
  v1::TaskResult out;
  *out.mutable_task() = make_ref({1, 3}, attempt);
  for (const std::uint64_t size : sizes) out.add_commands()->set_parted_size(size);
  return out;
}

TEST(PartTracker, IsCompleteOnceAllPartsCame) {
  PartTracker parts(4, 1000);
  EXPECT_TRUE(parts.is_complete(result({0, 0}))) << "it has none";
  EXPECT_FALSE(parts.is_complete(result({0, 20})));
  const auto assembly = parts.accept(part({.command = 1, .first = true}));
  ASSERT_TRUE(assembly);
  EXPECT_FALSE(parts.is_complete(result({0, 20})));
  EXPECT_EQ(parts.accept(part({.command = 1, .offset = 10})), assembly);
  EXPECT_TRUE(parts.is_complete(result({0, 20})));
  EXPECT_EQ(parts.accept(part({.command = 3})), assembly);
  EXPECT_FALSE(parts.is_complete(result({0, 20}))) << "parts of an output that the result lacks";
  EXPECT_TRUE(parts.is_complete(result({0, 20, 0, 10})));
  EXPECT_FALSE(parts.is_complete(result({0, 20, 0, 10}, 2))) << "another attempt";
  EXPECT_EQ(parts.take(result({0, 20, 0, 10})), assembly);
  EXPECT_FALSE(parts.is_complete(result({0, 20, 0, 10})));
}

TEST(PartTracker, AGapVoidsWhatCameUntilItBeginsAnew) {
  const std::vector<Given> gaps = {
      {.offset = 20}, {.command = 1, .offset = 10}, {.offset = 0}, {.offset = 5}};
  for (const Given& gap : gaps) {
    PartTracker parts(4, 1000);
    const auto before = parts.accept(part({.first = true}));
    EXPECT_FALSE(parts.accept(part(gap)));
    EXPECT_FALSE(parts.accept(part({.offset = 10}))) << "the one that was missing, too late";
    EXPECT_FALSE(parts.is_complete(result({10})));
    const auto again = parts.accept(part({.first = true}));
    ASSERT_TRUE(again);
    EXPECT_NE(again, before);
    EXPECT_TRUE(parts.is_complete(result({10})));
  }
}

TEST(PartTracker, AnotherAttemptBeginsAnew) {
  PartTracker parts(4, 1000);
  ASSERT_TRUE(parts.accept(part({.first = true})));
  EXPECT_FALSE(parts.accept(part({.offset = 10, .attempt = 2})));
  ASSERT_TRUE(parts.accept(part({.offset = 10}))) << "it disturbs nothing";
  ASSERT_TRUE(parts.accept(part({.first = true, .attempt = 2})));
  EXPECT_FALSE(parts.accept(part({.offset = 20})));
  EXPECT_TRUE(parts.is_complete(result({10}, 2)));
}

TEST(PartTracker, IsBounded) {
  PartTracker parts(2, 25);
  ASSERT_TRUE(parts.accept(part({.first = true})));
  ASSERT_TRUE(parts.accept(part({.offset = 10})));
  EXPECT_FALSE(parts.accept(part({.offset = 20}))) << "more than an output may have";
  ASSERT_TRUE(parts.accept(part({.first = true})));
  ASSERT_TRUE(parts.accept(part({.command = 5})));
  EXPECT_FALSE(parts.accept(part({.command = 6}))) << "more outputs than there may be";
}

TEST(PartTracker, KnowsWhatCanNeverBeComplete) {
  const PartTracker parts(2, 25);
  EXPECT_TRUE(parts.is_within_bounds(result({25, 0, 25, 0})));
  EXPECT_FALSE(parts.is_within_bounds(result({26})));
  EXPECT_FALSE(parts.is_within_bounds(result({1, 1, 1})));
}

TEST(PartTracker, WhatIsTakenOrForgottenIsGone) {
  PartTracker parts(4, 1000);
  ASSERT_TRUE(parts.accept(part({.first = true})));
  EXPECT_FALSE(parts.take(result({0}))) << "a result without parts takes none";
  EXPECT_FALSE(parts.is_complete(result({10})));
  ASSERT_TRUE(parts.accept(part({.first = true})));
  parts.forget(3);
  EXPECT_FALSE(parts.accept(part({.offset = 10})));
}

// A sender that repeats the whole until it is complete, over a network that loses frames: what is
// complete is what was sent, always.
TEST(PartTracker, IsCompleteOnlyWithEveryByte) {
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    PartTracker parts(8, 1'000'000);
    std::map<std::uint32_t, std::uint64_t> sent;
    std::map<std::shared_ptr<Assembly>, std::map<std::uint32_t, std::uint64_t>> received;
    std::vector<std::uint64_t> sizes(3);
    for (auto& size : sizes) size = 10 * (random() % 4);
    const bool any = sizes[0] + sizes[1] + sizes[2] > 0;
    bool complete = false;
    for (int tries = 0; tries < 200 && !complete; ++tries) {
      bool first = true;
      for (std::uint32_t command = 0; command < 3; ++command) {
        for (std::uint64_t at = 0; at < sizes[command]; at += 10) {
          const auto one = part({.command = command, .offset = at, .first = first});
          first = false;
          if (random() % 5 == 0) continue;
          for (auto times = random() % 8 == 0 ? 2 : 1; times > 0; --times) {
            if (const auto to = parts.accept(one)) received[to][command] += 10;
          }
        }
      }
      complete = random() % 5 != 0 && parts.is_complete(result(sizes));
    }
    ASSERT_TRUE(complete);
    const auto assembly = parts.take(result(sizes));
    ASSERT_EQ(assembly != nullptr, any);
    for (std::uint32_t command = 0; any && command < 3; ++command) {
      EXPECT_EQ(received[assembly][command], sizes[command]);
    }
  }
}

}  // namespace
}  // namespace netfleet
