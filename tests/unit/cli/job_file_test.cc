#include "dispatcher/cli/job_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/cli/named_credentials.h"
#include "dispatcher/sweep/rollout.h"
#include "tests/unit/disk.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JobFile : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(files_ / name) << text;
    return files_ / name;
  }
  Expected<CommandLine> parse(const std::string& job, std::vector<std::string> more = {}) {
    path_ = write("job.yaml", job);
    more.insert(more.begin(), {"netfleet", "run", path_});
    std::vector<const char*> arguments;
    for (const std::string& one : more) arguments.push_back(one.c_str());
    return parse_command_line_with_job(static_cast<int>(arguments.size()), arguments.data(), "me",
                                       "/nowhere/me");
  }
  RunOptions run(const std::string& job, std::vector<std::string> more = {}) {
    const auto parsed = parse(job, std::move(more));
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
    return parsed ? std::get<RunOptions>(*parsed) : RunOptions{};
  }
  std::string error(const std::string& job, std::vector<std::string> more = {}) {
    const auto parsed = parse(job, std::move(more));
    return parsed ? "no error" : parsed.error().message;
  }

  TemporaryDirectory files_;
  std::string path_;
};

constexpr const char* kWhole = R"(
hosts: [a, b]
selects: a
commands: [show version]
credentials: {user: admin, password_env: PW}
timeouts: {connect: 5s, task: 2m}
retries: 3
save: true
rollout: {canary: 1, max_failures: 2%}
output: {format: jsonl}
)";

TEST_F(JobFile, NamesACredential) {
  write("c.yaml", "credentials: {night: {password_env: PW}}\n");
  const std::string job = "hosts: a\ncommands: x\nregion: eu\ncredentials:\n  name: {}\n{}";
  const auto wrong = [&](const std::string& name, const std::string& more) {
    path_ = write("job.yaml", fmt::format(fmt::runtime(job), name, more));
    Problems problems;
    const Job read = read_job(path_, "/nowhere/me", problems);
    if (!problems.any()) {
      check_job_credential(read, run_options_of(read, "me", problems), "/nowhere/me", problems);
    }
    return problems.any() ? problems.error().message : "nothing";
  };
  EXPECT_EQ(wrong("night", "  file: c.yaml\n"), "nothing");
  EXPECT_EQ(run(fmt::format(fmt::runtime(job), "night", "")).region, "eu");
  EXPECT_THAT(wrong("nihgt", "  file: c.yaml\n"),
              HasSubstr("job.yaml:5: credentials.name: " + path_.substr(0, path_.rfind('/')) +
                        "/c.yaml has no credential 'nihgt' (it has: night)"));
  EXPECT_THAT(wrong("night", ""), HasSubstr("job.yaml:5: credentials.name: nothing says where"));
  EXPECT_EQ(wrong("night", "workers: {listen: tcp://127.0.0.1:7600}\n"), "nothing");
  EXPECT_THAT(wrong("'inventory:1'", ""), HasSubstr("job.yaml:5: credentials.name: the cred"));
  EXPECT_THAT(wrong("night", "  file: none.yaml\n"), HasSubstr("job.yaml:6: credentials.file: "));
  EXPECT_THAT(wrong("night", "  agent: true\n"), HasSubstr("--credential: all of it is said"));
  // By hand: its own password, and so no name.
  EXPECT_EQ(run(fmt::format(fmt::runtime(job), "night", ""), {"--password-env", "X"}).credential,
            "");
}

TEST_F(JobFile, IsARun) {
  const RunOptions options = run(kWhole);
  EXPECT_THAT(options.hosts, ElementsAre("a", "b"));
  EXPECT_THAT(options.limits, ElementsAre("a"));
  EXPECT_EQ(options.user, "admin");
  EXPECT_TRUE(options.user_given);
  EXPECT_EQ(options.timeouts.connect, std::chrono::seconds(5));
  EXPECT_EQ(options.retries, 3u);
  EXPECT_TRUE(options.save && options.changes);
  EXPECT_EQ(format_rollout(options.rollout), "canary=1 max-failures=2%");
  EXPECT_EQ(options.output, OutputFormat::kJsonl);
}

TEST_F(JobFile, WhatIsGivenByHandGoesBefore) {
  const RunOptions options =
      run(kWhole, {"--retries", "0", "-c", "show clock", "--password-command", "pass", "-u", "bob",
                   "-o", "text", "-l", "not b"});
  EXPECT_EQ(options.retries, 0u);
  EXPECT_THAT(options.commands, ElementsAre("show clock"));
  EXPECT_EQ(options.credentials.password.kind, SecretSource::Kind::kCommand);
  EXPECT_EQ(options.user, "bob");
  EXPECT_EQ(options.output, OutputFormat::kText);
  EXPECT_THAT(options.limits, ElementsAre("a", "not b")) << "both hold";
  const RunOptions elsewhere = run(kWhole, {"-H", "c"});
  EXPECT_THAT(elsewhere.hosts, ElementsAre("c"));
  EXPECT_THAT(elsewhere.limits, IsEmpty());
}

TEST_F(JobFile, PathsAreMeantFromItsDirectory) {
  write("devices.txt", "a\n");
  const RunOptions options =
      run("inventory: devices.txt\ncommands: x\noutput: {directory: out}\nssh: {known_hosts: "
          "~/.ssh/other}\nstore: none\n");
  EXPECT_THAT(options.inventories, ElementsAre(files_ / "devices.txt"));
  EXPECT_EQ(options.output_dir, files_ / "out");
  EXPECT_EQ(options.known_hosts, "/nowhere/me/.ssh/other");
  EXPECT_FALSE(options.store.enabled);
}

TEST_F(JobFile, WhatIsWrongNamesFileAndLine) {
  EXPECT_THAT(error("hosts: a\ntimeouts:\n  connect: soon\n"),
              HasSubstr(path_ + ":3: timeouts.connect: 'soon' is no duration"));
  EXPECT_THAT(error("hosts: a\ninventory: nowhere.txt\n"),
              HasSubstr(path_ + ":2: inventory: read " + (files_ / "nowhere.txt") + ": No such"));
  EXPECT_THAT(error("hosts: a\nrollout: {batch: 0}\nretries: x\n"),
              HasSubstr(":3: retries: 'x' is no number"));
  EXPECT_THAT(error("commands: x\n"), HasSubstr("no hosts"));
  EXPECT_THAT(error("hosts: a\n"), HasSubstr("nothing to run"));
  EXPECT_THAT(error("hosts: a\ncommands: x\ndry_run: true\n"), HasSubstr("--dry-run needs"));
  EXPECT_THAT(error(kWhole, {"--resume", "last"}), HasSubstr("--resume"));
}

TEST_F(JobFile, AMissingOneIsSaid) {
  const char* const arguments[] = {"netfleet", "run", "show version"};
  const auto parsed = parse_command_line_with_job(3, arguments, "me", "");
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("no job file 'show version' (commands are given"));
}

}  // namespace
}  // namespace netfleet
