#include "dispatcher/cli/results_printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <numeric>
#include <utility>

#include "common/standard_streams.h"
#include "dispatcher/cli/verbs.h"

namespace netfleet {
namespace {

constexpr std::size_t kWriteAt = 64 << 10;  // bytes gathered before they are written

}  // namespace

Expected<std::unique_ptr<ResultsPrinter>> ResultsPrinter::make(OutputFormat format, Summary about,
                                                               const std::string& output_dir,
                                                               Renderer::ReadBack read_back) {
  std::optional<OutputDirectory> directory;
  if (!output_dir.empty()) {
    auto opened = OutputDirectory::open(output_dir);
    if (!opened) return std::unexpected(opened.error());
    directory = std::move(*opened);
  }
  auto renderer = make_renderer(format, about.sweep, isatty(STDOUT_FILENO) != 0);
  std::unique_ptr<ResultsPrinter> printer(
      new ResultsPrinter(std::move(renderer), std::move(directory), std::move(about)));
  printer->renderer_->set_read_back(
      [printer = printer.get(), read = std::move(read_back)](
          std::uint32_t index, const Renderer::Show& show) -> Expected<void> {
        if (!printer->open_) return {};
        return read(index, show);
      });
  return printer;
}

ResultsPrinter::ResultsPrinter(std::unique_ptr<Renderer> renderer,
                               std::optional<OutputDirectory> directory, Summary about)
    : renderer_(std::move(renderer)), directory_(std::move(directory)), summary_(std::move(about)) {
  renderer_->set_drain([this](std::string&) { flush(); });
}

bool ResultsPrinter::visit(const TaskSpec& task, const TaskResult& result) {
  summary_.count(result.outcome);
  renderer_->result(task, result, out_);
  if (renderer_->error()) return stop(*renderer_->error());
  if (directory_) {
    if (auto written = directory_->write(task, result); !written) return stop(written.error());
  }
  if (backup_ != nullptr) {
    if (auto written = backup_->write(task, result); !written) return stop(written.error());
  }
  return out_.size() < kWriteAt || flush();
}

void ResultsPrinter::set_backup(std::shared_ptr<GitBackup> backup, WallTime when) {
  backup_ = std::move(backup);
  backup_at_ = when;
}

Expected<int> ResultsPrinter::end() {
  if (!error_ && open_) {
    renderer_->end(summary_, out_);
    if (renderer_->error()) stop(*renderer_->error());
    flush();
  }
  if (error_) return std::unexpected(*error_);
  if (backup_ != nullptr && open_) {
    if (auto done = backup_->commit(summary_.sweep, backup_at_); !done) {
      return std::unexpected(done.error());
    }
    print_error(fmt::format("netfleet: {}\n", backup_->report()));
  }
  const auto& counts = summary_.by_outcome;
  const std::uint32_t seen = std::accumulate(counts.begin(), counts.end(), std::uint32_t{0});
  if (open_ && seen < summary_.total) {
    print_error(fmt::format("netfleet: {} of {} hosts have no result: the sweep has not ended\n",
                            summary_.total - seen, summary_.total));
  }
  const auto ok = counts[static_cast<std::size_t>(Outcome::kOk)];
  return ok == summary_.total ? kExitOk : kExitSomeFailed;
}

bool ResultsPrinter::flush() {
  if (!open_) out_.clear();
  if (!open_ || error_) return false;
  auto written = print_output(out_);
  out_.clear();
  if (!written) return stop(written.error());
  return open_ = *written;
}

bool ResultsPrinter::stop(Error error) {
  error_ = std::move(error);
  return false;
}

}  // namespace netfleet
