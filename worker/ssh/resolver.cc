#include "worker/ssh/resolver.h"

#include <netdb.h>

#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>
#include <mutex>
#include <utility>

namespace netfleet::ssh {
namespace {

// What a session thread and a pool thread share about one question. Once abandoned, the pool
// touches neither the executor nor the timer, which may be gone by then.
struct Question {
  std::mutex mutex;
  bool abandoned = false;
  asio::any_io_executor executor;
  asio::steady_timer* until = nullptr;
  std::optional<Expected<Resolver::Endpoints>> answer;
};

struct Abandon {
  std::shared_ptr<Question> question;
  ~Abandon() {
    const std::lock_guard lock(question->mutex);
    question->abandoned = true;
  }
};

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

void answer(const std::shared_ptr<Question>& question, const std::string& address,
            std::uint16_t port) {
  {
    const std::lock_guard lock(question->mutex);
    if (question->abandoned) return;
  }
  auto result = look_up(address, port);
  const std::lock_guard lock(question->mutex);
  if (question->abandoned) return;
  question->answer = std::move(result);
  asio::post(question->executor, [question] {
    if (!question->abandoned) question->until->cancel();
  });
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
  auto question = std::make_shared<Question>();
  question->executor = co_await asio::this_coro::executor;
  question->until = &until;
  const Abandon abandon{question};
  asio::post(pool_, [question, address, port] { answer(question, address, port); });
  asio::error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  co_await until.async_wait(token);
  const std::lock_guard lock(question->mutex);
  co_return std::move(question->answer);
}

}  // namespace netfleet::ssh
