// tests/bench: what a task costs in the dispatcher's parts: codec, ledger, order buffer, inventory,
// plan and store.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/codec.h"
#include "dispatcher/inventory/parsers.h"
#include "dispatcher/output/order.h"
#include "dispatcher/store/store.h"
#include "dispatcher/sweep/ledger.h"
#include "dispatcher/sweep/plan.h"
#include "tests/unit/disk.h"

namespace netfleet {
namespace {

constexpr std::uint32_t kFrame = 64;  // tasks in one message

void count_items(benchmark::State& state, std::uint64_t a_round) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(a_round));
}

TaskResult some_result(std::uint32_t index) {
  TaskResult result;
  result.index = index;
  result.outcome = Outcome::kOk;
  result.platform = "cisco_ios";
  result.worker = "worker-1";
  result.duration = Milliseconds(1234);
  result.started_at = WallTime(Milliseconds(1'795'374'948'123));
  result.command_sent = true;
  std::string output = fmt::format("edge-{} uptime is 41 weeks\n", index);
  while (output.size() < 2000) output += "52 Gigabit Ethernet interfaces, 512K bytes of memory\n";
  result.commands = {{"show version", std::move(output)}};
  return result;
}

std::vector<TaskResult> some_results(std::uint32_t count) {
  std::vector<TaskResult> results;
  for (std::uint32_t i = 0; i < count; ++i) results.push_back(some_result(i));
  return results;
}

std::vector<TaskSpec> some_tasks(std::uint32_t count) {
  std::vector<TaskSpec> tasks(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string address = fmt::format("10.{}.{}.{}", i >> 16, i >> 8 & 255, i & 255);
    tasks[i].index = i;
    tasks[i].host = tasks[i].address = address;
    tasks[i].user = "admin";
    tasks[i].platform = "cisco_ios";
    tasks[i].credential = "default";
  }
  return tasks;
}

// A worker's results on their way: values to bytes, bytes to values.
void BM_CodecResults(benchmark::State& state) {
  const std::vector<TaskResult> results = some_results(kFrame);
  for (auto _ : state) {
    v1::ResultFrame frame;
    frame.set_incarnation(7);
    for (const TaskResult& result : results) to_wire(result, 1, *frame.add_results());
    const std::string bytes = encode(frame);
    auto decoded = decode_results(bytes);
    if (!decoded) return state.SkipWithError(decoded.error().message.c_str());
    for (v1::TaskResult& result : *decoded->mutable_results()) {
      benchmark::DoNotOptimize(from_wire(result));
    }
  }
  count_items(state, kFrame);
}
BENCHMARK(BM_CodecResults)->Unit(benchmark::kMicrosecond);

// An offer and a grant of each task, from values to bytes to values.
void BM_CodecGrants(benchmark::State& state) {
  const std::vector<TaskSpec> tasks = some_tasks(kFrame);
  for (auto _ : state) {
    v1::OfferFrame offers;
    v1::ToWorker message;
    for (const TaskSpec& task : tasks) {
      v1::Offer& offer = *offers.add_offers();
      *offer.mutable_task() = make_ref({1, task.index}, 1);
      offer.set_round(1);
      *message.mutable_grant()->add_tasks() = to_wire(task, 1, 1);
    }
    const auto offered = decode_offers(encode(offers));
    const auto granted = decode_to_worker(encode(message));
    if (!offered || !granted) return state.SkipWithError("a frame does not come back");
    for (const v1::TaskSpec& task : granted->grant().tasks()) {
      benchmark::DoNotOptimize(from_wire(task));
    }
  }
  count_items(state, kFrame);
}
BENCHMARK(BM_CodecGrants)->Unit(benchmark::kMicrosecond);

// A ledger with two workers that do at once what they are offered.
class LedgerRun {
 public:
  explicit LedgerRun(std::uint32_t tasks) {
    SweepPlan plan;
    plan.sweep = 1;
    plan.credentials = {"default"};
    plan.tasks.assign(tasks, {ledger_.add_lane(""), 0});
    ledger_.add_sweep(now_, plan);
    for (const std::uint64_t worker : kWorkers) {
      v1::ToDispatcher message = envelope(worker, kSlots);
      message.mutable_hello()->set_name(fmt::format("w{}", worker));
      message.mutable_hello()->set_slots(kSlots);
      ledger_.on_message(now_, worker, message);
    }
  }
  // Offers, claims, grants, results, acknowledgements, until all is done. The number of grants.
  std::uint32_t run() {
    std::uint32_t granted = 0;
    while (!ledger_.finished(1)) {
      now_ += std::chrono::microseconds(50);
      ledger_.tick(now_);
      const std::uint64_t worker = kWorkers[turn_++ % kWorkers.size()];
      if (!ledger_.wants_to_offer(0)) break;
      v1::ToDispatcher message = envelope(worker, kSlots - kFrame);
      *message.mutable_claim()->mutable_offers() = ledger_.make_offers(now_, 0).offers();
      ledger_.on_message(now_, worker, message);
      for (const Action& action : ledger_.take_actions()) {
        const auto* sent = std::get_if<SendToWorker>(&action);
        if (sent != nullptr && sent->message.has_grant()) granted += finish(worker, sent->message);
      }
    }
    return granted;
  }

 private:
  static constexpr std::array<std::uint64_t, 2> kWorkers = {101, 102};
  static constexpr std::uint32_t kSlots = 500;

  v1::ToDispatcher envelope(std::uint64_t worker, std::uint32_t free) {
    v1::ToDispatcher message;
    message.set_incarnation(worker);
    message.set_sequence(++sequence_);
    message.set_free(free);
    return message;
  }
  std::uint32_t finish(std::uint64_t worker, const v1::ToWorker& message) {
    v1::ResultFrame frame;
    frame.set_incarnation(worker);
    frame.set_sequence(++sequence_);
    frame.set_free(kSlots);
    ledger_.on_result_frame(now_, frame);
    for (const v1::TaskSpec& task : message.grant().tasks()) {
      const TaskKey key = key_of(task.task());
      ledger_.on_result(now_, worker, key, task.task().attempt(), Outcome::kOk, true);
      ledger_.stored(key);
    }
    return static_cast<std::uint32_t>(message.grant().tasks_size());
  }

  Ledger ledger_{LedgerOptions{}};
  TimePoint now_{std::chrono::seconds(1000)};
  std::uint64_t sequence_ = 0;
  std::size_t turn_ = 0;
};

void BM_Ledger(benchmark::State& state) {
  const auto tasks = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    LedgerRun ledger(tasks);
    if (ledger.run() != tasks) return state.SkipWithError("not every task was granted once");
  }
  count_items(state, tasks);
}
BENCHMARK(BM_Ledger)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// Results that come in another order than they go out: in blocks, each backwards.
void BM_Order(benchmark::State& state) {
  const auto tasks = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    Order order(OutputOrder::kInventory, tasks);
    std::size_t shown = 0;
    for (std::uint32_t block = 0; block < tasks; block += 500) {
      for (std::uint32_t i = 500; i-- > 0;) shown += order.arrived(block + i).size();
    }
    if (shown != tasks || !order.complete()) return state.SkipWithError("not all were shown");
  }
  count_items(state, tasks);
}
BENCHMARK(BM_Order)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void BM_Inventory(benchmark::State& state) {
  const auto hosts = static_cast<std::uint32_t>(state.range(0));
  std::string text;
  for (std::uint32_t i = 0; i < hosts; ++i)
    text += fmt::format("10.{}.{}.{} cisco_ios\n", i >> 16, i >> 8 & 255, i & 255);
  for (auto _ : state) {
    const auto inventory = parse_text_inventory(text, "hosts.txt");
    if (!inventory || inventory->hosts.size() != hosts) return state.SkipWithError("hosts lack");
  }
  count_items(state, hosts);
}
BENCHMARK(BM_Inventory)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void BM_InventoryYaml(benchmark::State& state) {
  const auto hosts = static_cast<std::uint32_t>(state.range(0));
  std::string text = "hosts:\n";
  for (std::uint32_t i = 0; i < hosts; ++i) {
    text += fmt::format(
        "  edge-{}:\n    hostname: 10.0.{}.{}\n    groups: [edge]\n    data: {{site: s{}}}\n", i,
        i >> 8 & 255, i & 255, i / 100);
  }
  text += "groups:\n  edge: {platform: cisco_ios, username: admin}\n";
  for (auto _ : state) {
    const auto inventory = parse_yaml_inventory({"hosts.yaml", text});
    if (!inventory) return state.SkipWithError(inventory.error().message.c_str());
    if (inventory->hosts.size() != hosts) return state.SkipWithError("hosts lack");
  }
  count_items(state, hosts);
}
BENCHMARK(BM_InventoryYaml)->Arg(1'000)->Arg(20'000)->Unit(benchmark::kMillisecond);

void BM_Plan(benchmark::State& state) {
  const auto hosts = static_cast<std::uint32_t>(state.range(0));
  std::vector<Host> all(hosts);
  for (std::uint32_t i = 0; i < hosts; ++i)
    all[i].name = all[i].address = fmt::format("10.{}.{}.{}", i >> 16, i >> 8 & 255, i & 255);
  PlanDefaults defaults;
  defaults.user = "admin";
  for (auto _ : state) {
    if (plan_tasks(all, defaults).size() != hosts) return state.SkipWithError("tasks lack");
  }
  count_items(state, hosts);
}
BENCHMARK(BM_Plan)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// A sweep's tasks and results into a file, 256 results a transaction. `same`: one output for all.
void store(benchmark::State& state, bool same) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  const std::vector<TaskSpec> tasks = some_tasks(count);
  std::vector<TaskResult> results = some_results(count);
  for (TaskResult& result : results) {
    if (same) result.commands = results.front().commands;
  }
  for (auto _ : state) {
    const TemporaryDirectory directory;
    auto opened = Store::open(directory / "store.db");
    SweepRecord sweep;
    sweep.id = "20261122-191548-3fa9";
    sweep.total = count;
    sweep.job.commands = {"show version"};
    if (!opened || !opened->add_sweep(sweep, tasks)) return state.SkipWithError("no sweep");
    for (std::size_t at = 0; at < count; at += 256) {
      const auto part = std::span(results).subspan(at, std::min<std::size_t>(256, count - at));
      if (!opened->save_results(sweep.number, part)) return state.SkipWithError("not saved");
    }
  }
  count_items(state, count);
}
void BM_StoreDistinct(benchmark::State& state) { store(state, false); }
void BM_StoreSame(benchmark::State& state) { store(state, true); }
BENCHMARK(BM_StoreDistinct)->Arg(1'000)->Arg(20'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_StoreSame)->Arg(1'000)->Arg(20'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace netfleet
