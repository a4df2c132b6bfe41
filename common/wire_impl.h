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

// A socket, and what is known of it without asking libzmq, which takes some system calls. Libzmq
// makes `fd` readable when it has something to say to the socket, and takes that back whenever
// anything is done with the socket (ZMQ_FD): what is known holds until either happens.
struct Watched {
  explicit Watched(zmq::socket_t of) : socket(std::move(of)), fd(socket.get(zmq::sockopt::fd)) {}

  // ZMQ_POLLIN, ZMQ_POLLOUT. Both when libzmq cannot say: then the attempt will.
  int events() {
    int events = ZMQ_POLLIN | ZMQ_POLLOUT;
    try {
      events = socket.get(zmq::sockopt::events);
    } catch (const zmq::error_t&) {
    }
    nothing_in = (events & ZMQ_POLLIN) == 0;
    no_room = (events & ZMQ_POLLOUT) == 0;
    return events;
  }
  void touched() { nothing_in = no_room = false; }
  bool is_known_empty() const { return polled && nothing_in; }

  zmq::socket_t socket;
  int fd;
  bool polled = false;      // a Poller watches it: it finds out when nothing_in no longer holds
  bool nothing_in = false;  // nothing can be received
  bool no_room = false;     // nothing can be sent
};

struct Gate::Impl {
  Watched watched;
};

}  // namespace netfleet::wire
