// Prints when cron expressions fire, for cron_against_croniter.py.
//   cron_table FIRST LAST ZONE...   reads expressions, one a line, and prints for each and for each
//   zone a line of the Unix times of its firings after FIRST up to LAST
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "dispatcher/schedule/firing.h"

int main(int argc, char** argv) {
  using netfleet::Instant;
  const Instant first{std::chrono::seconds(std::atoll(argv[1]))};
  const Instant last{std::chrono::seconds(std::atoll(argv[2]))};
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto cron = netfleet::CronExpression::parse(line);
    if (!cron) {
      std::cerr << cron.error().message << "\n";
      return 2;
    }
    for (int i = 3; i < argc; ++i) {
      const auto zone = netfleet::find_zone(argv[i]);
      if (!zone) {
        std::cerr << zone.error().message << "\n";
        return 2;
      }
      Instant at = next_firing(*cron, **zone, first);
      for (; at <= last; at = next_firing(*cron, **zone, at)) {
        std::printf("%lld ", static_cast<long long>(at.time_since_epoch().count()));
      }
      std::printf("\n");
    }
  }
}
