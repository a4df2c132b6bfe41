// tests/simulation: what happened, for people who look at one seed (-v). Costs nothing otherwise.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

#include "common/codec.h"
#include "tests/simulation/event_loop.h"

namespace netfleet::simulation {

// The word for a message, and its number.
inline std::string name_of(const v1::ToDispatcher& message) {
  static constexpr const char* kNames[] = {"nothing", "",        "",         "",
                                           "Hello",   "Claim",   "Decline",  "Heartbeat",
                                           "Free",    "Release", "Progress", "Goodbye"};
  return fmt::format("{} #{}", kNames[message.body_case()], message.sequence());
}
inline std::string name_of(const v1::ToWorker& message) {
  static constexpr const char* kNames[] = {
      "nothing", "",    "Welcome",    "Refused", "Job",    "Grant",     "Deny",
      "Renewal", "Ack", "HelloAgain", "Drain",   "Cancel", "Dismissed", "Credential"};
  return kNames[message.body_case()];
}

class Trace {
 public:
  Trace(const EventLoop& loop, bool on) : loop_(loop), on_(on) {}
  bool on() const { return on_; }
  template <typename... Values>
  void operator()(fmt::format_string<Values...> format, Values&&... values) const {
    if (!on_) return;
    fmt::print("{:10.4f}  {}\n", static_cast<double>(loop_.now().count()) / 1e9,
               fmt::format(format, std::forward<Values>(values)...));
  }

 private:
  const EventLoop& loop_;
  bool on_;
};

}  // namespace netfleet::simulation
