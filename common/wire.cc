#include "common/wire.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/wire_impl.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NETFLEET_HAS_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif
#endif

namespace netfleet::wire {
namespace {

// Over inproc the receiver reads the very memory that the sender wrote. Libzmq orders the two, but
// is not built with ThreadSanitizer, which has to be told.
void tell_sanitizer_given([[maybe_unused]] zmq::message_t& frame) {
#ifdef NETFLEET_HAS_TSAN
  __tsan_release(frame.data());
#endif
}

void tell_sanitizer_taken([[maybe_unused]] zmq::message_t& frame) {
#ifdef NETFLEET_HAS_TSAN
  __tsan_acquire(frame.data());
#endif
}

constexpr std::int64_t kResultLimit = 16 << 20;  // bytes of a result frame
// Messages of one peer. A dispatcher's memory must not grow with a peer that floods it, or that
// does not read: then sending says kWouldBlock (ROUTER_MANDATORY), and nothing is lost in silence.
constexpr int kControlReceived = 32;
constexpr int kControlUnread = 10'000;  // room for a Welcome and every credential
constexpr int kLaneBuffer = 4096;    // kernel buffers of a lane: a stopped worker holds few offers
constexpr int kSinkFrames = 2;       // queued on each side
constexpr int kMostMalformed = 256;  // messages dropped in one receive()
constexpr int kBacklog = 4096;
// An end that acknowledges nothing for so long is gone: its address changed, or a firewall between
// forgot it. The kernel alone would try for a quarter of an hour; what was lost is sent again.
constexpr int kUnacknowledged = 10'000;  // ms
constexpr int kLinger = 500;  // ms at closing, for the last acknowledgement, result or dismissal

zmq::socket_type type_of(Kind kind) {
  switch (kind) {
    case Kind::kLanePush:
    case Kind::kSinkPush:
      return zmq::socket_type::push;
    case Kind::kLanePull:
    case Kind::kSinkPull:
      return zmq::socket_type::pull;
    case Kind::kControlRouter:
      return zmq::socket_type::router;
    case Kind::kControlDealer:
      return zmq::socket_type::dealer;
  }
  std::abort();
}

void set_options(zmq::socket_t& socket, Kind kind, std::string_view routing_id) {
  namespace opt = zmq::sockopt;
  const bool lane = kind == Kind::kLanePush || kind == Kind::kLanePull;
  socket.set(opt::linger, lane ? 0 : kLinger);
  socket.set(opt::ipv6, true);
  socket.set(opt::backlog, kBacklog);
  socket.set(opt::handshake_ivl, 5000);
  socket.set(opt::reconnect_ivl, 100);
  socket.set(opt::reconnect_ivl_max, 5000);
  socket.set(opt::tcp_keepalive, 1);
  socket.set(opt::tcp_keepalive_idle, 30);
  socket.set(opt::tcp_keepalive_intvl, 10);
  socket.set(opt::tcp_keepalive_cnt, 3);
  socket.set(opt::tcp_maxrt, kUnacknowledged);
  socket.set(opt::maxmsgsize,
             kind == Kind::kSinkPull ? kResultLimit : static_cast<std::int64_t>(kMaxControlFrame));
  switch (kind) {
    case Kind::kLanePush:
    case Kind::kLanePull:
      socket.set(opt::sndhwm, 1);
      socket.set(opt::rcvhwm, 1);
      socket.set(opt::sndbuf, kLaneBuffer);
      socket.set(opt::rcvbuf, kLaneBuffer);
      break;
    case Kind::kControlRouter:
      socket.set(opt::router_mandatory, true);
      socket.set(opt::router_handover, true);
      socket.set(opt::sndhwm, kControlUnread);
      socket.set(opt::rcvhwm, kControlReceived);
      break;
    case Kind::kControlDealer:
      socket.set(opt::sndhwm, 0);
      socket.set(opt::rcvhwm, 0);
      if (!routing_id.empty()) socket.set(opt::routing_id, routing_id);
      break;
    case Kind::kSinkPull:
      socket.set(opt::rcvhwm, kSinkFrames);
      break;
    case Kind::kSinkPush:
      socket.set(opt::sndhwm, kSinkFrames);
      break;
  }
}

// The secret goes from locked memory straight into libzmq, which keeps it as long as the socket.
void set_keys(zmq::socket_t& socket, Kind kind, const curve::Keys& keys) {
  namespace opt = zmq::sockopt;
  const auto set_key = [&socket](int option, const char* key) {
    if (zmq_setsockopt(socket.handle(), option, key, curve::kKeyLength + 1) != 0) {
      throw zmq::error_t();
    }
  };
  set_key(ZMQ_CURVE_SECRETKEY, keys.secret_key.c_str());
  if (keys.server_key.empty()) {
    constexpr int kEnforceDomain = 93;  // ZMQ_ZAP_ENFORCE_DOMAIN; zmq.h shows it to drafts only
    socket.set(opt::curve_server, true);
    socket.set(opt::zap_domain, kind == Kind::kControlRouter ? kControlDomain : kOtherDomain);
    // Without a Gate nobody gets in. A libzmq that does not know this lets them in unnamed, and
    // what an unnamed sender says is dropped.
    const int one = 1;
    zmq_setsockopt(socket.handle(), kEnforceDomain, &one, sizeof one);
  } else {
    set_key(ZMQ_CURVE_PUBLICKEY, keys.public_key.c_str());
    set_key(ZMQ_CURVE_SERVERKEY, keys.server_key.c_str());
  }
}

}  // namespace

Context::Context() : impl_(std::make_unique<Impl>()) {
  impl_->context.set(zmq::ctxopt::max_sockets, 4096);
}
Context::~Context() = default;

struct Socket::Impl {
  Watched watched;
  Kind kind;
  std::uint64_t dropped = 0;
};

Socket::Socket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Socket::Socket(Socket&&) noexcept = default;
Socket& Socket::operator=(Socket&&) noexcept = default;
Socket::~Socket() = default;

Expected<Socket> Socket::make(Context& context, Kind kind, std::string_view routing_id,
                              const curve::Keys* keys) {
  try {
    zmq::socket_t socket(context.impl().context, type_of(kind));
    set_options(socket, kind, routing_id);
    if (keys != nullptr) set_keys(socket, kind, *keys);
    return Socket(std::make_unique<Impl>(Impl{Watched(std::move(socket)), kind}));
  } catch (const zmq::error_t& error) {
    return fail(fmt::format("cannot open a ZeroMQ socket: {}", error.what()));
  }
}

Expected<void> Socket::bind(const std::string& endpoint) {
  try {
    impl_->watched.touched();
    impl_->watched.socket.bind(endpoint);
    return {};
  } catch (const zmq::error_t& error) {
    return fail(fmt::format("cannot listen on {}: {}", endpoint, error.what()));
  }
}

Expected<void> Socket::connect(const std::string& endpoint) {
  try {
    impl_->watched.touched();
    impl_->watched.socket.connect(endpoint);
    return {};
  } catch (const zmq::error_t& error) {
    return fail(fmt::format("cannot connect to {}: {}", endpoint, error.what()));
  }
}

void Socket::disconnect(const std::string& endpoint) {
  try {
    impl_->watched.touched();
    impl_->watched.socket.disconnect(endpoint);
  } catch (const zmq::error_t&) {
    // Not connected (any more): what was asked for is so.
  }
}

static Bytes bytes_of(zmq::message_t frame) {
  constexpr std::size_t kWorthKeeping = 64 << 10;
  if (frame.size() < kWorthKeeping) return Bytes(frame.to_string());
  auto owner = std::make_shared<const zmq::message_t>(std::move(frame));
  const std::string_view bytes = owner->to_string_view();
  return {bytes, std::move(owner)};
}

std::optional<Received> Socket::receive() {
  Watched& watched = impl_->watched;
  if (watched.is_known_empty()) return std::nullopt;
  const std::size_t least = impl_->kind == Kind::kControlRouter ? 2 : 1;
  const std::size_t most = impl_->kind == Kind::kControlDealer ? 2 : least;
  // A flood of messages that are none does not hold up the loop for ever.
  for (int tries = 0; tries < kMostMalformed; ++tries) {
    Received received;
    std::size_t frames = 0;
    bool more = true;
    while (more) {
      zmq::message_t frame;
      try {
        if (!watched.socket.recv(frame, zmq::recv_flags::dontwait)) {
          watched.nothing_in = true;
          return std::nullopt;
        }
      } catch (const zmq::error_t& error) {
        if (error.num() == EINTR) continue;
        return std::nullopt;
      }
      tell_sanitizer_taken(frame);
      more = frame.more();
      const std::size_t position = frames++ + 2 - least;  // 0: routing id, 1: bytes, 2: secret
      if (position == 0) {
        received.from = frame.to_string();
      } else if (position == 1) {
        const char* user = zmq_msg_gets(frame.handle(), "User-Id");
        if (user != nullptr) received.user = user;
        received.bytes = bytes_of(std::move(frame));
      } else if (frames <= most) {
        received.secret = Secret(frame.to_string_view());
        wipe(frame.data(), frame.size());
      }
    }
    if (frames >= least && frames <= most) return received;
    ++impl_->dropped;
  }
  return std::nullopt;
}

namespace {

Sent send_frame(zmq::socket_t& socket, zmq::message_t frame, bool more) {
  auto flags = zmq::send_flags::dontwait;
  if (more) flags = flags | zmq::send_flags::sndmore;
  tell_sanitizer_given(frame);
  while (true) {
    try {
      return socket.send(frame, flags) ? Sent::kYes : Sent::kWouldBlock;
    } catch (const zmq::error_t& error) {
      if (error.num() == EINTR) continue;
      return error.num() == EHOSTUNREACH ? Sent::kNoSuchPeer : Sent::kWouldBlock;
    }
  }
}

// A frame that owns the string, without a copy for large ones.
zmq::message_t frame_of(std::string bytes, std::shared_ptr<const void> held = {}) {
  constexpr std::size_t kWorthMoving = 4096;
  if (bytes.size() < kWorthMoving) return zmq::message_t(bytes.data(), bytes.size());
  struct Owned {
    std::string bytes;
    std::shared_ptr<const void> held;
  };
  auto* owned = new Owned{std::move(bytes), std::move(held)};
  return zmq::message_t(
      owned->bytes.data(), owned->bytes.size(),
      [](void*, void* hint) { delete static_cast<Owned*>(hint); }, owned);
}

// A frame that wipes its bytes once ZeroMQ has handed them on.
zmq::message_t secret_frame(std::string_view secret) {
  auto* owned = new std::string(secret);
  return zmq::message_t(
      owned->data(), owned->size(),
      [](void*, void* hint) {
        auto* text = static_cast<std::string*>(hint);
        wipe(text->data(), text->size());
        delete text;
      },
      owned);
}

}  // namespace

Sent Socket::send(std::string bytes, std::shared_ptr<const void> held) {
  impl_->watched.touched();
  return send_frame(impl_->watched.socket, frame_of(std::move(bytes), std::move(held)), false);
}

Sent Socket::send_to(const std::string& routing_id, std::string bytes, std::string_view secret) {
  Watched& watched = impl_->watched;
  watched.touched();
  const Sent routed =
      send_frame(watched.socket, zmq::message_t(routing_id.data(), routing_id.size()), true);
  if (routed != Sent::kYes) return routed;
  const Sent sent = send_frame(watched.socket, frame_of(std::move(bytes)), !secret.empty());
  if (sent != Sent::kYes || secret.empty()) return sent;
  return send_frame(watched.socket, secret_frame(secret), false);
}

bool Socket::can_send() const { return (impl_->watched.events() & ZMQ_POLLOUT) != 0; }

std::uint64_t Socket::dropped() const { return impl_->dropped; }

// zmq_poll() asks every socket before and after each wait. Here only those are asked of which
// something may have changed.
struct Poller::Impl {
  struct Item {
    Watched* watched;  // null: a descriptor
    bool in;
    bool out;
    bool ready = false;
    bool is_known_idle() const {
      return (!in || watched->nothing_in) && (!out || watched->no_room);
    }
    void ask() {
      const int events = watched->events();
      ready = (in && (events & ZMQ_POLLIN) != 0) || (out && (events & ZMQ_POLLOUT) != 0);
    }
  };
  std::size_t add(Item item, int fd) {
    if (item.watched != nullptr) item.watched->polled |= item.in;
    items.push_back(item);
    fds.push_back({fd, POLLIN, 0});
    return items.size() - 1;
  }
  std::vector<Item> items;
  std::vector<pollfd> fds;
};
Poller::Poller() : impl_(std::make_unique<Impl>()) {}
Poller::~Poller() = default;

std::size_t Poller::add(const Socket& socket, bool in, bool out) {
  Watched& watched = socket.impl().watched;
  return impl_->add({&watched, in, out}, watched.fd);
}

std::size_t Poller::add(const Gate& gate) {
  Watched& watched = gate.impl().watched;
  return impl_->add({&watched, true, false}, watched.fd);
}

std::size_t Poller::add(int fd) { return impl_->add({nullptr, true, false}, fd); }

void Poller::wait(Nanoseconds timeout) {
  auto& [items, fds] = *impl_;
  bool any = false;
  for (Impl::Item& item : items) {
    if (item.watched == nullptr || item.is_known_idle()) continue;
    item.ask();
    any |= item.ready;
  }
  const TimePoint end =
      BootClock::now() + std::clamp<Nanoseconds>(timeout, Nanoseconds(0), std::chrono::seconds(10));
  do {
    const Nanoseconds rest =
        any ? Nanoseconds(0) : std::max(end - BootClock::now(), Nanoseconds(0));
    const auto whole = std::chrono::ceil<Milliseconds>(rest).count();
    // Interrupted by a signal: nothing is ready, the loop comes round again.
    if (poll(fds.data(), fds.size(), static_cast<int>(whole)) <= 0) return;
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      if (items[i].watched == nullptr) items[i].ready = true;
      if (items[i].watched != nullptr) items[i].ask();
      any |= items[i].ready;
    }
  } while (!any);  // libzmq said something that is none of these
}

bool Poller::ready(std::size_t item) const { return impl_->items[item].ready; }

}  // namespace netfleet::wire
