// tests of the API: a server on loopback over a fake service and a real store, asked over HTTP;
// every answer is held against openapi.json.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "dispatcher/api/routes.h"
#include "dispatcher/api/server.h"
#include "tests/unit/api/fake_service.h"
#include "tests/unit/api/schema_check.h"
#include "tests/unit/disk.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {

class Api : public testing::Test {
 protected:
  using Json = nlohmann::json;

  Api() {
    audit_ = *Audit::open(directory_ / "audit", clock_);
    options_.listen = "127.0.0.1:0";
    options_.tokens = directory_ / "tokens";
    options_.audit = audit_.get();
    options_.open_store = [this] { return Store::open(directory_ / "store.db"); };
    std::string lines;
    for (const auto& [name, scope] : {std::pair("reader", Scope::kRead),
                                      {"runner", Scope::kRun},
                                      {"changer", Scope::kChange}}) {
      const auto made = *make_token(name, scope);
      tokens_[name] = made.token;
      lines += made.line + "\n";
    }
    write_tokens(lines);
  }
  ~Api() override { server_.reset(); }

  void write_tokens(const std::string& lines) {
    std::ofstream(options_.tokens) << lines;
    std::filesystem::permissions(options_.tokens, std::filesystem::perms(0600));
  }

  void start() {
    auto started = ApiServer::start(options_, service_, [this](const std::string& line) {
      const std::lock_guard lock(log_mutex_);
      log_.push_back(line);
    });
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
  }

  // A store with a sweep of so many hosts; results for the first `done` of them.
  void add_sweep(const std::string& id, std::uint32_t total, std::uint32_t done, bool ended) {
    auto store = Store::open(directory_ / "store.db");
    ASSERT_TRUE(store) << store.error().message;
    SweepRecord record = some_sweep(id, {"show clock"}, total);
    record.job_name = id.ends_with("bbbb") ? "backup" : "";
    record.origin = "schedule";
    ASSERT_TRUE(store->add_sweep(record, some_tasks(total)));
    std::vector<TaskResult> results;
    for (std::uint32_t i = 0; i < done; ++i) results.push_back(result_of(i));
    ASSERT_TRUE(store->save_results(record.number, results));
    if (ended) {
      ASSERT_TRUE(store->end_sweep(record.number, record.started_at + Milliseconds(1500)));
    }
  }
  // Every third one timed out.
  static TaskResult result_of(std::uint32_t index) {
    TaskResult result = ok_result(index);
    result.commands = {{.command = "show clock", .output = std::string("12:00\n")}};
    if (index % 3 == 2) {
      result.outcome = Outcome::kTimedOut;
      result.error = "login: timed out";
      result.commands.clear();
    }
    return result;
  }
  void save_result(const std::string& id, const TaskResult& result) {
    auto store = Store::open(directory_ / "store.db");
    const auto sweep = store->find_sweep(id);
    ASSERT_TRUE(store->save_results(sweep->number, std::vector{result}));
  }

  httplib::Client client() const {
    httplib::Client one("127.0.0.1", server_->port());
    one.set_read_timeout(20);
    return one;
  }
  httplib::Headers bearer(const std::string& who) const {
    if (who.empty()) return {};
    return {{"Authorization", "Bearer " + tokens_.at(who)}};
  }

  struct Got {
    int status = 0;
    std::string body;
    httplib::Headers headers;
    Json json() const { return Json::parse(body); }
    std::string header(const std::string& name) const {
      const auto found = headers.find(name);
      return found == headers.end() ? std::string() : found->second;
    }
  };
  Got get(const std::string& path, const std::string& who = "reader") const {
    return checked("get", path, client().Get(path, bearer(who)));
  }
  Got post(const std::string& path, const std::string& body, const std::string& who,
           const httplib::Headers& more = {}) const {
    httplib::Headers headers = bearer(who);
    headers.insert(more.begin(), more.end());
    return checked("post", path, client().Post(path, headers, body, "application/json"));
  }

  std::string log() {
    const std::lock_guard lock(log_mutex_);
    return fmt::format("{}", fmt::join(log_, "\n"));
  }
  std::vector<Json> audit_lines() const {
    std::ifstream file(directory_ / "audit");
    std::vector<Json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  static LiveSweep live(const std::string& id, std::uint32_t total, std::uint32_t done,
                        std::uint64_t version) {
    LiveSweep sweep;
    sweep.id = id;
    sweep.job = "backup";
    sweep.origin = "schedule";
    sweep.state = "running";
    sweep.started_at = wall(1'795'374'948'123);
    sweep.total = total;
    sweep.running = 1;
    sweep.done = done;
    sweep.by_outcome[0] = done;
    sweep.version = version;
    return sweep;
  }

  TemporaryDirectory directory_;
  SystemClock clock_;
  std::unique_ptr<Audit> audit_;
  FakeService service_;
  ApiOptions options_;
  std::map<std::string, std::string> tokens_;
  std::unique_ptr<ApiServer> server_;

 private:
  Got checked(const std::string& method, const std::string& path,
              const httplib::Result& result) const {
    if (!result) {
      ADD_FAILURE() << method << " " << path << ": " << httplib::to_string(result.error());
      return {};
    }
    expect_documented(method, path, *result);
    return {result->status, result->body, result->headers};
  }

  // That the document has this status for this path, and the body fits what it says.
  void expect_documented(const std::string& method, const std::string& path,
                         const httplib::Response& response) const {
    static const SchemaCheck check(Json::parse(openapi_document()));
    const auto target = parse_target(path);
    const Routed routed =
        target ? find_route(method == "get" ? "GET" : "POST", target->parts) : Routed();
    const auto type = response.get_header_value("Content-Type");
    if (routed.route == nullptr) {
      const Json error = check.document()["components"]["schemas"]["Error"];
      EXPECT_EQ(check.misfit(error, Json::parse(response.body)), "") << response.body;
      return;
    }
    const Json& answers =
        check.document()["paths"][std::string(routed.route->pattern)][method]["responses"];
    const std::string status = std::to_string(response.status);
    const std::vector<std::string> anywhere = {"400", "413", "415", "421", "500", "503"};
    Json schema;
    if (answers.contains(status)) {
      const Json& media = check.resolve(answers[status])["content"];
      const std::string plain = type.substr(0, type.find(';'));
      ASSERT_TRUE(media.contains(plain)) << path << ": " << type;
      schema = media[plain]["schema"];
    } else {
      EXPECT_THAT(anywhere, testing::Contains(status)) << path << " is not documented to answer it";
      schema = check.document()["components"]["schemas"]["Error"];
    }
    if (type == "application/json") {
      EXPECT_EQ(check.misfit(schema, Json::parse(response.body)), "") << response.body;
    } else if (type == "application/x-ndjson") {
      std::istringstream lines(response.body);
      for (std::string line; std::getline(lines, line);) {
        EXPECT_EQ(check.misfit(schema, Json::parse(line)), "") << line;
      }
    }
  }

  std::mutex log_mutex_;
  std::vector<std::string> log_;
};

}  // namespace netfleet
