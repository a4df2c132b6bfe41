#include "common/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace netfleet {
namespace {

// This process's environment, with `added` in place of what has the same names.
std::vector<char*> environment_with(std::vector<std::string>& added) {
  std::vector<char*> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    bool replaced = false;
    for (const std::string& mine : added) {
      replaced = replaced || text.starts_with(std::string_view(mine).substr(0, mine.find('=') + 1));
    }
    if (!replaced) all.push_back(*entry);
  }
  for (std::string& mine : added) all.push_back(mine.data());
  all.push_back(nullptr);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// What the child's descriptors become.
class FileActions {
 public:
  explicit FileActions(const ChildProcess::Setup& setup) {
    posix_spawn_file_actions_init(&actions_);
    set(STDIN_FILENO, setup.input, O_RDONLY);
    set(STDOUT_FILENO, setup.output, O_WRONLY);
    if (setup.errors >= 0) set(STDERR_FILENO, setup.errors, O_WRONLY);
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  void set(int target, int source, int mode) {
    if (source >= 0) {
      posix_spawn_file_actions_adddup2(&actions_, source, target);
    } else {
      posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", mode, 0);
    }
  }
  posix_spawn_file_actions_t actions_;
};

}  // namespace

Expected<ChildProcess> ChildProcess::start(Setup setup) {
  const FileActions actions(setup);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const std::vector<char*> arguments = pointers(setup.arguments);
  const std::vector<char*> environment = environment_with(setup.environment);
  ChildProcess child;
  const int error = posix_spawnp(&child.pid_, arguments[0], actions.get(), &attributes,
                                 arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    child.pid_ = 0;
    return fail(std::strerror(error));
  }
  // Not pidfd_open(): glibc 2.36 declares it without extern "C".
  child.ended_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, child.pid_, 0)));
  if (child.ended_.get() < 0) return fail(std::strerror(errno));
  return child;
}

ChildProcess::~ChildProcess() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  reap();
}

// The wait status of one that has ended.
int ChildProcess::reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

Expected<void> ChildProcess::result() {
  const int status = reap();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status)) return fail(fmt::format("it ended with status {}", WEXITSTATUS(status)));
  return fail(fmt::format("it was ended by signal {}", WTERMSIG(status)));
}

Expected<void> ChildProcess::wait(TimePoint deadline, int given_up) {
  pollfd fds[] = {{ended_.get(), POLLIN, 0}, {given_up, POLLIN, 0}};
  const char* why = nullptr;
  while (why == nullptr) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - BootClock::now()).count();
    const auto patience = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    const int ready = poll(fds, 2, patience);
    if (ready < 0 && errno != EINTR) return fail(std::strerror(errno));
    if (ready > 0 && fds[0].revents != 0) return result();
    if (ready > 0) why = "nobody waits for it any more";
    if (ready == 0 && left <= 0) why = "it took too long";
  }
  kill(pid_, SIGKILL);
  reap();
  return fail(why);
}

}  // namespace netfleet
