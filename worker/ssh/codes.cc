#include "worker/ssh/codes.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "worker/ssh/errand.h"

namespace netfleet::ssh {
namespace {

// Says "given up" through a descriptor that the session and the one who is asked share. It is made
// when somebody is asked: sessions that wait for their turn need none.
class GivenUp {
 public:
  GivenUp() = default;
  ~GivenUp() {
    if (fd_ >= 0) close(fd_);
  }
  GivenUp(const GivenUp&) = delete;
  GivenUp& operator=(const GivenUp&) = delete;

  Expected<int> open() {
    const std::lock_guard lock(mutex_);
    fd_ = eventfd(told_ ? 1 : 0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd_ < 0) return fail(std::strerror(errno));
    return fd_;
  }
  void tell() {
    const std::lock_guard lock(mutex_);
    told_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = fd_ < 0 ? 0 : write(fd_, &one, sizeof one);
  }

 private:
  std::mutex mutex_;
  bool told_ = false;
  int fd_ = -1;
};

struct TellInTheEnd {
  std::shared_ptr<GivenUp> given_up;
  ~TellInTheEnd() { given_up->tell(); }
};

}  // namespace

asio::awaitable<std::optional<Expected<Secret>>> Codes::get(CodeQuestion question,
                                                            TimePoint deadline,
                                                            asio::steady_timer& until) {
  std::call_once(started_, [this] { pool_ = std::make_unique<asio::thread_pool>(at_once_); });
  const auto given_up = std::make_shared<GivenUp>();
  const TellInTheEnd tell{given_up};
  // Shared, since std::function copies what it holds.
  auto asked = std::make_shared<const CodeQuestion>(std::move(question));
  std::function<std::shared_ptr<Expected<Secret>>()> work = [ask = ask_, asked, deadline,
                                                             given_up] {
    const auto fd = given_up->open();
    if (!fd) return std::make_shared<Expected<Secret>>(std::unexpected(fd.error()));
    return std::make_shared<Expected<Secret>>(ask(*asked, deadline, *fd));
  };
  auto answer = co_await run_errand(*pool_, std::move(work), until);
  if (!answer) co_return std::nullopt;
  co_return std::move(**answer);
}

}  // namespace netfleet::ssh
