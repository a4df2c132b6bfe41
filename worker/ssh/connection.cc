#include "worker/ssh/connection.h"

#include <utility>

#include "worker/ssh/link.h"
#include "worker/ssh/login.h"

namespace netfleet::ssh {

Connection::Connection(asio::any_io_executor executor)
    : link_(std::make_unique<Link>(std::move(executor))) {}
Connection::~Connection() = default;

asio::awaitable<Attempt<void>> Connection::connect(Target target, Resolver& resolver,
                                                   KnownHosts& known_hosts, TimePoint deadline) {
  return link_->connect(std::move(target), resolver, known_hosts, deadline);
}

asio::awaitable<Attempt<void>> Connection::authenticate(std::string user,
                                                        std::shared_ptr<const Identity> identity,
                                                        TimePoint deadline) {
  return log_in(*link_, std::move(user), std::move(identity), deadline);
}

asio::awaitable<Attempt<void>> Connection::open_shell(TimePoint deadline) {
  return link_->open_shell(deadline);
}

asio::awaitable<Attempt<Executed>> Connection::execute(std::string command, TakeOutput take,
                                                       TimePoint deadline) {
  return link_->execute(std::move(command), std::move(take), deadline);
}

asio::awaitable<Attempt<std::size_t>> Connection::read(std::span<char> buffer, TimePoint deadline) {
  return link_->read(buffer, deadline);
}

asio::awaitable<Attempt<void>> Connection::write(std::string bytes, TimePoint deadline) {
  return link_->write(std::move(bytes), deadline);
}

asio::awaitable<void> Connection::close(TimePoint deadline) { return link_->close(deadline); }

void Connection::adopt(int fd) { link_->adopt(fd); }

void Connection::abort() { link_->abort(); }

const std::string& Connection::server_identification() const {
  return link_->server_identification;
}
const std::string& Connection::banner() const { return link_->banner; }
const std::string& Connection::peer_address() const { return link_->peer_address; }
std::uint64_t Connection::host_key_digest() const { return link_->host_key_digest(); }

}  // namespace netfleet::ssh
