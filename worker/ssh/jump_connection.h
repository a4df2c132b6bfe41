// worker/ssh: one SSH connection to a jump host and the streams that it carries. Private to the
// room; who opens it, when and how often is the station's business.
#pragma once

#include <libssh/libssh.h>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "worker/ssh/jump_bridge.h"
#include "worker/ssh/jump_route.h"
#include "worker/ssh/link.h"

namespace netfleet::ssh {

// Lives on one thread. Each readiness of its socket costs what it brings, whatever the number of
// streams: callbacks note the bridge that they are about, and settle() serves those noted.
class JumpConnection {
 public:
  // `on_room`: it runs, or a stream has ended: so another one may be opened.
  JumpConnection(asio::any_io_executor executor, std::shared_ptr<const JumpHop> hop,
                 std::function<void()> on_room);
  ~JumpConnection();
  JumpConnection(const JumpConnection&) = delete;
  JumpConnection& operator=(const JumpConnection&) = delete;

  // Instead of TCP: a stream through another jump host. Before connect().
  void adopt(JumpStream stream);
  asio::awaitable<Attempt<void>> connect(Resolver& resolver, KnownHosts& known_hosts,
                                         TimePoint deadline);
  asio::awaitable<Attempt<void>> log_in(TimePoint deadline);
  // After log_in() failed: whether the connection went before the jump host had answered.
  Link::CutOff cut_off() const;
  // After connect() failed: it was let in, and shown out before it knew with whom it talks, as a
  // server does that has banned this address or has too many logins under way (MaxStartups).
  bool shown_out() const;

  // Carries streams until the connection is lost, which is returned, or to be closed by stop() or
  // after `idle` without a stream (empty text). `keepalive`: how long nothing may come before the
  // jump host is asked whether it is there.
  asio::awaitable<std::string> run(Nanoseconds idle, Nanoseconds keepalive);
  // After run(): tells all streams why they end.
  asio::awaitable<void> end(std::string why);
  // What is under way ends soon.
  void stop();

  bool has_room() const;
  std::size_t in_use() const { return bridges_.size() - orphans_; }
  // Asks the jump host to connect to the address, which it resolves itself. Only while has_room();
  // settle() must follow.
  Attempt<std::shared_ptr<JumpBridge>> open(const std::string& address, std::uint16_t port);
  // Makes the jump host say something; received() counts bytes.
  void ping();
  std::uint64_t received() const { return link_.received.in_bytes; }
  // Does what callbacks have noted. After every call on the session that no other one encloses.
  void settle();

  // --- for the bridges
  bool lost() { return link_.lost(); }
  bool write_pending() const;
  std::span<char> buffer() const;
  int write(ssh_channel channel, std::string_view bytes);
  int read(ssh_channel channel, char* bytes, std::uint32_t size);
  void touch(JumpBridge& bridge);
  void hold(JumpBridge& bridge);          // until the session's own output is sent
  void await_window(JumpBridge& bridge);  // until the channel's window has opened
  void abandoned(JumpBridge& bridge);
  void finish(JumpBridge& bridge);

 private:
  class Listening;
  static void on_log(int, const char* function, const char* line, void* self);
  void heard(std::string_view text);
  void take_answers();
  void take_touched();
  void resume();
  void fail_all(const std::string& why);
  void watch_idle();
  void watch_silence();
  std::string lost_text();
  Attempt<void> blame_passage(Attempt<void> attempt) const;

  asio::any_io_executor executor_;
  const std::shared_ptr<const JumpHop> hop_;
  const std::function<void()> on_room_;
  Link link_;
  std::shared_ptr<const JumpPassage> passage_;  // of the stream beneath
  ssh_event event_ = nullptr;
  std::unique_ptr<char[]> buffer_;

  std::unordered_map<JumpBridge*, std::shared_ptr<JumpBridge>> bridges_;
  std::size_t orphans_ = 0;  // given up while they were being opened
  std::unordered_map<std::uint32_t, JumpBridge*> openings_;  // by libssh's channel number
  struct Heard {
    std::uint32_t channel;
    JumpBridge::Answer answer;
  };
  std::vector<Heard> answers_;
  std::uint32_t created_ = 0;  // the number of the channel that was created last
  std::vector<std::shared_ptr<JumpBridge>> touched_;
  std::deque<std::shared_ptr<JumpBridge>> held_;
  std::vector<std::shared_ptr<JumpBridge>> windowless_;
  std::uint64_t seen_bytes_ = 0;
  bool settling_ = false;
  bool room_made_ = false;
  bool awaits_writability_ = false;

  Nanoseconds idle_{};
  Nanoseconds keepalive_{};
  std::shared_ptr<JumpConnection*> self_;  // for timers' handlers: null once this one is gone
  asio::steady_timer idle_timer_;
  asio::steady_timer silence_timer_;
  std::uint64_t silent_since_ = 0;  // bytes received by then
  int silences_ = 0;
  bool running_ = false;
  bool closing_ = false;
  bool silent_ = false;
};

}  // namespace netfleet::ssh
