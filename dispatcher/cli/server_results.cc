// netfleet results --server: the results of a sweep at a long-lived dispatcher, in any form.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "common/spool.h"
#include "common/standard_streams.h"
#include "dispatcher/api/client_messages.h"
#include "dispatcher/api/line_reader.h"
#include "dispatcher/cli/results_printer.h"
#include "dispatcher/cli/server.h"
#include "dispatcher/cli/service_tables.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/output/result_reader.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr std::uint32_t kSweepsListed = 50;
constexpr std::size_t kLongestLine = 1u << 30;  // bytes: all outputs of a host, escaped
constexpr Milliseconds kPatience{120'000};      // without a dispatcher, in the middle of results
constexpr Milliseconds kSilence{60'000};        // of a stream that sends signs of life

// The lines of results, by index, for formats that show them at the end. On the disk: there may be
// more than memory should hold.
class KeptLines {
 public:
  Expected<void> keep(std::uint32_t index, std::string_view line) {
    auto written = spool_->write(line);
    if (!written) return std::unexpected(written.error());
    kept_.emplace_back(index, *std::move(written));
    return {};
  }
  Expected<void> show(std::uint32_t index, const Renderer::Show& show) const {
    const auto found =
        std::ranges::lower_bound(kept_, index, {}, [](const auto& kept) { return kept.first; });
    if (found == kept_.end() || found->first != index) return fail("a result was not kept");
    std::string line;
    if (auto read = found->second->read(line); !read) return read;
    const auto result = read_result_line(line);
    if (!result) return std::unexpected(result.error());
    show(result->task, result->result);
    return {};
  }

 private:
  std::shared_ptr<Spool> spool_ = Spool::make(default_spool_directory());
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const Spool::Record>>> kept_;  // in order
};

bool shows_at_end(OutputFormat format) {
  return format == OutputFormat::kGrouped || format == OutputFormat::kGroupedDiff;
}

// Prints a sweep's results in the order of their indexes, each once, however often the connection
// is lost in between.
class Results {
 public:
  Results(ApiClient& client, const ResultsOptions& options, SweepView sweep)
      : client_(client), options_(options), sweep_(std::move(sweep)) {}

  int print() {
    Summary about{.sweep = sweep_.id, .total = sweep_.total};
    if (sweep_.ended_at) about.elapsed = *sweep_.ended_at - sweep_.started_at;
    auto printer = ResultsPrinter::make(options_.output, std::move(about), options_.output_dir,
                                        [this](std::uint32_t index, const Renderer::Show& show) {
                                          return kept_.show(index, show);
                                        });
    if (!printer) return say_error(printer.error(), kExitUsage);
    printer_ = std::move(*printer);
    BackOff back_off(kPatience);
    while (true) {
      alive_ = false;
      const auto read = read_stream();
      if (error_) return say_error(*error_, kExitInternal);
      if (read || stopped_) break;
      if (alive_) back_off.went_well();
      if (!read.error().may_pass() || !back_off.wait()) {
        static_cast<void>(printer_->flush());
        return say_failure(read.error());
      }
    }
    if (options_.follow) learn_end();
    const auto status = printer_->end();
    return status ? *status : say_error(status.error(), kExitUsage);
  }

 private:
  ClientAnswer<void> read_stream() {
    LineReader lines(kLongestLine);
    return client_.stream(
        sweep_target(sweep_.id,
                     fmt::format("/results?first={}{}", next_, options_.follow ? "&follow=1" : "")),
        "application/x-ndjson", options_.follow ? kSilence : ApiClient::kSlowAnswer,
        [&](std::string_view piece) {
          alive_ = true;
          const auto more = lines.read(piece, [this](std::string_view line) { return take(line); });
          if (!more) error_ = more.error();
          stopped_ = stopped_ || !more.value_or(false);
          if (options_.follow && !stopped_) stopped_ = !printer_->flush();
          return !stopped_;
        });
  }

  bool take(std::string_view line) {
    const auto read = read_result_line(line);
    if (!read) {
      error_ = read.error();
      return false;
    }
    const std::uint32_t index = read->task.index;
    if (index < next_ || index >= sweep_.total) {
      error_ = Error{fmt::format("a result out of order: number {}", index)};
      return false;
    }
    next_ = index + 1;
    if (shows_at_end(options_.output)) {
      if (auto kept = kept_.keep(index, line); !kept) {
        error_ = kept.error();
        return false;
      }
    }
    return printer_->visit(read->task, read->result);
  }

  // How long it took, which was not known when it began.
  void learn_end() {
    const auto sweep = parse_answer(client_.get(sweep_target(sweep_.id)), parse_sweep);
    if (sweep && sweep->ended_at) printer_->set_elapsed(*sweep->ended_at - sweep->started_at);
  }

  ApiClient& client_;
  const ResultsOptions& options_;
  SweepView sweep_;
  KeptLines kept_;
  std::unique_ptr<ResultsPrinter> printer_;
  std::uint32_t next_ = 0;  // the index of the next result
  bool alive_ = false;      // something came, be it but a sign of life
  bool stopped_ = false;    // nobody reads any more, or something is wrong
  std::optional<Error> error_;
};

int list_sweeps(ApiClient& client) {
  const auto sweeps =
      parse_answer(client.get(fmt::format("/v1/sweeps?limit={}", kSweepsListed)), parse_sweeps);
  if (!sweeps) return say_failure(sweeps.error());
  const auto printed = print_output(render_sweeps(*sweeps));
  return printed ? kExitOk : say_error(printed.error(), kExitUsage);
}

}  // namespace

int server_results(const ResultsOptions& options) {
  auto client = open_client(options.server);
  if (!client) return say_error(client.error(), kExitUsage);
  if (options.list) return list_sweeps(*client);
  auto sweep = parse_answer(client->get(sweep_target(options.sweep)), parse_sweep);
  if (!sweep) return say_failure(sweep.error());
  return Results(*client, options, *std::move(sweep)).print();
}

}  // namespace netfleet
