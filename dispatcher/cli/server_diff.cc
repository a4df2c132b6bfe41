// netfleet diff --server: what differs between two sweeps of a long-lived dispatcher, which
// compares them.
#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/api/client_messages.h"
#include "dispatcher/api/line_reader.h"
#include "dispatcher/cli/diff_printer.h"
#include "dispatcher/cli/server.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"

namespace netfleet {
namespace {

constexpr std::size_t kLongestLine = 256u << 20;  // bytes: all differences of a host
constexpr std::size_t kMostWaiting = 256u << 20;  // bytes of differences that are held
constexpr std::size_t kSweepsSearched = 1000;     // for the last one that has ended

// The last one that has ended and ran commands, as without a server.
ClientAnswer<std::string> last_ended(ApiClient& client) {
  const auto sweeps =
      parse_answer(client.get(fmt::format("/v1/sweeps?limit={}", kSweepsSearched)), parse_sweeps);
  if (!sweeps) return std::unexpected(sweeps.error());
  for (const SweepView& sweep : *sweeps) {
    if (sweep.state == "ended" && !sweep.commands.empty()) return sweep.id;
  }
  return std::unexpected(ClientFailure{.kind = ClientFailure::Kind::kRefused,
                                       .message = "no sweep that ran commands has ended yet"});
}

// Their whole ids.
ClientAnswer<std::pair<std::string, std::string>> named(ApiClient& client,
                                                        const std::string& before,
                                                        const std::string& after) {
  const auto first = parse_answer(client.get(sweep_target(before)), parse_sweep);
  if (!first) return std::unexpected(first.error());
  const auto second = parse_answer(client.get(sweep_target(after)), parse_sweep);
  if (!second) return std::unexpected(second.error());
  return std::pair(first->id, second->id);
}

std::string target_of(const std::string& after, const DiffOptions& options) {
  std::string target = sweep_target(after, "/diff?format=jsonl");
  if (!options.before.empty()) target += "&with=" + percent_encoded(options.before);
  if (options.no_mask) target += "&mask=no";
  std::string limits;
  for (const std::string& limit : options.limits) {
    limits += fmt::format("{}({})", limits.empty() ? "" : " and ", limit);
  }
  if (!limits.empty()) target += "&limit=" + percent_encoded(limits);
  return target;
}

}  // namespace

int server_diff(const DiffOptions& options) {
  if (!options.volatile_patterns.empty() || !options.platform_dir.empty()) {
    return say_error({"--volatile and --platform-dir are for a store here: a server masks by its "
                      "own platforms"},
                     kExitUsage);
  }
  auto client = open_client(options.server);
  if (!client) return say_error(client.error(), kExitUsage);
  const auto after =
      options.after.empty() ? last_ended(*client) : ClientAnswer<std::string>(options.after);
  if (!after) return say_failure(after.error());

  // The names of both stand above each difference. An earlier sweep that was not named is known at
  // the end: what differs waits until then.
  DiffPrinter printer(isatty(STDOUT_FILENO) != 0, options.jsonl);
  const bool waits = options.before.empty() && !options.jsonl;
  if (!waits && !options.jsonl) {
    const auto names = named(*client, options.before, *after);
    if (!names) return say_failure(names.error());
    printer.set_sweeps(names->first, names->second);
  }
  LineReader lines(kLongestLine);
  std::optional<Error> broken;
  std::optional<ComparisonEnd> end;
  std::vector<HostComparison> waiting;
  std::size_t waiting_bytes = 0;
  const auto take = [&](std::string_view line) {
    auto parsed = parse_comparison(line);
    if (!parsed) {
      broken = parsed.error();
      return false;
    }
    if (auto* ended = std::get_if<ComparisonEnd>(&*parsed)) {
      end = std::move(*ended);
      return true;
    }
    auto& host = std::get<HostComparison>(*parsed);
    if (!waits) return printer.visit(host);
    waiting_bytes += line.size();
    if (waiting_bytes > kMostWaiting) broken = Error{"much differs: name both sweeps"};
    waiting.push_back(std::move(host));
    return !broken;
  };
  const auto streamed = client->stream(target_of(*after, options), "application/x-ndjson",
                                       ApiClient::kSlowAnswer, [&](std::string_view piece) {
                                         const auto more = lines.read(piece, take);
                                         if (!more) broken = more.error();
                                         return more.value_or(false);
                                       });
  if (broken) return say_error(*broken, kExitInternal);
  if (!streamed) return say_failure(streamed.error());
  if (printer.is_open() && !end) {
    return say_error({"the comparison stops before its end"}, kExitInternal);
  }
  if (end && (waits || options.jsonl)) printer.set_sweeps(end->before, end->after);
  for (const HostComparison& host : waiting) {
    if (!printer.visit(host)) break;
  }
  return printer.end(end ? end->hosts : 0);
}

}  // namespace netfleet
