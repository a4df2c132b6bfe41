// netfleet watch: follows a sweep of a long-lived dispatcher to its end.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/standard_streams.h"
#include "dispatcher/api/client_messages.h"
#include "dispatcher/api/event_reader.h"
#include "dispatcher/api/line_reader.h"
#include "dispatcher/cli/console.h"
#include "dispatcher/cli/interrupt_note.h"
#include "dispatcher/cli/rollout_question.h"
#include "dispatcher/cli/server.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/output/progress.h"
#include "dispatcher/output/result_reader.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr Milliseconds kPatience{600'000};       // without a dispatcher
constexpr Milliseconds kSilence{60'000};         // of a stream that sends signs of life
constexpr Milliseconds kBetweenLines{10'000};    // where no terminal shows a line that changes
constexpr Milliseconds kBetweenLooks{2'000};     // whether a question still stands
constexpr std::size_t kLongestLine = 16u << 20;  // bytes of a result without outputs
constexpr int kConflict = 409;                   // of HTTP: it is no question any more
constexpr int kColumns = 200;                    // of a line that is no terminal's

class Watch {
 public:
  Watch(ApiClient& client, SweepView sweep, RolloutReply reply)
      : client_(client),
        sweep_(std::move(sweep)),
        reply_(reply),
        console_(isatty(STDERR_FILENO) != 0),
        question_(console_),
        note_(fmt::format("netfleet: no longer watched: sweep {} goes on ('netfleet cancel {}' "
                          "ends it)",
                          one_line(sweep_.id), one_line(sweep_.id))),
        start_(BootClock::now() -
               std::max(SystemClock().wall() - sweep_.started_at, Milliseconds(0))) {}

  int go() {
    BackOff back_off(kPatience);
    if (sweep_.is_live()) show();
    while (sweep_.is_live()) {
      const bool answers = must_answer();
      const auto went = answers ? answer() : follow(back_off);
      if (went && (answers || ended_ || must_answer())) continue;
      if (!went && !went.error().may_pass()) return give_up(went.error());
      if (!went) say_lost(went.error());
      if (!back_off.wait()) return give_up(went ? quiet() : went.error());
      // A restarted dispatcher may have seen its end.
      if (const auto looked = look(); !looked && !looked.error().may_pass()) {
        return give_up(looked.error());
      }
    }
    return conclude();
  }

 private:
  // Takes events until the sweep has ended, asks, or the stream does.
  ClientAnswer<void> follow(BackOff& back_off) {
    EventReader reader;
    std::optional<Error> broken;
    reply_now_ = false;
    const auto streamed =
        client_.stream(sweep_target(sweep_.id, "/events"), "text/event-stream", kSilence,
                       [&](std::string_view piece) {
                         const auto read = reader.read(piece, [&](const ServerEvent& event) {
                           if (broken || (event.name != "progress" && event.name != "end")) return;
                           auto sweep = parse_sweep(event.data);
                           if (!sweep) {
                             broken = sweep.error();
                             return;
                           }
                           back_off.went_well();
                           lost_ = false;
                           take(*std::move(sweep));
                         });
                         if (!read) broken = read.error();
                         return !broken && !ended_ && !reply_now_;
                       });
    if (broken) return std::unexpected(ClientFailure{.message = broken->message});
    return streamed;
  }

  ClientAnswer<void> look() {
    auto sweep = parse_answer(client_.get(sweep_target(sweep_.id)), parse_sweep);
    if (!sweep) return std::unexpected(sweep.error());
    take(*std::move(sweep));
    return {};
  }

  void take(SweepView sweep) {
    if (sweep.state != "asking" || sweep.why != sweep_.why) {
      told_ = false;
      said_.reset();
    }
    sweep_ = std::move(sweep);
    ended_ = !sweep_.is_live();
    reply_now_ = must_answer();
    show();
  }

  void show() {
    const auto now = BootClock::now();
    Progress progress(sweep_.total, start_);
    progress.set(sweep_.by_outcome);
    if (console_.shows_progress()) {
      console_.show_progress(progress.line(now, sweep_.running, terminal_columns()));
    } else if (sweep_.state != shown_state_ || now - shown_at_ >= kBetweenLines) {
      console_.say(fmt::format("netfleet: sweep {}: {}: {}", one_line(sweep_.id),
                               one_line(sweep_.state),
                               progress.line(now, sweep_.running, kColumns)));
      shown_at_ = now;
    }
    if (sweep_.state != shown_state_ && sweep_.state == "asking") {
      console_.say("netfleet: it asks whether it goes on: " + one_line(sweep_.why));
      if (reply_ == RolloutReply::kAsk && !may_ask()) {
        console_.say("netfleet: 'netfleet watch --go-on' or '--stop' answers");
      }
    }
    shown_state_ = sweep_.state;
  }

  // A question that is to be answered here, and was not yet.
  bool must_answer() const {
    if (sweep_.state != "asking" || told_ || refused_) return false;
    return reply_ != RolloutReply::kAsk || may_ask();
  }

  // Whether there is a person at the terminal, and it is this process that they see.
  bool may_ask() const { return isatty(STDERR_FILENO) != 0 && TerminalQuestion::can_ask(); }

  ClientAnswer<void> answer() {
    if (reply_ != RolloutReply::kAsk) said_ = reply_ == RolloutReply::kGoOn;
    if (!said_) {
      const auto said = ask_person();
      if (!said) return std::unexpected(said.error());
      said_ = *said;
    }
    if (!said_) return {};  // it is no question any more
    const auto told = client_.post(sweep_target(sweep_.id, "/answer"), answer_json(*said_));
    if (!told && told.error().may_pass()) return std::unexpected(told.error());
    told_ = true;
    if (told) {
      console_.say(*said_ ? "netfleet: it goes on" : "netfleet: it stops");
      return {};
    }
    // Somebody else was faster, or it is not for this token to say: that one may.
    console_.say("netfleet: " + one_line(told.error().message));
    refused_ = told.error().status != kConflict;
    return {};
  }

  // Until there is an answer, or no question any more: none.
  ClientAnswer<std::optional<bool>> ask_person() {
    question_.ask();
    while (true) {
      pollfd waits{.fd = question_.fd(), .events = POLLIN, .revents = 0};
      if (poll(&waits, 1, static_cast<int>(kBetweenLooks.count())) > 0) {
        if (question_.was_refused()) {
          refused_ = true;
          question_.withdraw();
          return std::optional<bool>();
        }
        if (const auto said = question_.take_answer()) return said;
        continue;
      }
      const auto looked = look();
      if (!looked && !looked.error().may_pass()) {
        question_.withdraw();
        return std::unexpected(looked.error());
      }
      if (sweep_.state != "asking") {
        question_.withdraw();
        console_.say("\nnetfleet: somebody else has answered");
        return std::optional<bool>();
      }
    }
  }

  void say_lost(const ClientFailure& failure) {
    if (!lost_) console_.say("netfleet: " + one_line(failure.message) + ": trying again");
    lost_ = true;
  }

  ClientFailure quiet() const {
    return {.message = fmt::format("ask {}: its events end and the sweep does not",
                                   client_.server().text())};
  }

  int give_up(const ClientFailure& failure) {
    console_.clear();
    return say_failure(failure);
  }

  int conclude() {
    console_.clear();
    Summary summary{.sweep = sweep_.id, .total = sweep_.total, .by_outcome = sweep_.by_outcome};
    if (sweep_.ended_at) {
      summary.elapsed = std::max(*sweep_.ended_at - sweep_.started_at, Milliseconds(0));
    }
    print_error(render_summary(summary, failed_hosts()));
    if (sweep_.state == "unfinished") {
      print_error("netfleet: the sweep stopped before its end\n");
      return kExitSomeFailed;
    }
    if (sweep_.guarded) {
      print_error("netfleet: the authentication guard ended the sweep\n");
      return kExitGuarded;
    }
    const auto ok = summary.by_outcome[static_cast<std::size_t>(Outcome::kOk)];
    return ok == summary.total ? kExitOk : kExitSomeFailed;
  }

  // The first ones, for the summary; what cannot be had is left out.
  std::vector<FailedHost> failed_hosts() {
    std::vector<FailedHost> failed;
    std::string outcomes;
    for (int i = 1; i < kOutcomeCount; ++i) {
      if (sweep_.by_outcome[static_cast<std::size_t>(i)] == 0) continue;
      outcomes +=
          fmt::format("{}{}", outcomes.empty() ? "" : ",", outcome_name(static_cast<Outcome>(i)));
    }
    if (outcomes.empty()) return failed;
    LineReader lines(kLongestLine);
    static_cast<void>(client_.stream(
        sweep_target(sweep_.id, "/results?output=no&outcome=" + percent_encoded(outcomes)),
        "application/x-ndjson", ApiClient::kAnswer, [&](std::string_view piece) {
          return lines
              .read(piece,
                    [&](std::string_view line) {
                      auto read = read_result_line(line);
                      if (!read) return false;
                      if (read->result.outcome == Outcome::kOk) return true;
                      failed.push_back({read->task.host.str(), read->result.outcome,
                                        std::move(read->result.error)});
                      return failed.size() < kFailedHostsShown;
                    })
              .value_or(false);
        }));
    return failed;
  }

  ApiClient& client_;
  SweepView sweep_;
  RolloutReply reply_;
  Console console_;
  TerminalQuestion question_;
  InterruptNote note_;
  TimePoint start_;
  TimePoint shown_at_{};
  std::string shown_state_;
  bool ended_ = false;
  bool reply_now_ = false;    // leave the stream: must_answer()
  std::optional<bool> said_;  // what the question that stands is to be told
  bool told_ = false;         // and was
  bool refused_ = false;      // this one may not answer
  bool lost_ = false;         // and it was said
};

}  // namespace

int watch_sweep(ApiClient& client, const std::string& sweep, RolloutReply reply) {
  auto found = parse_answer(client.get(sweep_target(sweep)), parse_sweep);
  if (!found) return say_failure(found.error());
  return Watch(client, *std::move(found), reply).go();
}

int watch_verb(const WatchOptions& options) {
  auto client = open_client(options.server);
  if (!client) return say_error(client.error(), kExitUsage);
  return watch_sweep(*client, options.sweep, options.reply);
}

int service_verb(const ServiceCommand& command) {
  struct Verbs {
    int operator()(const SubmitOptions& options) const { return submit_verb(options); }
    int operator()(const StatusOptions& options) const { return status_verb(options); }
    int operator()(const WatchOptions& options) const { return watch_verb(options); }
    int operator()(const CancelOptions& options) const { return cancel_verb(options); }
    int operator()(const RetryOptions& options) const { return retry_verb(options); }
    int operator()(const ScheduleOptions& options) const { return schedule_verb(options); }
  };
  return std::visit(Verbs(), command);
}

}  // namespace netfleet
