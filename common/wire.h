// common: sockets. With wire.cc the only user of zmq.hpp. A socket belongs to one thread, always;
// only bytes leave here. Every option that PROTOCOL.md §2 asks for is set in wire.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/curve.h"
#include "common/error.h"
#include "common/secret.h"

namespace netfleet::wire {

// Bytes of a control or lane frame; a larger one costs its sender the connection.
inline constexpr std::size_t kMaxControlFrame = 1 << 20;

// One a process; outlives its sockets. Shared between threads.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

enum class Kind : std::uint8_t {
  kLanePush,
  kLanePull,
  kControlRouter,
  kControlDealer,
  kSinkPush,
  kSinkPull
};

// The bytes of a received frame: a large one stays where ZeroMQ has put it.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string copy) : copy_(std::move(copy)) {}
  Bytes(std::string_view bytes, std::shared_ptr<const void> owner)
      : bytes_(bytes), owner_(std::move(owner)) {}
  operator std::string_view() const { return owner_ ? bytes_ : copy_; }  // NOLINT: as a string does
  friend bool operator==(const Bytes& bytes, std::string_view other) {
    return std::string_view(bytes) == other;
  }

 private:
  std::string copy_;
  std::string_view bytes_;
  std::shared_ptr<const void> owner_;
};

// A received message. `from` is the routing id on a ROUTER, empty elsewhere.
struct Received {
  std::string from;
  Bytes bytes;
  Secret secret;     // a second frame, if there was one
  std::string user;  // the sender's public key, where a Gate has let it in; empty without CURVE
};

enum class Sent : std::uint8_t { kYes, kWouldBlock, kNoSuchPeer };

// Move-only; closing cannot fail and drops what is unsent after the kind's linger.
class Socket {
 public:
  // `routing_id`: for kControlDealer only. With `keys` the socket speaks CURVE and nothing else:
  // as a server that asks the context's Gate, or as a client that accepts one server key alone.
  static Expected<Socket> make(Context& context, Kind kind, std::string_view routing_id = {},
                               const curve::Keys* keys = nullptr);
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;
  ~Socket();

  Expected<void> bind(const std::string& endpoint);
  Expected<void> connect(const std::string& endpoint);
  void disconnect(const std::string& endpoint);  // not connected: nothing happens

  // Never block. A message with more frames than its kind allows is dropped and counted. What came
  // after a Poller that watches this socket had found nothing may be left to its next wait.
  std::optional<Received> receive();
  // `held`, if given, is released once ZeroMQ has handed the bytes on, from whichever thread.
  Sent send(std::string bytes, std::shared_ptr<const void> held = {});
  bool can_send() const;  // a message would be taken now
  Sent send_to(const std::string& routing_id, std::string bytes, std::string_view secret = {});

  std::uint64_t dropped() const;  // messages with an impossible number of frames
  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  explicit Socket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Where libzmq asks whether a key may connect (ZAP, RFC 27). One a context, opened before its CURVE
// servers are bound; it belongs to the thread that answers. Unanswered connections wait, and end
// after libzmq's 5 s for a handshake.
class Gate {
 public:
  static Expected<Gate> open(Context& context);
  Gate(Gate&&) noexcept;
  Gate& operator=(Gate&&) noexcept;
  ~Gate();

  // Whether the holder of this public key may connect from this IP address: to the control socket,
  // or to one of the others.
  using Admit =
      std::function<bool(const std::string& key, const std::string& address, bool to_control)>;
  // Answers what has been asked; never blocks.
  void answer(const Admit& admit);
  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  explicit Gate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Waits for sockets and file descriptors. Rebuilt for each wait; cheap. A socket that is ready must
// be received from until nothing is left, or be asked whether it can send, before the next wait.
class Poller {
 public:
  // Each returns the item's number for ready().
  std::size_t add(const Socket& socket, bool in, bool out);
  std::size_t add(const Gate& gate);
  std::size_t add(int fd);
  // Until something is ready or the time-out has passed (rounded up to whole milliseconds); at most
  // 10 s, so that a wrong deadline cannot hang a loop.
  void wait(Nanoseconds timeout);
  bool ready(std::size_t item) const;
  Poller();
  ~Poller();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netfleet::wire
