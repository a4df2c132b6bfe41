// The shell's channel: opening, reading, writing, closing.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "common/check.h"
#include "common/secret.h"
#include "worker/ssh/link.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

constexpr int kColumns = 511;
constexpr int kRows = 1000;
// What libssh takes from the socket at once: so much means that there is probably more.
constexpr std::uint64_t kReceiveSize = 4096;
// Written at once: libssh copies all of it into its own buffer, as far as the window goes.
constexpr std::size_t kWriteSize = 64 << 10;
// A device may send no more than libssh's window (1.28 MB) while nobody reads; libssh does not
// check.
constexpr std::size_t kMostBuffered = 4 << 20;

}  // namespace

Failure Link::channel_failure(Step::End end, const char* doing) {
  switch (end) {
    case Step::End::kExpired:
      return {Outcome::kTimedOut,
              fmt::format("timed out after {} {}", seconds_text(elapsed()), doing)};
    case Step::End::kAborted:
      return {Outcome::kCancelled, "cancelled"};
    default:
      return {Outcome::kDisconnected, "the connection was lost: " + error_text()};
  }
}

asio::awaitable<Attempt<void>> Link::open_shell(TimePoint deadline) {
  begin(deadline);
  CHECK(channel == nullptr);
  channel = ssh_channel_new(session.get());
  CHECK(channel != nullptr);
  callbacks.size = sizeof(callbacks);
  callbacks.userdata = this;
  callbacks.channel_data_function = on_data;
  CHECK(ssh_set_channel_callbacks(channel, &callbacks) == SSH_OK);

  constexpr const char* kDoing = "opening a shell";
  auto open = [this] { return ssh_channel_open_session(channel); };
  Step step = co_await carry_on(open, SSH_AGAIN);
  if (step.end == Step::End::kAnswered && step.code == SSH_OK) {
    // A device that refuses a terminal may still give a shell. libssh does not notice when the
    // device closes the channel instead of answering.
    auto terminal = [this] {
      const int code = ssh_channel_request_pty_size(channel, "vt100", kColumns, kRows);
      return code == SSH_AGAIN && ssh_channel_is_eof(channel) != 0 ? SSH_ERROR : code;
    };
    step = co_await carry_on(terminal, SSH_AGAIN);
    if (step.end == Step::End::kAnswered && !lost()) {
      auto shell = [this] {
        const int code = ssh_channel_request_shell(channel);
        return code == SSH_AGAIN && ssh_channel_is_eof(channel) != 0 ? SSH_ERROR : code;
      };
      step = co_await carry_on(shell, SSH_AGAIN);
    }
  }
  if (step.end != Step::End::kAnswered)
    co_return std::unexpected(channel_failure(step.end, kDoing));
  if (step.code == SSH_OK) co_return Attempt<void>();
  if (lost()) co_return std::unexpected(channel_failure(Step::End::kLost, kDoing));
  co_return std::unexpected(
      Failure{Outcome::kDisconnected, "the device refused a shell: " + error_text()});
}

// Called by libssh for each packet of either stream, with everything of it that is not yet taken.
int Link::on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                  void* self) {
  auto& link = *static_cast<Link*>(self);
  // Nobody reads: libssh keeps it.
  const std::size_t room = link.destination.empty() ? 0 : link.destination.size() - link.filled;
  const std::size_t taken = std::min<std::size_t>(room, size);
  if (taken > 0) std::memcpy(link.destination.data() + link.filled, data, taken);
  link.filled += taken;
  link.buffered[is_stderr != 0 ? 1 : 0] = size - taken;
  return static_cast<int>(taken);
}

// What libssh kept while nobody read, or while a read had no room for it. Asking for it only when
// there is some keeps libssh from receiving more in between.
void Link::take_buffered() {
  for (const int is_stderr : {0, 1}) {
    const std::size_t wanted = std::min(buffered[is_stderr], destination.size() - filled);
    if (wanted == 0) continue;
    const int size = ssh_channel_read_nonblocking(channel, destination.data() + filled,
                                                  static_cast<std::uint32_t>(wanted), is_stderr);
    if (size <= 0) continue;
    filled += static_cast<std::size_t>(size);
    buffered[is_stderr] -= static_cast<std::size_t>(size);
  }
}

asio::awaitable<Attempt<std::size_t>> Link::read(std::span<char> buffer, TimePoint deadline) {
  CHECK(channel != nullptr && !buffer.empty());
  begin(deadline);
  destination = buffer;
  filled = 0;
  struct Detach {
    Link& link;
    ~Detach() {
      link.destination = {};
      link.filled = 0;
    }
  } const detach{*this};

  take_buffered();
  while (filled == 0) {
    if (ssh_channel_is_eof(channel) != 0) co_return std::size_t{0};
    if (lost()) co_return std::unexpected(channel_failure(Step::End::kLost, "reading"));
    if (!std::exchange(more_expected, false)) {
      const auto event = co_await wait();
      if (event == Socket::Event::kExpired) {
        co_return std::unexpected(channel_failure(Step::End::kExpired, "waiting for output"));
      }
      if (event == Socket::Event::kAborted) {
        co_return std::unexpected(channel_failure(Step::End::kAborted, ""));
      }
    }
    // Each poll is one poll(2) and one recv(2) of up to 4 KiB: go on while it comes in full.
    do {
      const std::uint64_t before = received.in_bytes;
      ssh_channel_poll(channel, 0);
      more_expected = received.in_bytes - before == kReceiveSize;
    } while (more_expected && filled < destination.size());
  }
  co_return filled;
}

asio::awaitable<Attempt<void>> Link::write(std::string bytes, TimePoint deadline) {
  CHECK(channel != nullptr);
  struct Wiper {
    std::string& bytes;
    ~Wiper() { wipe(bytes.data(), bytes.size()); }
  };
  const Wiper wiper{bytes};  // a password may be in it
  begin(deadline);
  std::string_view rest = bytes;
  for (;;) {
    if (!rest.empty()) {
      const auto size = static_cast<std::uint32_t>(std::min(rest.size(), kWriteSize));
      const int written = ssh_channel_write(channel, rest.data(), size);
      if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
      if (written < 0 && !lost()) {
        co_return std::unexpected(Failure{Outcome::kDisconnected, "the device closed the shell"});
      }
    } else {
      ssh_blocking_flush(session.get(), 0);
    }
    if (lost()) co_return std::unexpected(channel_failure(Step::End::kLost, "writing"));
    const bool unsent = (ssh_get_status(session.get()) & SSH_WRITE_PENDING) != 0;
    if (rest.empty() && !unsent) co_return Attempt<void>();
    if (buffered[0] + buffered[1] > kMostBuffered) {
      co_return std::unexpected(
          Failure{Outcome::kDisconnected, "the device ignores SSH's flow control"});
    }
    // With the window open and everything sent, the next part can go at once.
    if (!rest.empty() && !unsent && ssh_channel_window_size(channel) > 0) continue;
    const auto event = co_await wait();
    if (event == Socket::Event::kExpired) {
      co_return std::unexpected(channel_failure(Step::End::kExpired, "sending input"));
    }
    if (event == Socket::Event::kAborted) {
      co_return std::unexpected(channel_failure(Step::End::kAborted, ""));
    }
  }
}

asio::awaitable<void> Link::close(TimePoint deadline) {
  begin(deadline);
  if (session == nullptr || socket.fd() < 0) co_return;
  if (channel != nullptr && !lost() && ssh_channel_close(channel) != SSH_ERROR) {
    auto flush = [this] { return ssh_blocking_flush(session.get(), 0); };
    co_await carry_on(flush, SSH_AGAIN);
    // Libssh sends nothing, a farewell neither, before a poll has told it that it may.
    if (!lost()) ssh_channel_poll(channel, 0);
  }
  socket.forget();
  // From here on libssh closes the descriptor itself in every case; the answer is always an error.
  ssh_options_set(session.get(), SSH_OPTIONS_FD, nullptr);
  channel = nullptr;
  ssh_disconnect(session.get());
  session.reset();
}

}  // namespace netfleet::ssh
