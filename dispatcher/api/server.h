// dispatcher/api: the HTTP server of a long-lived dispatcher: who may ask (tokens.h), what for
// (service.h, and the store for what has ended), and what is written down about it (audit.h). Not
// for what happens to sweeps. docs/API.md and openapi.json say what it answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "dispatcher/api/audit.h"
#include "dispatcher/api/service.h"
#include "dispatcher/history/compare.h"
#include "dispatcher/store/store.h"

namespace netfleet {

// Bounds of what is served at once.
struct ApiLimits {
  std::uint32_t connections = 32;    // served at once, a thread each; as many again may wait
  std::uint32_t streams = 16;        // of those: events, results, comparisons
  Milliseconds request{15'000};      // until a request has come whole, from its connection on
  Milliseconds write{10'000};        // until a reader has taken up to 64 KiB
  Milliseconds heartbeat{15'000};    // between two signs of life of a stream
  std::uint32_t refusals_noted = 5;  // in the audit log a second; the others are counted there
};

struct ApiOptions {
  // HOST:PORT, an address, not a name but "localhost"; IPv6 in brackets; port 0: any. Beyond
  // loopback it takes tokens and TLS.
  std::string listen = "127.0.0.1:7680";
  std::string tokens;  // a file (tokens.h); empty: nobody may ask for more than whether it runs
  std::string certificate;  // TLS: PEM files, the chain and its key; both or none
  std::string key;
  Audit* audit = nullptr;                       // outlives the server; must be there
  std::function<Expected<Store>()> open_store;  // for reading, of any thread, again and again
  VolatileMask mask;                            // of comparisons; any thread
  ApiLimits limits;
};

class ApiServer {
 public:
  // Listens, and serves from its own threads. `service` outlives it. `log`: a line for people, of
  // any thread. Errors: a file that cannot be read or is wrong, an address in use or not allowed.
  static Expected<std::unique_ptr<ApiServer>> start(
      ApiOptions options, Service& service, std::function<void(const std::string& line)> log);
  ~ApiServer();  // stops
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  // Ends what is being served, streams within a second, and joins all threads. Once is enough.
  void stop();
  // Reads the tokens, certificate and key again; on an Error what was read before stays. What is
  // being served goes on.
  Expected<void> reload();
  std::uint16_t port() const;
  // "http://127.0.0.1:7680"
  std::string url() const;

 private:
  class Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace netfleet
