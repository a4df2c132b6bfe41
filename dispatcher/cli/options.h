// dispatcher/cli: what the command line of `netfleet` says, as plain data. Parsing only: it opens
// no file, asks nobody and reads nothing of the environment but the login name passed in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/credential_source.h"
#include "common/error.h"
#include "common/outcome_set.h"
#include "common/task.h"
#include "dispatcher/cli/check_verb.h"
#include "dispatcher/cli/configuration_source.h"
#include "dispatcher/cli/diff_verb.h"
#include "dispatcher/cli/keygen.h"
#include "dispatcher/cli/platforms_verb.h"
#include "dispatcher/cli/prune_verb.h"
#include "dispatcher/cli/replay_verb.h"
#include "dispatcher/cli/serve_options.h"
#include "dispatcher/cli/server_options.h"
#include "dispatcher/cli/service_options.h"
#include "dispatcher/cli/ssh_options.h"
#include "dispatcher/notify/notice.h"
#include "dispatcher/output/order.h"
#include "dispatcher/output/renderer.h"
#include "dispatcher/sweep/rollout.h"

namespace netfleet {

enum class GitShard : std::uint8_t { kNone, kRegion, kGroup };
enum class ProgressMode : std::uint8_t { kAuto, kOn, kOff };

// --store: `enabled` is false for "none"; an empty path is the default place.
struct StoreOptions {
  bool enabled = true;
  std::string path;
};

// `netfleet run` and `netfleet detect`. Strings are empty and numbers 0 where nothing was given and
// the default is not a constant.
struct RunOptions {
  std::string job;                                 // a job file; empty: none
  std::vector<std::string> given;                  // the long names of options that were given
  std::vector<std::string> inventories;            // -i: files, directories, "-"
  std::vector<std::string> hosts;                  // -H, each maybe comma-separated
  std::vector<std::string> limits;                 // -l: a host must satisfy all of them
  bool detect = false;                             // `netfleet detect`: no commands
  std::vector<std::string> commands;               // -c
  std::string commands_file;                       // --commands-file; see read_commands
  std::string mode;                                // --mode; empty: where the login leads
  std::vector<ConfigurationSource> configuration;  // in the order of the command line
  bool save = false;
  bool commit = false;  // --commit, which is the default
  std::optional<Milliseconds> commit_confirmed;
  bool dry_run = false;
  std::vector<ExpectedQuestion> answers;  // their patterns are not checked yet
  bool exec = false;
  std::string user;  // -u, else the login name; for hosts that name none
  bool user_given = false;
  CredentialOptions credentials;
  std::string credential;       // a name, for hosts that name none; empty: of `credentials`
  std::string credential_file;  // what names mean; empty: no names are known here
  std::string region;           // for hosts that name none
  std::string platform;         // -P, for all hosts; empty: the inventory's, else auto
  std::uint16_t port = 0;       // --port, for hosts that name none; 0: 22
  std::string jump;  // -J as the text of a chain, for hosts that name none; "none": directly
  std::uint32_t sessions = 50;
  std::uint32_t session_threads = 0;  // 0: one a core
  Timeouts timeouts;
  std::uint32_t retries = 1;
  double logins_per_second = 0;  // over all devices; 0: as fast as can be
  // Authentication failures that end the sweep; 0: none does (--on-auth-failure continue).
  std::uint32_t max_auth_failures = 1;
  HostKeyPolicy host_key_policy = HostKeyPolicy::kAcceptNew;
  std::string known_hosts;  // empty: the user's own
  bool legacy_algorithms = false;
  SshCommandLine ssh;
  OutputFormat output = OutputFormat::kText;
  OutputOrder order = OutputOrder::kInventory;
  std::string output_dir;  // empty: none
  std::string git;         // --git: a repository's directory; empty: none
  GitShard git_shard = GitShard::kNone;
  std::string session_log;               // a directory; empty: none. Not with `listen`
  std::uint64_t max_output = 64u << 20;  // bytes a command
  struct Notify {                        // who is told of the sweep
    std::string command;
    std::string webhook;
    std::string webhook_file;                  // whose first line is the webhook
    std::optional<FailureThreshold> failures;  // told at once, besides the end
  } notify;
  ProgressMode progress = ProgressMode::kAuto;
  StoreOptions store;
  std::string listen;                    // empty: an embedded worker; off loopback only with `keys`
  std::uint32_t min_workers = 1;         // only with `listen`
  std::string keys;                      // directory of CURVE keys; empty: none. Only with `listen`
  bool send_credentials = false;         // to workers on other machines too
  Milliseconds region_timeout{300'000};  // how long hosts wait for a worker that serves them
  Milliseconds lease{10'000};            // how long a worker that is not heard keeps its tasks
  bool changes = false;                  // a task changes its device, so it is never repeated ...
  bool retry_unsafe = false;             // ... but is, even after a loss; only with `changes`
  RolloutSpec rollout;
  std::string resume;              // a sweep to go on with: an id, its beginning, or "last"
  std::optional<OutcomeSet> only;  // with `resume`: a new sweep over its hosts that ended so
  std::string platform_dir;
  int verbose = 0;  // how often -v was given
  bool quiet = false;
  bool unattended = false;  // nobody is asked anything, even on a terminal; not an option
};

// `netfleet results`.
struct ResultsOptions {
  std::string sweep = "last";  // an id, or "last"
  bool list = false;           // list the sweeps instead
  OutputFormat output = OutputFormat::kText;
  std::string output_dir;
  std::string git;  // a repository's directory; empty: none. Only of a store here
  bool git_by_region = false;
  std::string platform_dir;  // with `git`
  std::string store;         // empty: the default place
  bool follow = false;       // results that are still to come, too; only of a server
  ServerOptions server;
};

// `netfleet workers`.
struct WorkersOptions {
  std::string dispatcher;  // its control endpoint, as netfleet-worker's; empty: a server is asked
  std::string keys;        // directory of an operator's CURVE keys; empty: none
  bool jsonl = false;      // else a table
  ServerOptions server;
};

// --help and --version: print to stdout, exit 0.
struct HelpText {
  std::string text;
};

using CommandLine = std::variant<HelpText, RunOptions, ResultsOptions, WorkersOptions,
                                 KeygenOptions, ReplayOptions, PlatformsOptions, CheckOptions,
                                 DiffOptions, PruneOptions, ServeOptions, ServiceCommand>;

// Parses argv, argv[0] included. `login_name` (getenv USER, may be empty) is the default of -u.
// The error is one line and a second one that says where the help is; exit status 2. What `run` and
// a job file say together is judged only once the file is read: see job_file.h. `of_job`: then what
// it says, as options.
Expected<CommandLine> parse_command_line(int argc, const char* const* argv,
                                         const std::string& login_name,
                                         const std::vector<std::string>* of_job = nullptr);

// What can be typed: one line of at most 4 KiB without control characters, tabs too; `what` as in
// "the command".
Expected<void> check_typed(const std::string& line, std::string_view what);
// A command may hold tabs, and is not blank.
Expected<void> check_command(const std::string& command);
Expected<void> check_configuration_line(const std::string& line);

// The commands of -c, then those of --commands-file: one a line; blank lines and lines that start
// with '#' are left out.
Expected<std::vector<std::string>> read_commands(const RunOptions& options);

}  // namespace netfleet
