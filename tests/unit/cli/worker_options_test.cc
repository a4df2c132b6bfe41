#include <gmock/gmock.h>

#include "worker/options.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Expected<WorkerCommandLine> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "netfleet-worker");
  return parse_worker_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string error_of(std::vector<const char*> arguments) {
  const auto parsed = parse(std::move(arguments));
  return parsed ? "no error" : parsed.error().message;
}

TEST(WorkerOptions, Defaults) {
  const auto parsed = parse({"--dispatcher", "ipc:///run/x"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const WorkerOptions& options = std::get<WorkerOptions>(*parsed);
  EXPECT_EQ(options.dispatcher, "ipc:///run/x");
  EXPECT_EQ(options.name, "");
  EXPECT_TRUE(options.regions.empty());
  EXPECT_EQ(options.sessions, 50u);
  EXPECT_EQ(options.session_threads, 0u);
  EXPECT_EQ(options.drain_timeout, Milliseconds(300'000));
  EXPECT_EQ(options.credentials, CredentialOptions{});
}

TEST(WorkerOptions, EveryOption) {
  const auto parsed = parse({"--dispatcher",
                             "tcp://127.0.0.1:7600",
                             "--name",
                             "w1",
                             "--keys",
                             "k",
                             "--region",
                             "eu",
                             "--region",
                             "uk",
                             "--sessions",
                             "500",
                             "--threads",
                             "4",
                             "--drain-timeout",
                             "10s",
                             "--platform-dir",
                             "pd",
                             "--known-hosts",
                             "kh",
                             "--password-file",
                             "f",
                             "-k",
                             "key",
                             "--key-passphrase-env",
                             "PP",
                             "--no-agent",
                             "-v",
                             "-v"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const WorkerOptions& options = std::get<WorkerOptions>(*parsed);
  EXPECT_EQ(options.name, "w1");
  EXPECT_EQ(options.keys, "k");
  EXPECT_THAT(options.regions, ElementsAre("eu", "uk"));
  EXPECT_EQ(options.sessions, 500u);
  EXPECT_EQ(options.session_threads, 4u);
  EXPECT_EQ(options.drain_timeout, Milliseconds(10'000));
  EXPECT_EQ(options.platform_dir, "pd");
  EXPECT_EQ(options.known_hosts, "kh");
  EXPECT_EQ(options.credentials.password, (SecretSource{SecretSource::Kind::kFile, "f"}));
  EXPECT_THAT(options.credentials.keys, ElementsAre("key"));
  EXPECT_EQ(options.credentials.agent, AgentUse::kOff);
  EXPECT_EQ(options.verbose, 2);
}

TEST(WorkerOptions, Errors) {
  EXPECT_THAT(error_of({}), HasSubstr("no dispatcher: give --dispatcher ENDPOINT\nTry "
                                      "'netfleet-worker --help'."));
  EXPECT_THAT(error_of({"--dispatcher", "tcp://hub:7600"}), HasSubstr("CURVE is required"));
  EXPECT_THAT(error_of({"--ask-password"}), HasSubstr("unknown option --ask-password"));
  EXPECT_THAT(error_of({"--threads", "0"}), HasSubstr("--threads: '0' is no number"));
  EXPECT_THAT(error_of({"-t", "3"}), HasSubstr("unknown option -t"));
  EXPECT_THAT(error_of({"x"}), HasSubstr("unexpected argument 'x'"));
}

TEST(WorkerOptions, HelpAndVersion) {
  EXPECT_THAT(std::get<WorkerHelp>(*parse({"--help"})).text, HasSubstr("--dispatcher ENDPOINT"));
  EXPECT_THAT(std::get<WorkerHelp>(*parse({"--version"})).text, HasSubstr(NETFLEET_VERSION));
}

}  // namespace
}  // namespace netfleet
