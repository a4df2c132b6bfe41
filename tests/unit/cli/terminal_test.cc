#include "dispatcher/cli/terminal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <chrono>
#include <string>

#include "common/clock.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPrompt = "Password: ";

// Reads from `fd` until `text` was seen; everything read, or what there was at the deadline.
std::string read_until(int fd, const std::string& text) {
  const auto deadline = BootClock::now() + std::chrono::seconds(20);
  std::string seen;
  while (seen.find(text) == std::string::npos) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - BootClock::now()).count();
    pollfd ready{fd, POLLIN, 0};
    if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) <= 0) break;
    char buffer[4096];
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got <= 0) break;
    seen.append(buffer, static_cast<std::size_t>(got));
  }
  return seen;
}

void say(int fd, const std::string& text) {
  if (write(fd, text.data(), text.size()) < 0) _exit(9);
}

// The process that asks: tells what came of it as one line.
[[noreturn]] void ask(int report) {
  const auto answer = read_password(kPrompt);
  if (answer) {
    say(report, "answer " + std::to_string(answer->reveal().size()) + " " +
                    std::string(answer->reveal().substr(0, 100)) + "\n");
  } else if (answer.error().signal != 0) {
    say(report, "signal " + std::to_string(answer.error().signal) + "\n");
  } else {
    say(report, "error " + answer.error().message + "\n");
  }
  _exit(0);
}

// A shell's part: starts the asking process as the foreground job, tells when it stops, continues
// it when a byte comes.
[[noreturn]] void control_job(int terminal, int report, int go_on) {
  login_tty(dup(terminal));
  signal(SIGTTOU, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  const int pipe_for_stdin = open("/dev/null", O_RDONLY);
  dup2(pipe_for_stdin, STDIN_FILENO);  // the answer must come from the terminal all the same
  const pid_t job = fork();
  if (job == 0) {
    signal(SIGINT, SIG_DFL);
    setpgid(0, 0);
    tcsetpgrp(terminal, getpid());
    signal(SIGTTOU, SIG_DFL);
    ask(report);
  }
  say(report, "pid " + std::to_string(job) + "\n");
  int status = 0;
  while (waitpid(job, &status, WUNTRACED) == job) {
    if (!WIFSTOPPED(status)) _exit(0);
    say(report, "stopped\n");
    char byte = 0;
    if (read(go_on, &byte, 1) != 1) _exit(1);
    kill(job, SIGCONT);
  }
  _exit(1);
}

class Terminal : public ::testing::Test {
 protected:
  Terminal() {
    int report[2], go_on[2];
    if (openpty(&master_, &slave_, nullptr, nullptr, nullptr) != 0 || pipe(report) != 0 ||
        pipe(go_on) != 0) {
      abort();
    }
    tcgetattr(slave_, &before_);
    shell_ = fork();
    if (shell_ == 0) {
      close(master_);
      control_job(slave_, report[1], go_on[0]);
    }
    close(report[1]);
    close(go_on[0]);
    report_ = report[0];
    go_on_ = go_on[1];
    // The prompt comes after the echo was turned off.
    prompt_ = read_until(master_, kPrompt);
    const std::string pid = read_until(report_, "\n");
    job_ = std::stoi(pid.substr(4));
  }
  ~Terminal() override {
    kill(job_, SIGKILL);
    kill(shell_, SIGKILL);
    waitpid(shell_, nullptr, 0);
    for (const int fd : {master_, slave_, report_, go_on_}) close(fd);
  }

  bool echoes() const {
    termios now{};
    EXPECT_EQ(tcgetattr(slave_, &now), 0);
    return (now.c_lflag & ECHO) != 0;
  }
  void expect_restored() const {
    termios now{};
    ASSERT_EQ(tcgetattr(slave_, &now), 0);
    EXPECT_EQ(now.c_lflag, before_.c_lflag);
    EXPECT_EQ(now.c_iflag, before_.c_iflag);
  }
  void type(const std::string& text) { say(master_, text); }
  std::string report() { return read_until(report_, "\n"); }

  int master_ = -1, slave_ = -1, report_ = -1, go_on_ = -1;
  pid_t shell_ = -1, job_ = -1;
  termios before_{};
  std::string prompt_;
};

TEST_F(Terminal, AsksWithoutEchoThoughStdinIsElsewhere) {
  EXPECT_THAT(prompt_, HasSubstr(kPrompt));
  EXPECT_FALSE(echoes());
  type("hunter2\n");
  EXPECT_EQ(report(), "answer 7 hunter2\n");
  expect_restored();
  EXPECT_THAT(read_until(master_, "\n"), Not(HasSubstr("hunter2")));
}

TEST_F(Terminal, BackspaceAndKillEditTheLine) {
  type("wrong\x15hux\x7Fnter2\n");
  EXPECT_EQ(report(), "answer 7 hunter2\n");
}

TEST_F(Terminal, AnEmptyLineIsAnAnswer) {
  type("\n");
  EXPECT_EQ(report(), "answer 0 \n");
}

TEST_F(Terminal, ControlCRestoresTheEchoAndIsReported) {
  type("hun\x03");
  EXPECT_EQ(report(), "signal " + std::to_string(SIGINT) + "\n");
  expect_restored();
}

TEST_F(Terminal, SignalsFromElsewhereRestoreTheEcho) {
  ASSERT_EQ(kill(job_, SIGTERM), 0);
  EXPECT_EQ(report(), "signal " + std::to_string(SIGTERM) + "\n");
  expect_restored();
}

TEST_F(Terminal, EndOfInputIsAnError) {
  type("\x04");
  EXPECT_EQ(report(), "error read the answer: end of input\n");
  expect_restored();
}

TEST_F(Terminal, ControlZRestoresTheEchoAndAsksAgainAfterwards) {
  type("wrong\x1A");
  EXPECT_EQ(report(), "stopped\n");
  expect_restored();
  say(go_on_, "x");
  EXPECT_THAT(read_until(master_, kPrompt), HasSubstr(kPrompt));
  EXPECT_FALSE(echoes());
  type("hunter2\n");
  EXPECT_EQ(report(), "answer 7 hunter2\n");
  expect_restored();
}

TEST_F(Terminal, ALongLineIsBounded) {
  type(std::string(2000, 'x'));
  type(std::string(2000, 'x') + "\n");
  EXPECT_THAT(report(), HasSubstr("answer 4000 xxx"));
}

TEST(NoTerminal, IsAnErrorAtOnce) {
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t child = fork();
  if (child == 0) {
    setsid();  // a session without a controlling terminal
    if (has_terminal()) _exit(3);
    ask(report[1]);
  }
  close(report[1]);
  EXPECT_THAT(read_until(report[0], "\n"), HasSubstr("error open the terminal: "));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(report[0]);
}

}  // namespace
}  // namespace netfleet
