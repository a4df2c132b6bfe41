#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/duration.h"
#include "common/standard_streams.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/output/output_directory.h"
#include "dispatcher/store/store.h"

namespace netfleet {
namespace {

constexpr std::size_t kSweepsListed = 50;
constexpr std::size_t kWriteAt = 64 << 10;  // bytes gathered before they are written

int say_error(const Error& error, int status) {
  print_error("netfleet: " + error.message + "\n");
  return status;
}

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

// Renders one sweep, task by task; keeps the first error.
class Printer {
 public:
  Printer(const ResultsOptions& options, const SweepRecord& sweep, Store& store,
          std::optional<OutputDirectory> directory)
      : renderer_(make_renderer(options.output, sweep.id, isatty(STDOUT_FILENO) != 0)),
        directory_(std::move(directory)) {
    summary_.sweep = sweep.id;
    summary_.total = sweep.total;
    if (sweep.ended_at) summary_.elapsed = *sweep.ended_at - sweep.started_at;
    renderer_->set_drain([this](std::string&) { flush(); });
    renderer_->set_read_back(
        [&store, number = sweep.number, this](std::uint32_t index,
                                              const Renderer::Show& show) -> Expected<void> {
          if (!open_) return {};
          const auto task = store.task(number, index);
          if (!task) return std::unexpected(task.error());
          const auto result = store.result(number, index);
          if (!result) return std::unexpected(result.error());
          if (*result) show(*task, **result);
          return {};
        });
  }

  bool visit(const TaskSpec& task, const TaskResult* result) {
    if (result == nullptr) {
      ++missing_;
      return true;
    }
    summary_.count(result->outcome);
    renderer_->result(task, *result, out_);
    if (renderer_->error()) return stop(*renderer_->error());
    if (directory_) {
      if (auto written = directory_->write(task, *result); !written) return stop(written.error());
    }
    return out_.size() < kWriteAt || flush();
  }

  Expected<int> end() {
    if (!error_ && open_) {
      renderer_->end(summary_, out_);
      if (renderer_->error()) stop(*renderer_->error());
      flush();
    }
    if (error_) return std::unexpected(*error_);
    if (missing_ > 0) {
      print_error(fmt::format("netfleet: {} of {} hosts have no result: the sweep has not ended\n",
                              missing_, summary_.total));
    }
    const auto ok = summary_.by_outcome[static_cast<std::size_t>(Outcome::kOk)];
    return ok == summary_.total ? kExitOk : kExitSomeFailed;
  }

 private:
  bool flush() {
    if (!open_) out_.clear();
    if (!open_ || error_) return false;
    auto written = print_output(out_);
    out_.clear();
    if (!written) return stop(written.error());
    return open_ = *written;
  }
  bool stop(Error error) {
    error_ = std::move(error);
    return false;
  }

  std::unique_ptr<Renderer> renderer_;
  std::optional<OutputDirectory> directory_;
  Summary summary_;
  std::string out_;
  std::uint32_t missing_ = 0;
  bool open_ = true;
  std::optional<Error> error_;
};

Expected<int> print_sweep(Store& store, const ResultsOptions& options) {
  auto sweep = store.find_sweep(options.sweep);
  if (!sweep) return std::unexpected(sweep.error());
  std::optional<OutputDirectory> directory;
  if (!options.output_dir.empty()) {
    auto opened = OutputDirectory::open(options.output_dir);
    if (!opened) return std::unexpected(opened.error());
    directory = std::move(*opened);
  }
  Printer printer(options, *sweep, store, std::move(directory));
  auto visited = store.for_each(sweep->number, [&](const TaskSpec& task, const TaskResult* result) {
    return printer.visit(task, result);
  });
  if (!visited) return std::unexpected(visited.error());
  return printer.end();
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

int results_verb(const ResultsOptions& options) {
  auto store = open_kept_store(options.store);
  if (!store) return say_error(store.error(), kExitUsage);
  const Expected<int> status = options.list ? list_sweeps(*store) : print_sweep(*store, options);
  return status ? *status : say_error(status.error(), kExitUsage);
}

}  // namespace netfleet
