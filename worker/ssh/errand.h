// worker/ssh: what takes a while and would block a session thread (a name's lookup, a one-time
// code), done on a thread of a pool while the session waits.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace netfleet::ssh {

// What a session thread and a pool thread share. Once abandoned, the pool touches neither the
// executor nor the timer, which may be gone by then.
template <typename Answer>
struct Errand {
  std::mutex mutex;
  bool abandoned = false;
  asio::any_io_executor executor;
  asio::steady_timer* until = nullptr;
  std::optional<Answer> answer;

  void run(const std::shared_ptr<Errand>& self, const std::function<Answer()>& work) {
    {
      const std::lock_guard lock(mutex);
      if (abandoned) return;
    }
    Answer result = work();
    const std::lock_guard lock(mutex);
    if (abandoned) return;
    answer.emplace(std::move(result));
    asio::post(executor, [self] {
      if (!self->abandoned) self->until->cancel();
    });
  }
};

// What `work` returns, from a thread of `pool`. Nothing when `until` expires or is cancelled first:
// a late answer is dropped. `until` and `pool` belong to the caller and stay until the call ends.
template <typename Answer>
asio::awaitable<std::optional<Answer>> run_errand(asio::thread_pool& pool,
                                                  std::function<Answer()> work,
                                                  asio::steady_timer& until) {
  struct Abandon {
    std::shared_ptr<Errand<Answer>> errand;
    ~Abandon() {
      const std::lock_guard lock(errand->mutex);
      errand->abandoned = true;
    }
  };
  auto errand = std::make_shared<Errand<Answer>>();
  errand->executor = co_await asio::this_coro::executor;
  errand->until = &until;
  const Abandon abandon{errand};
  asio::post(pool, [errand, work = std::move(work)] { errand->run(errand, work); });
  asio::error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  co_await until.async_wait(token);
  const std::lock_guard lock(errand->mutex);
  co_return std::move(errand->answer);
}

}  // namespace netfleet::ssh
