#include "dispatcher/cli/service_options.h"

#include <gmock/gmock.h>

#include "dispatcher/cli/options.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Expected<CommandLine> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "netfleet");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "me");
}

template <typename Options>
Options parsed(std::vector<const char*> arguments) {
  const auto line = parse(std::move(arguments));
  EXPECT_TRUE(line) << line.error().message;
  if (!line) return {};
  const auto* command = std::get_if<ServiceCommand>(&*line);
  const auto* options = command == nullptr ? nullptr : std::get_if<Options>(command);
  EXPECT_NE(options, nullptr) << "another verb";
  return options == nullptr ? Options() : *options;
}

std::string error_of(std::vector<const char*> arguments) {
  const auto line = parse(std::move(arguments));
  return line ? "no error" : line.error().message;
}

TEST(ServiceOptions, AJobMayHaveTheNameOfAVerb) {
  EXPECT_EQ(parsed<SubmitOptions>({"submit", "watch"}).job, "watch");
  EXPECT_EQ(parsed<ScheduleOptions>({"schedule", "history", "diff", "-o", "jsonl"}).job, "diff");
}

TEST(ServiceOptions, Submit) {
  const auto options = parsed<SubmitOptions>(
      {"submit", "backup", "-l", "a", "-l", "b", "-c", "show clock", "--watch", "--server",
       "https://hub:7680", "--token-file", "t", "--ca", "ca.pem"});
  EXPECT_EQ(options.job, "backup");
  EXPECT_THAT(options.limits, ElementsAre("a", "b"));
  EXPECT_THAT(options.commands, ElementsAre("show clock"));
  EXPECT_TRUE(options.watch);
  EXPECT_FALSE(options.dry_run);
  EXPECT_EQ(options.server.server, "https://hub:7680");
  EXPECT_EQ(options.server.token_file, "t");
  EXPECT_EQ(options.server.ca_file, "ca.pem");
}

TEST(ServiceOptions, SubmitKeepsTheOrderOfConfiguration) {
  const auto options =
      parsed<SubmitOptions>({"submit", "ntp", "--config-line", "one", "--config-file", "two",
                             "--config-line", "three", "--dry-run"});
  ASSERT_EQ(options.configuration.size(), 3u);
  EXPECT_EQ(options.configuration[0].text, "one");
  EXPECT_TRUE(options.configuration[1].is_file);
  EXPECT_EQ(options.configuration[2].text, "three");
  EXPECT_TRUE(options.dry_run);
}

TEST(ServiceOptions, SubmitThatIsWrong) {
  EXPECT_THAT(error_of({"submit"}), HasSubstr("no job"));
  EXPECT_THAT(error_of({"submit", "a", "b"}), HasSubstr("unexpected argument 'b'"));
  EXPECT_THAT(error_of({"submit", "a", "-c", "two\nlines"}), HasSubstr("one line"));
  EXPECT_THAT(error_of({"submit", "a", "-c", " "}), HasSubstr("empty"));
  EXPECT_THAT(error_of({"submit", "a", "--config-line", "a\tb"}), HasSubstr("tab"));
  EXPECT_THAT(error_of({"submit", "a", "--dry-run"}), HasSubstr("--dry-run needs"));
  EXPECT_THAT(error_of({"submit", "a", "--token", "nf_x"}), HasSubstr("unknown option --token"));
  EXPECT_THAT(error_of({"submit", "a", "--token=nf_x"}), ::testing::Not(HasSubstr("nf_x")));
}

TEST(ServiceOptions, Status) {
  EXPECT_EQ(parsed<StatusOptions>({"status"}).sweep, "");
  const auto options =
      parsed<StatusOptions>({"status", "--sweeps", "7", "--job", "j", "-o", "jsonl"});
  EXPECT_EQ(options.sweeps, 7u);
  EXPECT_EQ(options.job, "j");
  EXPECT_TRUE(options.jsonl);
  EXPECT_EQ(parsed<StatusOptions>({"status", "last"}).sweep, "last");
  EXPECT_NE(error_of({"status", "--sweeps", "0"}), "no error");
  EXPECT_NE(error_of({"status", "-o", "xml"}), "no error");
}

TEST(ServiceOptions, Watch) {
  EXPECT_EQ(parsed<WatchOptions>({"watch"}).sweep, "last");
  EXPECT_EQ(parsed<WatchOptions>({"watch"}).reply, RolloutReply::kAsk);
  EXPECT_EQ(parsed<WatchOptions>({"watch", "x", "--go-on"}).reply, RolloutReply::kGoOn);
  EXPECT_EQ(parsed<WatchOptions>({"watch", "x", "--stop"}).reply, RolloutReply::kStop);
  EXPECT_THAT(error_of({"watch", "--stop", "--go-on"}), HasSubstr("exclude each other"));
}

TEST(ServiceOptions, CancelAndRetry) {
  EXPECT_TRUE(parsed<CancelOptions>({"cancel", "last", "--now"}).now);
  EXPECT_THAT(error_of({"cancel"}), HasSubstr("no sweep"));
  EXPECT_EQ(parsed<RetryOptions>({"retry", "last"}).only, kFailedOutcomes);
  const OutcomeSet lost{Outcome::kLost};
  EXPECT_EQ(parsed<RetryOptions>({"retry", "last", "--only", "lost"}).only, lost);
  EXPECT_THAT(error_of({"retry", "last", "--only", "sad"}), HasSubstr("sad"));
  EXPECT_THAT(error_of({"retry"}), HasSubstr("no sweep"));
}

TEST(ServiceOptions, Schedule) {
  EXPECT_EQ(parsed<ScheduleOptions>({"schedule"}).action, ScheduleAction::kList);
  EXPECT_TRUE(parsed<ScheduleOptions>({"schedule", "list", "--all"}).all);
  const auto history = parsed<ScheduleOptions>({"schedule", "history", "backup", "--firings", "7"});
  EXPECT_EQ(history.action, ScheduleAction::kHistory);
  EXPECT_EQ(history.job, "backup");
  EXPECT_EQ(history.firings, 7u);
  EXPECT_EQ(parsed<ScheduleOptions>({"schedule", "pause", "b"}).action, ScheduleAction::kPause);
  EXPECT_EQ(parsed<ScheduleOptions>({"schedule", "resume", "b"}).action, ScheduleAction::kResume);
  EXPECT_THAT(error_of({"schedule", "pause"}), HasSubstr("no job"));
  EXPECT_THAT(error_of({"schedule", "backup"}), HasSubstr("'backup' is not one of list"));
  EXPECT_THAT(error_of({"schedule", "list", "backup"}), HasSubstr("list takes no job"));
  EXPECT_THAT(error_of({"schedule", "pause", "b", "--all"}), HasSubstr("--all is for list"));
}

TEST(ServiceOptions, OfTheVerbsThatCanAskToo) {
  const auto results = parse({"results", "--server", "http://hub", "--follow"});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_TRUE(std::get<ResultsOptions>(*results).follow);
  EXPECT_THAT(error_of({"results", "--server", "http://hub", "--store", "f"}),
              HasSubstr("exclude each other"));
  EXPECT_THAT(error_of({"results", "--follow", "--list"}), HasSubstr("exclude each other"));
  EXPECT_THAT(error_of({"diff", "--server", "http://hub", "--store", "f"}),
              HasSubstr("exclude each other"));
}

}  // namespace
}  // namespace netfleet
