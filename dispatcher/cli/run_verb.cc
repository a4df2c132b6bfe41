#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "dispatcher/cli/console.h"
#include "dispatcher/cli/run_setup.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/fleet/hub.h"
#include "dispatcher/output/progress.h"
#include "dispatcher/store/store.h"
#include "dispatcher/sweep/plan.h"

namespace netfleet {
namespace {

constexpr const char* kEmbeddedEndpoint = "inproc://netfleet";
constexpr rlim_t kOtherFiles = 64;  // beside the sessions: store, sockets, terminal

int say_error(const std::string& message, int status) {
  fmt::print(stderr, "netfleet: {}\n", message);
  return status;
}

// Allows as many open files as the system lets us; the sessions that fit then.
std::uint32_t fit_sessions(std::uint32_t wanted, Console& console) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted + kOtherFiles) return wanted;
  const auto fits = static_cast<std::uint32_t>(
      limit.rlim_cur > kOtherFiles + 1 ? limit.rlim_cur - kOtherFiles : 1);
  console.say(
      fmt::format("netfleet: {} sessions need more open files than the limit of {} allows "
                  "(ulimit -n): going on with {}",
                  wanted, limit.rlim_cur, fits));
  return fits;
}

// SIGINT, SIGTERM and SIGHUP as a file descriptor; blocked for every thread started later.
int open_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file too large for the limit is a full disk
  return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

bool wants_progress(const RunOptions& options) {
  if (options.quiet || options.progress == ProgressMode::kOff) return false;
  return options.progress == ProgressMode::kOn || isatty(STDERR_FILENO) != 0;
}

std::uint64_t nonzero_seed() { return random_seed() | 1; }

HubOptions hub_options(const RunOptions& options, const Endpoint& endpoint, Console& console,
                       Progress& progress) {
  HubOptions hub;
  hub.endpoint = endpoint;
  hub.ledger.min_workers = options.listen.empty() ? 1 : options.min_workers;
  hub.ledger.report_progress = options.verbose > 0;
  hub.ledger.epoch = nonzero_seed();
  hub.ledger.seed = nonzero_seed();
  hub.verbose = options.verbose > 0;
  hub.log = [&console](const std::string& line) { console.say("netfleet: " + line); };
  hub.recorded = [&progress](Outcome outcome) { progress.count(outcome); };
  if (console.shows_progress()) {
    hub.progress = [&console, &progress](std::uint32_t running) {
      console.show_progress(progress.line(BootClock::now(), running, terminal_columns()));
    };
  }
  return hub;
}

int exit_status(const SweepEnd& end) {
  if (end.interrupted) return kExitInterrupted;
  if (end.guarded) return kExitGuarded;
  if (end.report.store_error || end.report.output_error) return kExitUsage;  // a full disk
  const Summary& summary = end.report.summary;
  const auto ok = summary.by_outcome[static_cast<std::size_t>(Outcome::kOk)];
  return ok == summary.total ? kExitOk : kExitSomeFailed;
}

// A run from the first task to the summary; everything that it needs has been found to be there.
class Run {
 public:
  Run(const RunOptions& options, const WorkerSide& worker_side, RunSetup setup, Endpoint endpoint)
      : options_(options),
        worker_side_(worker_side),
        setup_(std::move(setup)),
        endpoint_(std::move(endpoint)),
        console_(wants_progress(options)),
        progress_(static_cast<std::uint32_t>(setup_.tasks.size()), BootClock::now()) {}

  int go() {
    for (const std::string& warning : setup_.warnings) console_.say("netfleet: " + warning);
    auto output_dir = open_output_dir();
    if (!output_dir) return say_error(output_dir.error().message, kExitUsage);
    auto store = open_store();
    if (!store) return say_error(store.error().message, kExitUsage);
    SweepRecord record;
    record.id = setup_.job.sweep;
    record.started_at = clock_.wall();
    record.total = static_cast<std::uint32_t>(setup_.tasks.size());
    record.job = setup_.job;
    if (auto added = store->add_sweep(record, setup_.tasks); !added) {
      return say_error(added.error().message, kExitInternal);
    }
    const int signal_fd = open_signals();
    wire::Context context;
    HubOptions hub_setup = hub_options(options_, endpoint_, console_, progress_);
    if (!options_.listen.empty()) hub_setup.credentials = &setup_.credentials;
    Hub hub(context, clock_, std::move(hub_setup));
    if (auto opened = hub.open(regions_of(setup_.tasks)); !opened) {
      return say_error(opened.error().message, kExitUsage);
    }
    auto worker = start_worker(context, hub);
    if (!worker) return say_error(worker.error().message, kExitUsage);
    Recorder recorder(*store, record, setup_.tasks, recorder_options(std::move(*output_dir)));
    const auto ended = hub.run(sweep_run(record.number), recorder, signal_fd);
    worker->reset();
    console_.clear();
    close(signal_fd);
    if (!ended) return say_error(ended.error().message, kExitInternal);
    return conclude(*ended, *store, record);
  }

 private:
  Expected<std::optional<OutputDirectory>> open_output_dir() {
    if (options_.output_dir.empty()) return std::nullopt;
    auto opened = OutputDirectory::open(options_.output_dir);
    if (!opened) return std::unexpected(opened.error());
    return std::move(*opened);
  }

  Expected<Store> open_store() {
    if (!options_.store.enabled) return Store::open("");
    auto path = store_path(options_.store.path);
    if (!path) return std::unexpected(path.error());
    return Store::open(*path);
  }

  Expected<std::unique_ptr<EmbeddedWorker>> start_worker(wire::Context& context, Hub& hub) {
    if (!options_.listen.empty()) return nullptr;
    const auto tasks = static_cast<std::uint32_t>(setup_.tasks.size());
    EmbeddedWorkerSetup setup{
        .context = context,
        .endpoint = endpoint_,
        .sessions = fit_sessions(std::min(options_.sessions, tasks), console_),
        .threads = options_.session_threads,
        .regions = regions_of(setup_.tasks),
        .credentials = setup_.credentials,
        .known_hosts = options_.known_hosts,
        .platform_dir = options_.platform_dir,
        .log = [this](const std::string& line) { console_.say("netfleet: " + line); },
        .failed = [&hub](const std::string& why) { hub.worker_failed(why); },
    };
    return worker_side_.start(std::move(setup));
  }

  RecorderOptions recorder_options(std::optional<OutputDirectory> output_dir) {
    RecorderOptions recorder;
    RecordingOptions& recording = recorder.recording;
    recording.format = options_.output;
    recording.order = options_.order;
    recording.output_directory = std::move(output_dir);
    recording.output_fd = STDOUT_FILENO;
    recording.to_terminal = isatty(STDOUT_FILENO) != 0;
    if (recording.to_terminal) recording.before_output = [this] { console_.clear(); };
    return recorder;
  }

  SweepRun sweep_run(std::uint32_t number) const {
    return {number, setup_.job, setup_.tasks, options_.retries, options_.max_auth_failures};
  }

  int conclude(const SweepEnd& end, Store& store, const SweepRecord& record) {
    if (!end.report.store_error) {  // else results are missing there: the sweep stays unfinished
      auto ended = store.end_sweep(record.number, record.started_at + end.report.summary.elapsed);
      if (!ended) console_.say("netfleet: " + ended.error().message);
    }
    if (!options_.quiet && options_.output != OutputFormat::kSummary) {
      fmt::print(stderr, "{}", render_summary(end.report.summary, end.report.failed));
    }
    return exit_status(end);
  }

  const RunOptions& options_;
  const WorkerSide& worker_side_;
  RunSetup setup_;
  Endpoint endpoint_;
  SystemClock clock_;
  Console console_;
  Progress progress_;
};

}  // namespace

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
  auto setup = set_up_run(options, worker_side);
  if (!setup) {
    const PromptFailure& failure = setup.error();
    if (failure.signal != 0) return 128 + failure.signal;
    return say_error(failure.message, kExitUsage);
  }
  return Run(options, worker_side, std::move(*setup), std::move(*endpoint)).go();
}

}  // namespace netfleet
