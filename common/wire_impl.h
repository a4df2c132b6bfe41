// common: the inside of a wire::Context. Private to wire*.cc.
#pragma once

#include <zmq.hpp>

#include "common/wire.h"

namespace netfleet::wire {

// What a socket calls itself when it asks the gate.
inline constexpr const char* kControlDomain = "netfleet-control";
inline constexpr const char* kOtherDomain = "netfleet";

struct Context::Impl {
  zmq::context_t context{1};
};

struct Gate::Impl {
  zmq::socket_t socket;
};

}  // namespace netfleet::wire
