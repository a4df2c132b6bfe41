// fleet_simulation: the fleet protocol under seeded faults, in virtual time.
//
// What it is asked for is shown by --help.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "tests/simulation/breaches.h"
#include "tests/simulation/fleet.h"
#include "tests/simulation/themes.h"

namespace netfleet::simulation {
namespace {

constexpr const char* kExamples = R"(Examples:
  fleet_simulation --seeds 20000                     20,000 fleets, each with other faults
  fleet_simulation --seeds 20000 --from 1000000      others
  fleet_simulation --from 4711 -v                    replays one, and shows all that happens
  fleet_simulation --theme echo --seeds 1000         only where messages come twice and late
  fleet_simulation --breach no-second-grant --seeds 2000
                                                     breaks a rule on purpose: some must fail
  fleet_simulation --check-breaches                  breaks each rule in turn: each must be found
  fleet_simulation --list-breaches                   the rules, and what breaking them means
  fleet_simulation --list-themes)";

struct Range {
  std::uint64_t from = 1;
  std::uint64_t seeds = 1;
  unsigned threads = 1;
  Theme theme = Theme::kDrawn;
  bool verbose = false;
};
struct Found {
  std::uint64_t ran = 0, events = 0, first = 0, failed = 0;
  std::map<std::string, std::uint64_t> invariants;
};

// Every seed of the range, or until the first that fails.
Found search(const Range& range, bool until_first, const char* option) {
  std::atomic<std::uint64_t> next{range.from};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  Found found;
  const auto work = [&] {
    while (!stop) {
      const std::uint64_t seed = next++;
      if (seed >= range.from + range.seeds) return;
      const Report report = simulate(seed, range.theme, range.verbose);
      const std::lock_guard lock(mutex);
      ++found.ran;
      found.events += report.events;
      if (report.invariant.empty()) continue;
      ++found.failed;
      ++found.invariants[report.invariant];
      if (found.first == 0 || seed < found.first) found.first = seed;
      if (until_first) stop = true;
      if (!until_first && found.failed <= 20) {
        fmt::print("FAILED {} | fleet_simulation{} --from {} -v\n", report.detail, option, seed);
        std::fflush(stdout);
      }
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < range.threads; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return found;
}

std::string invariants_of(const Found& found) {
  std::string text;
  for (const auto& [invariant, count] : found.invariants) {
    text += text.empty() ? invariant : ", " + invariant;
  }
  return text;
}

int check_breaches(Range range) {
  int missed = 0;
  for (const BreachInfo& info : all_breaches()) {
    range.theme = info.theme;
    breach = info.breach;
    const Found found = search(range, true, "");
    fmt::print("{:24} {:>6} seeds  {}\n", info.name,
               found.failed > 0 ? std::to_string(found.ran) : "-",
               found.failed > 0 ? invariants_of(found) : "NOT FOUND");
    std::fflush(stdout);
    missed += found.failed == 0 ? 1 : 0;
  }
  fmt::print("{} not found within {} seeds\n", missed, range.seeds);
  return missed == 0 ? 0 : 1;
}

void list_breaches() {
  for (const BreachInfo& info : all_breaches()) {
    fmt::print("{:24} {:8} {:7} {}\n", info.name, info.rule, info.where, info.what);
  }
}

void list_themes() {
  for (const ThemeInfo& info : all_themes()) fmt::print("{:12} {}\n", info.name, info.what);
}

int run(int argc, char** argv) {
  Range range;
  std::string broken, theme;
  bool breaches = false, themes = false, check = false;
  CLI::App app("The fleet protocol under seeded faults, in virtual time.");
  app.footer(kExamples);
  app.add_option("--seeds", range.seeds, "how many seeds")->capture_default_str();
  app.add_option("--from", range.from, "the first of them")->capture_default_str();
  app.add_option("--threads", range.threads, "seeds at once")
      ->default_val(std::max(1u, std::thread::hardware_concurrency()));
  app.add_option("--breach", broken, "break this rule on purpose");
  app.add_option("--theme", theme, "only scenarios that lean on this");
  app.add_flag("--list-breaches", breaches, "what can be broken");
  app.add_flag("--list-themes", themes, "what scenarios can lean on");
  app.add_flag("--check-breaches", check, "break each in turn: each must be found within --seeds");
  app.add_flag("-v,--verbose", range.verbose, "show what happens");
  CLI11_PARSE(app, argc, argv);
  if (range.verbose) range.threads = 1;
  if (breaches) list_breaches();
  if (themes) list_themes();
  if (breaches || themes) return 0;
  if (check) return check_breaches(range);
  std::string option;
  for (const BreachInfo& info : all_breaches()) {
    if (info.name == broken) breach = info.breach;
  }
  if (!broken.empty() && breach == Breach::kNone) {
    fmt::print(stderr, "fleet_simulation: no breach is called {}\n", broken);
    return 2;
  }
  for (const ThemeInfo& info : all_themes()) {
    if (info.name == theme) range.theme = info.theme;
  }
  if (!theme.empty() && range.theme == Theme::kDrawn) {
    fmt::print(stderr, "fleet_simulation: no theme is called {}\n", theme);
    return 2;
  }
  if (!theme.empty()) option += " --theme " + theme;
  if (!broken.empty()) option += " --breach " + broken;
  const TimePoint start = BootClock::now();
  const Found found = search(range, false, option.c_str());
  const double seconds = std::chrono::duration<double>(BootClock::now() - start).count();
  fmt::print("{} seeds, {} failed, {:.1f} s, {:.0f} seeds/s, {} events a seed\n", found.ran,
             found.failed, seconds, static_cast<double>(found.ran) / seconds,
             found.events / std::max<std::uint64_t>(1, found.ran));
  return found.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace netfleet::simulation

int main(int argc, char** argv) { return netfleet::simulation::run(argc, argv); }
