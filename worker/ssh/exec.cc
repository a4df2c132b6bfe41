// A command in an exec channel of its own: no terminal, no shell of ours, an exit status.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "common/check.h"
#include "worker/ssh/link.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

// What libssh takes from the socket at once: so much means that there is probably more.
constexpr std::uint64_t kReceiveSize = 4096;

// The channel and what comes out of it. Freed only here: a session that went before took it along.
class Channel {
 public:
  Channel(ssh_session session, Connection::TakeOutput take) : take_(std::move(take)) {
    handle_ = ssh_channel_new(session);
    CHECK(handle_ != nullptr);
    callbacks_.size = sizeof(callbacks_);
    callbacks_.userdata = this;
    callbacks_.channel_data_function = on_data;
    callbacks_.channel_exit_status_function = on_status;
    callbacks_.channel_exit_signal_function = on_signal;
    callbacks_.channel_close_function = on_close;
    CHECK(ssh_set_channel_callbacks(handle_, &callbacks_) == SSH_OK);
  }
  ~Channel() {
    ssh_remove_channel_callbacks(handle_, &callbacks_);
    ssh_channel_free(handle_);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  ssh_channel handle() const { return handle_; }
  const Executed& executed() const { return executed_; }
  // What has come. After the device's end of output libssh's poll looks at the socket no more, and
  // the exit status may be still to come: who asks for that does.
  void take_packets() const {
    if (ssh_channel_is_eof(handle_) != 0) {
      ssh_channel_get_exit_status(handle_);
    } else {
      ssh_channel_poll(handle_, 0);
    }
  }
  // Something came that only a command can have said.
  bool has_run() const { return printed_ || executed_.status || !executed_.signal.empty(); }
  // Nothing more comes: it is closed, or all is said.
  bool ended() const {
    const bool told = executed_.status || !executed_.signal.empty();
    return closed_ || (told && ssh_channel_is_eof(handle_) != 0);
  }

 private:
  static Channel& self(void* data) { return *static_cast<Channel*>(data); }
  static int on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                     void* channel) {
    self(channel).printed_ = true;
    self(channel).take_({static_cast<const char*>(data), size}, is_stderr != 0);
    return static_cast<int>(size);
  }
  static void on_status(ssh_session, ssh_channel, int status, void* channel) {
    self(channel).executed_.status = status;
  }
  static void on_signal(ssh_session, ssh_channel, const char* signal, int, const char*, const char*,
                        void* channel) {
    self(channel).executed_.signal = printable(signal == nullptr ? "" : signal, 32);
  }
  static void on_close(ssh_session, ssh_channel, void* channel) { self(channel).closed_ = true; }

  ssh_channel handle_ = nullptr;
  ssh_channel_callbacks_struct callbacks_{};
  const Connection::TakeOutput take_;
  Executed executed_;
  bool printed_ = false;
  bool closed_ = false;
};

}  // namespace

asio::awaitable<Attempt<Executed>> Link::execute(std::string command, Connection::TakeOutput take,
                                                 TimePoint deadline) {
  begin(deadline);
  constexpr const char* kDoing = "opening a channel for the command";
  const auto own = std::make_unique<Channel>(session.get(), std::move(take));
  const ssh_channel handle = own->handle();
  auto open = [handle] { return ssh_channel_open_session(handle); };
  Step step = co_await carry_on(open, SSH_AGAIN);
  if (step.end == Step::End::kAnswered && step.code == SSH_OK) {
    // libssh does not notice when the device closes the channel instead of answering; or before it
    // answers, since a short command may be faster than that.
    auto request = [channel = own.get(), handle, text = command.c_str()] {
      const int code = ssh_channel_request_exec(handle, text);
      if (code != SSH_AGAIN || ssh_channel_is_eof(handle) == 0) return code;
      return channel->has_run() ? SSH_OK : SSH_ERROR;
    };
    step = co_await carry_on(request, SSH_AGAIN);
  }
  if (step.end != Step::End::kAnswered) {
    co_return std::unexpected(channel_failure(step.end, kDoing));
  }
  if (step.code != SSH_OK && !lost()) {
    co_return std::unexpected(
        Failure{Outcome::kDisconnected, "the device refused to run it: " + error_text()});
  }
  if (!lost()) ssh_channel_send_eof(handle);  // nothing is typed
  while (!own->ended()) {
    if (lost()) co_return std::unexpected(channel_failure(Step::End::kLost, kDoing));
    const auto event = co_await wait();
    if (event == Socket::Event::kExpired) {
      co_return std::unexpected(channel_failure(Step::End::kExpired, "waiting for its end"));
    }
    if (event == Socket::Event::kAborted) {
      co_return std::unexpected(channel_failure(Step::End::kAborted, ""));
    }
    std::uint64_t before = 0;
    do {
      before = received.in_bytes;
      own->take_packets();
    } while (received.in_bytes - before == kReceiveSize && !own->ended());
  }
  co_return own->executed();
}

}  // namespace netfleet::ssh
