// worker/ssh: one forwarded stream: a direct-tcpip channel of a connection to a jump host, joined
// to a socket pair whose other end an inner SSH session uses like a TCP socket. Private to the
// room.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "worker/ssh/jump_stream.h"
#include "worker/ssh/jump_wakeup.h"

namespace netfleet::ssh {

class JumpConnection;

// Owned by its connection until it is closed; lives on that one's thread. Everything between the
// two sides is moved at once or not at all: what one side does not take stays in the other side's
// buffers, which then stops sending (the channel's window, the socket's buffer).
//
// Libssh calls on_* while it handles packets, in any call on the jump connection's session. They
// touch only this side's descriptor and leave the rest to JumpConnection::settle().
class JumpBridge : public std::enable_shared_from_this<JumpBridge> {
 public:
  JumpBridge(JumpConnection& connection, const asio::any_io_executor& executor);

  // Makes the pair and the channel; nothing is sent yet. Errors are of the system (no descriptors).
  Attempt<void> prepare(ssh_session session);

  // What came of the request to open it.
  struct Answer {
    enum class Kind { kOpen, kForbidden, kConnectFailed, kNoResources, kLost };
    Kind kind;
    std::string text;  // the jump host's own words, or why the connection was lost
  };
  void answered(Answer answer);
  const std::optional<Answer>& answer() const { return answer_; }
  // Who is told of the answer; null: nobody any more.
  void tell(JumpWakeup* waiting) { waiting_ = waiting; }
  // Once it is open: the inner end, and from now on bytes flow.
  JumpStream release(std::string via);
  // Nobody wants it any more.
  void abandon();

  // For the connection's lists.
  void pump();  // moves a bounded piece from the inner side to the jump host
  void act();   // what a callback left to do
  // Closes this side; with a reason, the inner session learns it as the cause. The channel stays
  // with its session.
  void close(const std::string& lost = {});
  // Closes and frees the channel, as far as the other side lets that happen.
  void end_channel();
  bool closed() const { return closed_; }
  bool abandoned() const { return abandoned_; }
  ssh_channel channel() const { return channel_; }

  bool touched = false;  // it is in the connection's list of those
  bool orphan = false;   // it is counted there as given up while being opened

 private:
  static int on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                     void* self);
  static void on_eof(ssh_session, ssh_channel, void* self);
  static void on_close(ssh_session, ssh_channel, void* self);

  void await_input();
  void await_room();
  // Whether the inner side goes, which nobody would see while its bytes are not read.
  void watch_inner();
  // From libssh's buffer to the inner side, as far as that takes it.
  void drain();
  // False: the inner side is full and what it left is kept (`rest_`), or gone.
  bool deliver(std::string_view bytes);
  bool send_rest();

  JumpConnection& connection_;
  ssh_channel channel_ = nullptr;
  ssh_channel_callbacks_struct callbacks_{};
  asio::posix::stream_descriptor outer_;
  Descriptor inner_;
  std::shared_ptr<JumpPassage> passage_ = std::make_shared<JumpPassage>();
  std::optional<Answer> answer_;
  JumpWakeup* waiting_ = nullptr;
  std::string unsent_;          // taken from the inner side, not yet by libssh
  std::string rest_;            // taken from libssh, not yet by the inner side
  std::uint32_t buffered_ = 0;  // bytes that libssh keeps because the inner side is full
  bool backlogged_ = false;     // waiting for the inner side to take more
  bool remote_eof_ = false;
  bool remote_closed_ = false;
  bool inner_gone_ = false;
  bool watched_ = false;
  bool windowless_ = false;
  bool abandoned_ = false;
  bool closed_ = false;
};

}  // namespace netfleet::ssh
