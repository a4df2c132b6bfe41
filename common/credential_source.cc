#include "common/credential_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "common/clock.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxSecret = 4096;
constexpr Milliseconds kCommandLimit{30'000};

// Closes a descriptor on the way out.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Bytes up to the first line's end; wiped in the end.
class FirstLine {
 public:
  FirstLine() = default;
  FirstLine(const FirstLine&) = delete;
  FirstLine& operator=(const FirstLine&) = delete;
  ~FirstLine() { wipe(bytes_.data(), bytes_.size()); }

  // Reads once. What comes after the first line is read and forgotten.
  ssize_t read_from(int fd) {
    if (complete_) {
      std::array<char, 4096> rest;
      const ssize_t got = read(fd, rest.data(), rest.size());
      wipe(rest.data(), rest.size());
      return got;
    }
    const ssize_t got = read(fd, bytes_.data() + used_, bytes_.size() - used_);
    if (got <= 0) return got;
    used_ += static_cast<std::size_t>(got);
    complete_ = text().size() < used_ || used_ == bytes_.size();
    return got;
  }
  bool complete() const { return complete_; }

  Expected<Secret> secret() const {
    std::string_view line = text();
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return fail("its first line is empty");
    if (line.size() > kMaxSecret) {
      return fail(fmt::format("its first line is longer than {} bytes", kMaxSecret));
    }
    if (line.find('\0') != std::string_view::npos) return fail("its first line holds a NUL byte");
    return Secret(line);
  }

 private:
  std::string_view text() const {
    const std::string_view all(bytes_.data(), used_);
    return all.substr(0, all.find('\n'));
  }

  std::array<char, kMaxSecret + 2> bytes_;
  std::size_t used_ = 0;
  bool complete_ = false;
};

Expected<Secret> read_environment(const std::string& variable) {
  const char* value = getenv(variable.c_str());
  if (value == nullptr) return fail("it is not set");
  if (*value == '\0') return fail("it is empty");
  if (std::strlen(value) > kMaxSecret) {
    return fail(fmt::format("it is longer than {} bytes", kMaxSecret));
  }
  return Secret(value);
}

Expected<Secret> read_secret_file(const std::string& path, std::vector<std::string>& warnings) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) return fail(std::strerror(errno));
  if (S_ISREG(status.st_mode) && (status.st_mode & 077) != 0) {
    warnings.push_back(
        fmt::format("{} holds a secret and others may read it: chmod 600 {}", path, path));
  }
  FirstLine line;
  while (!line.complete()) {
    const ssize_t got = line.read_from(file.get());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(std::strerror(errno));
    if (got == 0) break;
  }
  return line.secret();
}

// A shell command under way. Kills and reaps it when it has not ended by itself.
class Shell {
 public:
  static Expected<Shell> start(const std::string& command) {
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
    const int error =
        posix_spawn(&shell.pid_, "/bin/sh", &actions, &attributes, arguments, environ);
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

Expected<Secret> read_command(const std::string& command) {
  auto shell = Shell::start(command);
  if (!shell) return std::unexpected(shell.error());
  const TimePoint deadline = BootClock::now() + kCommandLimit;
  FirstLine line;
  // First all of the output, then the end: a process left behind may keep the output open, so the
  // command's own end counts too.
  while (true) {
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline - BootClock::now()).count();
    if (left <= 0) return fail(fmt::format("it took more than {} s", kCommandLimit.count() / 1000));
    std::array<pollfd, 2> fds = {pollfd{shell->output.get(), POLLIN, 0},
                                 pollfd{shell->ended.get(), POLLIN, 0}};
    if (poll(fds.data(), fds.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return fail(std::strerror(errno));
    }
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

Expected<Credential::Key> read_key(const std::string& path, const CredentialOptions& options,
                                   const NeedsPassphrase& needs_passphrase,
                                   const AskPassphrase& ask, std::vector<std::string>& warnings) {
  Credential::Key key;
  key.path = path;
  std::string certificate = path + "-cert.pub";
  if (access(certificate.c_str(), R_OK) == 0) key.certificate = std::move(certificate);
  const auto encrypted = needs_passphrase(path);
  if (!encrypted) return std::unexpected(encrypted.error());
  if (!*encrypted) return key;
  auto passphrase =
      options.key_passphrase_env.empty()
          ? ask(path)
          : read_secret({SecretSource::Kind::kEnvironment, options.key_passphrase_env},
                        "passphrase", warnings);
  if (!passphrase) return std::unexpected(passphrase.error());
  key.passphrase = *std::move(passphrase);
  return key;
}

}  // namespace

Expected<Secret> read_secret(const SecretSource& source, std::string_view what,
                             std::vector<std::string>& warnings) {
  CHECK(source.given());
  Expected<Secret> secret;
  std::string from;
  switch (source.kind) {
    case SecretSource::Kind::kEnvironment:
      from = "environment variable " + source.argument;
      secret = read_environment(source.argument);
      break;
    case SecretSource::Kind::kFile:
      from = source.argument;
      secret = read_secret_file(source.argument, warnings);
      break;
    default:
      // The command itself is not shown: it may hold a token.
      from = "the command";
      secret = read_command(source.argument);
  }
  if (!secret) {
    return fail(fmt::format("read the {} from {}: {}", what, from, secret.error().message));
  }
  return secret;
}

Expected<bool> agent_wanted(AgentUse use) {
  const char* socket = getenv("SSH_AUTH_SOCK");
  const bool is_there = socket != nullptr && *socket != '\0';
  if (use == AgentUse::kOn && !is_there) return fail("--agent: SSH_AUTH_SOCK is not set");
  return use != AgentUse::kOff && is_there;
}

Expected<Credential> read_credential(const CredentialOptions& options,
                                     const NeedsPassphrase& needs_passphrase,
                                     const AskPassphrase& ask, std::vector<std::string>& warnings) {
  Credential credential;
  const auto use_agent = agent_wanted(options.agent);
  if (!use_agent) return std::unexpected(use_agent.error());
  credential.use_agent = *use_agent;
  if (options.password.given()) {
    auto password = read_secret(options.password, "password", warnings);
    if (!password) return std::unexpected(password.error());
    credential.password = *std::move(password);
  }
  if (options.enable_password.given()) {
    auto password = read_secret(options.enable_password, "enable password", warnings);
    if (!password) return std::unexpected(password.error());
    credential.enable_password = *std::move(password);
  }
  for (const std::string& path : options.keys) {
    auto key = read_key(path, options, needs_passphrase, ask, warnings);
    if (!key) return std::unexpected(key.error());
    credential.keys.push_back(*std::move(key));
  }
  return credential;
}

}  // namespace netfleet
