// dispatcher/cli: the verbs' side of asking a long-lived dispatcher: who is asked and with which
// token, what went wrong in words and as exit status, how long one waits before asking again.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "dispatcher/api/client.h"
#include "dispatcher/cli/server_options.h"
#include "dispatcher/output/renderer.h"

namespace netfleet {

// Whether a server is meant where the store on this machine could be, too.
bool names_server(const ServerOptions& options);

// Reads what is in the environment and in files. Ignores SIGPIPE from now on. The token of the
// state directory is for a server on this machine alone.
Expected<ApiClient> open_client(const ServerOptions& options);

// Says it on stderr; the exit status: 2 refused, 3 not reached or broken.
int say_failure(const ClientFailure& failure);
// Of an answer that cannot be read, or another error on this side.
int say_error(const Error& error, int status);

// What `read` makes of the answer; what it cannot read is a broken answer.
template <typename Read>
auto parse_answer(const ClientAnswer<std::string>& answer, Read read)
    -> ClientAnswer<typename decltype(read(std::string_view()))::value_type> {
  if (!answer) return std::unexpected(answer.error());
  auto parsed = read(*answer);
  if (!parsed) return std::unexpected(ClientFailure{.message = parsed.error().message});
  return *std::move(parsed);
}

// Waits longer from one failure to the next, with some chance in it, so that those who lost the
// same dispatcher do not come back as one.
class BackOff {
 public:
  explicit BackOff(Milliseconds patience) : patience_(patience) {}
  // Waits; false, at once, when nothing has gone well for longer than the patience.
  bool wait();
  void went_well();

 private:
  static constexpr Milliseconds kFirst{250};
  static constexpr Milliseconds kLongest{5'000};
  Milliseconds patience_;
  Milliseconds next_ = kFirst;
  TimePoint failing_since_{};  // zero: it is not
};

// "/v1/sweeps/last" and what follows it.
std::string sweep_target(std::string_view sweep, std::string_view rest = {});

}  // namespace netfleet
