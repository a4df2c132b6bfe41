// dispatcher/fleet: what the log says of each change of state, a line each: a sentence for people,
// then fixed keys for programs. Formatting only. Secrets and device output never come here.
//
//   granted: sweep=20261122-191548-3fa9 host=edge-7 attempt=1 worker=w1
//
// The keys, in this order: sweep, host, attempt, worker, region, hosts, thread, stage, outcome, ms,
// error. A key without a value is left out; a value with anything but plain word characters stands
// in double quotes, with \" and \\ inside.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "common/task.h"
#include "dispatcher/sweep/ledger.h"

namespace netfleet {

struct LogField {
  std::string_view key;
  std::string value;  // empty: the field is left out
};

std::string log_line(std::string_view sentence, std::initializer_list<LogField> fields);

// What a note is about, in the user's words.
struct LogSubject {
  std::string sweep;               // its id
  std::string host;                // of the task, if it is about one
  std::uint32_t region_hosts = 0;  // in the sweep, if it is about a region
  Milliseconds region_timeout{0};
};

// Whether people must know even without -v.
bool is_warning(Noted::What what);
std::string log_noted(const Noted& noted, const LogSubject& subject);

std::string log_progress(const v1::Progress& progress, const std::string& worker,
                         const LogSubject& subject);
// A result that another attempt follows, and one that is final.
std::string log_retry(const v1::TaskResult& result, const std::string& worker,
                      const LogSubject& subject);
std::string log_result(const TaskResult& result, const LogSubject& subject);

}  // namespace netfleet
