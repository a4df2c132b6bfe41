#include "common/credential_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

namespace netfleet {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TimePoint in(Nanoseconds time) { return BootClock::now() + time; }

TEST(CredentialCommand, TakesTheFirstLineOfTheOutput) {
  const auto secret = run_secret_command({"echo 123456; echo more", {}, in(30s)});
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(secret->reveal(), "123456");
}

TEST(CredentialCommand, AddsToTheEnvironment) {
  const auto secret = run_secret_command(
      {"echo \"$NETFLEET_HOST:$HOME:$PATH\"", {"NETFLEET_HOST=edge 7", "HOME=elsewhere"}, in(30s)});
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_THAT(std::string(secret->reveal()), HasSubstr("edge 7:elsewhere:/"));
}

TEST(CredentialCommand, SaysWhyThereIsNone) {
  EXPECT_EQ(run_secret_command({"exit 3", {}, in(30s)}).error().message, "it ended with status 3");
  EXPECT_EQ(run_secret_command({"kill -9 $$", {}, in(30s)}).error().message,
            "it was ended by signal 9");
  EXPECT_EQ(run_secret_command({"echo", {}, in(30s)}).error().message, "its first line is empty");
}

TEST(CredentialCommand, IsKilledAtTheDeadline) {
  const auto secret = run_secret_command({"exec tail -f /dev/null", {}, in(50ms)});
  ASSERT_FALSE(secret);
  EXPECT_THAT(secret.error().message, HasSubstr("it took more than"));
}

TEST(CredentialCommand, IsKilledWhenNobodyWaitsForIt) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[1]);  // readable from the start: end of file
  const auto secret = run_secret_command({"exec tail -f /dev/null", {}, in(3600s), ends[0]});
  close(ends[0]);
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().message, "nobody waits for it any more");
}

TEST(CredentialCommand, TellsACommandForCodesWhoAsks) {
  const AskCode ask = codes_from_command("echo \"$NETFLEET_USER|$NETFLEET_HOST|$NETFLEET_PROMPT\"");
  const auto code = ask({"edge-7", "admin", "Verification code:"}, in(30s), -1);
  ASSERT_TRUE(code) << code.error().message;
  EXPECT_EQ(code->reveal(), "admin|edge-7|Verification code:");
}

}  // namespace
}  // namespace netfleet
