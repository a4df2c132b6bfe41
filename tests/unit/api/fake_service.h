// tests of the API: a service that does what a test says, and remembers what it was asked.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "dispatcher/api/service.h"

namespace netfleet {

class FakeService final : public Service {
 public:
  Answer<std::string> submit(const Submission& submission) override {
    const std::lock_guard lock(mutex_);
    submissions.push_back(submission);
    if (refusal) return std::unexpected(*refusal);
    const std::string key = submission.who + " " + submission.key;
    if (!submission.key.empty() && by_key_.contains(key)) return by_key_[key];
    const std::string id = fmt::format("20261125-09000{}-abcd", ++submitted_);
    if (!submission.key.empty()) by_key_[key] = id;
    return id;
  }
  Answer<std::string> retry(const std::string& sweep, OutcomeSet only, bool may_change,
                            const std::string& who, const std::string& key) override {
    return note_text(fmt::format("retry {} {} {} {}{}{}", sweep, format_outcomes(only), may_change,
                                 who, key.empty() ? "" : " ", key),
                     "20261125-100000-beef");
  }
  Answer<void> cancel(const std::string& sweep, bool now, const std::string& who) override {
    return note(fmt::format("cancel {} {} {}", sweep, now, who));
  }
  Answer<void> answer(const std::string& sweep, bool go_on, const std::string& who) override {
    return note(fmt::format("answer {} {} {}", sweep, go_on, who));
  }
  std::vector<LiveSweep> live_sweeps() override {
    const std::lock_guard lock(mutex_);
    return live_;
  }
  std::optional<LiveSweep> watch(const std::string& sweep, std::uint64_t seen,
                                 Milliseconds at_most) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] {
      const auto* found = find(sweep);
      return found == nullptr || found->version != seen;
    });
    const auto* found = find(sweep);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  std::vector<JobView> jobs() override {
    return {{"backup", "/etc/netfleet/jobs/backup.yaml", "", false, true},
            {"broken", "/etc/netfleet/jobs/broken.yaml", "broken.yaml:3: no\xff", true, false}};
  }
  std::vector<ScheduleView> schedules() override {
    ScheduleView paused{"weekly", "@weekly", "UTC", {}, true, {}, ""};
    ScheduleView due{"backup",
                     "0 2 * * *",
                     "Europe/Berlin",
                     at(1000),
                     false,
                     "20261125-020000-1111",
                     "cannot finish before its next start"};
    due.last_success = at(500);
    return {due, paused};
  }
  Answer<std::vector<FiringView>> firings(const std::string& job, std::size_t limit) override {
    if (job != "backup") return std::unexpected(Refusal{Refusal::Kind::kNotFound, "no such job"});
    std::vector<FiringView> all = {{job, at(2), "started", "20261125-020000-1111", ""},
                                   {job, at(1), "skipped", "", "the one before still runs"}};
    all.resize(std::min(limit, all.size()));
    return all;
  }
  Answer<void> set_paused(const std::string& job, bool paused, const std::string& who) override {
    return note(fmt::format("paused {} {} {}", job, paused, who));
  }
  Answer<std::vector<WorkerInfo>> workers() override {
    return std::vector<WorkerInfo>{
        {"eu-1", {"eu"}, 100, 40, 60, 7, Milliseconds(5), Milliseconds(1), false},
        {"us-1", {}, 10, 10, 0, 0, Milliseconds(5), Milliseconds(9000), true}};
  }
  Health health() override {
    if (throws) throw std::runtime_error("as a test wants it");
    return {problems.empty(), "0.1.0", at(0), problems, 2, 110, 60, 1};
  }
  ServiceFigures figures() override {
    ServiceFigures figures;
    figures.tasks_by_outcome[0] = 5;
    figures.sweeps_started = 2;
    figures.limits_full = {"site \"a\"\\"};
    return figures;
  }

  void set_live(std::vector<LiveSweep> live) {
    const std::lock_guard lock(mutex_);
    live_ = std::move(live);
    changed_.notify_all();
  }
  std::vector<std::string> notes() {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  static WallTime at(std::int64_t seconds) {
    return WallTime(std::chrono::seconds(1'795'600'000 + seconds));
  }

  // Set before the server is asked.
  std::optional<Refusal> refusal;
  std::vector<std::string> problems;
  bool throws = false;
  std::vector<Submission> submissions;

 private:
  const LiveSweep* find(const std::string& id) const {
    const auto found = std::ranges::find(live_, id, &LiveSweep::id);
    return found == live_.end() ? nullptr : &*found;
  }
  Answer<void> note(std::string what) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(what));
    if (refusal) return std::unexpected(*refusal);
    return {};
  }
  Answer<std::string> note_text(std::string what, std::string answer) {
    if (auto noted = note(std::move(what)); !noted) return std::unexpected(noted.error());
    return answer;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<LiveSweep> live_;
  std::vector<std::string> notes_;
  std::map<std::string, std::string> by_key_;
  int submitted_ = 0;
};

}  // namespace netfleet
