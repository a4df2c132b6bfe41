// netfleet submit, cancel and retry: what makes a long-lived dispatcher do something.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/standard_streams.h"
#include "dispatcher/api/client_messages.h"
#include "dispatcher/cli/configuration.h"
#include "dispatcher/cli/server.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr Milliseconds kPatience{60'000};  // of a submission whose connection was lost

// The lines of --config-line and --config-file, '\n' behind each. Templates are filled in from an
// inventory, which is the service's.
Expected<std::optional<std::string>> read_configuration(
    const std::vector<ConfigurationSource>& sources) {
  if (sources.empty()) return std::nullopt;
  for (const ConfigurationSource& source : sources) {
    if (source.is_file && source.text.ends_with(".mustache")) {
      return fail(
          fmt::format("{}: a template is filled in where the inventory is: it belongs into "
                      "the job",
                      source.text));
    }
  }
  JobSpec job;
  std::vector<TaskSpec> no_tasks;
  std::vector<std::string> warnings;
  if (auto read = add_configuration(sources, {}, job, no_tasks, warnings); !read) {
    return std::unexpected(read.error());
  }
  if (job.configuration.lines.empty()) return fail("there is no line of configuration");
  return fmt::format("{}\n", fmt::join(job.configuration.lines, "\n"));
}

// With one key for every try: however often it arrives, one sweep is begun.
ClientAnswer<std::string> post_once(ApiClient& client, const std::string& target,
                                    const std::string& json) {
  const std::string key = fmt::format("{:016x}{:016x}", random_seed(), random_seed());
  BackOff back_off(kPatience);
  bool was_lost = false;
  while (true) {
    auto answered = client.post(target, json, key);
    if (answered) return answered;
    using Kind = ClientFailure::Kind;
    const bool again = answered.error().kind == Kind::kLost ||
                       answered.error().kind == Kind::kBusy ||
                       (was_lost && answered.error().may_pass());
    if (!again || !back_off.wait()) return answered;
    if (!was_lost) print_error("netfleet: " + one_line(answered.error().message) + ": again\n");
    was_lost = true;
  }
}

// Prints the id of the sweep that was begun; then maybe watches it.
int begun(ApiClient& client, const ClientAnswer<std::string>& answer, bool watch) {
  const auto sweep = parse_answer(answer, parse_sweep_id);
  if (!sweep) return say_failure(sweep.error());
  if (auto printed = print_output(one_line(*sweep) + "\n"); !printed) {
    return say_error(printed.error(), kExitUsage);
  }
  return watch ? watch_sweep(client, *sweep, RolloutReply::kAsk) : kExitOk;
}

}  // namespace

int submit_verb(const SubmitOptions& options) {
  auto configuration = read_configuration(options.configuration);
  if (!configuration) return say_error(configuration.error(), kExitUsage);
  auto client = open_client(options.server);
  if (!client) return say_error(client.error(), kExitUsage);
  Submission submission;
  submission.job = options.job;
  submission.limits = options.limits;
  submission.commands = options.commands;
  submission.configuration = *std::move(configuration);
  submission.dry_run = options.dry_run;
  return begun(*client, post_once(*client, "/v1/sweeps", submission_json(submission)),
               options.watch);
}

int cancel_verb(const CancelOptions& options) {
  auto client = open_client(options.server);
  if (!client) return say_error(client.error(), kExitUsage);
  const auto answer =
      client->post(sweep_target(options.sweep, "/cancel"), cancel_json(options.now));
  const auto sweep = parse_answer(answer, parse_sweep_id);
  if (!sweep) return say_failure(sweep.error());
  print_error(fmt::format(
      "netfleet: sweep {}: {}\n", one_line(*sweep),
      options.now ? "it is being stopped" : "what runs is finished, nothing else is started"));
  return kExitOk;
}

int retry_verb(const RetryOptions& options) {
  auto client = open_client(options.server);
  if (!client) return say_error(client.error(), kExitUsage);
  const std::string target = sweep_target(options.sweep, "/retry");
  return begun(*client, post_once(*client, target, retry_json(options.only)), options.watch);
}

}  // namespace netfleet
