#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "common/open_files.h"
#include "common/standard_streams.h"
#include "dispatcher/cli/console.h"
#include "dispatcher/cli/git_option.h"
#include "dispatcher/cli/notify_option.h"
#include "dispatcher/cli/rollout_question.h"
#include "dispatcher/cli/run_setup.h"
#include "dispatcher/cli/stop_signals.h"
#include "dispatcher/cli/terminal.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/fleet/hub.h"
#include "dispatcher/output/progress.h"
#include "dispatcher/store/store.h"
#include "dispatcher/sweep/heartbeat.h"
#include "dispatcher/sweep/plan.h"

namespace netfleet {
namespace {

constexpr const char* kEmbeddedEndpoint = "inproc://netfleet";
constexpr std::uint64_t kOtherFiles = 64;         // beside the sessions: store, sockets, terminal
constexpr std::uint64_t kFilesOverJumpHosts = 2;  // of a session: both ends of its stream

int say_error(const std::string& message, int status) {
  print_error("netfleet: " + message + "\n");
  return status;
}

// What a session may need, and what besides.
struct FileNeeds {
  std::uint64_t session = 1;
  std::uint64_t others = kOtherFiles;
};

// Jump hosts have connections of their own on each thread, but no more than sessions use. Those
// that are reached over others cost two files each.
FileNeeds file_needs(const JobSpec& job, std::uint64_t sessions, std::uint64_t threads) {
  FileNeeds needs;
  if (job.jumps.empty()) return needs;
  needs.session = kFilesOverJumpHosts;
  std::uint64_t connections = 0;
  for (const JumpHost& host : job.jumps) {
    connections += threads * std::min<std::uint64_t>(host.max_connections,
                                                     sessions / threads / host.max_channels + 1);
  }
  needs.others += kFilesOverJumpHosts * std::min(connections, sessions);
  return needs;
}

// The sessions that fit into the open files that the system allows.
std::uint32_t fit_sessions(std::uint32_t wanted, std::uint64_t files, FileNeeds needs,
                           Console& console) {
  if (files >= wanted * needs.session + needs.others) return wanted;
  const std::uint64_t left = files > needs.others ? files - needs.others : 0;
  const auto fits = static_cast<std::uint32_t>(std::max<std::uint64_t>(left / needs.session, 1));
  console.say(
      fmt::format("netfleet: {} sessions need more open files than the limit of {} allows "
                  "(ulimit -n): going on with {}",
                  wanted, files, fits));
  return fits;
}

bool wants_progress(const RunOptions& options) {
  if (options.quiet || options.progress == ProgressMode::kOff) return false;
  return options.progress == ProgressMode::kOn || isatty(STDERR_FILENO) != 0;
}

std::uint64_t nonzero_seed() { return random_seed() | 1; }

HubOptions hub_options(const RunOptions& options, const Endpoint& endpoint, Console& console) {
  HubOptions hub;
  hub.endpoint = endpoint;
  hub.ledger.min_workers = options.listen.empty() ? 1 : options.min_workers;
  hub.ledger.lease = options.lease;
  hub.ledger.heartbeat = heartbeat_for(options.lease, options.min_workers);
  hub.ledger.region_timeout = options.region_timeout;
  hub.ledger.report_progress = options.verbose > 0;
  hub.ledger.epoch = nonzero_seed();
  hub.ledger.seed = nonzero_seed();
  hub.verbose = options.verbose > 0;
  hub.log = [&console](const std::string& line) { console.say("netfleet: " + line); };
  return hub;
}

Expected<Store> open_store(const StoreOptions& options) {
  if (!options.enabled) return Store::open("");
  auto path = store_path(options.path);
  if (!path) return std::unexpected(path.error());
  return Store::open(*path);
}

// A run from the first task to the summary; everything that it needs has been found to be there.
class Run {
 public:
  Run(const RunOptions& options, const WorkerSide& worker_side, Store store, RunSetup setup,
      Endpoint endpoint, std::optional<curve::DispatcherKeys> keys)
      : options_(options),
        worker_side_(worker_side),
        store_(std::move(store)),
        setup_(std::move(setup)),
        endpoint_(std::move(endpoint)),
        keys_(std::move(keys)),
        console_(wants_progress(options)),
        progress_(static_cast<std::uint32_t>(setup_.tasks.size()), BootClock::now()) {}

  int go() {
    for (const std::string& warning : setup_.warnings) console_.say("netfleet: " + warning);
    if (setup_.rollout.ask && !has_terminal()) {
      setup_.rollout.ask = false;
      console_.say("netfleet: there is no terminal to ask at: too many failures stop the sweep");
    }
    auto output_dir = open_output_dir();
    if (!output_dir) return say_error(output_dir.error().message, kExitUsage);
    auto backup = open_backup(options_, worker_side_, std::move(setup_.groups));
    if (!backup) return say_error(backup.error().message, kExitUsage);
    auto notices = SweepNotices::make(options_, record(), console_);
    if (!notices) return say_error(notices.error().message, kExitUsage);
    if (auto begun = begin(); !begun) return say_error(begun.error().message, kExitInternal);
    const int signal_fd = open_stop_signals();
    wire::Context context;
    HubOptions hub_setup = hub_options(options_, endpoint_, console_);
    const auto identity = store_.identity();
    if (!identity) return say_error(identity.error().message, kExitInternal);
    hub_setup.ledger.journal_id = *identity;
    hub_setup.keys = std::exchange(keys_, std::nullopt);
    if (sends_credentials(options_)) hub_setup.credentials = setup_.credentials;
    Hub hub(context, clock_, std::move(hub_setup));
    if (auto opened = hub.open(regions_of(setup_.tasks)); !opened) {
      return say_error(opened.error().message, kExitUsage);
    }
    auto worker = start_worker(context, hub);
    if (!worker) return say_error(worker.error().message, kExitUsage);
    Recorder recorder(store_, record(), setup_.tasks,
                      recorder_options(std::move(*output_dir), std::exchange(*backup, {})));
    const auto ended = hub.run(sweep_run(*notices), recorder, signal_fd);
    worker->reset();
    console_.clear();
    if (!ended) return say_error(ended.error().message, kExitInternal);
    const int status = conclude(*ended);
    notices->ended(*ended, status);
    notices->finish(signal_fd);
    close(signal_fd);
    return status;
  }

 private:
  SweepRecord& record() { return setup_.record; }

  // What must never happen twice must be known after a power cut, too.
  bool never_twice() const {
    return setup_.record.job.changes_device && !setup_.record.retry_unsafe;
  }

  // The sweep is in the store, and ours.
  Expected<void> begin() {
    if (never_twice()) {
      if (auto set = store_.set_durable(); !set) return set;
    }
    if (setup_.resumed) {
      console_.say(fmt::format("netfleet: going on with sweep {}: {} of {} hosts are done",
                               record().id, done(), record().total));
      if (auto recalled = store_.recall_platforms(setup_.tasks); !recalled) return recalled;
      const auto least =
          store_.take_over(record().number, options_.lease, setup_.resumed->journal_uncertain);
      if (!least) return std::unexpected(least.error());
      least_attempt_ = *least;
      return {};
    }
    if (auto added = store_.add_sweep(record(), setup_.tasks); !added) return added;
    auto lock = store_.lock_sweep(record());
    if (!lock) return std::unexpected(lock.error());
    lock_ = std::move(*lock);
    return store_.recall_platforms(setup_.tasks);
  }

  std::size_t done() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        setup_.resumed->states, [](const TaskState& state) { return state.outcome.has_value(); }));
  }

  Expected<std::optional<OutputDirectory>> open_output_dir() {
    if (options_.output_dir.empty()) return std::nullopt;
    auto opened = OutputDirectory::open(options_.output_dir);
    if (!opened) return std::unexpected(opened.error());
    return std::move(*opened);
  }

  Expected<std::unique_ptr<EmbeddedWorker>> start_worker(wire::Context& context, Hub& hub) {
    const std::uint64_t files = allow_open_files();  // a worker of its own costs three here
    if (!options_.listen.empty()) return nullptr;
    const std::uint32_t wanted =
        std::min(options_.sessions, static_cast<std::uint32_t>(setup_.tasks.size()));
    const std::uint32_t threads = options_.session_threads != 0
                                      ? options_.session_threads
                                      : std::max(1u, std::thread::hardware_concurrency());
    const FileNeeds needs = file_needs(record().job, wanted, threads);
    EmbeddedWorkerSetup setup{
        .context = context,
        .endpoint = endpoint_,
        .sessions = fit_sessions(wanted, files, needs, console_),
        .threads = options_.session_threads,
        .regions = regions_of(setup_.tasks),
        .credentials = setup_.credentials,
        .more_credentials = {},
        .ask_code = ask_code(),
        .known_hosts = options_.known_hosts,
        .platform_dir = options_.platform_dir,
        .session_log = options_.session_log,
        .log = [this](const std::string& line) { console_.say("netfleet: " + line); },
        .failed = [&hub](const std::string& why) { hub.worker_failed(why); },
    };
    return worker_side_.start(std::move(setup));
  }

  // Of a person, if there is one.
  AskCode ask_code() {
    if (!has_terminal()) return {};
    return [this](const CodeQuestion& question, TimePoint deadline, int given_up) {
      return code_prompt_.ask(question, deadline, given_up);
    };
  }

  RecorderOptions recorder_options(std::optional<OutputDirectory> output_dir,
                                   std::shared_ptr<GitBackup> backup) {
    RecorderOptions recorder;
    recorder.resume = setup_.resumed.has_value();
    RecordingOptions& recording = recorder.recording;
    recording.format = options_.output;
    recording.order = options_.order;
    recording.output_directory = std::move(output_dir);
    recording.backup = std::move(backup);
    recording.scratch_store = !options_.store.enabled;
    recording.output_fd = STDOUT_FILENO;
    recording.to_terminal = isatty(STDOUT_FILENO) != 0;
    if (recording.to_terminal) recording.before_output = [this] { console_.clear(); };
    return recorder;
  }

  SweepRun sweep_run(SweepNotices& notices) {
    SweepRun run;
    run.question = &question_;
    run.recorded = [this, &notices](Outcome outcome) {
      progress_.count(outcome);
      notices.count(outcome);
    };
    if (console_.shows_progress()) {
      run.progress = [this](std::uint32_t running) {
        console_.show_progress(progress_.line(BootClock::now(), running, terminal_columns()));
      };
    }
    run.number = record().number;
    run.job = record().job;
    run.tasks = setup_.tasks;
    run.limits = setup_.limits;
    run.rollout = setup_.rollout;
    run.retries = record().retries;
    run.max_auth_failures = record().max_auth_failures;
    run.retry_unsafe = record().retry_unsafe;
    run.journaled = never_twice() || !options_.listen.empty();
    if (setup_.resumed) {
      run.states = std::move(setup_.resumed->states);
      run.elapsed = std::max(Milliseconds(0), clock_.wall() - record().started_at);
      run.lease_before = record().lease;
      run.journal_uncertain = setup_.resumed->journal_uncertain && !never_twice();
      run.least_attempt = least_attempt_;
    }
    return run;
  }

  int conclude(const SweepEnd& end) {
    const auto elapsed = end.report.summary.elapsed;
    if (elapsed && !end.report.store_error) {  // else results are missing there: it is unfinished
      auto ended = store_.end_sweep(record().number, record().started_at + *elapsed, end.guarded);
      if (!ended) console_.say("netfleet: " + ended.error().message);
    }
    if (!options_.quiet && options_.output != OutputFormat::kSummary) {
      print_error(render_summary(end.report.summary, end.report.failed));
    }
    if (!options_.quiet && !end.report.backup.empty()) {
      print_error("netfleet: " + end.report.backup + "\n");
    }
    return exit_status(end);
  }

  const RunOptions& options_;
  const WorkerSide& worker_side_;
  Store store_;
  RunSetup setup_;
  SweepLock lock_;
  std::uint32_t least_attempt_ = 1;
  Endpoint endpoint_;
  std::optional<curve::DispatcherKeys> keys_;
  SystemClock clock_;
  Console console_;
  CodePrompt code_prompt_{console_};
  TerminalQuestion question_{console_};
  Progress progress_;
};

}  // namespace

int exit_status(const SweepEnd& end) {
  if (end.interrupted) return kExitInterrupted;
  if (end.guarded) return kExitGuarded;
  if (end.report.store_error || end.report.output_error) return kExitUsage;  // a full disk
  const Summary& summary = end.report.summary;
  const auto ok = summary.by_outcome[static_cast<std::size_t>(Outcome::kOk)];
  return ok == summary.total ? kExitOk : kExitSomeFailed;
}

Expected<std::string> store_path(const std::string& given) {
  if (!given.empty()) return given;
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::string path = Store::default_path(variable("XDG_STATE_HOME"), variable("HOME"));
  if (path.empty()) {
    return fail(
        "no place for the store: neither HOME nor XDG_STATE_HOME is set; give --store FILE "
        "or --store none");
  }
  return path;
}

int run_verb(const RunOptions& options, const WorkerSide& worker_side) {
  auto endpoint = Endpoint::parse(options.listen.empty() ? kEmbeddedEndpoint : options.listen);
  if (!endpoint) return say_error(endpoint.error().message, kExitUsage);
  std::optional<curve::DispatcherKeys> keys;
  if (!options.keys.empty()) {
    auto read = curve::read_dispatcher_keys(options.keys);
    if (!read) return say_error(read.error().message, kExitUsage);
    keys = *std::move(read);
  }
  auto store = open_store(options.store);
  if (!store) return say_error(store.error().message, kExitUsage);
  auto setup = options.resume.empty() ? set_up_run(options, worker_side)
               : options.only         ? set_up_repeat(options, *store, worker_side)
                                      : set_up_resume(options, *store, worker_side);
  if (!setup) {
    const PromptFailure& failure = setup.error();
    if (failure.signal != 0) return 128 + failure.signal;
    return say_error(failure.message, kExitUsage);
  }
  return Run(options, worker_side, std::move(*store), std::move(*setup), std::move(*endpoint),
             std::move(keys))
      .go();
}

}  // namespace netfleet
