// The hub's sweeps, from their beginning to their end.
#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "dispatcher/fleet/hub.h"
#include "dispatcher/fleet/sweep_plan.h"

namespace netfleet {
namespace {

constexpr Milliseconds kPatience{2000};  // after the second interrupt
constexpr Milliseconds kWaitingNoteAfter{2000};
// Outputs besides those of commands (configuration, commit, save, ...), and bytes of the largest
// one that needs no device: a rehearsed configuration, with its saving.
constexpr std::uint32_t kOutputsBesides = 16;
constexpr std::uint64_t kRehearsal = kMaxConfiguration + 1024;

PartTracker tracker_for(const JobSpec& job) {
  return {static_cast<std::uint32_t>(job.commands.size()) + kOutputsBesides,
          std::max(job.max_output, kRehearsal)};
}

}  // namespace

Hub::Live* Hub::find(std::uint32_t sweep) {
  const auto found = sweeps_.find(sweep);
  return found == sweeps_.end() ? nullptr : &found->second;
}

Expected<void> Hub::add(SweepRun sweep, Recorder& recorder, std::function<void(SweepEnd)> ended) {
  if (!options_.any_region) {
    if (auto opened = open_lanes(regions_of(sweep.tasks)); !opened) return opened;
  }
  const TimePoint now = clock_.now();
  const std::uint32_t number = sweep.number;
  const PartTracker parts = tracker_for(sweep.job);
  Live& live = sweeps_
                   .emplace(number, Live{.run = std::move(sweep),
                                         .recorder = &recorder,
                                         .ended = std::move(ended),
                                         .parts = parts,
                                         .start = now})
                   .first->second;
  for (const TaskState& state : live.run.states) {
    if (state.outcome) count_done(live, *state.outcome);
  }
  const PlanSharing sharing{.many_sweeps = options_.many_sweeps, .any_region = options_.any_region};
  ledger_.add_sweep(now, make_sweep_plan(live.run, sharing, ledger_));
  live.run.states.clear();
  live.run.not_before = {};
  return {};
}

Expected<SweepEnd> Hub::run(SweepRun sweep, Recorder& recorder, int signal_fd) {
  std::optional<SweepEnd> end;
  const std::uint32_t number = sweep.number;
  signal_fd_ = signal_fd;
  next_waiting_note_ = clock_.now() + kWaitingNoteAfter;
  if (auto added =
          add(std::move(sweep), recorder, [&end](SweepEnd ended) { end = std::move(ended); });
      !added) {
    return std::unexpected(added.error());
  }
  bool dismissed = false;
  while (!end) {
    if (auto turned = turn(); !turned) return std::unexpected(turned.error());
    receive_signals(number, signal_fd);
    const Live* live = find(number);
    if ((live == nullptr || live->ending) && !std::exchange(dismissed, true)) {
      ledger_.dismiss_workers();
      act();
      if (const auto dropped = figures().malformed; dropped > 0) {
        log(fmt::format("dropped {} malformed or forged messages from the network", dropped));
      }
    }
  }
  return std::move(*end);
}

void Hub::receive_signals(std::uint32_t sweep, int signal_fd) {
  signalfd_siginfo info{};
  while (signal_fd >= 0 && read(signal_fd, &info, sizeof info) == sizeof info) interrupt(sweep);
}

void Hub::interrupt(std::uint32_t number) {
  Live* live = find(number);
  if (live == nullptr) return;
  ++live->interrupts;
  const bool at_work = !live->ending;  // else only the last outputs go to a slow reader
  if (live->interrupts == 1) {
    if (!options_.many_sweeps) {  // else whoever does it says so
      log(fmt::format(
          "interrupted: finishing {} running, starting no others; once more stops at once",
          at_work ? ledger_.running(number) : 0));
    }
    if (at_work) ledger_.drain(number);
  } else if (live->interrupts == 2) {
    if (!options_.many_sweeps) log("interrupted again: stopping what runs");
    if (!at_work) return;
    ledger_.cancel_running(number);
    live->give_up_at = clock_.now() + kPatience;
  } else {
    if (at_work) ledger_.abandon(number);
    live->recorder->abandon();
  }
}

int Hub::interrupts(std::uint32_t sweep) const {
  const auto found = sweeps_.find(sweep);
  return found == sweeps_.end() ? 0 : found->second.interrupts;
}

void Hub::count_done(Live& live, Outcome outcome) {
  ++live.done;
  if (live.run.recorded) live.run.recorded(outcome);
}

void Hub::collect_news() {
  bool stalled = false;
  for (auto& [number, live] : sweeps_) {
    collect_news(live);
    stalled = stalled || live.stalled;
  }
  mind_room(stalled);
}

void Hub::collect_news(Live& live) {
  const std::uint32_t number = live.run.number;
  const Recorder::News news = live.recorder->take();
  for (const Error& error : news.errors) log(error.message);
  for (const auto& stored : news.stored) {
    ledger_.stored({number, stored.index});
    count_done(live, stored.outcome);
  }
  if (!live.ending) gate_.journaled(number, news.journaled);
  if (news.failed && live.run.journaled && !live.ending) live.journal_failed = true;
  live.stalled = news.stalled;
  live.recorded = news.ended;
}

// While the store has no room, what runs goes on, its results wait at the workers, and nothing is
// started.
void Hub::mind_room(bool stalled) {
  if (stalled == std::exchange(stalled_, stalled)) return;
  if (options_.stalled) options_.stalled(stalled);
  if (!stalled) {
    log("the store has room again: going on");
    if (!draining_) ledger_.go_on();
    return;
  }
  log("the store has no room: nothing more is started until there is some");
  act();  // so that what was granted just now is taken back, too
  ledger_.pause(gate_.withhold());
}

// Those that have ended, are to be given up, or were answered.
void Hub::mind_sweeps() {
  std::vector<std::uint32_t> over;
  for (auto& [number, live] : sweeps_) {
    if (live.ending) {
      if (live.recorded) over.push_back(number);
      continue;
    }
    Question* question = live.run.question;
    if (question != nullptr && question->fd() >= 0) {
      if (const auto go_on = question->take_answer()) ledger_.answer(number, *go_on);
    }
    if (clock_.now() >= live.give_up_at) {
      live.give_up_at = TimePoint::max();
      ledger_.abandon(number);
      act();
    }
    if (ledger_.finished(number) && !gate_.holds_end(number) &&
        std::ranges::find(held_back_, number, &HeldBack::sweep) == held_back_.end()) {
      end(number, live);
    }
  }
  for (const std::uint32_t number : over) {
    Live live = std::move(sweeps_.at(number));
    live.ending->report = live.recorder->finish();
    live.ending->interrupted = live.interrupts > 0;
    sweeps_.erase(number);
    live.ended(std::move(*live.ending));
  }
}

// Nothing more of it will come: what is queued is still stored and shown.
void Hub::end(std::uint32_t number, Live& live) {
  live.ending.emplace();
  live.ending->guarded = ledger_.guarded(number);
  ledger_.forget_sweep(number);
  gate_.forget(number);
  if (live.run.progress) live.run.progress(0);
  live.recorder->end(live.run.elapsed +
                     std::chrono::round<Milliseconds>(clock_.now() - live.start));
}

void Hub::add_credentials(const CredentialStore& credentials) {
  for (const auto& [name, credential] : credentials) {
    auto& known = options_.credentials[name];
    if (known == credential) continue;
    known = credential;
    for (const WorkerView& worker : ledger_.workers()) {
      send_credential(routing_id(worker.incarnation), name, *credential);
    }
  }
}

}  // namespace netfleet
