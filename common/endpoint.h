// common: the addresses that a dispatcher binds and workers connect to, as text.
#pragma once

#include <cstdint>
#include <string>

#include "common/error.h"

namespace netfleet {

// A checked control endpoint: tcp://host:port, ipc://path or inproc://name.
class Endpoint {
 public:
  // tcp needs a port from 1 to 65535 - `room` (the ports after it are used too); IPv6 hosts stand
  // in brackets.
  static Expected<Endpoint> parse(const std::string& text, std::uint32_t room = 64);
  // Where the socket with this offset lives: 0 control, 1 sink, 2.. lanes (PROTOCOL.md §2).
  std::string at(std::uint32_t offset) const;
  // True for inproc, ipc, and tcp on 127.0.0.0/8, [::1] or localhost.
  bool is_local() const { return local_; }
  bool is_inproc() const { return scheme_ == "inproc"; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string scheme_;
  std::string base_;  // everything before the port; the whole path or name otherwise
  std::uint32_t port_ = 0;
  bool local_ = false;
};

}  // namespace netfleet
