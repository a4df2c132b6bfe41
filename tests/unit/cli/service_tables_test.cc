#include "dispatcher/cli/service_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/output/table.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr WallTime kStart{Milliseconds(1'795'374'948'123)};

SweepView some_sweep() {
  SweepView sweep;
  sweep.id = "20261122-a";
  sweep.job = "backup";
  sweep.origin = "schedule";
  sweep.state = "running";
  sweep.started_at = kStart;
  sweep.commands = {"show clock", "show users"};
  sweep.total = 1000;
  sweep.running = 50;
  sweep.done = 12;
  sweep.by_outcome[0] = 10;
  sweep.by_outcome[static_cast<std::size_t>(Outcome::kLost)] = 2;
  return sweep;
}

ScheduleView scheduled(const std::string& job, const std::string& cron) {
  ScheduleView schedule{};
  schedule.job = job;
  schedule.cron = cron;
  schedule.zone = "UTC";
  return schedule;
}

TEST(ServiceTables, Sweeps) {
  SweepView ended = some_sweep();
  ended.id = "20261121-b";
  ended.job.clear();
  ended.state = "ended";
  ended.ended_at = kStart + std::chrono::seconds(90);
  ended.done.reset();
  EXPECT_EQ(render_sweeps({some_sweep(), ended}),
            "sweep       job     state    started               took  hosts  done  running  not ok"
            "  started by\n"
            "20261122-a  backup  running  2026-11-22T19:15:48Z     -   1000    12       50       2"
            "  schedule\n"
            "20261121-b  -       ended    2026-11-22T19:15:48Z   90s   1000     -        -       -"
            "  schedule\n");
  EXPECT_EQ(render_sweeps({}), "no sweeps\n");
}

TEST(ServiceTables, ASweep) {
  SweepView sweep = some_sweep();
  sweep.state = "asking";
  sweep.why = "3 of 1000 failed";
  sweep.guarded = true;
  EXPECT_EQ(render_sweep(sweep),
            "sweep 20261122-a: asking, job backup, started by schedule\n"
            "started 2026-11-22T19:15:48Z\n"
            "commands: show clock; show users\n"
            "the authentication guard ended it\n"
            "it asks whether it goes on: 3 of 1000 failed\n"
            "1000 hosts, 50 running, 12 done\n"
            "       10 ok\n"
            "        2 lost\n");
}

TEST(ServiceTables, Health) {
  Health health;
  health.version = "0.1.0";
  EXPECT_EQ(render_health(health, "http://h:1"), "netfleet 0.1.0 at http://h:1\n");
  health.since = kStart;
  health.ok = false;
  health.workers = 1;
  health.slots = 50;
  health.problems = {"the disk is full"};
  EXPECT_EQ(render_health(health, "http://h:1"),
            "netfleet 0.1.0 at http://h:1 since 2026-11-22T19:15:48Z: 1 worker, 50 slots, "
            "0 tasks at work, 0 live sweeps; something is wrong\n"
            "problem: the disk is full\n");
}

TEST(ServiceTables, SchedulesJobsAndFirings) {
  ScheduleView schedule = scheduled("backup", "0 3 * * *");
  schedule.next = kStart;
  schedule.running = "20261122-a";
  schedule.warning = "cannot finish";
  ScheduleView paused = scheduled("weekly", "@weekly");
  paused.paused = true;
  EXPECT_EQ(render_schedules({schedule, paused}),
            "job     schedule   zone  next                  state\n"
            "backup  0 3 * * *  UTC   2026-11-22T19:15:48Z  running 20261122-a\n"
            "weekly  @weekly    UTC   -                     paused\n"
            "backup: cannot finish\n");
  const std::string jobs = render_jobs(
      {{"backup", "b.yaml", "", true, true}, {"new", "new.yaml", "new.yaml:3: no", false, false}},
      {schedule});
  EXPECT_THAT(jobs, HasSubstr("running 20261122-a  yes      b.yaml\n"));
  EXPECT_THAT(jobs, HasSubstr("new.yaml:3: no\n"));
  EXPECT_EQ(render_firings({{"backup", kStart, "skipped", "", "overlap"}}),
            "due                   job     what     sweep  why\n"
            "2026-11-22T19:15:48Z  backup  skipped  -      overlap\n");
}

TEST(ServiceTables, NothingSteersATerminal) {
  const std::string evil = "a\x1b[31m\rb\nqq\x9b";
  SweepView sweep = some_sweep();
  sweep.id = sweep.job = sweep.origin = sweep.state = sweep.why = evil;
  sweep.commands = {evil};
  Health health;
  health.version = evil;
  health.problems = {evil};
  ScheduleView schedule = scheduled(evil, evil);
  schedule.zone = schedule.warning = evil;
  schedule.running = evil;
  for (const std::string& text :
       {render_sweeps({sweep}), render_sweep(sweep), render_health(health, "http://h"),
        render_schedules({schedule}), render_jobs({{evil, evil, evil, true, true}}, {schedule}),
        render_firings({{evil, kStart, evil, evil, evil}})}) {
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\r")));
    EXPECT_THAT(text, Not(HasSubstr("\x9b")));
    EXPECT_THAT(text, Not(HasSubstr("\nqq"))) << "a line that only looks like one";
  }
}

TEST(Table, AlignsCharactersAndNotBytes) {
  EXPECT_EQ(render_table({{"a", "n"}, {"ü", "10"}, {"long", "7"}}, {Align::kLeft, Align::kRight}),
            "a      n\nü     10\nlong   7\n");
}

}  // namespace
}  // namespace netfleet
