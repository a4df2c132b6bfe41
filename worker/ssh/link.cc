#include "worker/ssh/link.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

constexpr std::string_view kDisconnect = "Received SSH_MSG_DISCONNECT: ";

}  // namespace

Link::Link(asio::any_io_executor the_executor)
    : executor(std::move(the_executor)), socket(executor), errand_timer(executor) {}

// libssh closes the descriptor when it goes (see connect): asio has to let go of it before.
Link::~Link() {
  socket.forget();
  session.reset();
}

void Link::adopt(int fd) {
  socket.adopt(fd);
  peer_address = "jump";  // only for libssh, which wants some name
}

void Link::abort() {
  socket.abort();
  if (on_errand) errand_timer.cancel();
}

void Link::begin(TimePoint deadline) {
  begun_ = BootClock::now();
  socket.set_deadline(deadline);
}

bool Link::lost() {
  const bool closed = ssh_get_fd(session.get()) != socket.fd();
  if (closed) socket.forget();
  return closed || ssh_is_connected(session.get()) == 0 ||
         (ssh_get_status(session.get()) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

// Not ssh_get_poll_flags: that asks for writability after every packet, sent completely or not.
asio::awaitable<Socket::Event> Link::wait() {
  const bool unsent = (ssh_get_status(session.get()) & SSH_WRITE_PENDING) != 0;
  return socket.wait(unsent ? Socket::For::kReadOrWrite : Socket::For::kRead);
}

std::optional<std::uint32_t> Link::disconnect_reason() const {
  std::string_view text = ssh_get_error(session.get());
  if (!text.starts_with(kDisconnect)) return std::nullopt;
  text.remove_prefix(kDisconnect.size());
  std::uint32_t reason = 0;
  std::from_chars(text.data(), text.data() + text.size(), reason);
  return reason;
}

std::string Link::error_text() {
  std::string_view text = ssh_get_error(session.get());
  constexpr std::string_view kSocket = "Socket error: ";
  const bool disconnected = text.starts_with(kDisconnect);
  if (disconnected) {
    text.remove_prefix(kDisconnect.size());
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
      text.remove_prefix(colon + 1);
    }
  } else if (text == "Socket error: disconnected") {
    return "it closed the connection";
  } else if (text.starts_with(kSocket)) {
    text.remove_prefix(kSocket.size());
  }
  std::string shown = printable(text);
  if (!shown.empty()) return shown;
  return disconnected ? "it gave no reason" : "it broke the SSH protocol";  // libssh has no words
}

}  // namespace netfleet::ssh
