// dispatcher/api: HTTP, by cpp-httplib, which reads requests and writes answers; its own sockets,
// threads and routes are not used. Who asks is checked here, before a body is read.
#pragma once

#include <httplib.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "dispatcher/api/connection.h"
#include "dispatcher/api/exchange.h"
#include "dispatcher/api/refusals.h"
#include "dispatcher/api/routes.h"

namespace netfleet {

// For any thread.
class HttpServer final : private httplib::Server {
 public:
  struct Options {
    bool loopback_only = true;
    std::uint32_t streams = 16;
    std::uint32_t refusals_noted = 5;
  };
  // `context` outlives it.
  HttpServer(ApiContext& context, Options options);

  void set_tokens(std::shared_ptr<const Tokens> tokens);
  // Reads one request and answers it. Never throws. Whether all of the request was read.
  bool serve(Connection& connection);
  // From now on streams end.
  void end_streams() { svr_sock_ = INVALID_SOCKET; }
  ApiFigures figures() const;

 private:
  // A request that may be handled.
  struct Admitted {
    const Route* route;
    ApiRequest request;
  };
  std::expected<Admitted, ApiAnswer> admit(const httplib::Request& request,
                                           httplib::Response& response);
  std::expected<void, ApiAnswer> authenticate(const httplib::Request& request,
                                              httplib::Response& response, Admitted& admitted);
  void note_refusal(const httplib::Request& request, const ApiRequest& api_request, int status,
                    const std::string& why);
  HandlerResponse begin(const httplib::Request& request, httplib::Response& response);
  void handle(const Admitted& admitted, httplib::Response& response);
  void put(ApiAnswer answer, httplib::Response& response);
  void put_stream(ApiAnswer answer, std::shared_ptr<void> slot, httplib::Response& response);
  std::shared_ptr<void> take_stream();
  void put_failure(httplib::Response& response, const char* why);

  ApiContext& context_;
  const Options options_;
  RefusalNotes notes_;
  std::atomic<std::uint32_t> streams_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<const Tokens> tokens_;  // guarded by mutex_
  std::map<int, std::uint64_t> answers_;  // guarded by mutex_: by status
};

}  // namespace netfleet
