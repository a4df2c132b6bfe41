#include "common/credential_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/child_process.h"
#include "common/credential_line.h"

namespace netfleet {
namespace {

// Runs it with its output at `write_end`.
Expected<ChildProcess> start_shell(const SecretCommand& wanted, int write_end) {
  return ChildProcess::start({.arguments = {"/bin/sh", "-c", wanted.command},
                              .environment = wanted.environment,
                              .output = write_end});
}

}  // namespace

Expected<Secret> run_secret_command(const SecretCommand& wanted) {
  const TimePoint begun = BootClock::now();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(std::strerror(errno));
  Descriptor output(ends[0]);
  Descriptor write_end(ends[1]);
  auto shell = start_shell(wanted, write_end.get());
  if (!shell) return std::unexpected(shell.error());
  write_end.reset();
  FirstLine line;
  // First all of the output, then the end: a process left behind may keep the output open, so the
  // command's own end counts too.
  while (true) {
    const auto left = std::chrono::ceil<Milliseconds>(wanted.deadline - BootClock::now()).count();
    if (left <= 0) {
      const auto seconds = std::chrono::round<std::chrono::seconds>(wanted.deadline - begun);
      return fail(fmt::format("it took more than {} s", seconds.count()));
    }
    std::array<pollfd, 3> fds = {pollfd{output.get(), POLLIN, 0},
                                 pollfd{shell->ended_fd(), POLLIN, 0},
                                 pollfd{wanted.given_up, POLLIN, 0}};
    const auto patience = static_cast<int>(std::min<std::int64_t>(left, 3'600'000));
    if (poll(fds.data(), fds.size(), patience) < 0 && errno != EINTR) {
      return fail(std::strerror(errno));
    }
    if (fds[2].revents != 0) return fail("nobody waits for it any more");
    if (fds[0].revents != 0) {
      const ssize_t got = line.read_from(output.get());
      if (got < 0 && errno != EINTR) return fail(std::strerror(errno));
      if (got == 0) output.reset();
    } else if (fds[1].revents != 0) {
      break;
    }
  }
  if (const auto ended = shell->result(); !ended) return std::unexpected(ended.error());
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
