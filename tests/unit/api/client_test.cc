// The client, asking the real server over a fake service.
#include "dispatcher/api/client.h"

#include "dispatcher/api/client_messages.h"
#include "dispatcher/api/event_reader.h"
#include "dispatcher/api/line_reader.h"
#include "dispatcher/output/result_reader.h"
#include "tests/unit/api/api_fixture.h"

namespace netfleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = ClientFailure::Kind;

constexpr const char* kSweep = "20261125-080000-aaaa";

class Client : public Api {
 protected:
  ApiClient asking(const std::string& who) const {
    return *ApiClient::make({.server = *parse_server_url(server_->url()),
                             .token = Secret(who.empty() ? "" : tokens_.at(who)),
                             .token_name = "tokens/" + who,
                             .ca_file = {}});
  }
  template <typename T>
  static std::string failure_of(const ClientAnswer<T>& answer, Kind kind) {
    if (answer) return "no failure";
    EXPECT_EQ(answer.error().kind, kind) << answer.error().message;
    return answer.error().message;
  }
};

TEST_F(Client, ReadsWhatTheServerSays) {
  add_sweep(kSweep, 6, 6, true);
  start();
  ApiClient client = asking("reader");
  const auto read = [&](const std::string& target) { return client.get(target).value_or(""); };
  EXPECT_EQ(parse_sweep(read("/v1/sweeps/last"))->done, 6u);
  EXPECT_EQ(parse_sweeps(read("/v1/sweeps?limit=5"))->size(), 1u);
  EXPECT_EQ(parse_jobs(read("/v1/jobs"))->size(), 2u);
  EXPECT_EQ(parse_schedules(read("/v1/schedules"))->front().job, "backup");
  EXPECT_EQ(parse_firings(read("/v1/schedules/backup/firings?limit=50"))->size(), 2u);
  EXPECT_TRUE(parse_workers(read("/v1/workers")));
  EXPECT_NE(parse_health(read("/v1/health"))->since, WallTime());
  EXPECT_EQ(parse_health(*asking("").get("/v1/health"))->since, WallTime());
}

TEST_F(Client, SubmitsOnceByItsKey) {
  start();
  ApiClient client = asking("runner");
  Submission submission;
  submission.job = "backup";
  submission.limits = {"region:eu"};
  const std::string json = submission_json(submission);
  const auto first = parse_sweep_id(client.post("/v1/sweeps", json, "a-key").value());
  const auto again = parse_sweep_id(client.post("/v1/sweeps", json, "a-key").value());
  const auto other = parse_sweep_id(client.post("/v1/sweeps", json, "b-key").value());
  EXPECT_EQ(first.value(), again.value());
  EXPECT_NE(first.value(), other.value());
  EXPECT_THAT(service_.submissions.front().limits, ElementsAre("region:eu"));
}

TEST_F(Client, SaysWhichTokenIsNotEnough) {
  start();
  EXPECT_THAT(failure_of(asking("").get("/v1/jobs"), Kind::kRefused),
              HasSubstr("no token was found"));
  const auto answer = asking("reader").post("/v1/sweeps", R"({"job": "backup"})");
  const std::string failure = failure_of(answer, Kind::kRefused);
  EXPECT_THAT(failure, HasSubstr("run"));
  EXPECT_THAT(failure, HasSubstr("the token is that of tokens/reader"));
  EXPECT_EQ(answer.error().status, 403);
  EXPECT_THAT(failure, testing::Not(HasSubstr(tokens_.at("reader"))));
  EXPECT_FALSE(answer.error().may_pass());
}

TEST_F(Client, StreamsResultsAndEvents) {
  add_sweep(kSweep, 6, 6, true);
  start();
  ApiClient client = asking("reader");
  std::vector<std::string> hosts;
  LineReader lines(1u << 20);
  const auto take = [&](std::string_view piece) {
    return lines
        .read(piece,
              [&](std::string_view line) {
                const auto read = read_result_line(line);
                EXPECT_TRUE(read) << read.error().message;
                hosts.push_back(read->task.host.str());
                return true;
              })
        .value_or(false);
  };
  ASSERT_TRUE(client.stream("/v1/sweeps/last/results?first=4", "application/x-ndjson",
                            ApiClient::kAnswer, take));
  EXPECT_EQ(hosts.size(), 2u);
  std::vector<std::string> names;
  EventReader events;
  ASSERT_TRUE(client.stream("/v1/sweeps/last/events", "text/event-stream", ApiClient::kAnswer,
                            [&](std::string_view piece) {
                              return events
                                  .read(piece,
                                        [&](const ServerEvent& event) {
                                          EXPECT_TRUE(parse_sweep(event.data)) << event.data;
                                          names.push_back(event.name);
                                        })
                                  .has_value();
                            }));
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names.back(), "end");
}

TEST_F(Client, LeavesAStreamWhereItIsTold) {
  add_sweep(kSweep, 300, 300, true);
  start();
  int pieces = 0;
  ApiClient client = asking("reader");
  EXPECT_TRUE(client.stream("/v1/sweeps/last/results", "application/x-ndjson", ApiClient::kAnswer,
                            [&](std::string_view) { return ++pieces < 2; }));
  EXPECT_EQ(pieces, 2);
}

TEST_F(Client, TellsWhatIsGoneFromWhatMayPass) {
  start();
  ApiClient client = asking("reader");
  EXPECT_NE(failure_of(client.get("/v1/sweeps/nothing"), Kind::kRefused), "no failure");
  EXPECT_THAT(failure_of(client.stream("/v1/health", "text/event-stream", ApiClient::kAnswer,
                                       [](std::string_view) { return true; }),
                         Kind::kBroken),
              HasSubstr("no dispatcher of netfleet answers there"));
  server_->stop();
  server_.reset();
  const auto gone = client.get("/v1/health");
  EXPECT_THAT(failure_of(gone, Kind::kUnreachable),
              HasSubstr("connection refused (is 'netfleet serve' running?"));
  EXPECT_TRUE(gone.error().may_pass());
}

TEST(ApiClient, KeepsItsTokenOffTheNetwork) {
  const auto make = [](const char* url, const char* token) {
    return ApiClient::make({.server = *parse_server_url(url),
                            .token = Secret(token),
                            .token_name = "file",
                            .ca_file = {}});
  };
  const auto refused = make("http://192.0.2.1:7680", "nf_secret");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("in clear text"));
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("nf_secret")));
  EXPECT_TRUE(make("https://192.0.2.1:7680", "nf_secret"));
  EXPECT_TRUE(make("http://192.0.2.1:7680", ""));
  EXPECT_TRUE(make("http://127.0.0.1:7680", "nf_secret"));
}

}  // namespace
}  // namespace netfleet
