#include <gmock/gmock.h>

#include "dispatcher/cli/options.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;

Expected<CommandLine> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "netfleet");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "me");
}

Expected<CommandLine> parse_run(std::vector<const char*> more) {
  std::vector<const char*> arguments = {"run", "-i", "f", "-c", "show version"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return parse(std::move(arguments));
}

std::string error_of(const Expected<CommandLine>& parsed) {
  return parsed ? "no error" : parsed.error().message;
}

TEST(FleetOptions, OfRun) {
  const auto parsed = parse_run({"--logins-per-second", "0.5", "--region-timeout", "30s", "--lease",
                                 "20s", "--changes", "--retry-unsafe"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& options = std::get<RunOptions>(*parsed);
  EXPECT_EQ(options.logins_per_second, 0.5);
  EXPECT_EQ(options.region_timeout, std::chrono::seconds(30));
  EXPECT_EQ(options.lease, std::chrono::seconds(20));
  EXPECT_TRUE(options.retry_unsafe);
}

TEST(FleetOptions, OfRunThatAreWrong) {
  EXPECT_THAT(error_of(parse_run({"--logins-per-second", "0"})), HasSubstr("above 0"));
  EXPECT_THAT(error_of(parse_run({"--lease", "999ms"})), HasSubstr("expected 1s to 24h"));
  EXPECT_THAT(error_of(parse_run({"--region-timeout", "0s"})), HasSubstr("--region-timeout"));
  EXPECT_THAT(error_of(parse_run({"--retry-unsafe"})), HasSubstr("--changes"));
  EXPECT_THAT(error_of(parse_run({"--listen", "ipc:///f", "--min-workers", "500"})),
              HasSubstr("--lease: 500 workers need at least 1m"));
}

TEST(FleetOptions, OfWorkers) {
  const auto parsed = parse({"workers", "--dispatcher", "tcp://127.0.0.1:7600", "-o", "jsonl"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(std::get<WorkersOptions>(*parsed).dispatcher, "tcp://127.0.0.1:7600");
  EXPECT_TRUE(std::get<WorkersOptions>(*parsed).jsonl);
  const auto served = parse({"workers", "--server", "https://hub"});
  ASSERT_TRUE(served) << served.error().message;
  EXPECT_EQ(std::get<WorkersOptions>(*served).dispatcher, "") << "then a server is asked";
  EXPECT_EQ(std::get<WorkersOptions>(*served).server.server, "https://hub");
  EXPECT_THAT(error_of(parse({"workers", "--keys", "k"})), HasSubstr("--keys needs --dispatcher"));
  EXPECT_THAT(error_of(parse({"workers", "--dispatcher", "ipc:///f", "--server", "http://hub"})),
              HasSubstr("exclude each other"));
  EXPECT_THAT(error_of(parse({"workers", "--dispatcher", "tcp://10.0.0.1:7600"})),
              HasSubstr("CURVE is required"));
  EXPECT_TRUE(parse({"workers", "--dispatcher", "tcp://10.0.0.1:7600", "--keys", "k"}));
}

}  // namespace
}  // namespace netfleet
