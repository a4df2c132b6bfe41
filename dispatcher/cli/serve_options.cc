#include "dispatcher/cli/serve_options.h"

#include <CLI/CLI.hpp>

#include "common/command_line.h"
#include "common/curve.h"
#include "common/endpoint.h"
#include "dispatcher/cli/option_values.h"
#include "dispatcher/sweep/heartbeat.h"

namespace netfleet {
namespace {

constexpr const char* kExamples = R"(Examples:
  netfleet serve jobs/                                   one machine: the worker is embedded
  netfleet serve jobs/ --listen tcp://0.0.0.0:7600 --keys keys/
  netfleet serve jobs/ --http 10.0.0.5:7680 --tokens tokens --tls-cert api.pem --tls-key api.key
  netfleet serve jobs/ --keep-days 90 --keep-sweeps 10
Then, on the same machine as the same user:
  netfleet submit nightly -l 'edge-*' --watch     the job of jobs/nightly.yaml, now, on these hosts
  netfleet status; netfleet status last
  netfleet watch last
  netfleet schedule; netfleet schedule pause nightly

Each *.yaml of the directory is a job ('netfleet run JOB.yaml' does it once, 'netfleet check
JOB.yaml' says what is wrong with it); those with a schedule become sweeps by themselves. SIGHUP
reads them again, SIGTERM finishes what runs and leaves the rest to the next start. Who asks needs a
token: 'netfleet submit', 'status', 'watch', 'schedule' and the like take that in the file api-token
beside the store, or one of --token-file; so does everybody over HTTP (docs/API.md).)";

void add_workers_part(CLI::App& serve, ServeOptions& options) {
  serve.option_defaults()->group("Workers");
  add_text(serve, "--listen", "ENDPOINT",
           "Let 'netfleet-worker' processes join here (default: a worker in this process)",
           options.listen);
  add_list(serve, "--region", "NAME",
           "Give its workers the first free port behind --listen's (repeatable, in this order)",
           options.regions);
  add_text(serve, "--keys", "DIR", "Keys of 'netfleet keygen': only workers on their list may join",
           options.keys);
  serve.add_flag("--send-credentials", options.send_credentials,
                 "Send passwords to workers on other machines too, encrypted");
  add_number(serve, "--min-workers", "Start nothing before so many have joined",
             options.min_workers, 1, 100'000);
  add_duration(serve, "--lease", "How long a worker that is not heard keeps its tasks",
               options.lease);
  add_duration(serve, "--region-timeout", "How long hosts wait for a worker that serves them",
               options.region_timeout);
  add_number(serve, "-s,--sessions", "Sessions at once of the embedded worker", options.sessions, 1,
             100'000);
  add_number(serve, "--session-threads", "Its session threads (default: one a core)",
             options.session_threads, 1, 256);
  add_text(serve, "--known-hosts", "FILE", "Where its host keys are kept", options.known_hosts);
  add_text(serve, "--platform-dir", "DIR",
           "More platform files; they replace those of the same name", options.platform_dir);
}

void add_http_part(CLI::App& serve, ServeOptions& options) {
  serve.option_defaults()->group("HTTP API");
  add_text(serve, "--http", "ADDRESS:PORT", "Where it answers (default: 127.0.0.1:7680; or none)",
           options.http);
  add_text(serve, "--tokens", "FILE",
           "Who may ask for what (default: api-tokens beside the store, made when it is missing)",
           options.tokens);
  add_text(serve, "--tls-cert", "FILE", "Its certificate chain, PEM; with --tls-key",
           options.certificate);
  add_text(serve, "--tls-key", "FILE", "The key of that certificate", options.key);
  add_text(serve, "--audit-log", "FILE", "Who did what (default: audit.jsonl beside the store)",
           options.audit_log);
}

}  // namespace

void add_serve(CLI::App& serve, ServeOptions& options) {
  serve.footer(kExamples);
  serve.add_option("JOBS", options.jobs, "A directory of job files")->required();
  add_text(serve, "--store", "FILE", "Where results are kept (default: your state directory)",
           options.store);
  add_value(serve, "--keep-sweeps", "N", "Forget all but the newest N sweeps", Times::kOnce,
            take_count(options.keep_sweeps));
  add_value(serve, "--keep-days", "N", "Forget sweeps that are older", Times::kOnce,
            take_count(options.keep_days));
  add_duration(serve, "--stop-timeout", "How long what runs may go on after SIGTERM",
               options.stop_timeout);
  add_text(serve, "--credential-file", "FILE",
           "Where the secrets are that jobs name with 'credentials: {name: NAME}'",
           options.credential_file);
  serve.add_flag("-v,--verbose", options.verbose, "Log each grant, stage and retry");
  add_workers_part(serve, options);
  add_http_part(serve, options);
}

Expected<void> settle_serve(const CLI::App& serve, ServeOptions& options) {
  if (options.store == "none") return fail("--store none: a service without a store forgets");
  if (options.listen.empty()) {
    for (const char* option : {"--keys", "--send-credentials", "--min-workers", "--region"}) {
      if (serve.get_option(option)->count() > 0)
        return fail(fmt::format("{} needs --listen", option));
    }
  } else {
    for (const char* option : {"--sessions", "--session-threads", "--known-hosts"}) {
      if (serve.get_option(option)->count() > 0) {
        return fail(fmt::format("{} is of the embedded worker: not with --listen", option));
      }
    }
    if (auto safe = check_keys(options.listen, options.keys); !safe) {
      return fail("--listen: " + safe.error().message);
    }
  }
  if (options.lease < shortest_lease(options.min_workers) || options.lease > kLongestLease) {
    return fail(
        fmt::format("--lease: from {} ms to 24h", shortest_lease(options.min_workers).count()));
  }
  if (options.certificate.empty() != options.key.empty()) {
    return fail("--tls-cert and --tls-key belong together");
  }
  return {};
}

}  // namespace netfleet
