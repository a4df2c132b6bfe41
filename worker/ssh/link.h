// worker/ssh: what a Connection is made of: the socket, libssh's session and channel, and the loop
// that carries a libssh call on until it no longer answers "again". Private to the room.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <array>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/ssh_algorithms.h"
#include "worker/ssh/connection.h"
#include "worker/ssh/new_session.h"
#include "worker/ssh/socket.h"

namespace netfleet::ssh {

// How a libssh call ended.
struct Step {
  enum class End { kAnswered, kLost, kExpired, kAborted };
  End end;
  int code = 0;  // what libssh answered
};

// Members are open to the files of this room that continue it: handshake, channel, login.
class Link {
 public:
  explicit Link(asio::any_io_executor the_executor);
  ~Link();

  // Uses a stream through a jump host instead of a TCP connection of its own. Before connect().
  void adopt(int fd);
  // The call under way, and every later one, ends as cancelled.
  void abort();

  // --- handshake.cc
  asio::awaitable<Attempt<void>> connect(Target target, Resolver& resolver, KnownHosts& known_hosts,
                                         TimePoint deadline);
  asio::awaitable<Attempt<void>> reach(Target target, Resolver& resolver);
  asio::awaitable<Attempt<void>> exchange_keys(Target target);
  Attempt<void> configure(const Target& target, const SshOptions& wanted,
                          const KnownHosts& known_hosts);
  Attempt<void> check_host_key(const Target& target, KnownHosts& known_hosts);
  Failure handshake_failure(const Target& target);
  std::uint64_t host_key_digest() const;
  static void on_status(void* self, float status);

  // --- channel.cc
  asio::awaitable<Attempt<void>> open_shell(TimePoint deadline);
  asio::awaitable<Attempt<std::size_t>> read(std::span<char> buffer, TimePoint deadline);
  asio::awaitable<Attempt<void>> write(std::string bytes, TimePoint deadline);
  asio::awaitable<void> close(TimePoint deadline);
  void take_buffered();
  Failure channel_failure(Step::End end, const char* doing);
  static int on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                     void* self);

  // --- exec.cc
  asio::awaitable<Attempt<Executed>> execute(std::string command, Connection::TakeOutput take,
                                             TimePoint deadline);

  // --- link.cc
  void begin(TimePoint deadline);
  // Whether the connection is gone. libssh says so by closing the descriptor, by its state, or not
  // at all: after a disconnect in authentication it answers "again" for ever.
  bool lost();
  // Until the device sent something, and, when libssh could not send everything, until it can.
  asio::awaitable<Socket::Event> wait();
  template <typename Call>
  asio::awaitable<Step> carry_on(Call call, int again);
  // How long the call under way has lasted, for time-outs.
  Nanoseconds elapsed() const { return BootClock::now() - begun_; }
  // "Too many authentication failures", "connection reset by peer": libssh's last error without its
  // own decoration.
  std::string error_text();
  // Why the server says it ended the connection (RFC 4253, 11.1); nothing: it went without a word.
  std::optional<std::uint32_t> disconnect_reason() const;

  asio::any_io_executor executor;
  Socket socket;
  asio::steady_timer errand_timer;  // ends what another thread does for this one
  bool on_errand = false;
  std::string name;  // what people call the device
  SessionHandle session;
  ssh_channel channel = nullptr;  // libssh frees it with the session
  ssh_counter_struct received{};  // raw bytes, counted by libssh
  ssh_callbacks_struct session_callbacks{};
  ssh_channel_callbacks_struct callbacks{};
  std::span<char> destination;  // where a read under way wants its bytes
  std::size_t filled = 0;
  // Bytes of stdout and stderr that came while nobody read; libssh keeps them.
  std::array<std::size_t, 2> buffered{};
  bool more_expected = false;
  std::string greeting;  // what came in place of an SSH version
  std::string mismatch;  // libssh's text when no algorithms could be agreed on
  std::string server_identification;
  std::string banner;
  std::string peer_address;
  // Of a login that failed: the connection went before the server had answered what it was sent.
  enum class CutOff { kNo, kYes, kWithSecret } cut_off = CutOff::kNo;
  TimePoint begun_;
};

template <typename Call>
asio::awaitable<Step> Link::carry_on(Call call, int again) {
  for (;;) {
    const int code = call();
    const bool gone = lost();
    if (code != again) co_return Step{Step::End::kAnswered, code};
    if (gone) co_return Step{Step::End::kLost};
    const auto event = co_await wait();
    if (event == Socket::Event::kExpired) co_return Step{Step::End::kExpired};
    if (event == Socket::Event::kAborted) co_return Step{Step::End::kAborted};
  }
}

}  // namespace netfleet::ssh
