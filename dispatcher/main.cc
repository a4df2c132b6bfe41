// netfleet: the whole object graph of the dispatcher's program. The only file that puts an embedded
// worker beside a dispatcher; it decides nothing.
#include <sys/prctl.h>

#include <cstdlib>
#include <thread>
#include <utility>

#include "common/standard_streams.h"
#include "dispatcher/cli/check_job.h"
#include "dispatcher/cli/job_file.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/cli/replay_verb.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/serve/serve_verb.h"
#include "worker/fleet/link.h"
#include "worker/replay.h"
#include "worker/setup.h"
#include "worker/ssh/identity.h"

namespace netfleet {
namespace {

class WorkerThread final : public EmbeddedWorker {
 public:
  WorkerThread(EmbeddedWorkerSetup& setup, WorkerParts parts,
               std::unique_ptr<SessionLogs> session_logs)
      : parts_(std::move(parts)),
        session_logs_(std::move(session_logs)),
        engine_({resolver_, *parts_.known_hosts, parts_.platforms, events_, *spool_,
                 session_logs_.get()},
                session_threads(setup.threads)),
        worker_(setup.context, clock_, worker_setup(setup, spool_), events_, engine_),
        thread_([this, failed = setup.failed] {
          if (auto ended = worker_.run(); !ended) failed(ended.error().message);
        }) {}

  ~WorkerThread() override {
    worker_.request_drain();
    worker_.request_drain();  // at once: by now the sweep has ended
  }

 private:
  static WorkerSetup worker_setup(EmbeddedWorkerSetup& setup, std::shared_ptr<Spool> spool) {
    WorkerSetup worker;
    worker.dispatcher = setup.endpoint;
    worker.lease_holder.name = "local";
    worker.lease_holder.incarnation = make_incarnation();
    worker.lease_holder.regions = setup.regions;
    worker.lease_holder.slots = setup.sessions;
    worker.outbox.spool = std::move(spool);
    worker.credentials = std::move(setup.credentials);
    worker.more_credentials = std::move(setup.more_credentials);
    worker.ask_code = std::move(setup.ask_code);
    worker.once = true;
    worker.log = setup.log;
    return worker;
  }

  SystemClock clock_;
  WorkerParts parts_;
  std::unique_ptr<SessionLogs> session_logs_;
  const std::shared_ptr<Spool> spool_ = Spool::make(default_spool_directory());
  EventQueue events_;
  ssh::Resolver resolver_;
  Engine engine_;
  Worker worker_;
  std::jthread thread_;  // last: it uses all of the above
};

Expected<std::unique_ptr<EmbeddedWorker>> start_worker(EmbeddedWorkerSetup setup) {
  auto parts = make_worker_parts(setup.known_hosts, setup.platform_dir);
  if (!parts) return std::unexpected(parts.error());
  for (const auto& [name, credential] : setup.credentials) {
    if (auto loaded = ssh::Identity::load(credential); !loaded) {
      return std::unexpected(loaded.error());
    }
  }
  auto session_logs = open_session_logs(setup.session_log, setup.log);
  if (!session_logs) return std::unexpected(session_logs.error());
  return std::make_unique<WorkerThread>(setup, std::move(*parts), std::move(*session_logs));
}

Expected<ReplayedSession> replay_session(std::string_view log, const std::string& platform_dir,
                                         const std::string& platform) {
  auto replayed = replay_log(log, platform_dir, platform);
  if (!replayed) return std::unexpected(replayed.error());
  return ReplayedSession{std::move(replayed->task), std::move(replayed->result),
                         std::move(replayed->differences)};
}

}  // namespace
}  // namespace netfleet

int main(int argc, char** argv) {
  using namespace netfleet;
  occupy_standard_streams();
  keep_memory_private();
  const char* user = std::getenv("USER");
  const char* home = std::getenv("HOME");
  auto parsed = parse_command_line_with_job(argc, argv, user == nullptr ? "" : user,
                                            home == nullptr ? "" : home);
  if (!parsed) {
    print_error(parsed.error().message + "\n");
    return kExitUsage;
  }
  const WorkerSide worker_side{start_worker,    ssh::Identity::needs_passphrase,
                               check_platforms, check_job,
                               replay_session,  describe_platforms,
                               volatile_mask};
  if (const auto* help = std::get_if<HelpText>(&*parsed)) {
    const auto printed = print_output(help->text);
    if (!printed) print_error("netfleet: " + printed.error().message + "\n");
    return printed ? kExitOk : kExitUsage;
  }
  if (const auto* keygen = std::get_if<KeygenOptions>(&*parsed)) return keygen_verb(*keygen);
  if (const auto* replay = std::get_if<ReplayOptions>(&*parsed)) {
    return replay_verb(*replay, worker_side);
  }
  if (const auto* run = std::get_if<RunOptions>(&*parsed)) return run_verb(*run, worker_side);
  if (const auto* platforms = std::get_if<PlatformsOptions>(&*parsed)) {
    return platforms_verb(*platforms, worker_side);
  }
  if (const auto* check = std::get_if<CheckOptions>(&*parsed)) {
    return check->job.empty() ? check_verb(*check, worker_side)
                              : check_job_verb(*check, worker_side);
  }
  if (const auto* prune = std::get_if<PruneOptions>(&*parsed)) return prune_verb(*prune);
  if (const auto* diff = std::get_if<DiffOptions>(&*parsed)) return diff_verb(*diff, worker_side);
  if (const auto* serve = std::get_if<ServeOptions>(&*parsed)) {
    return serve_verb(*serve, worker_side);
  }
  if (const auto* workers = std::get_if<WorkersOptions>(&*parsed)) return workers_verb(*workers);
  if (const auto* service = std::get_if<ServiceCommand>(&*parsed)) return service_verb(*service);
  return results_verb(std::get<ResultsOptions>(*parsed), worker_side);
}
