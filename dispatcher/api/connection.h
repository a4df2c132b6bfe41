// dispatcher/api: one connection of one request, with bounds that a library's sockets lack: until
// when all of the request must be there, how many bytes that may be, how long a reader may take for
// what it is sent. Any descriptor, above select()'s, too. One thread.
#pragma once

#include <httplib.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>

#include "common/clock.h"
#include "dispatcher/api/descriptor.h"
#include "dispatcher/api/tls.h"

namespace netfleet {

struct ConnectionLimits {
  TimePoint request_until;
  std::size_t request_bytes;  // header and body
  Milliseconds write;         // for up to kPiece bytes
};

// Readability of `stop_fd` ends the reading, and all writing soon after.
class Connection final : public httplib::Stream {
 public:
  static constexpr std::size_t kPiece = 64u << 10;

  Connection(ApiDescriptor socket, const TlsContext& tls, int stop_fd, ConnectionLimits limits);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // TLS, if there is any; false: not in time, or no TLS.
  bool handshake();
  // Once everything is written. Not `all_read`: the rest of the request is taken and forgotten for
  // a while, so that the peer reads its answer to the end.
  void finish(bool all_read);
  // "127.0.0.1:40312", "[::1]:40312"
  const std::string& peer() const { return peer_; }
  // More was sent than a request may be, or it came too slowly.
  bool over_bytes() const { return over_bytes_; }
  bool too_slow() const { return too_slow_; }

  bool is_readable() const override { return true; }
  bool is_writable() const override { return open_; }
  // 0 or less: nothing more, by whatever reason.
  ssize_t read(char* bytes, size_t size) override;
  // All of it, or less than that and never any more.
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string&, int&) const override {}
  // Only asked whether select() could take it; nothing is done with it.
  socket_t socket() const override { return 0; }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  enum class Wait : unsigned char { kReady, kStop, kOver };
  Wait wait(short events, TimePoint until, bool heed_stop) const;
  // One attempt; > 0: bytes, 0: the end or an error, < 0: -POLLIN or -POLLOUT, wait for it.
  int try_read(char* bytes, size_t size);
  int try_write(const char* bytes, size_t size);
  int ssl_wants(int result);
  bool write_piece(const char* bytes, size_t size);

  ApiDescriptor socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  int stop_fd_;
  ConnectionLimits limits_;
  std::string ip_;
  int port_ = 0;
  std::string peer_;
  std::array<char, 4096> ahead_;  // read, but not yet asked for
  std::size_t ahead_begin_ = 0;
  std::size_t ahead_end_ = 0;
  std::size_t came_ = 0;
  bool open_ = true;
  bool ended_ = false;  // the peer sends no more
  bool over_bytes_ = false;
  bool too_slow_ = false;
};

}  // namespace netfleet
