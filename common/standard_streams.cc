#include "common/standard_streams.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/check.h"

namespace netfleet {
namespace {

// Errno, or 0 when all of it is written.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

void occupy_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest number that is free is this one; the wrong direction keeps it unusable.
    const int opened = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    CHECK(opened == fd);
  }
}

void print_error(std::string_view text) { write_all(STDERR_FILENO, text); }

Expected<bool> print_output(std::string_view text) {
  const int failed = write_all(STDOUT_FILENO, text);
  if (failed == 0) return true;
  if (failed == EPIPE) return false;
  return fail(fmt::format("write standard output: {}", std::strerror(failed)));
}

}  // namespace netfleet
