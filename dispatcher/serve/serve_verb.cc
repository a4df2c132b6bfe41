#include "dispatcher/serve/serve_verb.h"

#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "common/check.h"
#include "common/open_files.h"
#include "common/standard_streams.h"
#include "dispatcher/api/server.h"
#include "dispatcher/cli/stop_signals.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/serve/first_token.h"
#include "dispatcher/serve/steward.h"
#include "dispatcher/serve/systemd.h"
#include "dispatcher/sweep/heartbeat.h"

namespace netfleet {
namespace {

constexpr const char* kEmbeddedEndpoint = "inproc://netfleet";
constexpr std::uint64_t kFilesASession = 2;  // over jump hosts both ends of its stream
constexpr std::uint64_t kOtherFiles = 256;   // stores, sockets, connections of the API

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int say_error(const std::string& message, int status) {
  print_error("netfleet: " + message + "\n");
  return status;
}

// A timer of the clock on the wall; it is readable also when that was set.
class WallTimer {
 public:
  WallTimer() : fd_(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)) { CHECK(fd_ >= 0); }
  ~WallTimer() { close(fd_); }
  WallTimer(const WallTimer&) = delete;
  WallTimer& operator=(const WallTimer&) = delete;

  int fd() const { return fd_; }
  void set(std::optional<Instant> at) {
    itimerspec when{};
    // Far away when there is nothing to wait for: the clock may be set meanwhile.
    when.it_value.tv_sec = at ? at->time_since_epoch().count() : kFarAway;
    timerfd_settime(fd_, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, nullptr);
  }
  // Whether the clock was set since the last time.
  bool was_set() {
    std::uint64_t count = 0;
    return read(fd_, &count, sizeof count) < 0 && errno == ECANCELED;
  }

 private:
  static constexpr std::int64_t kFarAway = 32'503'680'000;  // the year 3000
  int fd_;
};

HubOptions hub_options(const ServeOptions& options, const Endpoint& endpoint, Console& console) {
  HubOptions hub;
  hub.endpoint = endpoint;
  hub.ledger.min_workers = options.min_workers;
  hub.ledger.lease = options.lease;
  hub.ledger.heartbeat = heartbeat_for(options.lease, options.min_workers);
  hub.ledger.region_timeout = options.region_timeout;
  hub.ledger.report_progress = options.verbose > 0;
  hub.ledger.epoch = random_seed() | 1;
  hub.ledger.seed = random_seed() | 1;
  hub.verbose = options.verbose > 0;
  hub.many_sweeps = true;
  hub.any_region = options.listen.empty();
  hub.log = [&console](const std::string& line) { console.say("netfleet: " + line); };
  return hub;
}

// The service, from its first start to its stop. What it is made of is there for as long as it is.
class Serving {
 public:
  Serving(const ServeOptions& options, const WorkerSide& worker_side)
      : options_(options), worker_side_(worker_side), console_(false) {}

  int go() {
    signal_fd_ = open_stop_signals();
    if (auto opened = open(); !opened) return say_error(opened.error().message, kExitUsage);
    // The hub hears nobody before it knows what goes on.
    if (auto begun = steward_->begin(); !begun) {
      return say_error(begun.error().message, kExitUsage);
    }
    const std::jthread hub_thread([this] { run_hub(); });
    if (auto answering = start_api(); !answering) {
      hub_->post([this] { hub_->stop(); });
      return say_error(answering.error().message, kExitUsage);
    }
    tell_ready();
    loop();
    manager_.stopping();
    if (api_) api_->stop();
    wait_for_hub();
    return failed_ ? kExitInternal : kExitOk;
  }

 private:
  Expected<void> open() {
    auto path = store_path(options_.store);
    if (!path) return std::unexpected(path.error());
    store_path_ = *path;
    auto set_aside = Store::set_aside_if_damaged(store_path_, clock_.wall());
    if (!set_aside) return std::unexpected(set_aside.error());
    if (!set_aside->empty()) {
      console_.say(
          fmt::format("netfleet: the store {} is damaged: it is kept as {}, and a new one "
                      "begun; sweeps that had not ended are not gone on with",
                      store_path_, *set_aside));
    }
    auto store = Store::open(store_path_);
    if (!store) return std::unexpected(store.error());
    auto lock = store->lock_service();
    if (!lock) return std::unexpected(lock.error());
    lock_ = std::move(*lock);
    if (auto opened = open_hub(*store); !opened) return opened;
    const std::string audit =
        options_.audit_log.empty() ? beside_store("audit.jsonl") : options_.audit_log;
    auto opened_audit = Audit::open(audit, clock_);
    if (!opened_audit) return std::unexpected(opened_audit.error());
    audit_ = std::move(*opened_audit);
    around_.emplace(Surroundings{options_, worker_side_, clock_, store_path_, variable("USER"),
                                 console_, credentials_});
    steward_.emplace(*around_, *hub_, std::move(*store),
                     JobBook(options_, variable("HOME"), variable("USER")), audit_.get());
    return {};
  }

  std::string beside_store(const std::string& name) const {
    return (std::filesystem::path(store_path_).parent_path() / name).string();
  }

  Expected<void> open_hub(Store& store) {
    auto endpoint = Endpoint::parse(options_.listen.empty() ? kEmbeddedEndpoint : options_.listen);
    if (!endpoint) return std::unexpected(endpoint.error());
    HubOptions setup = hub_options(options_, *endpoint, console_);
    if (!options_.keys.empty()) {
      auto keys = curve::read_dispatcher_keys(options_.keys);
      if (!keys) return std::unexpected(keys.error());
      setup.keys = std::move(*keys);
    }
    const auto identity = store.identity();
    if (!identity) return std::unexpected(identity.error());
    setup.ledger.journal_id = *identity;
    setup.stalled = [this](bool stalled) { steward_->set_stalled(stalled); };
    hub_.emplace(context_, clock_, std::move(setup));
    std::vector<std::string> regions = options_.regions;
    if (regions.empty()) regions.emplace_back();
    if (auto opened = hub_->open(regions); !opened) return opened;
    return start_worker(*endpoint);
  }

  Expected<void> start_worker(const Endpoint& endpoint) {
    const std::uint64_t files = allow_open_files();
    if (!options_.listen.empty()) return {};
    std::uint32_t sessions = options_.sessions;
    if (files < sessions * kFilesASession + kOtherFiles) {
      const std::uint64_t left = files > kOtherFiles ? (files - kOtherFiles) / kFilesASession : 1;
      sessions = static_cast<std::uint32_t>(std::max<std::uint64_t>(left, 1));
      console_.say(
          fmt::format("netfleet: {} sessions need more open files than the limit of {} "
                      "allows (ulimit -n): going on with {}",
                      options_.sessions, files, sessions));
    }
    EmbeddedWorkerSetup setup{
        .context = context_,
        .endpoint = endpoint,
        .sessions = sessions,
        .threads = options_.session_threads,
        .regions = {},
        .credentials = {},
        .more_credentials = [this](const std::string& name) { return credentials_.find(name); },
        .ask_code = {},
        .known_hosts = options_.known_hosts,
        .platform_dir = options_.platform_dir,
        .session_log = {},
        .log = [this](const std::string& line) { console_.say("netfleet: " + line); },
        .failed = [this](const std::string& why) { hub_->worker_failed(why); },
    };
    auto worker = worker_side_.start(std::move(setup));
    if (!worker) return std::unexpected(worker.error());
    worker_ = std::move(*worker);
    return {};
  }

  Expected<void> start_api() {
    if (options_.http == "none") return {};
    ApiOptions api;
    api.listen = options_.http;
    api.tokens = options_.tokens;
    if (api.tokens.empty()) {
      api.tokens = beside_store("api-tokens");
      auto made = make_first_token(api.tokens, beside_store("api-token"));
      if (!made) return std::unexpected(made.error());
    }
    api.certificate = options_.certificate;
    api.key = options_.key;
    api.audit = audit_.get();
    api.open_store = [path = store_path_] { return Store::open(path); };
    auto mask = worker_side_.volatile_mask(options_.platform_dir, {}, false);
    if (!mask) return std::unexpected(mask.error());
    api.mask = std::move(*mask);
    auto server = ApiServer::start(std::move(api), *steward_, [this](const std::string& line) {
      console_.say("netfleet: " + line);
    });
    if (!server) return std::unexpected(server.error());
    api_ = std::move(*server);
    return {};
  }

  void tell_ready() {
    const std::size_t jobs = steward_->jobs().size();
    const std::string status =
        fmt::format("{} job{}; workers {}; API {}", jobs, jobs == 1 ? "" : "s",
                    options_.listen.empty() ? "embedded" : "at " + options_.listen,
                    api_ ? "at " + api_->url() : "none");
    console_.say("netfleet: ready: " + status);
    manager_.ready(status);
  }

  void run_hub() {
    const auto ended = hub_->serve();
    if (!ended) {
      failed_ = true;
      console_.say("netfleet: " + ended.error().message);
    }
    hub_ended_ = true;
    steward_->wake();
  }

  void loop() {
    WallTimer timer;
    while (!hub_ended_) {
      timer.set(steward_->advance());
      pollfd ready[] = {
          {signal_fd_, POLLIN, 0}, {timer.fd(), POLLIN, 0}, {steward_->wake_fd(), POLLIN, 0}};
      poll(ready, 3, -1);
      if (timer.was_set()) steward_->clock_was_set();
      if (!receive_signals()) return;
    }
  }

  // False: it is to stop.
  bool receive_signals() {
    signalfd_siginfo info{};
    while (read(signal_fd_, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGHUP) return false;
      manager_.reloading();
      steward_->reload();
      if (api_) {
        if (auto read = api_->reload(); !read) console_.say("netfleet: " + read.error().message);
      }
      tell_ready();
    }
    return true;
  }

  // What runs is finished, unless it takes too long or somebody says so again. Workers of their own
  // go on without us.
  void wait_for_hub() {
    steward_->stop();
    const bool embedded = options_.listen.empty();
    console_.say(embedded ? "netfleet: stopping: finishing what runs; once more stops at once"
                          : "netfleet: stopping: workers go on with what they run");
    hub_->post([this, embedded] {
      if (embedded) {
        hub_->drain();
      } else {
        hub_->stop();
      }
    });
    const TimePoint until = clock_.now() + options_.stop_timeout;
    while (!hub_ended_ && clock_.now() < until) {
      const auto left = std::chrono::ceil<Milliseconds>(until - clock_.now());
      pollfd ready[] = {{signal_fd_, POLLIN, 0}, {steward_->wake_fd(), POLLIN, 0}};
      poll(ready, 2, static_cast<int>(left.count()));
      steward_->clear_wake();
      signalfd_siginfo info{};
      if (read(signal_fd_, &info, sizeof info) == sizeof info && info.ssi_signo != SIGHUP) break;
    }
    hub_->post([this] { hub_->stop(); });
  }

  const ServeOptions& options_;
  const WorkerSide& worker_side_;
  SystemClock clock_;
  Console console_;
  CredentialBook credentials_;
  const ServiceManager manager_{variable("NOTIFY_SOCKET")};
  int signal_fd_ = -1;
  std::string store_path_;
  SweepLock lock_;
  std::unique_ptr<Audit> audit_;
  wire::Context context_;
  std::optional<Surroundings> around_;
  std::optional<Hub> hub_;
  std::unique_ptr<EmbeddedWorker> worker_;
  std::optional<Steward> steward_;
  std::unique_ptr<ApiServer> api_;
  std::atomic<bool> hub_ended_ = false;
  std::atomic<bool> failed_ = false;
};

}  // namespace

int serve_verb(const ServeOptions& options, const WorkerSide& worker_side) {
  // A heap for each thread would keep the largest sweep once for every clerk. Sessions are threads
  // that need theirs.
  const unsigned session_threads = options.listen.empty() ? std::thread::hardware_concurrency() : 0;
  mallopt(M_ARENA_MAX, static_cast<int>(std::max(2u, session_threads)));
  return Serving(options, worker_side).go();
}

}  // namespace netfleet
