// tests/fuzz: a job file of any text. Errors name the file; every setting is an option's, with the
// line that says so; a schedule that was understood has firings, after any time.
#include <cstdint>
#include <ranges>
#include <string>
#include <string_view>

#include "common/check.h"
#include "dispatcher/job/job.h"

namespace netfleet {
namespace {

void check(const JobSetting& setting) {
  CHECK(setting.option.starts_with("--") && !option_family(setting.option).empty());
  CHECK(setting.line > 0);
  CHECK(!setting.flag || setting.value.empty());
  CHECK(!setting.input || setting.path);
}

void check(const JobSchedule& job) {
  using std::chrono::hours;
  const Schedule& schedule = job.schedule;
  for (const std::int64_t second : {0L, 1'711'846'800L, 1'729'990'800L, 4'102'444'800L}) {
    const Instant now{std::chrono::seconds(second)};
    CHECK(next_firing(schedule.cron, *schedule.zone, now) > now);
    CHECK(closed_until(job.not_in, now) >= now);
    const auto opening = next_opening(job.not_in, now);
    CHECK(opening.has_value() != job.not_in.empty() && opening.value_or(Instant::max()) > now);
    Agenda agenda;
    agenda.set(schedule, now);
    for (const Agenda::Step& step : agenda.advance(now + hours(30))) {
      CHECK(step.due > now && step.due <= now + hours(30));
    }
    CHECK(agenda.next_of(schedule.name) > now + hours(30));
  }
}

}  // namespace
}  // namespace netfleet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netfleet;
  Problems problems;
  const Job job =
      parse_job(std::string_view(reinterpret_cast<const char*>(data), size), "f", problems);
  for (const JobSetting& setting : job.settings) check(setting);
  if (problems.any()) {
    for (const auto line : std::views::split(problems.error().message, '\n')) {
      const std::string_view text(line.begin(), line.end());
      CHECK(text.starts_with("f:") || text.starts_with("... ") || text.starts_with("and "));
    }
  } else if (job.schedule) {
    check(*job.schedule);
  }
  return 0;
}
