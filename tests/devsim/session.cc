#include "tests/devsim/session.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "common/check.h"

namespace netfleet::devsim {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kWrite = 32768;
constexpr std::size_t kSlowWrite = 8;
constexpr milliseconds kSlowPause{10};
constexpr std::size_t kSplitWrite = 3;
// A client that was told good-bye and does not close is closed.
constexpr milliseconds kLinger{5000};
// How soon a held command looks for its file, and how rarely it does at last: thousands may be
// held.
constexpr milliseconds kHoldLook{10};
constexpr milliseconds kRareHoldLook{160};

void send_raw(int fd, std::string_view bytes) {
  // A few bytes into an empty socket buffer: there is room, or the peer is gone already.
  [[maybe_unused]] const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace

Session::Session(int fd, const Device& device, const SessionOptions& options,
                 const Acceptor& acceptor, Stats& stats)
    : device_(device),
      options_(options),
      stats_(stats),
      number_(stats.connections.fetch_add(1, std::memory_order_relaxed) + 1),
      fd_(fd) {
  stats_.connected.up();
  record("connect", "");
  if (options_.length) rows_ = *options_.length;
  const Faults& faults = device_.faults;
  if (faults.has(Fault::kSilent) || faults.has(Fault::kBannerGarbage) ||
      faults.has(Fault::kCloseAtAccept) || faults.has(Fault::kCloseAtBanner)) {
    begin_raw();
  } else if (ssh_ = acceptor.accept(fd, device); ssh_ == nullptr) {
    fd_ = -1;
    finish("libssh refused");
  }
}

Session::~Session() {
  if (!finished_) finish("stopped");
  if (login_ != nullptr) ssh_message_free(login_);
  if (ssh_ == nullptr && fd_ >= 0) ::close(fd_);
}

void Session::begin_raw() {
  const Faults& faults = device_.faults;
  if (faults.has(Fault::kBannerGarbage)) {
    static constexpr char kGarbage[] =
        "\0\x01\xFF\xFBHTTP/1.1 400 Bad Request\r\n\r\n\x80\x81#>$ \r\n";
    send_raw(fd_, std::string_view(kGarbage, sizeof(kGarbage) - 1));
  }
  if (faults.has(Fault::kCloseAtBanner)) {
    send_raw(fd_, fmt::format("SSH-2.0-{}\r\n", server_identification(device_.platform)));
  }
  if (faults.has(Fault::kCloseAtAccept) || faults.has(Fault::kCloseAtBanner)) finish("fault");
}

void Session::read_raw() {
  char ignored[4096];
  ssize_t size = 0;
  do {
    size = ::recv(fd_, ignored, sizeof(ignored), 0);
  } while (size > 0);
  if (size == 0 || (errno != EAGAIN && errno != EINTR)) finish("peer closed");
}

void Session::on_ready() {
  if (ssh_ == nullptr) return read_raw();
  // The first call sends the greeting; the second is the client's answer.
  const bool first = !std::exchange(greeted_, true);
  if (!first && device_.faults.has(Fault::kCloseAtKex)) return finish("fault");
  // A legacy device greets second: the client's algorithms come after its greeting then, in a read
  // of their own. libssh closes at once when they do not agree, with its own still unsent if both
  // come in one read, and the client would not learn why.
  if (first && device_.faults.has(Fault::kLegacy)) return;
  pump();
}

void Session::on_timer() {
  switch (std::exchange(waiting_, Waiting::kNothing)) {
    case Waiting::kLogin:
      grant_login(std::exchange(login_, nullptr));
      break;
    case Waiting::kCommand:
      if (held()) {
        hold_look_ = std::min(2 * hold_look_, kRareHoldLook);
        return wait(Waiting::kCommand, hold_look_);
      }
      if (cli_) cli_->release();
      break;
    case Waiting::kLinger:
      return finish("lingered");
    case Waiting::kSlow:
    case Waiting::kNothing:
      break;
  }
  pump();
}

// libssh writes without a poll only once after each readiness: what follows waits in its buffer for
// the next round. A connection that stays busy gives way to others after some rounds; epoll calls
// again.
void Session::pump() {
  constexpr int kRounds = 16;
  for (int round = 0; round < kRounds && !finished_; ++round) {
    if (exchange_keys()) {
      while (ssh_message message = ssh_message_get(ssh_.get())) {
        handle(message);
        if (finished_) return;
      }
      if (peer_closed_ && !channel_closed_) close_channel(0);
      if (!finished_) drive();
    }
    if (!finished_ && connection_lost()) finish("peer closed");
    if (finished_ || !wants_write()) return;
  }
}

bool Session::exchange_keys() {
  if (keys_exchanged_) return true;
  const int result = ssh_handle_key_exchange(ssh_.get());
  if (result == SSH_ERROR) finish(ssh_get_error(ssh_.get()));
  keys_exchanged_ = result == SSH_OK;
  return keys_exchanged_;
}

bool Session::connection_lost() const {
  return (ssh_get_status(ssh_.get()) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0 ||
         ssh_is_connected(ssh_.get()) == 0;
}

bool Session::wants_write() const {
  return ssh_ != nullptr && (ssh_get_status(ssh_.get()) & SSH_WRITE_PENDING) != 0;
}

void Session::handle(ssh_message message) {
  switch (ssh_message_type(message)) {
    case SSH_REQUEST_AUTH:
      return authenticate(message);
    case SSH_REQUEST_CHANNEL_OPEN:
      open_channel(message);
      break;
    case SSH_REQUEST_CHANNEL:
      channel_request(message);
      break;
    default:
      ssh_message_reply_default(message);
  }
  ssh_message_free(message);
}

// One shell or command a connection, as small devices have it.
void Session::open_channel(ssh_message message) {
  if (ssh_message_subtype(message) != SSH_CHANNEL_SESSION || channel_ != nullptr) {
    ssh_message_reply_default(message);
    return;
  }
  channel_ = ssh_message_channel_request_open_reply_accept(message);
  if (channel_ == nullptr) return finish("channel refused");
  callbacks_.userdata = this;
  callbacks_.channel_data_function = receive_data;
  callbacks_.channel_eof_function = receive_end;
  callbacks_.channel_close_function = receive_close;
  ssh_callbacks_init(&callbacks_);
  ssh_set_channel_callbacks(channel_, &callbacks_);
}

void Session::channel_request(ssh_message message) {
  switch (ssh_message_subtype(message)) {
    case SSH_CHANNEL_REQUEST_PTY:
      columns_ =
          static_cast<std::size_t>(std::max(0, ssh_message_channel_request_pty_width(message)));
      if (!options_.length) {
        const int rows = ssh_message_channel_request_pty_height(message);
        if (rows > 0) rows_ = static_cast<std::size_t>(rows);
      }
      ssh_message_channel_request_reply_success(message);
      break;
    case SSH_CHANNEL_REQUEST_SHELL:
      begin_shell(message);
      break;
    case SSH_CHANNEL_REQUEST_EXEC:
      begin_exec(message);
      break;
    default:
      ssh_message_reply_default(message);
  }
}

void Session::begin_shell(ssh_message message) {
  if (device_.faults.has(Fault::kCloseAtShell)) return finish("fault");
  if (device_.faults.has(Fault::kHangAtShell)) return;
  if (in_shell_) {
    ssh_message_reply_default(message);
    return;
  }
  ssh_message_channel_request_reply_success(message);
  record("shell", user_);
  in_shell_ = true;
  stats_.shells.up();
  cli_.emplace(device_, options_.cli, columns_, rows_);
  if (!cli_->receive(std::exchange(early_, {}))) finish("too much typed ahead");
}

void Session::begin_exec(ssh_message message) {
  if (device_.faults.has(Fault::kCloseAtShell)) return finish("fault");
  if (device_.faults.has(Fault::kHangAtShell)) return;
  if (in_shell_) {
    ssh_message_reply_default(message);
    return;
  }
  ssh_message_channel_request_reply_success(message);
  const std::string command = ssh_message_channel_request_command(message);
  record("command", command);
  stats_.commands.fetch_add(1, std::memory_order_relaxed);
  in_shell_ = true;
  stats_.shells.up();
  exec_ = command_output(device_.platform, device_.name, command, 0);
  if (options_.command_delay.count() > 0) wait(Waiting::kCommand, options_.command_delay);
}

void Session::drive() {
  while (channel_ != nullptr && !channel_closed_ && !finished_) {
    if (outgoing_at_ == outgoing_.size() && !fill()) return;
    if (wants_write()) return;
    const std::size_t size =
        std::min<std::size_t>(outgoing_.size() - outgoing_at_, ssh_channel_window_size(channel_));
    if (size == 0) return;  // the client's window adjustment wakes us
    const int written = ssh_channel_write(channel_, outgoing_.data() + outgoing_at_,
                                          static_cast<std::uint32_t>(size));
    if (written < 0) return finish("peer closed");
    if (written == 0) return;
    outgoing_at_ += static_cast<std::size_t>(written);
  }
}

std::size_t Session::write_size() const {
  if (device_.faults.has(Fault::kSlow)) return kSlowWrite;
  if (device_.faults.has(Fault::kSplitEscapes)) return kSplitWrite;
  return options_.chunk > 0 ? options_.chunk : kWrite;
}

bool Session::fill() {
  outgoing_ = {};
  outgoing_at_ = 0;
  if (waiting_ != Waiting::kNothing) return false;
  const std::size_t max = write_size();
  if (exec_) {
    if (exec_at_ == 0 && held()) {
      wait(Waiting::kCommand, hold_look_ = kHoldLook);
      return false;
    }
    outgoing_ = exec_->text.substr(exec_at_, max);
    exec_at_ += outgoing_.size();
    if (outgoing_.empty()) close_channel(exec_->known ? 0 : 1);
  } else if (cli_) {
    outgoing_ = cli_->take(max);
    // Without a delay the echo, the output and the prompt leave together.
    while (cli_->waiting() && options_.command_delay.count() == 0 && !held() &&
           outgoing_.size() < max) {
      cli_->release();
      outgoing_ += cli_->take(max - outgoing_.size());
    }
    for (const std::string& command : cli_->take_commands()) {
      record("command", command);
      stats_.commands.fetch_add(1, std::memory_order_relaxed);
    }
    if (outgoing_.empty()) {
      if (cli_->waiting())
        wait(Waiting::kCommand, held() ? hold_look_ = kHoldLook : options_.command_delay);
      else if (cli_->end() == Cli::End::kDrop)
        finish("fault");
      else if (cli_->end() == Cli::End::kLogout || (peer_ended_ && cli_->idle()))
        close_channel(0);
    }
  }
  if (outgoing_.empty()) return false;
  if (device_.faults.has(Fault::kSlow)) wait(Waiting::kSlow, kSlowPause);
  return true;
}

void Session::close_channel(int exit_status) {
  ssh_channel_request_send_exit_status(channel_, exit_status);
  ssh_channel_send_eof(channel_);
  ssh_channel_close(channel_);
  channel_closed_ = true;
  wait(Waiting::kLinger, kLinger);
}

void Session::wait(Waiting waiting, milliseconds time) {
  waiting_ = waiting;
  timer_ = time;
}

// Whether the entered command has to wait for its file to go. Settings of the terminal never do.
bool Session::held() const {
  const bool entered = exec_ || (cli_ && cli_->waiting() && !cli_->sets_terminal());
  return entered && !options_.hold.empty() &&
         ::access((options_.hold + "/" + device_.name).c_str(), F_OK) == 0;
}

void Session::record(std::string_view event, std::string_view text) const {
  options_.record.write(device_.name, number_, event, text);
}

void Session::finish(std::string_view why) {
  if (std::exchange(finished_, true)) return;
  record("disconnect", channel_closed_ ? "logout" : why);
  stats_.connected.down();
  if (in_shell_) stats_.shells.down();
}

// What is typed right behind the shell request is here before the request's message is handled.
int Session::receive_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int,
                          void* session) {
  auto& self = *static_cast<Session*>(session);
  const std::string_view bytes(static_cast<const char*>(data), size);
  constexpr std::size_t kMaxEarly = 65536;
  const bool room = self.cli_ ? self.cli_->receive(bytes) : self.early_.size() < kMaxEarly;
  if (!room) self.finish("too much typed ahead");
  if (room && !self.cli_) self.early_ += bytes;
  return static_cast<int>(size);
}

void Session::receive_end(ssh_session, ssh_channel, void* session) {
  static_cast<Session*>(session)->peer_ended_ = true;
}

void Session::receive_close(ssh_session, ssh_channel, void* session) {
  static_cast<Session*>(session)->peer_closed_ = true;
}

}  // namespace netfleet::devsim
