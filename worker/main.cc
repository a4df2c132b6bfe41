// netfleet-worker: the whole object graph of the worker's program; it decides nothing.
#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "common/credential_file.h"
#include "common/credential_source.h"
#include "common/curve_files.h"
#include "common/open_files.h"
#include "common/standard_streams.h"
#include "worker/fleet/link.h"
#include "worker/options.h"
#include "worker/own_jumps.h"
#include "worker/setup.h"

namespace netfleet {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitRefused = 3;

void log(const std::string& line) { print_error("netfleet-worker: " + line + "\n"); }

int say_error(const std::string& message, int status) {
  log(message);
  return status;
}

std::string default_name() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return fmt::format("{}-{}", host, getpid());
}

// The worker's own credential "default", if its command line names any, and those of its file.
Expected<CredentialStore> own_credentials(const WorkerOptions& options) {
  std::vector<std::string> warnings;
  NamedCredentials named;
  if (!options.credential_file.empty()) {
    auto read = read_credential_file(options.credential_file, home_directory());
    if (!read) return std::unexpected(read.error());
    named = *std::move(read);
  }
  const AskPassphrase nobody = [](const std::string& path) -> Expected<Secret> {
    return fail(fmt::format("the key {} needs a passphrase: give --key-passphrase-env VAR", path));
  };
  auto credential =
      read_credential(options.credentials, ssh::Identity::needs_passphrase, nobody, warnings);
  if (!credential) return std::unexpected(credential.error());
  CredentialStore store;
  for (const auto& [name, where] : named) {
    auto one = read_credential(where, ssh::Identity::needs_passphrase, nobody, warnings);
    if (!one) return fail(fmt::format("credential '{}': {}", name, one.error().message));
    store[name] = std::make_shared<const Credential>(*std::move(one));
  }
  for (const std::string& warning : warnings) log(warning);
  if (!credential->password.empty() || !credential->keys.empty() || credential->use_agent) {
    store["default"] = std::make_shared<const Credential>(std::move(*credential));
  }
  return store;
}

int serve(const WorkerOptions& options) {
  auto endpoint = Endpoint::parse(options.dispatcher);
  if (!endpoint) return say_error(endpoint.error().message, kExitUsage);
  std::optional<curve::WorkerKeys> keys;
  if (!options.keys.empty()) {
    auto read = curve::read_worker_keys(options.keys, options.name);
    if (!read) return say_error(read.error().message, kExitUsage);
    keys = *std::move(read);
  }
  auto credentials = own_credentials(options);
  if (!credentials) return say_error(credentials.error().message, kExitUsage);
  std::vector<std::string> warnings;
  auto jumps =
      read_own_jumps(options.jumps, options.credentials, home_directory(), *credentials, warnings);
  for (const std::string& warning : warnings) log(warning);
  if (!jumps) return say_error(jumps.error().message, kExitUsage);
  auto parts = make_worker_parts(options.known_hosts, options.platform_dir);
  if (!parts) return say_error(parts.error().message, kExitUsage);
  auto session_logs = open_session_logs(options.session_log, log);
  if (!session_logs) return say_error(session_logs.error().message, kExitUsage);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file too large for the limit is a full disk
  allow_open_files();

  const auto spool = Spool::make(options.spool.empty() ? default_spool_directory() : options.spool);
  WorkerSetup setup;
  setup.dispatcher = *endpoint;
  setup.lease_holder.name = keys                   ? keys->name
                            : options.name.empty() ? default_name()
                                                   : options.name;
  if (keys) setup.keys = std::move(keys->own);
  setup.lease_holder.incarnation = make_incarnation();
  setup.lease_holder.regions = options.regions;
  setup.lease_holder.slots = options.sessions;
  setup.outbox.spool = spool;
  setup.credentials = std::move(*credentials);
  setup.jumps = std::move(*jumps);
  setup.drain_timeout = options.drain_timeout;
  setup.log = log;
  setup.verbose = options.verbose > 0;
  const int signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  setup.signal_fd = signal_fd;
  wire::Context context;
  const SystemClock clock;
  EventQueue events;
  ssh::Resolver resolver;
  Engine engine(
      {resolver, *parts->known_hosts, parts->platforms, events, *spool, session_logs->get()},
      session_threads(options.session_threads));
  Worker worker(context, clock, std::move(setup), events, engine);
  const auto ended = worker.run();
  close(signal_fd);
  return ended ? 0 : say_error(ended.error().message, kExitRefused);
}

}  // namespace
}  // namespace netfleet

int main(int argc, char** argv) {
  using namespace netfleet;
  occupy_standard_streams();
  keep_memory_private();
  auto parsed = parse_worker_command_line(argc, argv);
  if (!parsed) {
    print_error(parsed.error().message + "\n");
    return kExitUsage;
  }
  if (const auto* help = std::get_if<WorkerHelp>(&*parsed)) {
    const auto printed = print_output(help->text);
    return printed ? 0 : say_error(printed.error().message, kExitUsage);
  }
  return serve(std::get<WorkerOptions>(*parsed));
}
