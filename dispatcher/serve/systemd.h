// dispatcher/serve: what a service tells the manager that started it (sd_notify(3)): one datagram
// to the socket in $NOTIFY_SOCKET. Without that variable nothing is said.
#pragma once

#include <string>

namespace netfleet {

class ServiceManager {
 public:
  // `socket`: the variable's value; empty: there is no manager.
  explicit ServiceManager(std::string socket) : socket_(std::move(socket)) {}

  void ready(const std::string& status) const;
  void reloading() const;  // ready() follows
  void stopping() const;

 private:
  void tell(const std::string& text) const;

  std::string socket_;
};

}  // namespace netfleet
