// dispatcher/cli: the examples behind the lists of options of the verbs that ask a long-lived
// dispatcher. Texts only.
#pragma once

#include <string_view>

namespace netfleet {

inline constexpr std::string_view kSubmitExamples = R"(Examples:
  netfleet submit backup                     the job as it is; prints the sweep's id
  netfleet submit backup -l region:eu --watch
  netfleet submit backup -l 'edge-*' -c "show clock" -c "show users"
  netfleet submit ntp --config-file ntp.cfg --dry-run --watch
  sweep=$(netfleet submit backup) && netfleet watch "$sweep" && netfleet results "$sweep" -o csv
  netfleet submit backup --server https://hub.example.net:7680 --token-file night.token

The job's file, its inventory and its secrets are the service's. What changes devices needs a token
with the scope change. A lost connection is tried again, and nothing begun twice.
Exit status: 0 it is begun (with --watch: as watch); 2 it is not; 3 nobody answers.)";

inline constexpr std::string_view kStatusExamples = R"(Examples:
  netfleet status                            is it well, what runs, what ran
  netfleet status --job backup --sweeps 100
  netfleet status last                       one sweep: its hosts by outcome
  netfleet status last -o jsonl | jq .outcomes

Exit status: 0; of a service that says that something is wrong with it 1; 3 nobody answers.)";

inline constexpr std::string_view kWatchExamples = R"(Examples:
  netfleet watch                             the newest sweep
  netfleet watch 20261125-0300
  netfleet watch last --stop                 a roll-out that asks stops
  netfleet results last --follow             the results themselves, while they come

A roll-out that asks whether it goes on is answered here: on a terminal you are asked.
Ctrl-C ends the watching; the sweep goes on ('netfleet cancel' ends it).
Exit status, as of run: 0 every host ok; 1 some not; 2 there is no such sweep; 3 nobody answers;
4 ended by refused logins; 130 interrupted.)";

inline constexpr std::string_view kCancelExamples = R"(Examples:
  netfleet cancel 20261125-0300              what runs is finished, nothing else started
  netfleet cancel last --now                 what runs is stopped, too)";

inline constexpr std::string_view kRetryExamples = R"(Examples:
  netfleet retry last                        those that were tried and failed
  netfleet retry 20261125-0300 --only failed,skipped --watch

It is a new sweep, whose id is printed.)";

inline constexpr std::string_view kScheduleExamples = R"(Examples:
  netfleet schedule                          when each job starts next
  netfleet schedule list --all               jobs without a schedule, and what is wrong with files
  netfleet schedule history                  what became of the last firings, and why
  netfleet schedule history backup --firings 7
  netfleet schedule pause backup             until it is resumed, also after a restart
  netfleet schedule resume backup)";

}  // namespace netfleet
