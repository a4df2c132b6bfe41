#include "dispatcher/cli/options.h"

#include <gmock/gmock.h>

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Expected<CommandLine> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "netfleet");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "me");
}

// `run` with what it needs at least, and more.
Expected<CommandLine> parse_run(std::vector<const char*> more) {
  std::vector<const char*> arguments = {"run", "-i", "f", "-c", "show version"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return parse(arguments);
}

RunOptions run(std::vector<const char*> more) {
  const auto parsed = parse_run(std::move(more));
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::get<RunOptions>(*parsed) : RunOptions{};
}

std::string error_of(const Expected<CommandLine>& parsed) {
  return parsed ? "no error" : parsed.error().message;
}

TEST(Options, DefaultsOfRun) {
  const RunOptions options = run({});
  EXPECT_THAT(options.inventories, ElementsAre("f"));
  EXPECT_THAT(options.commands, ElementsAre("show version"));
  EXPECT_EQ(options.user, "me");
  EXPECT_EQ(options.credentials, CredentialOptions{});
  EXPECT_EQ(options.platform, "");
  EXPECT_EQ(options.port, 0);
  EXPECT_EQ(options.sessions, 50u);
  EXPECT_EQ(options.session_threads, 0u);
  EXPECT_EQ(options.timeouts, Timeouts{});
  EXPECT_EQ(options.retries, 1u);
  EXPECT_EQ(options.max_auth_failures, 1u);
  EXPECT_EQ(options.host_key_policy, HostKeyPolicy::kAcceptNew);
  EXPECT_FALSE(options.legacy_algorithms);
  EXPECT_EQ(options.output, OutputFormat::kText);
  EXPECT_EQ(options.order, OutputOrder::kInventory);
  EXPECT_EQ(options.max_output, 64u << 20);
  EXPECT_EQ(options.progress, ProgressMode::kAuto);
  EXPECT_TRUE(options.store.enabled);
  EXPECT_EQ(options.store.path, "");
  EXPECT_EQ(options.listen, "");
  EXPECT_FALSE(options.changes);
  EXPECT_FALSE(options.retry_unsafe);
  EXPECT_EQ(options.logins_per_second, 0);
  EXPECT_EQ(options.region_timeout, std::chrono::minutes(5));
  EXPECT_EQ(options.lease, std::chrono::seconds(10));
  EXPECT_EQ(options.verbose, 0);
  EXPECT_FALSE(options.quiet);
}

TEST(Options, EveryOptionOfRun) {
  const RunOptions options = run({"-i",
                                  "-",
                                  "-H",
                                  "a,[::1]:22",
                                  "--host",
                                  "[::1]",
                                  "-l",
                                  "[ab]*",
                                  "--limit",
                                  "not x",
                                  "-c",
                                  "[x]",
                                  "-c",
                                  "{}",
                                  "--commands-file",
                                  "cmds",
                                  "-u",
                                  "ann",
                                  "-P",
                                  "cisco_ios",
                                  "--port",
                                  "2222",
                                  "-s",
                                  "100000",
                                  "--session-threads",
                                  "4",
                                  "--connect-timeout",
                                  "500ms",
                                  "--auth-timeout",
                                  "5",
                                  "--command-timeout",
                                  "2m",
                                  "--task-timeout",
                                  "1h",
                                  "--retries",
                                  "0",
                                  "--max-auth-failures",
                                  "7",
                                  "--host-key-policy",
                                  "strict",
                                  "--known-hosts",
                                  "kh",
                                  "--legacy-algorithms",
                                  "-o",
                                  "jsonl",
                                  "--order",
                                  "completion",
                                  "--output-dir",
                                  "out",
                                  "--max-output",
                                  "16K",
                                  "--progress",
                                  "on",
                                  "--store",
                                  "s.db",
                                  "--listen",
                                  "tcp://127.0.0.1:7600",
                                  "--min-workers",
                                  "2",
                                  "--changes",
                                  "--platform-dir",
                                  "pd",
                                  "-vv",
                                  "-v"});
  EXPECT_THAT(options.inventories, ElementsAre("f", "-"));
  EXPECT_THAT(options.hosts, ElementsAre("a,[::1]:22", "[::1]"));
  EXPECT_THAT(options.limits, ElementsAre("[ab]*", "not x"));
  EXPECT_THAT(options.commands, ElementsAre("show version", "[x]", "{}"));
  EXPECT_EQ(options.commands_file, "cmds");
  EXPECT_EQ(options.user, "ann");
  EXPECT_EQ(options.platform, "cisco_ios");
  EXPECT_EQ(options.port, 2222);
  EXPECT_EQ(options.sessions, 100'000u);
  EXPECT_EQ(options.session_threads, 4u);
  EXPECT_EQ(options.timeouts, (Timeouts{Milliseconds(500), Milliseconds(5000),
                                        Milliseconds(120'000), Milliseconds(3'600'000)}));
  EXPECT_EQ(options.retries, 0u);
  EXPECT_EQ(options.max_auth_failures, 7u);
  EXPECT_EQ(options.host_key_policy, HostKeyPolicy::kStrict);
  EXPECT_EQ(options.known_hosts, "kh");
  EXPECT_TRUE(options.legacy_algorithms);
  EXPECT_EQ(options.output, OutputFormat::kJsonl);
  EXPECT_EQ(options.order, OutputOrder::kCompletion);
  EXPECT_EQ(options.output_dir, "out");
  EXPECT_EQ(options.max_output, 16u << 10);
  EXPECT_EQ(options.progress, ProgressMode::kOn);
  EXPECT_EQ(options.store.path, "s.db");
  EXPECT_EQ(options.listen, "tcp://127.0.0.1:7600");
  EXPECT_EQ(options.min_workers, 2u);
  EXPECT_TRUE(options.changes);
  EXPECT_EQ(options.platform_dir, "pd");
  EXPECT_EQ(options.verbose, 3);
}

TEST(Options, LongFormsAndAliases) {
  const auto parsed = parse({"run", "--inventory=f", "--command=-x", "--user=ann", "-t", "7",
                             "--platform=auto", "--output=summary"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const RunOptions& options = std::get<RunOptions>(*parsed);
  EXPECT_THAT(options.commands, ElementsAre("-x"));
  EXPECT_EQ(options.sessions, 7u);
  EXPECT_EQ(options.output, OutputFormat::kSummary);
  EXPECT_THAT(run({"-c", "run", "-c", "results"}).commands,
              ElementsAre("show version", "run", "results"));
  EXPECT_EQ(run({"--threads", "8"}).sessions, 8u);
  EXPECT_EQ(run({"--sessions", "9"}).sessions, 9u);
}

TEST(Options, CredentialSources) {
  using Kind = SecretSource::Kind;
  const CredentialOptions options =
      run({"--ask-password", "--enable-password-command", "pass enable", "-k", "k1", "--key", "k2",
           "--key-passphrase-env", "PP", "--agent"})
          .credentials;
  EXPECT_TRUE(options.ask_password);
  EXPECT_EQ(options.enable_password, (SecretSource{Kind::kCommand, "pass enable"}));
  EXPECT_THAT(options.keys, ElementsAre("k1", "k2"));
  EXPECT_EQ(options.key_passphrase_env, "PP");
  EXPECT_EQ(options.agent, AgentUse::kOn);
  EXPECT_EQ(run({"--password-env", "V"}).credentials.password,
            (SecretSource{Kind::kEnvironment, "V"}));
  EXPECT_EQ(run({"--password-file", "F"}).credentials.password, (SecretSource{Kind::kFile, "F"}));
  EXPECT_EQ(run({"--password-command", "C"}).credentials.password,
            (SecretSource{Kind::kCommand, "C"}));
  EXPECT_EQ(run({"--enable-password-env", "V"}).credentials.enable_password,
            (SecretSource{Kind::kEnvironment, "V"}));
  EXPECT_EQ(run({"--enable-password-file", "F"}).credentials.enable_password,
            (SecretSource{Kind::kFile, "F"}));
  EXPECT_EQ(run({"--no-agent"}).credentials.agent, AgentUse::kOff);
}

TEST(Options, FailurePolicies) {
  EXPECT_EQ(run({"--on-auth-failure", "stop"}).max_auth_failures, 1u);
  EXPECT_EQ(run({"--on-auth-failure", "continue"}).max_auth_failures, 0u);
  EXPECT_EQ(run({"--on-auth-failure", "stop", "--max-auth-failures", "3"}).max_auth_failures, 3u);
}

TEST(Options, StoreListenAndQuiet) {
  EXPECT_FALSE(run({"--store", "none"}).store.enabled);
  EXPECT_EQ(run({"--listen", "tcp://[::1]:7600"}).listen, "tcp://[::1]:7600");
  EXPECT_EQ(run({"--listen", "tcp://localhost:1"}).listen, "tcp://localhost:1");
  EXPECT_EQ(run({"--listen", "ipc:///run/x"}).listen, "ipc:///run/x");
  const RunOptions open = run({"--listen", "tcp://0.0.0.0:7600", "--keys", "k"});
  EXPECT_EQ(open.listen, "tcp://0.0.0.0:7600");
  EXPECT_EQ(open.keys, "k");
  EXPECT_FALSE(open.send_credentials);
  EXPECT_TRUE(
      run({"--listen", "tcp://[::]:1", "--keys", "k", "--send-credentials"}).send_credentials);
  EXPECT_EQ(run({"-q"}).progress, ProgressMode::kOff);
  EXPECT_EQ(run({"-q", "--progress", "on"}).progress, ProgressMode::kOn);
}

KeygenOptions keygen(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"netfleet", "keygen"});
  const auto parsed =
      parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "joe");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return std::get<KeygenOptions>(*parsed);
}

TEST(Options, Keygen) {
  const KeygenOptions hub = keygen({"keys/", "dispatcher"});
  EXPECT_EQ(hub.directory, "keys");
  EXPECT_EQ(hub.role, curve::Role::kDispatcher);
  EXPECT_THAT(hub.names, ElementsAre("dispatcher"));
  EXPECT_FALSE(hub.replace);
  const KeygenOptions workers = keygen({"/k", "worker", "eu-1", "eu-2", "--replace"});
  EXPECT_EQ(workers.role, curve::Role::kWorker);
  EXPECT_THAT(workers.names, ElementsAre("eu-1", "eu-2"));
  EXPECT_TRUE(workers.replace);
  EXPECT_EQ(keygen({"/", "operator", "anna"}).role, curve::Role::kOperator);
  const KeygenOptions token = keygen({"--token", "night", "--scopes", "read,run"});
  EXPECT_EQ(token.token, "night");
  EXPECT_EQ(token.scope, Scope::kRun);
}

TEST(Options, KeygenErrors) {
  const auto error = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), {"netfleet", "keygen"});
    return error_of(
        parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "joe"));
  };
  EXPECT_THAT(error({}), HasSubstr("no directory"));
  EXPECT_THAT(error({"keys"}), HasSubstr("'' is not one of dispatcher, worker, operator"));
  EXPECT_THAT(error({"keys", "king"}), HasSubstr("'king' is not one of"));
  EXPECT_THAT(error({"keys", "worker"}), HasSubstr("no name"));
  EXPECT_THAT(error({"keys", "dispatcher", "x"}), HasSubstr("takes no name"));
  EXPECT_THAT(error({"keys", "worker", "../x"}), HasSubstr("'../x' is no name for a key"));
  EXPECT_THAT(error({"keys", "king"}), HasSubstr("\nTry 'netfleet keygen --help'."));
  EXPECT_THAT(error({"--token", "night"}), HasSubstr("--token needs --scopes"));
  EXPECT_THAT(error({"--token", "n t", "--scopes", "run"}), HasSubstr("--token 'n t'"));
  EXPECT_THAT(error({"--token", "night", "--scopes", "all"}), HasSubstr("--scopes: "));
  EXPECT_THAT(error({"--scopes", "run"}), HasSubstr("--scopes is for --token"));
  EXPECT_THAT(error({"keys", "worker", "--token", "a", "--scopes", "run"}), HasSubstr("no keys"));
}

struct Bad {
  std::vector<const char*> arguments;
  const char* message;
};
class RunBad : public ::testing::TestWithParam<Bad> {};

TEST_P(RunBad, IsRefusedWithTheReasonAndTheHint) {
  const std::string message = error_of(parse_run(GetParam().arguments));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_THAT(message, HasSubstr("\nTry 'netfleet run --help'."));
  EXPECT_EQ(std::ranges::count(message, '\n'), 1) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Values, RunBad,
    ::testing::Values(
        Bad{{"--port", "0"}, "--port: '0' is no number from 1 to 65535"},
        Bad{{"--port", "70000"}, "--port: '70000' is no number"},
        Bad{{"--port", "0x16"}, "--port: '0x16' is no number"},
        Bad{{"--port", "22", "--port", "23"}, "--port: it was given before"},
        Bad{{"--port"}, "--port: its value is missing"},
        Bad{{"--changes=x"}, "--changes: it takes no value"},
        Bad{{"-s", "0"}, "'0' is no number from 1 to 100000"},
        Bad{{"-t", "100001"}, "'100001' is no number from 1 to 100000"},
        Bad{{"-s", "5", "-s", "6"}, "--sessions: it was given before"},
        Bad{{"-s", "5", "-t", "6"}, "--sessions excludes --threads"},
        Bad{{"--session-threads", "0"}, "--session-threads: '0'"},
        Bad{{"--connect-timeout", "soon"}, "--connect-timeout: 'soon' is no duration"},
        Bad{{"--auth-timeout", "0"}, "--auth-timeout: it must be greater than zero"},
        Bad{{"--command-timeout=-1s"}, "--command-timeout: '-1s' is no duration"},
        Bad{{"--task-timeout", "400000h"}, "--task-timeout"},
        Bad{{"--retries=-1"}, "--retries: '-1'"}, Bad{{"--retries", "101"}, "--retries: '101'"},
        Bad{{"--on-auth-failure", "ignore"},
            "--on-auth-failure: 'ignore' is not one of stop, continue"},
        Bad{{"--max-auth-failures", "0"}, "--max-auth-failures: '0'"},
        Bad{{"--max-auth-failures", "2", "--on-auth-failure", "continue"}, "exclude each other"},
        Bad{{"--host-key-policy", "none"}, "'none' is not one of strict, accept-new, off"},
        Bad{{"-o", "xml"}, "'xml' is not one of text, grouped, jsonl, csv, summary"},
        Bad{{"--notify-failures", "3"}, "--notify-failures needs --notify-command"},
        Bad{{"--notify-command", "x", "--notify-failures", "200%"}, "'200%' is neither"},
        Bad{{"--notify-webhook", "ftp://a"}, "expected https://HOST/..."},
        Bad{{"--notify-webhook", "https://u:p@a/"}, "a user or password"},
        Bad{{"--diff"}, "--diff needs -o grouped"},
        Bad{{"--git-shard", "region"}, "--git-shard needs --git"},
        Bad{{"--git", "d", "--git-shard", "site"}, "'site' is not one of none, region, group"},
        Bad{{"--diff", "-o", "csv"}, "--diff needs -o grouped"},
        Bad{{"--order", "random"}, "'random' is not one of inventory, completion"},
        Bad{{"--progress", "yes"}, "'yes' is not one of auto, on, off"},
        Bad{{"--max-output", "0"}, "'0' is no size"},
        Bad{{"--max-output", "1T"}, "'1T' is no size"},
        Bad{{"--max-output", "K"}, "'K' is no size"},
        Bad{{"--max-output", "99999999999999999999G"}, "is no size"},
        Bad{{"--max-output", "20G"}, "'20G' is more than 16G"},
        Bad{{"--listen", "tcp://0.0.0.0:7600"}, "CURVE is required there"},
        Bad{{"--listen", "tcp://*:7600"}, "CURVE is required there"},
        Bad{{"--listen", "tcp://[::]:7600"}, "CURVE is required there"},
        Bad{{"--listen", "tcp://127.evil.example:1"}, "CURVE is required there"},
        Bad{{"--listen", "tcp://127.0.0.1"}, "is no endpoint"},
        Bad{{"--listen", "tcp://::1:7600"}, "is no endpoint"},
        Bad{{"--listen", "tcp://127.0.0.1:0"}, "is no endpoint"},
        Bad{{"--listen", "udp://127.0.0.1:1"}, "is no endpoint"},
        Bad{{"--listen", "ipc://"}, "is no endpoint"},
        Bad{{"--listen", "inproc://x"}, "is no endpoint"},
        Bad{{"--keys", "k"}, "--keys needs --listen"},
        Bad{{"--send-credentials"}, "--send-credentials needs --listen"},
        Bad{{"--min-workers", "2"}, "--min-workers needs --listen"},
        Bad{{"--session-log", "d", "--listen", "tcp://127.0.0.1:1"},
            "--session-log and --listen exclude each other"},
        Bad{{"-q", "-v"}, "--quiet and --verbose exclude each other"},
        Bad{{"-i", "-", "-i", "-"}, "standard input can be read only once"},
        Bad{{"-c", ""}, "--command: the value is empty"}, Bad{{"-c", " "}, "the command is empty"},
        Bad{{"-c", "a\nb"}, "a command is one line"}, Bad{{"-c", "a\x03"}, "a control character"},
        Bad{{"-u", ""}, "--user: the value is empty"}, Bad{{"-P", ""}, "--platform: the value"},
        Bad{{"--password-env", "A", "--password-file", "B"},
            "--password-env, -file and -command exclude each other"},
        Bad{{"--agent", "--no-agent"}, "--agent: it and --no-agent exclude each other"},
        Bad{{"-J", "a,,b"}, "--jump: a jump host without a name"},
        Bad{{"-J", "a", "-J", "b"}, "--jump: it was given before"},
        Bad{{"--kex", "+rot13"}, "--kex: 'rot13' is no key exchange method that netfleet knows"},
        Bad{{"--otp-command", "x", "--listen", "ipc:///x"},
            "--otp-command: the workers run it: give it to netfleet-worker"},
        Bad{{"job.yaml", "stray"}, "unexpected argument 'stray'"}));

TEST(Options, JumpHosts) {
  const auto jump = [](const char* hops) {
    const char* const arguments[] = {"netfleet", "run", "-H", "a", "-c", "x", "-J", hops};
    const auto line = parse_command_line(static_cast<int>(std::size(arguments)), arguments, "me");
    return line ? std::get<RunOptions>(*line).jump : line.error().message;
  };
  EXPECT_EQ(jump("bastion"), "bastion");
  EXPECT_EQ(jump("ann@bastion:2222, [fe80::1%eth0]:22"), "ann@bastion:2222>[fe80::1%eth0]:22");
  EXPECT_EQ(jump("none"), "none");
}

INSTANTIATE_TEST_SUITE_P(
    Rollout, RunBad,
    ::testing::Values(Bad{{"--only", "failed"}, "--only"},
                      Bad{{"--only", "x"}, "--only: 'x' is not one of failed, ok"},
                      Bad{{"--canary", "0"}, "--canary: '0' is no number"},
                      Bad{{"--canary", "5%"}, "--canary: '5%' is no number"},
                      Bad{{"--batch", "101%"}, "--batch: '101%' is no share"},
                      Bad{{"--batch-growth", "2"}, "--batch-growth needs --batch"},
                      Bad{{"--batch", "2", "--batch-growth", "0.5"}, "'0.5' is no number"},
                      Bad{{"--batch-pause", "2m"}, "--batch-pause needs --canary or --batch"},
                      Bad{{"--max-failures", "few"}, "--max-failures: 'few' is no share"},
                      Bad{{"--on-max-failures", "ask"}, "needs --max-failures or --canary"},
                      Bad{{"--canary", "1", "--on-max-failures", "run"}, "not one of stop, ask"},
                      Bad{{"--canary", "1", "--count-failures", "lost,x"}, "'x' is not one of"}));

TEST(Options, RolloutIsTakenAndHasNoPlaceBesideResume) {
  const RunOptions options = run(
      {"--canary", "5", "--batch", "10%", "--batch-growth", "1.5", "--batch-pause", "2m",
       "--max-failures", "2%", "--on-max-failures", "ask", "--count-failures", "failed,skipped"});
  EXPECT_EQ(format_rollout(options.rollout),
            "canary=5 batch=10% growth=1.5 pause=120000ms max-failures=2% on-max-failures=ask "
            "counts=failed,skipped");
  EXPECT_THAT(error_of(parse({"run", "--resume", "last", "--canary", "5"})),
              HasSubstr("--canary excludes --resume"));
  const auto again = parse({"run", "--resume", "last", "--only", "failed"});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(std::get<RunOptions>(*again).only, kFailedOutcomes);
}

TEST(Options, SshItself) {
  const char* const arguments[] = {"netfleet", "run",          "-H",
                                   "a",        "-c",           "x",
                                   "--macs",   "^hmac-sha1",   "--host-key-algorithms",
                                   "ssh-rsa",  "--ssh-config", "none",
                                   "-u",       "ann"};
  const auto line = parse_command_line(static_cast<int>(std::size(arguments)), arguments, "me");
  ASSERT_TRUE(line) << line.error().message;
  const RunOptions& options = std::get<RunOptions>(*line);
  EXPECT_EQ(to_text(options.ssh.algorithms), "macs ^hmac-sha1\nhost_key_algorithms ssh-rsa\n");
  EXPECT_EQ(options.ssh.config, "none");
  EXPECT_TRUE(options.user_given);
}

TEST(Options, SecretsOnTheCommandLineAreRefusedAndNotShown) {
  for (const std::vector<const char*>& arguments :
       {std::vector<const char*>{"--password", "hunter2"},
        {"--password=hunter2"},
        {"-p", "hunter2"},
        {"-phunter2"},
        {"--enable-password", "hunter2"},
        {"--secret=hunter2"},
        {"--ask-password=hunter2"},
        {"--agent=hunter2"},
        {"--verbose=hunter2"}}) {
    const std::string message = error_of(parse_run(arguments));
    EXPECT_THAT(message, HasSubstr("--"));
    EXPECT_THAT(message, Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(error_of(parse_run({"--password", "x"})), HasSubstr("use --password-env"));
}

TEST(Options, RunNeedsHostsAndCommands) {
  EXPECT_THAT(error_of(parse({"run", "-c", "x"})), StartsWith("no hosts: give -i FILE or -H HOST"));
  EXPECT_THAT(error_of(parse({"run", "-i", "f"})), StartsWith("nothing to run: give -c COMMAND"));
  EXPECT_TRUE(parse({"run", "-H", "a", "--commands-file", "f"}));
}

TEST(Options, ResumeTakesFromTheStoreWhatWasAsked) {
  const auto parsed = parse({"run", "--resume", "last", "-i", "f", "-s", "9", "-o", "jsonl"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(std::get<RunOptions>(*parsed).resume, "last");
  for (const auto& [option, value] :
       {std::pair{"-c", "x"}, {"-H", "a"}, {"-l", "a"}, {"--retries", "2"}, {"-u", "me"}}) {
    EXPECT_THAT(error_of(parse({"run", "--resume", "last", option, value})),
                HasSubstr("excludes --resume"));
  }
  EXPECT_THAT(error_of(parse({"run", "--resume", "last", "--store", "none"})),
              StartsWith("--resume needs a store"));
}

TEST(Options, Results) {
  const auto plain = parse({"results"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(std::get<ResultsOptions>(*plain).sweep, "last");
  EXPECT_FALSE(std::get<ResultsOptions>(*plain).list);
  const auto full = parse({"results", "abc", "-o", "jsonl", "--store", "s", "--output-dir", "d"});
  ASSERT_TRUE(full);
  EXPECT_EQ(std::get<ResultsOptions>(*full).sweep, "abc");
  EXPECT_EQ(std::get<ResultsOptions>(*full).output, OutputFormat::kJsonl);
  EXPECT_EQ(std::get<ResultsOptions>(*full).store, "s");
  EXPECT_EQ(std::get<ResultsOptions>(*full).output_dir, "d");
  EXPECT_TRUE(std::get<ResultsOptions>(*parse({"results", "--list"})).list);
  EXPECT_THAT(error_of(parse({"results", "--port", "1"})),
              HasSubstr("unknown option --port\nTry 'netfleet results --help'."));
}

TEST(Options, Diff) {
  const auto plain = parse({"diff"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(std::get<DiffOptions>(*plain).before, "");
  EXPECT_FALSE(std::get<DiffOptions>(*plain).no_mask);
  const auto full = parse({"diff", "a", "b", "-l", "x", "-l", "y", "--volatile", "z", "--no-mask",
                           "--platform-dir", "p", "--store", "s"});
  ASSERT_TRUE(full);
  const auto& diff = std::get<DiffOptions>(*full);
  EXPECT_EQ(diff.before, "a");
  EXPECT_EQ(diff.after, "b");
  EXPECT_THAT(diff.limits, ElementsAre("x", "y"));
  EXPECT_THAT(diff.volatile_patterns, ElementsAre("z"));
  EXPECT_TRUE(diff.no_mask);
  EXPECT_EQ(diff.platform_dir, "p");
  EXPECT_EQ(diff.store, "s");
  EXPECT_THAT(error_of(parse({"diff", "a", "b", "c"})), HasSubstr("unexpected"));
}

TEST(Options, Prune) {
  const auto parsed = parse({"prune", "--keep-sweeps", "3", "--keep-days", "9", "--unfinished",
                             "--compact", "--store", "s"});
  ASSERT_TRUE(parsed);
  const auto& prune = std::get<PruneOptions>(*parsed);
  EXPECT_EQ(prune.keep_sweeps, 3u);
  EXPECT_EQ(prune.keep_days, 9u);
  EXPECT_TRUE(prune.unfinished);
  EXPECT_TRUE(prune.compact);
  EXPECT_EQ(prune.store, "s");
  EXPECT_THAT(error_of(parse({"prune"})), HasSubstr("nothing says what stays"));
  EXPECT_THAT(error_of(parse({"prune", "--keep-sweeps", "0"})), HasSubstr("--keep-sweeps"));
  EXPECT_THAT(error_of(parse({"prune", "--keep-days", "1", "--dry-run", "--compact"})),
              HasSubstr("exclude each other"));
}

TEST(Options, HelpAndVersion) {
  EXPECT_THAT(std::get<HelpText>(*parse({"--version"})).text,
              StartsWith("netfleet " NETFLEET_VERSION));
  EXPECT_THAT(std::get<HelpText>(*parse({"--help"})).text, HasSubstr("results"));
  const std::string text = std::get<HelpText>(*parse({"run", "--help"})).text;
  EXPECT_THAT(text, HasSubstr("netfleet run -i devices.txt -u admin -c \"show version\""));
  EXPECT_THAT(text, HasSubstr("--password-env VARIABLE"));
  EXPECT_THAT(text, HasSubstr("-l,--limit EXPRESSION"));
  EXPECT_THAT(text, Not(HasSubstr("Excludes:"))) << "what only the parser must know";
  EXPECT_THAT(text, Not(HasSubstr("Needs:")));
}

// Words as a shell cuts them, up to a redirection or the explanation beside an example.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (const char c : line + " ") {
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted || c != ' ') {
      word += c;
    } else if (word == ">" || word == "the" || word == "all") {
      break;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

// An example that does not parse teaches the wrong thing.
TEST(Options, EveryExampleInTheHelpParses) {
  int examples = 0;
  for (const char* verb : {"run", "results"}) {
    std::string text = std::get<HelpText>(*parse({verb, "--help"})).text;
    for (std::size_t at; (at = text.find("\\\n")) != std::string::npos;) text.replace(at, 2, " ");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t begin = line.find(std::string("netfleet ") + verb);
      if (begin == std::string::npos || !line.starts_with("  ")) continue;
      const std::vector<std::string> words = shell_words(line.substr(begin));
      std::vector<const char*> arguments;
      for (const std::string& word : words) arguments.push_back(word.c_str());
      const auto parsed =
          parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "me");
      EXPECT_TRUE(parsed) << line << "\n" << parsed.error().message;
      ++examples;
    }
  }
  EXPECT_GE(examples, 8);
}

TEST(Options, UnknownOrMissingCommands) {
  EXPECT_THAT(error_of(parse({"rnu"})),
              HasSubstr("unexpected argument 'rnu'\nTry 'netfleet --help'."));
  EXPECT_THAT(error_of(parse({})), HasSubstr("a command is missing"));
  EXPECT_THAT(error_of(parse({"--port", "1"})), HasSubstr("unknown option --port"));
}

TEST(Options, DetectIsARunWithoutCommands) {
  const auto parsed = parse({"detect", "-i", "f", "-u", "admin", "-s", "9", "-o", "jsonl"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& options = std::get<RunOptions>(*parsed);
  EXPECT_TRUE(options.detect);
  EXPECT_EQ(options.platform, "auto");
  EXPECT_EQ(options.user, "admin");
  EXPECT_EQ(options.sessions, 9u);
  EXPECT_EQ(options.output, OutputFormat::kDetectionJsonl);
  EXPECT_FALSE(run({}).detect);
  EXPECT_THAT(error_of(parse({"detect"})), HasSubstr("no hosts"));
  EXPECT_THAT(error_of(parse({"detect", "-i", "f", "-c", "reload"})), HasSubstr("-c"));
  EXPECT_THAT(error_of(parse({"detect", "-i", "f", "-o", "text"})), HasSubstr("table, jsonl"));
}

TEST(Options, ReplayTakesAFile) {
  const auto replay = parse({"replay", "a.log", "-P", "arista_eos", "-o", "jsonl"});
  ASSERT_TRUE(replay) << replay.error().message;
  const auto& options = std::get<ReplayOptions>(*replay);
  EXPECT_EQ(options.file, "a.log");
  EXPECT_EQ(options.platform, "arista_eos");
  EXPECT_EQ(options.output, OutputFormat::kJsonl);
  EXPECT_FALSE(parse({"replay"}));
  EXPECT_FALSE(parse({"replay", "a.log", "-o", "summary"}));
}

}  // namespace
}  // namespace netfleet
