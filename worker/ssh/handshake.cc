// From a name to an encrypted connection with a host that is the one it should be.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "common/check.h"
#include "worker/ssh/algorithms.h"
#include "worker/ssh/host_key_names.h"
#include "worker/ssh/identity_impl.h"
#include "worker/ssh/link.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

constexpr std::size_t kMostAddresses = 8;   // tried of one name
constexpr std::size_t kMostGreeting = 200;  // kept to be quoted
constexpr std::uint64_t kMostBanner = 64
                                      << 10;  // RFC 4253, 4.2 lets a server talk before its version
// libssh keeps only 16 bits of a descriptor given to it.
constexpr int kHighestDescriptor = 0xFFFF;

std::unexpected<Failure> unreachable(std::string reason) {
  return std::unexpected(Failure{Outcome::kUnreachable, std::move(reason)});
}
std::unexpected<Failure> cancelled() {
  return std::unexpected(Failure{Outcome::kCancelled, "cancelled"});
}

// A log line of libssh's; see Link::on_status.
void note_mismatch(int, const char*, const char* text, void* mismatch) {
  if (std::string_view(text).find("no match for method") != std::string_view::npos) {
    *static_cast<std::string*>(mismatch) = text;
  }
}

std::string first_line(std::string_view text) { return printable(text.substr(0, text.find('\n'))); }

std::string fingerprint(ssh_key key) {
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != SSH_OK) return {};
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  std::string result = text == nullptr ? "" : text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return result;
}

HostKeyNames key_names(const Target& target) {
  return {target.address, target.port, target.behind};
}

}  // namespace

asio::awaitable<Attempt<void>> Link::connect(Target target, Resolver& resolver,
                                             KnownHosts& known_hosts, TimePoint deadline) {
  begin(deadline);
  name = target.name.empty() ? target.address : target.name;
  auto options = read_options(target.options, target.legacy_algorithms);
  if (!options) {
    co_return std::unexpected(Failure{Outcome::kInternal, std::move(options.error().message)});
  }
  if (!options->refusal.empty()) {
    co_return std::unexpected(Failure{Outcome::kUnreachable, std::move(options->refusal)});
  }
  if (socket.fd() < 0) {
    if (auto reached = co_await reach(target, resolver); !reached) co_return reached;
  }
  if (auto configured = configure(target, *options, known_hosts); !configured) {
    co_return configured;
  }
  if (auto exchanged = co_await exchange_keys(target); !exchanged) co_return exchanged;
  co_return check_host_key(target, known_hosts);
}

// Name lookup and TCP connect. Every address gets a fair part of the time that is left.
asio::awaitable<Attempt<void>> Link::reach(Target target, Resolver& resolver) {
  const TimePoint deadline = socket.deadline();
  if (socket.aborted()) co_return cancelled();
  errand_timer.expires_after(deadline - BootClock::now());
  on_errand = true;
  auto looked_up = co_await resolver.resolve(target.address, target.port, errand_timer);
  on_errand = false;
  if (socket.aborted()) co_return cancelled();
  if (!looked_up) {
    co_return unreachable(
        fmt::format("timed out after {} in name lookup", seconds_text(elapsed())));
  }
  if (!*looked_up) {
    co_return unreachable(fmt::format("name lookup failed: {}", looked_up->error().message));
  }
  const std::vector<asio::ip::tcp::endpoint> endpoints = std::move(**looked_up);
  const std::size_t count = std::min(endpoints.size(), kMostAddresses);
  std::string reasons;
  for (std::size_t i = 0; i < count; ++i) {
    const TimePoint begun = BootClock::now();
    const auto parts = static_cast<std::int64_t>(count - i);
    socket.set_deadline(begun + (deadline - begun) / parts);
    auto connected = co_await socket.connect(endpoints[i]);
    socket.set_deadline(deadline);
    const std::string address = endpoints[i].address().to_string();
    if (connected) {
      peer_address = address;
      co_return Attempt<void>();
    }
    const auto [event, error] = connected.error();
    if (event == Socket::Event::kAborted) co_return cancelled();
    std::string reason = event == Socket::Event::kExpired
                             ? fmt::format("timed out after {} in TCP connect",
                                           seconds_text(BootClock::now() - begun))
                             : errno_text(error);
    if (count > 1) reason = fmt::format("{}: {}", address, reason);
    reasons += (reasons.empty() ? "" : "; ") + reason;
  }
  co_return unreachable(std::move(reasons));
}

Attempt<void> Link::configure(const Target& target, const SshOptions& wanted,
                              const KnownHosts& known_hosts) {
  if (socket.fd() > kHighestDescriptor) {
    return std::unexpected(Failure{Outcome::kInternal, "more than 65,536 open files"});
  }
  static const bool ready = ssh_init() == SSH_OK;
  CHECK(ready);
  ssh_set_log_level(SSH_LOG_NOLOG);  // per thread
  const auto algorithms = choose_algorithms(target.legacy_algorithms,
                                            target.host_key_policy == HostKeyPolicy::kOff
                                                ? std::vector<std::string>()
                                                : key_names(target).key_types(known_hosts),
                                            wanted);
  session = new_session(algorithms, target.legacy_algorithms);
  ssh_session s = session.get();
  ssh_set_blocking(s, 0);
  ssh_set_counters(s, &received, nullptr);
  session_callbacks.userdata = this;
  session_callbacks.connect_status_function = on_status;
  ssh_callbacks_init(&session_callbacks);
  ssh_set_callbacks(s, &session_callbacks);
  // The host is only for libssh's own messages and records, which are not used: the address that
  // was connected to, since names with an underscore are refused.
  const std::string host = peer_address.substr(0, peer_address.find('%'));
  const int fd = socket.fd();
  CHECK(ssh_options_set(s, SSH_OPTIONS_HOST, host.c_str()) == SSH_OK);
  CHECK(ssh_options_set(s, SSH_OPTIONS_FD, &fd) == SSH_OK);
  return {};
}

asio::awaitable<Attempt<void>> Link::exchange_keys(Target target) {
  bool first = true;
  for (;;) {
    const int code = ssh_connect(session.get());
    ssh_set_log_level(SSH_LOG_NOLOG);
    if (std::exchange(first, false)) {
      // Libssh has the descriptor now and closes it, also when it fails here. And it has made it
      // blocking.
      socket.hand_over();
      if (!lost()) fcntl(socket.fd(), F_SETFL, O_NONBLOCK);
    }
    if (code == SSH_OK) break;
    if (lost() || code == SSH_ERROR) co_return std::unexpected(handshake_failure(target));
    const bool in_banner = ssh_get_serverbanner(session.get()) == nullptr;
    if (in_banner && received.in_bytes > kMostBanner) {
      co_return unreachable(fmt::format("not an SSH server: it sent \"{}\"", first_line(greeting)));
    }
    const auto event = co_await wait();
    if (event == Socket::Event::kAborted) co_return cancelled();
    if (event == Socket::Event::kExpired) {
      const char* phase = !in_banner         ? "in key exchange"
                          : greeting.empty() ? "waiting for its SSH version"
                                             : "waiting for the rest of its SSH version";
      co_return unreachable(fmt::format("timed out after {} {}", seconds_text(elapsed()), phase));
    }
    if (in_banner && greeting.size() < kMostGreeting) {
      std::array<char, kMostGreeting> bytes;
      const ssize_t size = recv(socket.fd(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
      if (size > 0) greeting.append(bytes.data(), static_cast<std::size_t>(size));
    }
  }
  session_callbacks.connect_status_function = nullptr;  // not for later key exchanges
  server_identification = printable(ssh_get_serverbanner(session.get()), 255);
  co_return Attempt<void>();
}

// When libssh finds no common algorithm it closes the socket, and if something was still to be sent
// there, the error of that takes the place of the true one. The log has it: on from the moment at
// which libssh compares the lists (0.6) to the next one. Both settings are the thread's.
void Link::on_status(void* self, float status) {
  const bool comparing = status > 0.5F && status < 0.7F;
  if (comparing) {
    ssh_set_log_callback(note_mismatch);
    ssh_set_log_userdata(&static_cast<Link*>(self)->mismatch);
  }
  ssh_set_log_level(comparing ? SSH_LOG_TRACE : SSH_LOG_NOLOG);
}

Failure Link::handshake_failure(const Target& target) {
  const std::string_view raw =
      mismatch.empty() ? std::string_view(ssh_get_error(session.get())) : mismatch;
  if (auto explained = explain_mismatch(raw, target.legacy_algorithms)) {
    return {Outcome::kUnreachable, std::move(*explained)};
  }
  std::string text = error_text();
  const bool in_banner = ssh_get_serverbanner(session.get()) == nullptr;
  if (raw.find("No version of SSH protocol usable") != std::string_view::npos) {
    return {Outcome::kUnreachable,
            fmt::format("not an SSH 2 server: it says \"{}\"", first_line(greeting))};
  }
  if (in_banner && !greeting.empty() && !greeting.starts_with("SSH-")) {
    return {Outcome::kUnreachable,
            fmt::format("not an SSH server: it sent \"{}\"", first_line(greeting))};
  }
  if (in_banner) {
    return {Outcome::kUnreachable, fmt::format("no SSH version came from it: {}", text)};
  }
  if (raw.find("hostkey size too small") != std::string_view::npos && !target.legacy_algorithms) {
    text += " (--legacy-algorithms allows 768 bits)";
  }
  return {Outcome::kUnreachable, fmt::format("key exchange failed: {}", text)};
}

Attempt<void> Link::check_host_key(const Target& target, KnownHosts& known_hosts) {
  if (target.host_key_policy == HostKeyPolicy::kOff) return {};
  const auto rejected = [](std::string reason) {
    return std::unexpected(Failure{Outcome::kHostKeyRejected, std::move(reason)});
  };
  ssh_key raw_key = nullptr;
  if (ssh_get_server_publickey(session.get(), &raw_key) != SSH_OK) {
    return rejected("its host key cannot be read");
  }
  const KeyHandle key(raw_key);
  const std::string type = ssh_key_type_to_char(ssh_key_type(key.get()));
  const std::string blob = public_blob(key.get());
  if (blob.empty()) return rejected("its host key cannot be read");

  const HostKeyNames names = key_names(target);
  auto answer = names.check(known_hosts, type, blob);
  if (answer.verdict == KnownHosts::Verdict::kUnknown &&
      target.host_key_policy == HostKeyPolicy::kAcceptNew) {
    if (auto added = names.add(known_hosts, type, blob); !added) {
      return rejected("its new host key cannot be recorded: " + added.error().message);
    }
    // Somebody else may have recorded another key for it at the same moment.
    answer = names.check(known_hosts, type, blob);
  }
  if (answer.verdict == KnownHosts::Verdict::kKnown) return {};
  const std::string shown = fmt::format("{} {}", type, fingerprint(key.get()));
  switch (answer.verdict) {
    case KnownHosts::Verdict::kUnknown:
      return rejected(
          fmt::format("its host key is not known: {}; compare it with the machine's own "
                      "and add it to the known hosts, or use --host-key-policy "
                      "accept-new",
                      shown));
    case KnownHosts::Verdict::kRevoked:
      return rejected(fmt::format("its host key is revoked by {}: {}", answer.where, shown));
    default:
      break;
  }
  return rejected(
      fmt::format("its host key is not the one on record at {}: it shows {}; if the "
                  "machine was replaced, remove that line, else somebody may be in "
                  "between",
                  answer.where, shown));
}

std::uint64_t Link::host_key_digest() const {
  ssh_key raw_key = nullptr;
  if (!session || ssh_get_server_publickey(session.get(), &raw_key) != SSH_OK) return 0;
  const KeyHandle key(raw_key);
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != SSH_OK) {
    return 0;
  }
  std::uint64_t digest = 0;
  for (std::size_t i = 0; i < sizeof digest && i < size; ++i) digest = digest << 8 | hash[i];
  ssh_clean_pubkey_hash(&hash);
  return digest;
}

}  // namespace netfleet::ssh
