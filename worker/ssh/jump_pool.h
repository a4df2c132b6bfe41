// worker/ssh: the jump hosts of one session thread. Sessions get their way to a device here, in
// place of a TCP connection; everything above it (host key, authentication, dialogue) is as
// without.
#pragma once

#include <asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <unordered_map>

#include "worker/ssh/jump_health.h"
#include "worker/ssh/jump_logins.h"
#include "worker/ssh/jump_request.h"
#include "worker/ssh/jump_route.h"

namespace netfleet::ssh {

struct JumpParts;

// Lives on the thread of its executor. `resolver`, `known_hosts` and `logins` outlive it and what
// runs on the executor.
class JumpPool {
 public:
  JumpPool(asio::any_io_executor executor, Resolver& resolver, KnownHosts& known_hosts,
           JumpLogins& logins, JumpLimits limits = {});
  ~JumpPool();
  JumpPool(const JumpPool&) = delete;
  JumpPool& operator=(const JumpPool&) = delete;

  // Somebody's wish for one stream over the route; see JumpRequest::open.
  std::unique_ptr<JumpRequest> request(const JumpRoute& route);
  // Ends all connections, and with them what they carry; their coroutines end on the executor.
  // request() makes new ones.
  void stop();

 private:
  std::shared_ptr<JumpStation> station(std::shared_ptr<const JumpHop> hop);

  std::shared_ptr<const JumpParts> parts_;
  std::unordered_map<std::string, std::shared_ptr<JumpStation>> stations_;
};

}  // namespace netfleet::ssh
