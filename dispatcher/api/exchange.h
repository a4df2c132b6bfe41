// dispatcher/api: a request and its answer, as the handlers know them: no sockets, no HTTP library.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "dispatcher/api/audit.h"
#include "dispatcher/api/request.h"
#include "dispatcher/api/service.h"
#include "dispatcher/api/stopping.h"
#include "dispatcher/api/tokens.h"
#include "dispatcher/history/compare.h"
#include "dispatcher/store/store.h"

namespace netfleet {

struct ApiRequest {
  std::vector<std::string> parts;  // of the path, for the {parameters} of the route, in order
  Query query;
  std::string body;
  std::string key;   // Idempotency-Key
  std::string name;  // of the token; empty: none
  Scope scope = Scope::kNone;
  std::string from;  // the peer's address and port

  std::string who() const { return "api:" + name; }
};

// False: the reader has gone, or all is being stopped.
using ApiWrite = std::function<bool(std::string_view bytes)>;

struct ApiAnswer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::string location;
  // Instead of a body: writes it piece by piece. False: it is not whole, which the reader notices.
  std::function<bool(const ApiWrite& write)> stream;
};

// Of the server itself, since its start.
struct ApiFigures {
  std::map<int, std::uint64_t> answers_by_status;
  std::uint32_t streams = 0;  // now
  bool audit_fails = false;
};

// What handlers work with; any thread.
struct ApiContext {
  Service& service;
  Audit& audit;
  std::function<Expected<Store>()> open_store;
  VolatileMask mask;
  Milliseconds heartbeat;
  const Stopping& stopping;
  std::function<void(const std::string&)> log;
  std::function<ApiFigures()> own_figures;
};

ApiAnswer json_answer(int status, const nlohmann::json& body);
ApiAnswer refusal_answer(const Refusal& refusal);
// Of the store: it is there, but this did not work.
ApiAnswer store_answer(const Error& error);

// Does what changes something, and writes it into the audit log before and after. `detail` of the
// log; `act` says what came of it, for the log. Answers what is to be told instead, if it is not
// done.
struct ApiAct {
  std::string action;
  std::string object;
  std::string detail;
};
Answer<std::string> act_audited(ApiContext& context, const ApiRequest& request, const ApiAct& act,
                                const std::function<Answer<std::string>()>& perform);

}  // namespace netfleet
