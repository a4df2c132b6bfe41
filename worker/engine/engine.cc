#include "worker/engine/engine.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <exception>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "worker/engine/session.h"
#include "worker/ssh/jump_pool.h"

namespace netfleet {
namespace {
constexpr std::size_t kReadBuffer = 64 << 10;
}  // namespace

// An event loop and the sessions that live on it. Only `load` is shared with the owner's thread.
struct Engine::SessionThread {
  SessionThread(EngineParts& engine_parts, ssh::JumpLogins& jump_logins,
                std::uint32_t thread_number)
      : parts(engine_parts),
        number(thread_number),
        jumps(loop.get_executor(), parts.resolver, parts.known_hosts, jump_logins),
        thread([this] { run(); }) {}

  ~SessionThread() {
    asio::post(loop, [this] {
      for (auto& [key, session] : sessions) session->stop("stopped: the worker is stopping");
      stopping = true;
      if (sessions.empty()) jumps.stop();
      work.reset();
    });
    thread.join();
  }

  void run() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are the main thread's business
    loop.run();
  }

  void start(SessionOrder order) {
    const TaskKey key = order.key;
    auto session = std::make_shared<Session>(parts, jumps, read_buffer, number, std::move(order));
    sessions[key] = session;
    asio::co_spawn(loop, session->run(),
                   [this, key, session](std::exception_ptr defect, TaskResult result) {
                     if (defect) result = session->defective(defect);
                     sessions.erase(key);
                     if (stopping && sessions.empty()) jumps.stop();
                     --load;
                     parts.events.push(SessionEnded{key, std::move(result), session->fenced()});
                   });
  }

  EngineParts& parts;
  const std::uint32_t number;
  std::atomic<std::uint32_t> load{0};
  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
  ssh::JumpPool jumps;
  std::vector<char> read_buffer = std::vector<char>(kReadBuffer);
  bool stopping = false;
  std::unordered_map<TaskKey, std::shared_ptr<Session>, TaskKeyHash> sessions;
  std::jthread thread;
};

Engine::Engine(EngineParts parts, std::uint32_t threads) : parts_(parts) {
  for (std::uint32_t number = 0; number < threads; ++number) {
    threads_.push_back(std::make_unique<SessionThread>(parts_, jump_logins_, number));
  }
}

Engine::~Engine() = default;

void Engine::start(SessionOrder order) {
  const auto least = std::min_element(
      threads_.begin(), threads_.end(),
      [](const auto& a, const auto& b) { return a->load.load() < b->load.load(); });
  SessionThread& thread = **least;
  ++thread.load;
  asio::post(thread.loop,
             [&thread, order = std::move(order)]() mutable { thread.start(std::move(order)); });
}

void Engine::stop(TaskKey task, std::string reason) {
  for (auto& thread : threads_) {
    asio::post(thread->loop, [thread = thread.get(), task, reason] {
      const auto session = thread->sessions.find(task);
      if (session != thread->sessions.end()) session->second->stop(reason);
    });
  }
}

}  // namespace netfleet
