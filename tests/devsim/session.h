// devsim: one connection to one device, from accept to close: the SSH server's side over
// non-blocking libssh, authentication, the channel, the faults that strike there. Not for readiness
// and time, which the loop brings (loop.h), and not for what the shell says (cli.h).
#pragma once

#include <libssh/callbacks.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/devsim/acceptor.h"
#include "tests/devsim/cli.h"
#include "tests/devsim/command_output.h"
#include "tests/devsim/device.h"
#include "tests/devsim/record.h"

namespace netfleet::devsim {

// What all sessions share; read only while they run, but for the counters.
struct SessionOptions {
  std::string user = "admin";
  std::string password = "admin";
  int auth_methods = SSH_AUTH_METHOD_PASSWORD;  // SSH_AUTH_METHOD_* bits
  std::vector<SshPointer<ssh_key>> authorized_keys;
  std::chrono::milliseconds login_delay{0};    // before a successful login is answered
  std::chrono::milliseconds command_delay{0};  // before a command's output
  std::size_t chunk = 0;                       // bytes a write, 0: as they come
  std::optional<std::size_t> length;           // rows a page, whatever the client's terminal says
  CliOptions cli;
  std::string hold;  // commands wait while this directory holds a file with the device's name
  Record record;
};

// Belongs to one loop's thread. The loop calls on_ready() when the fd is ready or on_timer() when
// the time that timer() asked for is over, and looks at finished(), wants_write() and timer() after
// each.
class Session {
 public:
  // Takes the fd. `device`, `options`, `stats` outlive this.
  Session(int fd, const Device& device, const SessionOptions& options, const Acceptor& acceptor,
          Stats& stats);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void on_ready();
  void on_timer();
  bool finished() const { return finished_; }
  bool wants_write() const;
  // Set: call on_timer() that much later than now; asked for once, replaces the one before.
  std::optional<std::chrono::milliseconds> take_timer() { return std::exchange(timer_, {}); }
  // For the epoll set; not to be used once finished() is true.
  int fd() const { return fd_; }

 private:
  enum class Waiting : std::uint8_t { kNothing, kLogin, kCommand, kSlow, kLinger };

  void begin_raw();  // faults before SSH
  void read_raw();
  void pump();
  bool exchange_keys();  // true: done
  bool connection_lost() const;
  void handle(ssh_message message);
  void authenticate(ssh_message message);
  bool credentials_match(ssh_message message, int method) const;
  bool key_is_authorized(ssh_message message) const;
  void send_banner();
  void grant_login(ssh_message message);
  void refuse_login(ssh_message message);
  void open_channel(ssh_message message);
  void channel_request(ssh_message message);
  void begin_shell(ssh_message message);
  void begin_exec(ssh_message message);
  void drive();  // writes what the shell or the command has to say
  bool fill();   // false: nothing to write now
  std::size_t write_size() const;
  void close_channel(int exit_status);
  void wait(Waiting waiting, std::chrono::milliseconds time);
  bool held() const;
  void record(std::string_view event, std::string_view text) const;
  void finish(std::string_view why);
  static int receive_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                          void* session);
  static void receive_end(ssh_session, ssh_channel, void* session);
  static void receive_close(ssh_session, ssh_channel, void* session);

  const Device& device_;
  const SessionOptions& options_;
  Stats& stats_;
  const std::uint64_t number_;
  SshPointer<ssh_session> ssh_;  // null: a device that does not speak SSH
  int fd_;
  bool keys_exchanged_ = false;
  bool greeted_ = false;
  bool banner_sent_ = false;  // before authentication
  int refusals_ = 0;
  ssh_message login_ = nullptr;  // answered when the login delay is over
  std::string user_;
  ssh_channel channel_ = nullptr;  // freed with ssh_
  ssh_channel_callbacks_struct callbacks_{};
  std::size_t columns_ = 0;
  std::size_t rows_ = 24;
  std::optional<Cli> cli_;
  std::string early_;                  // typed before cli_ was there
  std::optional<CommandOutput> exec_;  // of a command without a shell
  std::size_t exec_at_ = 0;
  bool hung_ = false;
  bool channel_closed_ = false;  // by us
  bool peer_closed_ = false;
  bool peer_ended_ = false;  // nothing more will be typed
  std::string outgoing_;
  std::size_t outgoing_at_ = 0;
  Waiting waiting_ = Waiting::kNothing;
  std::optional<std::chrono::milliseconds> timer_;
  std::chrono::milliseconds hold_look_{0};
  bool in_shell_ = false;
  bool finished_ = false;
};

}  // namespace netfleet::devsim
