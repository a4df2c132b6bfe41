#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <utility>

#include "common/duration.h"
#include "common/standard_streams.h"
#include "dispatcher/cli/git_option.h"
#include "dispatcher/cli/results_printer.h"
#include "dispatcher/cli/server.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/store/store.h"

namespace netfleet {
namespace {

constexpr std::size_t kSweepsListed = 50;

// What a sweep did, in a line. Configuration by templates is each host's own, and not the job's.
std::string what_of(const JobSpec& job) {
  const Configuration& configuration = job.configuration;
  std::vector<std::string> parts;
  if (!configuration.lines.empty() || configuration.dry_run) {
    parts.push_back(configuration.dry_run ? "configure (dry run)" : "configure");
  }
  if (configuration.save) parts.emplace_back("save");
  parts.insert(parts.end(), job.commands.begin(), job.commands.end());
  if (parts.empty()) parts.emplace_back("configure");
  return fmt::format("{}", fmt::join(parts, "; "));
}

Expected<int> list_sweeps(Store& store) {
  auto sweeps = store.sweeps(kSweepsListed);
  if (!sweeps) return std::unexpected(sweeps.error());
  std::string out = fmt::format("{:<22} {:<20} {:>8} {:>10}  {}\n", "sweep", "started", "hosts",
                                "took", "commands");
  for (const SweepRecord& sweep : *sweeps) {
    const std::string took = sweep.ended_at
                                 ? format_duration(std::chrono::round<std::chrono::seconds>(
                                       *sweep.ended_at - sweep.started_at))
                                 : "unfinished";
    out += fmt::format("{:<22} {:<20} {:>8} {:>10}  {}\n", sweep.id,
                       format_wall_time(sweep.started_at).substr(0, 19) + "Z", sweep.total, took,
                       what_of(sweep.job));
  }
  if (auto written = print_output(out); !written) return std::unexpected(written.error());
  return kExitOk;
}

Expected<void> back_up(ResultsPrinter& printer, const SweepRecord& sweep,
                       const ResultsOptions& options, const WorkerSide& worker_side) {
  if (options.git.empty()) return {};
  if (!sweep.ended_at) return fail(fmt::format("--git: sweep {} has not ended", sweep.id));
  RunOptions as_run;
  as_run.git = options.git;
  as_run.git_shard = options.git_by_region ? GitShard::kRegion : GitShard::kNone;
  as_run.platform_dir = options.platform_dir;
  auto backup = open_backup(as_run, worker_side, {});
  if (!backup) return std::unexpected(backup.error());
  printer.set_backup(*std::move(backup), *sweep.ended_at);
  return {};
}

Expected<int> print_sweep(Store& store, const ResultsOptions& options,
                          const WorkerSide& worker_side) {
  auto sweep = store.find_sweep(options.sweep);
  if (!sweep) return std::unexpected(sweep.error());
  Summary about{.sweep = sweep->id, .total = sweep->total};
  if (sweep->ended_at) about.elapsed = *sweep->ended_at - sweep->started_at;
  auto printer =
      ResultsPrinter::make(options.output, std::move(about), options.output_dir,
                           [&store, number = sweep->number](
                               std::uint32_t index, const Renderer::Show& show) -> Expected<void> {
                             const auto task = store.task(number, index);
                             if (!task) return std::unexpected(task.error());
                             const auto result = store.result(number, index);
                             if (!result) return std::unexpected(result.error());
                             if (*result) show(*task, **result);
                             return {};
                           });
  if (!printer) return std::unexpected(printer.error());
  if (auto opened = back_up(**printer, *sweep, options, worker_side); !opened) {
    return std::unexpected(opened.error());
  }
  auto visited = store.for_each(sweep->number, [&](const TaskSpec& task, const TaskResult* result) {
    return result == nullptr || (*printer)->visit(task, *result);
  });
  if (!visited) return std::unexpected(visited.error());
  return (*printer)->end();
}

}  // namespace

Expected<Store> open_kept_store(const std::string& given) {
  auto path = store_path(given);
  if (!path) return std::unexpected(path.error());
  if (access(path->c_str(), F_OK) != 0) {
    return fail(fmt::format("no store at {}: no sweep has been kept there", *path));
  }
  return Store::open(*path);
}

int results_verb(const ResultsOptions& options, const WorkerSide& worker_side) {
  if (options.store.empty() && names_server(options.server)) {
    if (options.git.empty()) return server_results(options);
    return say_error({"--git is for a sweep of a store here: give --store FILE"}, kExitUsage);
  }
  if (options.follow) {
    return say_error({"--follow is for a sweep at a server: give --server URL"}, kExitUsage);
  }
  auto store = open_kept_store(options.store);
  if (!store) return say_error(store.error(), kExitUsage);
  const Expected<int> status =
      options.list ? list_sweeps(*store) : print_sweep(*store, options, worker_side);
  return status ? *status : say_error(status.error(), kExitUsage);
}

}  // namespace netfleet
