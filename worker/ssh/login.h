// worker/ssh: the authentication of one connection. Private to the room.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>

#include "worker/ssh/link.h"

namespace netfleet::ssh {

// No secret is sent twice: a password that was refused is not tried again by another method, since
// each try counts towards a lock-out.
asio::awaitable<Attempt<void>> log_in(Link& link, std::string user,
                                      std::shared_ptr<const Identity> identity, TimePoint deadline);

}  // namespace netfleet::ssh
