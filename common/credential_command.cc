#include "common/credential_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "common/credential_line.h"

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

// A shell command under way. Kills and reaps it when it has not ended by itself.
class Shell {
 public:
  static Expected<Shell> start(const std::string& command, std::vector<std::string> added) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return fail(std::strerror(errno));
    Shell shell;
    shell.output = Descriptor(ends[0]);
    const Descriptor write_end(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string shell_path = "/bin/sh", option = "-c", text = command;
    char* const arguments[] = {shell_path.data(), option.data(), text.data(), nullptr};
    const std::vector<char*> environment = environment_with(added);
    const int error =
        posix_spawn(&shell.pid_, "/bin/sh", &actions, &attributes, arguments, environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
      shell.pid_ = 0;
      return fail(std::strerror(error));
    }
    // Not pidfd_open(): glibc 2.36 declares it without extern "C".
    shell.ended = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, shell.pid_, 0)));
    if (shell.ended.get() < 0) return fail(std::strerror(errno));
    return shell;
  }

  Shell() = default;
  Shell(Shell&& other) noexcept
      : output(std::move(other.output)),
        ended(std::move(other.ended)),
        pid_(std::exchange(other.pid_, 0)) {}
  Shell& operator=(Shell&&) = delete;
  ~Shell() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    reap();
  }

  // The wait status of a command that has ended.
  int reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

  Descriptor output;
  Descriptor ended;  // readable once the command has ended

 private:
  pid_t pid_ = 0;
};

Expected<void> check_exit(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status)) return fail(fmt::format("it ended with status {}", WEXITSTATUS(status)));
  return fail(fmt::format("it was ended by signal {}", WTERMSIG(status)));
}

}  // namespace

Expected<Secret> run_secret_command(const SecretCommand& wanted) {
  const TimePoint begun = BootClock::now();
  auto shell = Shell::start(wanted.command, wanted.environment);
  if (!shell) return std::unexpected(shell.error());
  FirstLine line;
  // First all of the output, then the end: a process left behind may keep the output open, so the
  // command's own end counts too.
  while (true) {
    const auto left = std::chrono::ceil<Milliseconds>(wanted.deadline - BootClock::now()).count();
    if (left <= 0) {
      const auto seconds = std::chrono::round<std::chrono::seconds>(wanted.deadline - begun);
      return fail(fmt::format("it took more than {} s", seconds.count()));
    }
    std::array<pollfd, 3> fds = {pollfd{shell->output.get(), POLLIN, 0},
                                 pollfd{shell->ended.get(), POLLIN, 0},
                                 pollfd{wanted.given_up, POLLIN, 0}};
    const auto patience = static_cast<int>(std::min<std::int64_t>(left, 3'600'000));
    if (poll(fds.data(), fds.size(), patience) < 0 && errno != EINTR) {
      return fail(std::strerror(errno));
    }
    if (fds[2].revents != 0) return fail("nobody waits for it any more");
    if (fds[0].revents != 0) {
      const ssize_t got = line.read_from(shell->output.get());
      if (got < 0 && errno != EINTR) return fail(std::strerror(errno));
      if (got == 0) shell->output.reset();
    } else if (fds[1].revents != 0) {
      break;
    }
  }
  if (const auto ended = check_exit(shell->reap()); !ended) return std::unexpected(ended.error());
  return line.secret();
}

AskCode codes_from_command(std::string command) {
  return [command = std::move(command)](const CodeQuestion& question, TimePoint deadline,
                                        int given_up) {
    return run_secret_command({command,
                               {"NETFLEET_HOST=" + question.host, "NETFLEET_USER=" + question.user,
                                "NETFLEET_PROMPT=" + question.prompt},
                               deadline,
                               given_up});
  };
}

}  // namespace netfleet
