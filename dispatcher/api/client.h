// dispatcher/api: asks a long-lived dispatcher over HTTP: one request after another, each over a
// connection of its own. Says nothing of what is asked for (client_messages.h) and prints nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/secret.h"
#include "dispatcher/api/server_url.h"

namespace netfleet {

// Why there is no answer, or not the one that was wanted.
struct ClientFailure {
  enum class Kind : std::uint8_t {
    kUnreachable,  // nobody was asked: no connection, or one that cannot be trusted
    kLost,         // the connection ended, or was silent too long, before the answer was whole
    kBusy,         // it answered that it cannot now: 429, 503
    kRefused,      // it answered that it will not: any other 4xx
    kBroken        // it failed, or answered what no dispatcher answers
  };
  Kind kind = Kind::kBroken;
  int status = 0;       // of HTTP, of an answer that was lost, too; 0: none came
  std::string message;  // for people, on one line

  // Whether the same may be tried again, when it harms nobody that it is done twice.
  bool may_pass() const {
    return kind == Kind::kUnreachable || kind == Kind::kLost || kind == Kind::kBusy;
  }
};
template <typename T>
using ClientAnswer = std::expected<T, ClientFailure>;

// One thread. SIGPIPE must be ignored.
class ApiClient {
 public:
  static constexpr std::size_t kLargestBody = 8u << 20;  // bytes of an answer that is held whole
  static constexpr Milliseconds kConnect{5'000};
  static constexpr Milliseconds kAnswer{60'000};       // between two signs of life
  static constexpr Milliseconds kSlowAnswer{600'000};  // of what takes time to begin with

  struct Options {
    ServerUrl server;
    Secret token;            // empty: none. Only for a server that is secure or on this machine
    std::string token_name;  // where it comes from, for messages
    std::string ca_file;     // PEM; empty: those that the system trusts
  };
  // The error: the token would go over the network in clear text.
  static Expected<ApiClient> make(Options options);

  // `target`: a path and maybe a query. The answer's JSON.
  ClientAnswer<std::string> get(const std::string& target);
  // `key`: of the submission, see Idempotency-Key; empty: none.
  ClientAnswer<std::string> post(const std::string& target, const std::string& json,
                                 const std::string& key = {});
  // Passes an answer of the type on, piece by piece, until `take` returns false.
  using Take = std::function<bool(std::string_view piece)>;
  ClientAnswer<void> stream(const std::string& target, const std::string& type,
                            Milliseconds silence, const Take& take);

  const ServerUrl& server() const { return options_.server; }

 private:
  struct Request;
  explicit ApiClient(Options options) : options_(std::move(options)) {}
  ClientAnswer<void> ask(const Request& request, const Take& take);
  ClientAnswer<std::string> ask_whole(const Request& request);
  // `error`: httplib's; `status`: of the answer that had begun, or 0.
  ClientFailure broken_off(int error, int status) const;
  ClientFailure refusal(int status, const std::string& location, const std::string& body) const;
  ClientFailure failure(ClientFailure::Kind kind, const std::string& why) const;

  Options options_;
};

}  // namespace netfleet
