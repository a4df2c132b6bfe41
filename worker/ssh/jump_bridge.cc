#include "worker/ssh/jump_bridge.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "common/check.h"
#include "worker/ssh/jump_connection.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

// A jump host may send no more than libssh's window (1.28 MB) while nobody reads; libssh does not
// check.
constexpr std::uint32_t kMostBuffered = 4 << 20;

}  // namespace

JumpBridge::JumpBridge(JumpConnection& connection, const asio::any_io_executor& executor)
    : connection_(connection), outer_(executor) {}

Attempt<void> JumpBridge::prepare(ssh_session session) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(
        Failure{Outcome::kJumpFailed, fmt::format("no socket pair: {}", errno_text(errno))});
  }
  inner_ = Descriptor(ends[0]);
  asio::error_code failed;
  outer_.assign(ends[1], failed);
  if (failed) {
    ::close(ends[1]);
    return std::unexpected(Failure{Outcome::kJumpFailed, errno_text(failed.value())});
  }
  channel_ = ssh_channel_new(session);
  CHECK(channel_ != nullptr);
  callbacks_.size = sizeof(callbacks_);
  callbacks_.userdata = this;
  callbacks_.channel_data_function = on_data;
  callbacks_.channel_eof_function = on_eof;
  callbacks_.channel_close_function = on_close;
  // Before it is open: the device's first words may come together with the answer.
  CHECK(ssh_set_channel_callbacks(channel_, &callbacks_) == SSH_OK);
  return {};
}

void JumpBridge::answered(Answer answer) {
  answer_ = std::move(answer);
  if (waiting_ != nullptr) waiting_->notify();
}

JumpStream JumpBridge::release(std::string via) {
  CHECK(answer_ && answer_->kind == Answer::Kind::kOpen);
  await_input();
  return {std::move(inner_), std::move(via), passage_};
}

// A channel that is still being opened cannot be closed: the answer is waited for first.
void JumpBridge::abandon() {
  waiting_ = nullptr;
  abandoned_ = true;
  connection_.abandoned(*this);
}

void JumpBridge::close(const std::string& lost) {
  if (closed_) return;
  closed_ = true;
  passage_->lost = lost;
  if (channel_ != nullptr) ssh_remove_channel_callbacks(channel_, &callbacks_);
  asio::error_code ignored;
  outer_.close(ignored);
}

void JumpBridge::end_channel() {
  if (channel_ == nullptr) return;
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(std::exchange(channel_, nullptr));  // closes it if it is open
}

// --- from the inner side to the jump host

void JumpBridge::await_input() {
  outer_.async_wait(asio::posix::descriptor_base::wait_read,
                    [self = shared_from_this()](asio::error_code) {
                      if (self->closed_) return;
                      self->pump();
                      self->connection_.settle();
                    });
}

// One piece a turn, so that nobody fills libssh's unbounded buffer and nobody is left behind.
void JumpBridge::pump() {
  windowless_ = false;
  if (closed_) return;
  if (remote_closed_) return connection_.touch(*this);
  if (connection_.write_pending()) return connection_.hold(*this);
  const std::uint32_t window = ssh_channel_window_size(channel_);
  if (window == 0) return watch_inner();
  std::string_view bytes = unsent_;
  if (bytes.empty()) {
    const std::span<char> buffer = connection_.buffer();
    const ssize_t size = recv(outer_.native_handle(), buffer.data(),
                              std::min<std::size_t>(window, buffer.size()), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return await_input();
    if (size <= 0) {
      inner_gone_ = true;
      return connection_.touch(*this);
    }
    bytes = {buffer.data(), static_cast<std::size_t>(size)};
  }
  const int written = connection_.write(channel_, bytes);
  if (written < 0) {  // the other side has closed the channel, or all of it is lost
    remote_closed_ = true;
    return connection_.touch(*this);
  }
  // Libssh takes less during a new key exchange.
  unsent_ = std::string(bytes.substr(static_cast<std::size_t>(written)));
  unsent_.empty() ? await_input() : watch_inner();
}

void JumpBridge::watch_inner() {
  windowless_ = true;
  connection_.await_window(*this);
  if (std::exchange(watched_, true)) return;
  outer_.async_wait(asio::posix::descriptor_base::wait_error,
                    [self = shared_from_this()](asio::error_code) {
                      self->watched_ = false;
                      if (self->closed_ || !self->windowless_) return;
                      self->inner_gone_ = true;
                      self->connection_.touch(*self);
                      self->connection_.settle();
                    });
}

// --- from the jump host to the inner side

int JumpBridge::on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                        void* self) {
  auto& bridge = *static_cast<JumpBridge*>(self);
  if (bridge.closed_ || bridge.inner_gone_ || is_stderr != 0) return static_cast<int>(size);
  const auto give_up = [&] {
    bridge.inner_gone_ = true;
    bridge.connection_.touch(bridge);
    return static_cast<int>(size);
  };
  if (bridge.backlogged_) {
    bridge.buffered_ = size;  // all of it, from the start
    return size > kMostBuffered ? give_up() : 0;
  }
  const ssize_t sent = send(bridge.outer_.native_handle(), data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return give_up();
  const auto taken = static_cast<std::uint32_t>(std::max<ssize_t>(sent, 0));
  if (taken < size) {
    bridge.buffered_ = size - taken;
    bridge.backlogged_ = true;
    bridge.await_room();
  }
  return static_cast<int>(taken);
}

void JumpBridge::on_eof(ssh_session, ssh_channel, void* self) {
  auto& bridge = *static_cast<JumpBridge*>(self);
  bridge.remote_eof_ = true;
  bridge.connection_.touch(bridge);
}

void JumpBridge::on_close(ssh_session, ssh_channel, void* self) {
  auto& bridge = *static_cast<JumpBridge*>(self);
  bridge.remote_closed_ = true;
  bridge.connection_.touch(bridge);
}

void JumpBridge::await_room() {
  outer_.async_wait(asio::posix::descriptor_base::wait_write,
                    [self = shared_from_this()](asio::error_code) {
                      if (self->closed_) return;
                      self->drain();
                      self->connection_.settle();
                    });
}

bool JumpBridge::deliver(std::string_view bytes) {
  const ssize_t sent =
      send(outer_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    inner_gone_ = true;
    connection_.touch(*this);
    return false;
  }
  rest_ = bytes.substr(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  return rest_.empty();
}

// Libssh does not call on_data again for what it keeps: it is asked for, and only while it has
// some, since it would receive more otherwise.
void JumpBridge::drain() {
  bool room = true;
  if (!rest_.empty()) {
    const std::string bytes = std::move(rest_);
    room = deliver(bytes);
  }
  while (room && buffered_ > 0) {
    const std::span<char> buffer = connection_.buffer();
    const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(buffered_, buffer.size()));
    const int size = connection_.read(channel_, buffer.data(), wanted);
    if (size <= 0) break;
    buffered_ -= static_cast<std::uint32_t>(size);
    room = deliver({buffer.data(), static_cast<std::size_t>(size)});
  }
  if (inner_gone_) return;
  if (!room) return await_room();
  backlogged_ = false;
  connection_.touch(*this);  // an end may have waited behind it
}

void JumpBridge::act() {
  // When all of it is lost, everybody is told why, at once.
  if (closed_ || connection_.lost()) return;
  if (inner_gone_) return connection_.finish(*this);
  if (backlogged_) return;
  if (remote_closed_) return connection_.finish(*this);
  if (remote_eof_) shutdown(outer_.native_handle(), SHUT_WR);
}

}  // namespace netfleet::ssh
