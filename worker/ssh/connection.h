// worker/ssh: one SSH client connection over non-blocking libssh. With its neighbours here, the
// only user of libssh. Not for what is said inside the shell (worker/device) and not for retries.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/outcome.h"
#include "common/task.h"
#include "worker/ssh/identity.h"
#include "worker/ssh/known_hosts.h"
#include "worker/ssh/resolver.h"

namespace netfleet::ssh {

// Why a device could not be used. `reason` is the cause alone ("connection refused", "timed out
// after 10 s in key exchange"); the session puts what, on what and through what before it.
struct Failure {
  Outcome outcome;
  std::string reason;
};
template <typename T>
using Attempt = std::expected<T, Failure>;

struct Target {
  std::string address;  // name or IP literal
  std::uint16_t port = 22;
  bool legacy_algorithms = false;
  HostKeyPolicy host_key_policy = HostKeyPolicy::kAcceptNew;
  std::string name = {};     // what people call it; empty: the address
  std::string options = {};  // of common/ssh_algorithms.h, as text; empty: none
  // The chains of jump hosts behind which it is (JumpHop::place()), whichever is taken: its host
  // key is known there. Empty: it is reached directly.
  std::vector<std::string> behind = {};
};

// How a command in an exec channel ended; neither: the device did not say.
struct Executed {
  std::optional<int> status;
  std::string signal;  // "TERM"; empty: none
};

class Link;

// Belongs to the thread whose asio executor runs it, for life; one call at a time. Every call is a
// coroutine that ends by its deadline; after an error only close() and the destructor may be
// called. The destructor closes at once and cannot fail.
class Connection {
 public:
  explicit Connection(asio::any_io_executor executor);
  ~Connection();

  // Gives it a connected, non-blocking stream (a way over jump hosts), which it owns from now on:
  // connect() then neither resolves nor connects.
  void adopt(int fd);
  // Resolves, connects, exchanges keys, checks the host key. `resolver` and `known_hosts` outlive
  // the call.
  asio::awaitable<Attempt<void>> connect(Target target, Resolver& resolver, KnownHosts& known_hosts,
                                         TimePoint deadline);
  // Tries, in order: none, public keys and certificates, agent, password, keyboard-interactive
  // (this one before the password when the identity has a command for one-time codes); goes on with
  // what is left as long as the device accepts but wants more.
  asio::awaitable<Attempt<void>> authenticate(std::string user,
                                              std::shared_ptr<const Identity> identity,
                                              TimePoint deadline);
  // Session channel, pty (vt100, 511 columns x 1000 rows: no wrapping, no paging where it is
  // believed), shell.
  asio::awaitable<Attempt<void>> open_shell(TimePoint deadline);
  // Gets what a command prints, of either stream, as it comes.
  using TakeOutput = std::function<void(std::string_view bytes, bool is_stderr)>;
  // Runs it in a channel of its own, without a terminal and with an empty input, to its end.
  asio::awaitable<Attempt<Executed>> execute(std::string command, TakeOutput take,
                                             TimePoint deadline);
  // Waits for bytes of the shell, at least one; 0: the device closed the stream.
  asio::awaitable<Attempt<std::size_t>> read(std::span<char> buffer, TimePoint deadline);
  // All of it, in order. The buffer is wiped then: it may hold a password.
  asio::awaitable<Attempt<void>> write(std::string bytes, TimePoint deadline);
  // Orderly: channel close, SSH disconnect, TCP close; at most until the deadline. Never fails.
  asio::awaitable<void> close(TimePoint deadline);
  // From the same thread: makes the call under way, and every later one, return at once with
  // kCancelled.
  void abort();

  const std::string& server_identification() const;  // "SSH-2.0-Cisco-1.25"
  const std::string& banner() const;                 // sent before authentication; may be empty
  const std::string& peer_address() const;           // the IP that was connected to; not adopted
  // The first 64 bits of the SHA-256 of its host key: enough to know it again, not to trust it.
  // 0: there is none yet.
  std::uint64_t host_key_digest() const;

 private:
  std::unique_ptr<Link> link_;
};

}  // namespace netfleet::ssh
