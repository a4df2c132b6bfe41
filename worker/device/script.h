// worker/device: the coroutine type in which a dialogue is written, so that it reads top to bottom.
// One script awaits another (a call) or the dialogue's next input; nothing else, no threads.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <utility>

namespace netfleet {

// Owns its frame: destroying the outermost script ends everything that it awaits. Starts when it is
// first awaited or start()ed. Parameters that outlive the caller only; name a script before
// awaiting it (g++ 12 destroys some temporaries of an await twice).
class [[nodiscard]] Script {
 public:
  struct promise_type {
    std::coroutine_handle<> caller = std::noop_coroutine();

    Script get_return_object() {
      return Script(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct ReturnToCaller {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> done) noexcept {
          return done.promise().caller;
        }
        void await_resume() noexcept {}
      };
      return ReturnToCaller{};
    }
    void return_void() {}
    // Only std::bad_alloc could come this far.
    void unhandled_exception() { std::abort(); }
  };

  Script() = default;
  Script(Script&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Script& operator=(Script&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  ~Script() {
    if (handle_) handle_.destroy();
  }

  void start() { handle_.resume(); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.promise().caller = caller;
    return handle_;
  }
  void await_resume() const noexcept {}

 private:
  explicit Script(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace netfleet
