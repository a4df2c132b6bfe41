// What is read piece by piece: events, results, comparisons.
#include <future>
#include <thread>

#include "dispatcher/output/renderer.h"
#include "tests/unit/api/api_fixture.h"

namespace netfleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kSweep = "20261125-080000-aaaa";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) lines.push_back(line);
  return lines;
}

class Streams : public Api {
 protected:
  std::vector<std::uint32_t> indexes(const std::string& query) const {
    std::vector<std::uint32_t> found;
    for (const auto& line : lines_of(get(fmt::format("/v1/sweeps/last/results{}", query)).body)) {
      found.push_back(Json::parse(line)["index"].get<std::uint32_t>());
    }
    return found;
  }

  // Reads a stream in a thread of its own; `seen` is called with all that has come, each time.
  struct Reading {
    std::future<std::string> all;
    std::jthread thread;
    std::string get() { return all.get(); }
  };
  Reading read(const std::string& path,
               std::function<bool(const std::string&)> seen = nullptr) const {
    std::packaged_task<std::string()> task([path, seen = std::move(seen), this]() mutable {
      std::string all;
      client().Get(path, bearer("reader"), [&](const char* bytes, std::size_t size) {
        all.append(bytes, size);
        return !seen || seen(all);
      });
      return all;
    });
    Reading reading{task.get_future(), {}};
    reading.thread = std::jthread(std::move(task));
    return reading;
  }
};

TEST_F(Streams, ResultsAreThoseOfJsonl) {
  add_sweep(kSweep, 4, 4, true);
  start();
  std::string expected;
  const auto renderer = make_renderer(OutputFormat::kJsonl, kSweep, false);
  for (std::uint32_t i = 0; i < 4; ++i) renderer->result(some_task(i), result_of(i), expected);
  const Got got = get("/v1/sweeps/last/results");
  EXPECT_EQ(got.body, expected);
  EXPECT_EQ(got.header("Content-Type"), "application/x-ndjson");
}

TEST_F(Streams, ResultsAreChosen) {
  add_sweep(kSweep, 12, 10, false);
  start();
  EXPECT_THAT(indexes(""), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(indexes("?outcome=failed"), ElementsAre(2, 5, 8));
  EXPECT_THAT(indexes("?outcome=lost"), ElementsAre());
  EXPECT_THAT(indexes("?host=edge-[12]"), ElementsAre(1, 2));
  EXPECT_THAT(indexes("?first=8"), ElementsAre(8, 9));
  EXPECT_THAT(indexes("?first=3&count=2"), ElementsAre(3, 4));
  EXPECT_THAT(indexes("?first=4000000000"), ElementsAre());
  EXPECT_EQ(get("/v1/sweeps/last/results?outcome=best").status, 400);
  EXPECT_EQ(get("/v1/sweeps/last/results?first=-1").status, 400);
  EXPECT_EQ(get("/v1/sweeps/last/results?follow=yes").status, 400);
  const auto bare = Json::parse(lines_of(get("/v1/sweeps/last/results?output=no").body)[0]);
  EXPECT_EQ(bare["commands"][0]["command"], "show clock");
  EXPECT_EQ(bare["commands"][0]["output"], "");
}

TEST_F(Streams, FollowWaitsForResultsInOrder) {
  add_sweep(kSweep, 4, 1, false);
  service_.set_live({live(kSweep, 4, 1, 1)});
  start();
  std::promise<void> first, second;
  int told = 0;
  auto all = read("/v1/sweeps/last/results?follow=1", [&](const std::string& so_far) {
    const auto count = std::ranges::count(so_far, '\n');
    if (count >= 1 && told == 0) ++told, first.set_value();
    if (count >= 3 && told == 1) ++told, second.set_value();
    return true;
  });
  first.get_future().wait();
  save_result(kSweep, result_of(2));  // out of turn
  service_.set_live({live(kSweep, 4, 2, 2)});
  save_result(kSweep, result_of(1));
  service_.set_live({live(kSweep, 4, 3, 3)});
  second.get_future().wait();
  service_.set_live({});  // one host stays without a result
  std::vector<std::uint32_t> order;
  for (const auto& line : lines_of(all.get())) {
    order.push_back(Json::parse(line)["index"].get<std::uint32_t>());
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

TEST_F(Streams, LargeOutputsPassWhole) {
  add_sweep(kSweep, 1, 0, false);
  TaskResult result = result_of(0);
  result.commands[0].output = std::string(30u << 20, 'x');
  save_result(kSweep, result);
  start();
  const Json line = Json::parse(get("/v1/sweeps/last/results").body);
  EXPECT_EQ(line["commands"][0]["output"].get<std::string>().size(), 30u << 20);
}

TEST_F(Streams, EventsShowProgressUntilTheEnd) {
  add_sweep(kSweep, 3, 3, false);
  service_.set_live({live(kSweep, 3, 1, 1)});
  start();
  std::promise<void> begun;
  bool told = false;
  auto all = read("/v1/sweeps/last/events", [&](const std::string& so_far) {
    if (so_far.contains("\n\n") && !told) told = true, begun.set_value();
    return true;
  });
  begun.get_future().wait();
  {
    auto store = Store::open(directory_ / "store.db");
    ASSERT_TRUE(store->end_sweep(store->find_sweep(kSweep)->number, wall(1'795'374'950'000)));
  }
  service_.set_live({});
  const auto lines = lines_of(all.get());
  ASSERT_EQ(lines.size(), 6);
  EXPECT_EQ(lines[0], "event: progress");
  EXPECT_EQ(Json::parse(lines[1].substr(6))["done"], 1);
  EXPECT_EQ(lines[3], "event: end");
  const Json end = Json::parse(lines[4].substr(6));
  EXPECT_EQ(end["state"], "ended");
  EXPECT_EQ(end["done"], 3);
}

TEST_F(Streams, EventsOfAnEndedSweepEndAtOnce) {
  add_sweep(kSweep, 3, 3, true);
  start();
  EXPECT_THAT(get("/v1/sweeps/last/events").body, testing::StartsWith("event: end\ndata: {"));
}

TEST_F(Streams, EventsOfManyChangesAreFewOfThem) {
  add_sweep(kSweep, 1000, 0, false);
  service_.set_live({live(kSweep, 1000, 0, 1)});
  start();
  std::promise<void> begun;
  bool told = false;
  auto all = read("/v1/sweeps/last/events", [&](const std::string&) {
    if (!told) told = true, begun.set_value();
    return true;
  });
  begun.get_future().wait();
  const TimePoint began = BootClock::now();
  for (std::uint32_t i = 1; i <= 1000; ++i) service_.set_live({live(kSweep, 1000, i, i + 1)});
  service_.set_live({});
  const auto took = BootClock::now() - began;
  const auto events = std::ranges::count(lines_of(all.get()), "event: progress");
  EXPECT_LE(events, 2 + took / Milliseconds(250));
}

TEST_F(Streams, QuietEventsHaveAHeartbeat) {
  add_sweep(kSweep, 3, 0, false);
  service_.set_live({live(kSweep, 3, 0, 1)});
  options_.limits.heartbeat = Milliseconds(50);
  start();
  auto all = read("/v1/sweeps/last/events",
                  [](const std::string& so_far) { return !so_far.contains("\n\n:\n\n:\n\n"); });
  EXPECT_THAT(all.get(), HasSubstr("\n\n:\n\n:\n\n"));
}

TEST_F(Streams, QuietResultsHaveAHeartbeatBetweenLines) {
  add_sweep(kSweep, 3, 1, false);
  service_.set_live({live(kSweep, 3, 1, 1)});
  options_.limits.heartbeat = Milliseconds(50);
  start();
  std::promise<void> quiet;
  bool told = false;
  auto all = read("/v1/sweeps/last/results?follow=1", [&](const std::string& so_far) {
    if (so_far.contains("}\n\n\n") && !told) told = true, quiet.set_value();
    return true;
  });
  quiet.get_future().wait();
  save_result(kSweep, result_of(1));
  save_result(kSweep, result_of(2));
  service_.set_live({});
  std::vector<std::uint32_t> order;
  for (const auto& line : lines_of(all.get())) {
    if (!line.empty()) order.push_back(Json::parse(line)["index"].get<std::uint32_t>());
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

TEST_F(Streams, ComparesTwoSweeps) {
  add_sweep("20261125-070000-0000", 3, 3, true);
  add_sweep(kSweep, 3, 0, false);
  for (std::uint32_t i = 0; i < 3; ++i) {
    TaskResult result = result_of(i);
    if (i == 1) result.commands[0].output = std::string("13:00\n");
    save_result(kSweep, result);
  }
  options_.mask = [](std::string_view, std::string_view text) {
    return text == "12:00\n" || text == "13:00\n" ? std::string("<clock>\n") : std::string(text);
  };
  start();
  const std::string path = fmt::format("/v1/sweeps/{}/diff?with=20261125-07", kSweep);
  EXPECT_THAT(get(path + "&mask=no").body,
              testing::AllOf(HasSubstr("Not compared: edge-2: "),
                             HasSubstr("--- edge-1 20261125-070000-0000 show clock\n"
                                       "+++ edge-1 20261125-080000-aaaa show clock\n"),
                             HasSubstr("\n-12:00\n+13:00\n"),
                             HasSubstr("1 of 3 hosts differ, 1 not or not wholly compared\n")));
  const auto lines = lines_of(get(path + "&mask=no&format=jsonl&limit=edge-1").body);
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(Json::parse(lines[0])["changed"][0]["command"], "show clock");
  EXPECT_EQ(Json::parse(lines[1])["hosts"], 1);
  EXPECT_EQ(Json::parse(lines_of(get(path + "&format=jsonl").body).back())["changed"], 0);
  EXPECT_EQ(get(path + "&limit=group:x").status, 400);
  EXPECT_EQ(get(path + "&limit=(").status, 400);
  EXPECT_EQ(get("/v1/sweeps/last/diff?with=none").status, 404);
  EXPECT_EQ(get("/v1/sweeps/last/diff").status, 200);  // with the one before
  EXPECT_EQ(get("/v1/sweeps/20261125-07/diff").status, 404);
}

TEST_F(Streams, TakeOnlyTheirShareOfTheServer) {
  add_sweep(kSweep, 3, 0, false);
  service_.set_live({live(kSweep, 3, 0, 1)});
  options_.limits.connections = 4;
  options_.limits.streams = 2;
  start();
  std::vector<std::promise<void>> begun(2);
  std::vector<Reading> streams;
  for (auto& one : begun) {
    streams.push_back(read("/v1/sweeps/last/events", [&, told = false](const auto&) mutable {
      if (!told) told = true, one.set_value();
      return true;
    }));
  }
  for (auto& one : begun) one.get_future().wait();
  const Got third = get("/v1/sweeps/last/events");
  EXPECT_EQ(third.status, 503);
  EXPECT_EQ(third.header("Retry-After"), "5");
  EXPECT_EQ(get("/v1/jobs").status, 200);
  EXPECT_THAT(get("/metrics").body, HasSubstr("\nnetfleet_api_streams 2\n"));
  service_.set_live({});
  for (auto& stream : streams) EXPECT_THAT(stream.get(), HasSubstr("event: end"));
  EXPECT_EQ(get("/v1/sweeps/last/events").status, 200);
}

TEST_F(Streams, EndWhenTheServerStops) {
  add_sweep(kSweep, 3, 0, false);
  service_.set_live({live(kSweep, 3, 0, 1)});
  start();
  std::promise<void> begun;
  auto events = read("/v1/sweeps/last/events", [&, told = false](const auto&) mutable {
    if (!told) told = true, begun.set_value();
    return true;
  });
  auto results = read("/v1/sweeps/last/results?follow=1");
  begun.get_future().wait();
  server_->stop();
  EXPECT_THAT(events.get(), testing::Not(HasSubstr("event: end")));
  EXPECT_EQ(results.get(), "");
  EXPECT_FALSE(client().Get("/v1/health"));
}

}  // namespace
}  // namespace netfleet
