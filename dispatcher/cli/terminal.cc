#include "dispatcher/cli/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/blocked_signals.h"
#include "common/clock.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxSecret = 4096;
constexpr Milliseconds kPatience{10 * 60'000};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

sigset_t prompt_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) sigaddset(&signals, signal);
  return signals;
}

// The terminal without echo, as long as this lives.
class NoEcho {
 public:
  // `lone`: no other key than Ctrl-C does anything to the process meanwhile.
  NoEcho(int tty, bool lone) : tty_(tty) {
    if (tcgetattr(tty_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= ICANON | ISIG;
    silent.c_iflag |= ICRNL;
    if (lone) silent.c_cc[VSUSP] = silent.c_cc[VQUIT] = _POSIX_VDISABLE;
    active_ = tcsetattr(tty_, TCSAFLUSH, &silent) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (active_) tcsetattr(tty_, TCSAFLUSH, &before_);
  }
  bool active() const { return active_; }

 private:
  int tty_;
  termios before_{};
  bool active_ = false;
};

void write_text(int tty, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(tty, text.data(), text.size());
    if (written <= 0) return;  // a prompt that cannot be seen: the read will tell
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// What ended one wait for a line.
struct Ending {
  enum class Kind { kLine, kSignal, kOther, kFailed };
  Kind kind;
  int signal = 0;
  std::string message;
};

// The typed line, wiped in the end.
class Line {
 public:
  Line() = default;
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() { clear(); }
  void clear() {
    wipe(bytes_.data(), bytes_.size());
    used_ = 0;
  }
  std::string_view text() const { return {bytes_.data(), used_}; }

  // Reads what is there; an ending when the line is complete or never will be.
  std::optional<Ending> read_from(int tty) {
    const ssize_t got = read(tty, bytes_.data() + used_, bytes_.size() - used_);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
    if (got < 0) return Ending{Ending::Kind::kFailed, 0, std::strerror(errno)};
    if (got == 0) return Ending{Ending::Kind::kFailed, 0, "end of input"};
    used_ += static_cast<std::size_t>(got);
    if (const std::size_t end = text().find('\n'); end != std::string_view::npos) {
      used_ = end;
      return Ending{Ending::Kind::kLine, 0, {}};
    }
    if (used_ == bytes_.size()) {
      return Ending{Ending::Kind::kFailed, 0,
                    fmt::format("it is longer than {} bytes", kMaxSecret)};
    }
    return std::nullopt;
  }

 private:
  std::array<char, kMaxSecret + 1> bytes_;
  std::size_t used_ = 0;
};

// Waits for a line, but not beyond what becomes readable in `other`.
Ending wait_for_line(int tty, int other, TimePoint deadline, Line& line) {
  while (true) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - BootClock::now()).count();
    if (left <= 0) return {Ending::Kind::kFailed, 0, "nobody answered in time"};
    std::array<pollfd, 2> fds = {pollfd{tty, POLLIN, 0}, pollfd{other, POLLIN, 0}};
    if (poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left, 1 << 30))) < 0) {
      if (errno == EINTR) continue;
      return {Ending::Kind::kFailed, 0, std::strerror(errno)};
    }
    if (fds[1].revents != 0) return {Ending::Kind::kOther, 0, {}};
    if (fds[0].revents != 0) {
      if (auto ending = line.read_from(tty)) return *std::move(ending);
    }
  }
}

// The same until a signal comes.
Ending wait_for_line_or_signal(int tty, int signals, Line& line) {
  const TimePoint deadline = BootClock::now() + kPatience;
  while (true) {
    Ending ending = wait_for_line(tty, signals, deadline, line);
    if (ending.kind != Ending::Kind::kOther) return ending;
    signalfd_siginfo info{};
    if (read(signals, &info, sizeof(info)) == sizeof(info)) {
      return {Ending::Kind::kSignal, static_cast<int>(info.ssi_signo), {}};
    }
  }
}

// Stops the process as Ctrl-Z does; returns when it goes on.
void stop_here() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  raise(SIGTSTP);  // pending, since it is blocked
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
}

}  // namespace

bool has_terminal() {
  return Descriptor(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)).get() >= 0;
}

std::expected<Secret, PromptFailure> read_password(const std::string& prompt) {
  const Descriptor tty(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (tty.get() < 0) {
    return std::unexpected(
        PromptFailure{fmt::format("open the terminal: {}", std::strerror(errno))});
  }
  // They would leave the terminal without echo.
  const BlockedSignals blocked(prompt_signals());
  const sigset_t watched = prompt_signals();
  const Descriptor signals(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (signals.get() < 0) {
    return std::unexpected(
        PromptFailure{fmt::format("watch for signals: {}", std::strerror(errno))});
  }
  Line line;
  while (true) {
    Ending ending;
    {
      const NoEcho no_echo(tty.get(), false);
      if (!no_echo.active()) {
        return std::unexpected(PromptFailure{"the terminal's echo cannot be turned off"});
      }
      write_text(tty.get(), prompt);
      ending = wait_for_line_or_signal(tty.get(), signals.get(), line);
    }
    write_text(tty.get(), "\n");
    if (ending.kind == Ending::Kind::kLine) return Secret(line.text());
    line.clear();
    if (ending.kind == Ending::Kind::kFailed) {
      return std::unexpected(PromptFailure{fmt::format("read the answer: {}", ending.message)});
    }
    if (ending.signal != SIGTSTP) {
      return std::unexpected(PromptFailure{"interrupted", ending.signal});
    }
    stop_here();
  }
}

Expected<Secret> CodePrompt::ask(const CodeQuestion& question, TimePoint deadline, int given_up) {
  const std::unique_lock lock(one_at_a_time_, deadline - BootClock::now());
  if (!lock) return fail("the terminal was busy with other questions");
  const Descriptor tty(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (tty.get() < 0) return fail(fmt::format("open the terminal: {}", std::strerror(errno)));
  if (tcgetpgrp(tty.get()) != getpgrp()) {
    return fail("this process has not the terminal to ask at: give --otp-command");
  }
  struct Hold {
    Console& console;
    explicit Hold(Console& held) : console(held) { console.hold_progress(true); }
    ~Hold() { console.hold_progress(false); }
  } const hold(console_);
  Line line;
  Ending ending;
  {
    const NoEcho no_echo(tty.get(), true);
    if (!no_echo.active()) return fail("the terminal's echo cannot be turned off");
    write_text(tty.get(),
               fmt::format("{}@{} asks: {} ", question.user, question.host, question.prompt));
    ending = wait_for_line(tty.get(), given_up, deadline, line);
  }
  write_text(tty.get(), "\n");
  if (ending.kind == Ending::Kind::kOther) return fail("nobody waits for it any more");
  if (ending.kind != Ending::Kind::kLine) return fail(ending.message);
  if (line.text().empty()) return fail("nothing was typed");
  return Secret(line.text());
}

}  // namespace netfleet
