// The results of a sweep, as `-o jsonl` prints them, however many and however large they are.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "dispatcher/api/routes.h"
#include "dispatcher/inventory/glob.h"
#include "dispatcher/output/renderer.h"

namespace netfleet {
namespace {

constexpr std::size_t kWriteAt = 64u << 10;    // bytes gathered before they are written
constexpr std::size_t kLongestPattern = 1024;  // of host names
constexpr Milliseconds kBetween{100};          // two looks for results that are not there yet
constexpr Milliseconds kNotLonger{500};        // without a look whether all is being stopped
constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();

// Which results, and what of them.
struct Choice {
  std::optional<OutcomeSet> outcomes;
  std::string host;  // a pattern; empty: all
  std::uint32_t first = 0;
  std::uint32_t count = kMost;
  bool output = true;
  bool follow = false;
};

Answer<Choice> read_choice(const Query& query) {
  Choice choice;
  if (const auto known = query.allow({"outcome", "host", "first", "count", "output", "follow"});
      !known) {
    return std::unexpected(known.error());
  }
  if (const std::string list = query.text("outcome"); !list.empty()) {
    const auto outcomes = parse_outcomes(list);
    if (!outcomes) return std::unexpected(invalid("'outcome': " + outcomes.error().message));
    choice.outcomes = *outcomes;
  }
  choice.host = query.text("host");
  if (choice.host.size() > kLongestPattern) return std::unexpected(invalid("'host' is too long"));
  const auto first = query.number("first", 0, kMost);
  if (!first) return std::unexpected(first.error());
  const auto count = query.number("count", 1, kMost);
  if (!count) return std::unexpected(count.error());
  const auto output = query.either("output", "yes", "no", true);
  if (!output) return std::unexpected(output.error());
  const auto follow = query.either("follow", "1", "0", false);
  if (!follow) return std::unexpected(follow.error());
  choice.first = first->value_or(0);
  choice.count = count->value_or(kMost);
  choice.output = *output;
  choice.follow = *follow;
  return choice;
}

class ResultStream {
 public:
  ResultStream(ApiContext& context, NamedSweep named, Choice choice)
      : context_(context),
        named_(std::move(named)),
        choice_(std::move(choice)),
        renderer_(make_renderer(OutputFormat::kJsonl, named_.record.id, false)),
        next_(std::min(choice_.first, named_.record.total)),
        end_(next_ + std::min(choice_.count, named_.record.total - next_)) {}

  bool run(const ApiWrite& write) {
    renderer_->set_drain([&](std::string&) { flush(write); });
    quiet_since_ = BootClock::now();
    while (open_ && next_ < end_) {
      // Asked first: of a sweep that has ended before, all results are there now.
      const bool wait = choice_.follow && find_live(context_.service, named_.record.id);
      const auto visited =
          named_.store.for_range(named_.record.number, next_, end_ - next_,
                                 [&](const TaskSpec& task, const TaskResult* result) {
                                   if (result == nullptr && wait) return false;
                                   if (result != nullptr && wanted(task, *result))
                                     show(task, *result, write);
                                   next_ = task.index + 1;
                                   return open_ && !context_.stopping.begun();
                                 });
      if (!visited) return failed(visited.error());
      if (renderer_->error()) return failed(*renderer_->error());
      if (context_.stopping.begun()) return false;
      if (!wait) break;
      flush(write);
      if (next_ < end_ && open_ && !wait_for_next(write)) return false;
    }
    flush(write);
    return open_;
  }

 private:
  bool wanted(const TaskSpec& task, const TaskResult& result) const {
    if (choice_.outcomes && !choice_.outcomes->contains(result.outcome)) return false;
    return choice_.host.empty() || glob_matches(choice_.host, std::string_view(task.host));
  }

  void show(const TaskSpec& task, const TaskResult& result, const ApiWrite& write) {
    if (choice_.output) {
      renderer_->result(task, result, out_);
    } else {
      TaskResult bare = result;
      for (CommandResult& command : bare.commands) command.output = {};
      renderer_->result(task, bare, out_);
    }
    if (out_.size() >= kWriteAt) flush(write);
  }

  void flush(const ApiWrite& write) {
    if (!out_.empty()) quiet_since_ = BootClock::now();
    if (open_ && !out_.empty()) open_ = write(out_);
    out_.clear();
  }

  // A blank line, so that whoever carries the connection sees that it is alive.
  void show_life(const ApiWrite& write) {
    if (BootClock::now() < quiet_since_ + context_.heartbeat) return;
    out_ = "\n";
    flush(write);
  }

  // Until the next result is there, or the sweep is live no more. False: all is being stopped, or
  // nobody reads.
  bool wait_for_next(const ApiWrite& write) {
    while (true) {
      const auto live =
          context_.service.watch(named_.record.id, seen_, std::min(kNotLonger, context_.heartbeat));
      if (context_.stopping.begun()) return false;
      show_life(write);
      if (!open_) return false;
      if (!live) return true;
      seen_ = live->version;
      const auto result = named_.store.result(named_.record.number, next_);
      if (!result || *result) return true;  // an error comes again, where it is told
      if (context_.stopping.wait(kBetween)) return false;
    }
  }

  bool failed(const Error& error) {
    context_.log(fmt::format("results of sweep {}: {}", named_.record.id, error.message));
    return false;
  }

  ApiContext& context_;
  NamedSweep named_;
  Choice choice_;
  std::unique_ptr<Renderer> renderer_;
  std::uint32_t next_;  // position
  std::uint32_t end_;
  std::uint64_t seen_ = 0;  // version of the live sweep
  TimePoint quiet_since_{};
  std::string out_;
  bool open_ = true;
};

}  // namespace

ApiAnswer stream_results(ApiContext& context, const ApiRequest& request) {
  auto choice = read_choice(request.query);
  if (!choice) return refusal_answer(choice.error());
  auto named = find_named(context, request.parts[0]);
  if (!named) return std::move(named.error());
  ApiAnswer answer;
  answer.type = "application/x-ndjson";
  auto results = std::make_shared<ResultStream>(context, *std::move(named), *std::move(choice));
  answer.stream = [results](const ApiWrite& write) { return results->run(write); };
  return answer;
}

}  // namespace netfleet
