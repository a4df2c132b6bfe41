#include "worker/ssh/resolver.h"

#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include "worker/ssh/errand.h"

namespace netfleet::ssh {
namespace {

Expected<Resolver::Endpoints> look_up(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (const int code = getaddrinfo(address.c_str(), nullptr, &hints, &list); code != 0) {
    return fail(code == EAI_SYSTEM ? std::generic_category().message(errno)
                                   : std::string(gai_strerror(code)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  Resolver::Endpoints endpoints;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.resize(entry->ai_addrlen);
    endpoint.port(port);
    endpoints.push_back(endpoint);
  }
  if (endpoints.empty()) return fail("the name has no address");
  return endpoints;
}

}  // namespace

asio::awaitable<std::optional<Expected<Resolver::Endpoints>>> Resolver::resolve(
    std::string address, std::uint16_t port, asio::steady_timer& until) {
  asio::error_code not_literal;
  const auto literal = asio::ip::make_address(address, not_literal);
  if (!not_literal) {
    Endpoints endpoints;
    endpoints.emplace_back(literal, port);
    co_return Expected<Endpoints>(std::move(endpoints));
  }
  std::function<Expected<Endpoints>()> work = [address, port] { return look_up(address, port); };
  co_return co_await run_errand(pool_, std::move(work), until);
}

}  // namespace netfleet::ssh
