#include "dispatcher/job/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Job read(const std::string& text) {
  Problems problems;
  Job job = parse_job(text, "job.yaml", problems);
  EXPECT_FALSE(problems.any()) << problems.error().message;
  return job;
}

// "--option value" each, "--flag" for one that is on.
std::vector<std::string> said(const Job& job) {
  std::vector<std::string> all;
  for (const JobSetting& one : job.settings) {
    all.push_back(one.flag ? one.option : one.option + " " + one.value);
  }
  return all;
}

std::string wrong_with(const std::string& text) {
  Problems problems;
  parse_job(text, "job.yaml", problems);
  return problems.any() ? problems.error().message : "nothing";
}

TEST(Job, NamesARegionAndACredential) {
  const Job job = read("region: eu\ncredentials: {name: night, file: c.yaml}\n");
  EXPECT_THAT(said(job),
              ElementsAre("--region eu", "--credential night", "--credential-file c.yaml"));
  EXPECT_EQ(job.settings[1].line, 2u);
  EXPECT_TRUE(job.settings[2].path && job.settings[2].input);
  EXPECT_EQ(option_family("--password-env"), option_family("--credential")) << "one or the other";
}

TEST(Job, SaysOptionsInItsOrder) {
  const Job job = read(R"(
name: nightly
inventory: [a.yaml, b.csv]
selects: group:edge
commands:
  - show version
  - show clock
save: true
dry_run: false
credentials: {user: admin, password_env: PW, agent: false}
limits: {sessions: 20}
rollout: {canary: 5, counts: [lost, timed_out]}
)");
  EXPECT_EQ(job.name, "nightly");
  EXPECT_THAT(said(job),
              ElementsAre("--inventory a.yaml", "--inventory b.csv", "--limit group:edge",
                          "--command show version", "--command show clock", "--save",
                          "--user admin", "--password-env PW", "--no-agent", "--sessions 20",
                          "--canary 5", "--count-failures lost,timed_out"));
  EXPECT_EQ(job.settings[4].line, 7u);
  EXPECT_EQ(job.settings[4].key, "commands");
  EXPECT_EQ(job.settings[7].key, "credentials.password_env");
  EXPECT_TRUE(job.settings[0].path && job.settings[0].input);
  EXPECT_FALSE(job.settings[2].path);
  EXPECT_FALSE(job.schedule);
}

TEST(Job, ATextOfSeveralLinesIsSeveralLines) {
  const Job job = read(
      "commands: |\n  show version\n\n  show clock\nconfiguration: |\n"
      "  interface x\n   shutdown\n");
  EXPECT_THAT(said(job), ElementsAre("--command show version", "--command show clock",
                                     "--config-line interface x", "--config-line  shutdown"));
}

TEST(Job, ConfigurationIsTypedInItsOrder) {
  const Job job = read(
      "configuration:\n  - ntp server 1\n  - file: base.cfg\n"
      "  - template: edge.mustache\n  - ntp server 2\n");
  EXPECT_THAT(said(job), ElementsAre("--config-line ntp server 1", "--config-file base.cfg",
                                     "--config-file edge.mustache", "--config-line ntp server 2"));
  EXPECT_TRUE(job.settings[1].input);
}

TEST(Job, AQuestionMayHoldAnEqualsSign) {
  const Job job = read(R"(expect:
  - {question: 'size=\d+ ok\?', answer: y}
  - {question: 'a\=b\\=c', answer: ''}
)");
  EXPECT_THAT(said(job), ElementsAre(R"(--answer size\=\d+ ok\?=y)", R"(--answer a\=b\\\=c=)"));
}

TEST(Job, ScheduleIsReadAndJudged) {
  const Job job = read(
      "schedule:\n  cron: '30 2 * * *'\n  zone: Europe/Berlin\n  overlap: queue\n"
      "  missed: once\n  latest: 2h\n  jitter: 5m\n  splay: 1h\n"
      "  not_in:\n    - {cron: '0 1 * * sun', lasts: 3h}\n");
  ASSERT_TRUE(job.schedule);
  EXPECT_EQ(job.schedule->cron, "30 2 * * *");
  EXPECT_EQ(job.schedule->schedule.overlap, Overlap::kQueue);
  EXPECT_EQ(job.schedule->schedule.missed, Missed::kOnce);
  EXPECT_EQ(job.schedule->schedule.latest, std::chrono::hours(2));
  EXPECT_EQ(job.schedule->schedule.jitter, std::chrono::minutes(5));
  EXPECT_EQ(job.schedule->splay, std::chrono::hours(1));
  ASSERT_EQ(job.schedule->not_in.size(), 1u);
  EXPECT_EQ(job.schedule->not_in[0].lasts, std::chrono::hours(3));
  EXPECT_EQ(job.schedule->not_in[0].zone, job.schedule->schedule.zone);
  EXPECT_EQ(job.schedule->schedule.zone->name(), "Europe/Berlin");
  EXPECT_EQ(read("schedule: '@hourly'").schedule->zone, "UTC");
}

TEST(Job, AnEmptyFileSaysNothing) {
  EXPECT_THAT(read("").settings, IsEmpty());
  EXPECT_THAT(read("# nothing\n").settings, IsEmpty());
  EXPECT_THAT(read("commands:\nselects: []\ntimeouts: {}\nschedule:\n  cron: '@daily'").settings,
              IsEmpty());
}

struct Wrong {
  const char* text;
  const char* message;
};
class JobWrong : public ::testing::TestWithParam<Wrong> {};

TEST_P(JobWrong, NamesItsLine) {
  EXPECT_THAT(wrong_with(GetParam().text), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Values, JobWrong,
    ::testing::Values(
        Wrong{"- a\n", "job.yaml:1: a job takes a map"}, Wrong{"just text", "a job takes a map"},
        Wrong{"name: x\ncommand: y\n",
              "job.yaml:2: unknown key 'command', did you mean 'commands'"},
        Wrong{"colour: red\n",
              "unknown key 'colour' (known: name, configuration, expect, schedule"},
        Wrong{"timeouts: 5s\n", "job.yaml:1: 'timeouts' takes a map"},
        Wrong{"timeouts:\n  conect: 5s\n",
              "job.yaml:2: unknown key 'conect', did you mean 'connect'"},
        Wrong{"retries: [1]\n", "'retries' takes one value, not a list"},
        Wrong{"commands: {a: b}\n", "'commands' takes one value, not a map"},
        Wrong{"save: perhaps\n", "'perhaps' is neither true nor false"},
        Wrong{"password: x\n", "a job file holds no secrets"},
        Wrong{"credentials:\n  enable_password: x\n", "job.yaml:2: a job file holds no secrets"},
        Wrong{"commands: a\ncommands: b\n", "job.yaml:2: the key 'commands' was given before"},
        Wrong{"name: [a]\n", "'name' takes one value"},
        Wrong{"configuration: {template: x.cfg}\n", "a template ends in .mustache"},
        Wrong{"configuration: {file: x.mustache}\n", "a template ends in .mustache"},
        Wrong{"configuration: [{fil: x}]\n", "unknown key 'fil', did you mean 'file'?"},
        Wrong{"configuration: [[a]]\n", "is a line, or takes a map"},
        Wrong{"expect: {question: a}\n", "'expect' takes a list"},
        Wrong{"expect: [{question: a}]\n", "needs 'question' and 'answer'"},
        Wrong{"expect: [{answer: a}]\n", "needs 'question' and 'answer'"},
        Wrong{"expect: [{question: a, reply: b}]\n", "unknown key 'reply'"},
        Wrong{"schedule: {zone: UTC}\n", "a schedule needs 'cron'"},
        Wrong{"schedule: 0 24 * * *\n", "job.yaml:1: hour field"},
        Wrong{"schedule: {cron: '0 0 30 2 *'}\n", "job.yaml:1:"},
        Wrong{"schedule:\n  cron: '@daily'\n  zone: Mars/Base\n", "job.yaml:3: \"Mars/Base\""},
        Wrong{"schedule: {cron: '@daily', overlap: both}\n", "'both' is not one of skip, queue"},
        Wrong{"schedule: {cron: '@daily', missed: all}\n", "'all' is not one of skip, once"},
        Wrong{"schedule: {cron: '@daily', jitter: bit}\n", "'bit' is no duration"},
        Wrong{"schedule: {cron: '@daily', every: 5m}\n", "unknown key 'every'"},
        Wrong{"schedule: {cron: '@daily', not_in: [{cron: '@daily'}]}\n", "a window needs"},
        Wrong{"schedule: {cron: '@daily', not_in: {cron: '@daily', lasts: 1s}}\n", "from 1m to"},
        Wrong{"a: [\n", "job.yaml:"},
        Wrong{"save:\n\t- true\n", "job.yaml:2: a tab in the indentation"},
        Wrong{"a: 1\n---\nb: 2\n", "a second document"}, Wrong{"\xff\xfe\0x", "no text file"}));

TEST(Job, FamiliesOfOptions) {
  EXPECT_EQ(option_family("--password-file"), option_family("--ask-password"));
  EXPECT_EQ(option_family("--config-line"), option_family("--config-file"));
  EXPECT_EQ(option_family("--host"), option_family("--inventory"));
  EXPECT_NE(option_family("--host"), option_family("--limit"));
  EXPECT_EQ(option_family("--connect-timeout"), "--connect-timeout");
  EXPECT_EQ(option_family("--threads"), option_family("--sessions"));
}

TEST(Job, WhatIsWrongIsSaidInOneLineEach) {
  for (const char* value :
       {R"("a\e[2J\nb")", R"({cron: "1\n * * * *"})", R"({cron: "@x\n"})",
        R"({cron: "@daily", zone: "a\nb"})", R"({cron: "@daily", splay: "a\nb"})"}) {
    const std::string message = wrong_with(std::string("schedule: ") + value);
    EXPECT_THAT(message, HasSubstr("job.yaml:1: ")) << value;
    EXPECT_EQ(message.find_first_of("\n\x1b"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace netfleet
