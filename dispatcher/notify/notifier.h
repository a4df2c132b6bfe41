// dispatcher/notify: tells a command or a webhook what becomes of a sweep, on a thread of its own:
// nobody waits for it but the end of the program, for a bounded time. Not for what is told.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/credential_line.h"
#include "common/error.h"
#include "dispatcher/notify/notice.h"

namespace netfleet {

struct NotifierOptions {
  std::string command = {};               // for /bin/sh -c, gets the JSON at its stdin; empty: none
  std::string webhook = {};               // a URL that it is POSTed to by curl; empty: none
  std::vector<std::string> secrets = {};  // variables that the command shall not see
  Milliseconds patience{10'000};          // for one notice
  std::function<void(const std::string&)> say = {};  // of a failure; called on the thread
};

// An error for what is no http or https URL, or has a user or password in it.
Expected<void> check_webhook(const std::string& url);

class Notifier {
 public:
  explicit Notifier(NotifierOptions options);
  ~Notifier() { finish(); }
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Never blocks.
  void tell(const Notice& notice);
  // Waits until all is told, no longer than options.patience, or until `given_up` (a descriptor) is
  // readable: then whoever is being told is ended.
  void finish(int given_up = -1);

 private:
  void run();
  void deliver(const std::string& event, const std::string& json);
  TimePoint deadline();
  void say_once(const char* what, const Error& error, bool& said);

  const NotifierOptions options_;
  Descriptor stop_;  // eventfds: nobody waits any more; all is told
  Descriptor done_;
  bool command_said_ = false;
  bool webhook_said_ = false;
  std::mutex mutex_;
  std::condition_variable work_;
  struct Told {
    std::string event;
    std::string json;
  };
  std::deque<Told> queue_;           // guarded by mutex_
  std::optional<TimePoint> finish_;  // guarded by mutex_
  std::jthread thread_;              // last: it uses all of the above
};

}  // namespace netfleet
