// Two sweeps beside each other, host by host, as `netfleet diff` prints it or as JSON lines.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "dispatcher/api/routes.h"
#include "dispatcher/history/compare_lines.h"
#include "dispatcher/inventory/limit.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr std::size_t kWriteAt = 64u << 10;  // bytes gathered before they are written
constexpr std::size_t kLongestLimit = 4096;

bool is_kept(const Limit& limit) {
  return limit.kind != Limit::Kind::kGroup && limit.kind != Limit::Kind::kData &&
         std::ranges::all_of(limit.parts, is_kept);
}

Answer<void> check_limit(const std::string& text) {
  if (text.size() > kLongestLimit) return std::unexpected(invalid("'limit' is too long"));
  if (text.empty()) return {};
  const auto limit = parse_limit(text);
  if (!limit) return std::unexpected(invalid("'limit': " + limit.error().message));
  if (!is_kept(*limit)) {
    return std::unexpected(
        invalid("'limit': groups and data are not kept with a sweep: names, region:, platform:"));
  }
  return {};
}

class DiffStream {
 public:
  DiffStream(ApiContext& context, NamedSweep after, SweepRecord before, CompareOptions options,
             bool jsonl)
      : context_(context),
        after_(std::move(after)),
        before_(std::move(before)),
        options_(std::move(options)),
        jsonl_(jsonl) {}

  bool run(const ApiWrite& write) {
    options_.go_on = [this] { return !context_.stopping.begun(); };
    const auto hosts = compare_sweeps(after_.store, before_, after_.record, options_,
                                      [&](const HostComparison& found) {
                                        show(found);
                                        if (out_.size() >= kWriteAt) flush(write);
                                        return open_;
                                      });
    if (!hosts) {
      context_.log(fmt::format("comparison of sweeps {} and {}: {}", before_.id, after_.record.id,
                               hosts.error().message));
      return false;
    }
    if (context_.stopping.begun() || !open_) return false;
    show_end(*hosts);
    flush(write);
    return open_;
  }

 private:
  void show(const HostComparison& found) {
    changed_ += found.changed.empty() ? 0 : 1;
    not_compared_ += found.not_compared.empty() ? 0 : 1;
    if (jsonl_) {
      out_ += json_line_of(found);
      return;
    }
    for (const std::string& line : found.not_compared) {
      out_ += fmt::format("Not compared: {}: {}\n", one_line(found.host), one_line(line));
    }
    for (const auto& [command, hunks] : found.changed) {
      out_ += fmt::format("--- {0} {1} {3}\n+++ {0} {2} {3}\n{4}", one_line(found.host), before_.id,
                          after_.record.id, one_line(command), hunks);
    }
  }

  void show_end(std::size_t hosts) {
    if (jsonl_) {
      out_ += json_line_of(ComparisonTotals{.before = before_.id,
                                            .after = after_.record.id,
                                            .hosts = hosts,
                                            .changed = changed_,
                                            .not_compared = not_compared_});
      return;
    }
    out_ += fmt::format(
        "{} to {}: {} of {} hosts differ{}\n", before_.id, after_.record.id, changed_, hosts,
        not_compared_ == 0 ? std::string()
                           : fmt::format(", {} not or not wholly compared", not_compared_));
  }

  void flush(const ApiWrite& write) {
    if (open_ && !out_.empty()) open_ = write(out_);
    out_.clear();
  }

  ApiContext& context_;
  NamedSweep after_;
  SweepRecord before_;
  CompareOptions options_;
  bool jsonl_;
  std::string out_;
  std::size_t changed_ = 0;       // hosts
  std::size_t not_compared_ = 0;  // hosts
  bool open_ = true;
};

// The sweep that is compared with, named or the one before.
std::expected<SweepRecord, ApiAnswer> find_before(ApiContext& context, NamedSweep& after,
                                                  const std::string& name) {
  if (!name.empty()) {
    auto named = find_named(context, name);
    if (!named) return std::unexpected(std::move(named.error()));
    return std::move(named->record);
  }
  auto before = after.store.sweep_before(after.record);
  if (!before) return std::unexpected(store_answer(before.error()));
  if (!*before) {
    return std::unexpected(refusal_answer(
        {Refusal::Kind::kNotFound,
         fmt::format("no sweep before {} ran the same commands: name one with 'with'",
                     after.record.id)}));
  }
  return **std::move(before);
}

}  // namespace

ApiAnswer stream_comparison(ApiContext& context, const ApiRequest& request) {
  const Query& query = request.query;
  if (const auto known = query.allow({"with", "format", "limit", "mask"}); !known) {
    return refusal_answer(known.error());
  }
  const auto jsonl = query.either("format", "jsonl", "text", false);
  if (!jsonl) return refusal_answer(jsonl.error());
  const auto mask = query.either("mask", "yes", "no", true);
  if (!mask) return refusal_answer(mask.error());
  CompareOptions options;
  options.limits = query.text("limit");
  if (const auto good = check_limit(options.limits); !good) return refusal_answer(good.error());
  if (*mask) options.mask = context.mask;
  auto after = find_named(context, request.parts[0]);
  if (!after) return std::move(after.error());
  auto before = find_before(context, *after, query.text("with"));
  if (!before) return std::move(before.error());
  ApiAnswer answer;
  answer.type = *jsonl ? "application/x-ndjson" : "text/plain; charset=utf-8";
  auto comparison = std::make_shared<DiffStream>(context, *std::move(after), *std::move(before),
                                                 std::move(options), *jsonl);
  answer.stream = [comparison](const ApiWrite& write) { return comparison->run(write); };
  return answer;
}

}  // namespace netfleet
