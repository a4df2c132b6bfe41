// Figures in Prometheus' format, held against Prometheus' own checker and against the dashboard.
#include "dispatcher/api/metrics.h"

#include <sys/wait.h>

#include <cstdio>
#include <set>

#include "tests/unit/api/api_fixture.h"

namespace netfleet {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

std::string some_metrics() {
  FakeService service;
  LiveSweep sweep;
  sweep.id = "20261125-090000-bbbb";
  sweep.job = "back\"up";
  sweep.total = 10;
  sweep.done = 4;
  service.set_live({sweep});
  ApiFigures own;
  own.answers_by_status = {{200, 3}, {401, 1}};
  return metrics_text(service, own);
}

TEST(Metrics, SayWhatTheServiceSays) {
  const std::string text = some_metrics();
  for (const char* line :
       {"netfleet_tasks_total{outcome=\"ok\"} 5\n", "netfleet_tasks_total{outcome=\"lost\"} 0\n",
        "netfleet_sweeps_live 1\n", "netfleet_sweeps_started_total 2\n",
        "netfleet_sweep_hosts{job=\"back\\\"up\",sweep=\"20261125-090000-bbbb\"} 10\n",
        "netfleet_sweep_hosts_done{job=\"back\\\"up\",sweep=\"20261125-090000-bbbb\"} 4\n",
        "netfleet_workers 2\n", "netfleet_workers_silent 1\n", "netfleet_slots 110\n",
        "netfleet_slots_free 50\n", "netfleet_limit_full{limit=\"site \\\"a\\\"\\\\\"} 1\n",
        "netfleet_schedule_paused{job=\"weekly\"} 1\n", "netfleet_healthy 1\n",
        "netfleet_build_info{version=\"0.1.0\"} 1\n",
        "netfleet_api_requests_total{code=\"401\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, HasSubstr("netfleet_schedule_last_success_timestamp_seconds{job=\"backup\"} "
                              "1795600500"));
  EXPECT_THAT(text, testing::Not(HasSubstr("next_start_timestamp_seconds{job=\"weekly\"}")));
  EXPECT_THAT(text, HasSubstr("\nprocess_resident_memory_bytes "));
}

TEST(Metrics, PassPromtool) {
  const TemporaryDirectory directory;
  const std::string said = directory / "said";
  FILE* const checker = popen(fmt::format("promtool check metrics >{} 2>&1", said).c_str(), "w");
  ASSERT_NE(checker, nullptr);
  const std::string text = some_metrics();
  EXPECT_EQ(fwrite(text.data(), 1, text.size(), checker), text.size());
  const int status = pclose(checker);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << file_content(said);
  EXPECT_EQ(file_content(said), "");
}

// Every name that the dashboard asks for is there, and every one that is there is drawn.
TEST(Metrics, DashboardNamesThoseThatThereAre) {
  const std::string text = some_metrics();
  std::set<std::string> served, drawn;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) served.insert(line.substr(7, line.find(' ', 7) - 7));
  }
  const Json dashboard = Json::parse(
      file_content(std::string(NETFLEET_SOURCE_DIR) + "/dispatcher/api/grafana-dashboard.json"));
  const auto note = [&](const std::string& expression) {
    std::string word;
    for (const char c : expression + " ") {
      if ((c >= 'a' && c <= 'z') || c == '_') {
        word += c;
        continue;
      }
      if (word.starts_with("netfleet_") || word.starts_with("process_")) {
        EXPECT_TRUE(served.contains(word)) << word << " in " << expression;
        drawn.insert(word);
      }
      word.clear();
    }
  };
  for (const Json& panel : dashboard["panels"]) {
    for (const Json& target : panel["targets"]) note(target["expr"].get<std::string>());
  }
  note(dashboard["templating"]["list"][1]["query"].get<std::string>());
  EXPECT_GT(drawn.size(), 20);
  for (const std::string& name : served) {
    const bool left_out = name == "process_start_time_seconds" || name == "process_open_fds";
    EXPECT_TRUE(left_out || drawn.contains(name)) << name << " is not drawn";
  }
}

}  // namespace
}  // namespace netfleet
