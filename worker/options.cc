#include "worker/options.h"

#include <CLI/CLI.hpp>

#include "common/command_line.h"

namespace netfleet {
namespace {

constexpr const char* kExamples = R"(Examples:
  Join a dispatcher on this machine ('netfleet run --listen tcp://127.0.0.1:7600 ...'):
    netfleet-worker --dispatcher tcp://127.0.0.1:7600 --password-env DEVICE_PASSWORD
  500 sessions on 4 threads, for two regions, with a key:
    netfleet-worker --dispatcher ipc:///run/netfleet/fleet --region eu --region uk \
        --sessions 500 --threads 4 --key ~/.ssh/id_ed25519
  Join a dispatcher elsewhere ('netfleet keygen --help' says where the keys come from):
    netfleet-worker --dispatcher tcp://hub:7600 --keys keys --password-file secret

Ctrl-C or SIGTERM: finish what runs, take no more; the second one stops at once.)";

}  // namespace

Expected<WorkerCommandLine> parse_worker_command_line(int argc, const char* const* argv) {
  WorkerOptions options;
  CLI::App app("Runs the tasks of a netfleet dispatcher.", "netfleet-worker");
  app.set_version_flag("--version", "netfleet-worker " NETFLEET_VERSION,
                       "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(kExamples);
  app.option_defaults()->group("Fleet");
  add_value(app, "--dispatcher", "ENDPOINT", "tcp://HOST:PORT or ipc://PATH", Times::kOnce,
            [&options](const std::string& given) {
              options.dispatcher = given;
              return check_endpoint(given);
            });
  add_text(app, "--name", "NAME",
           "What the dispatcher calls it (default: its key's name; host name and process)",
           options.name);
  add_text(app, "--keys", "DIR", "Its own secret key and dispatcher.pub, from 'netfleet keygen'",
           options.keys);
  add_list(app, "--region", "NAME", "A region it serves (repeatable; default: the default region)",
           options.regions);
  add_number(app, "-s,--sessions", "Sessions at once (default: 50)", options.sessions, 1, 100'000);
  add_number(app, "--threads", "Threads that carry them (default: one a core)",
             options.session_threads, 1, 1024);
  add_duration(app, "--drain-timeout", "How long sessions may finish after SIGTERM (default: 5m)",
               options.drain_timeout);
  add_text(app, "--spool", "DIR",
           "Where results lie that memory has no room for (default: $TMPDIR or /var/tmp)",
           options.spool);
  add_text(app, "--platform-dir", "DIR", "More platform files; they replace those of the same name",
           options.platform_dir);
  add_text(app, "--session-log", "DIR",
           "Write down each session, secrets masked ('netfleet replay' reads it)",
           options.session_log);
  app.add_flag("-v,--verbose", options.verbose, "Say more on stderr (repeatable)");
  app.option_defaults()->group("Login");
  add_credential_options(app, options.credentials, false);
  add_text(app, "--credential-file", "FILE",
           "Where the secrets of named credentials are (YAML: 'credentials:')",
           options.credential_file);
  add_text(app, "--jumps", "FILE",
           "Jump hosts that this worker knows by itself (YAML: 'jumps:' as in an inventory)",
           options.jumps);
  add_text(app, "--known-hosts", "FILE", "Where host keys are kept", options.known_hosts);

  auto parsed = parse_arguments(app, argc, argv);
  if (!parsed) return std::unexpected(parsed.error());
  if (*parsed) return WorkerHelp{**std::move(parsed)};
  if (options.dispatcher.empty()) {
    return usage_error("no dispatcher: give --dispatcher ENDPOINT", "netfleet-worker");
  }
  if (auto safe = check_keys(options.dispatcher, options.keys); !safe) {
    return usage_error("--dispatcher: " + safe.error().message, "netfleet-worker");
  }
  return options;
}

}  // namespace netfleet
