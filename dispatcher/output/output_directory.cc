#include "dispatcher/output/output_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "common/file_name.h"

namespace netfleet {
namespace {

std::unexpected<Error> write_failure(const std::string& file, int cause) {
  return fail(fmt::format("write {}: {}", file, std::strerror(cause)));
}

// 0, or the errno of what failed.
int write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// The same, as the file holds it.
Expected<void> write_content(int fd, const std::string& file, const TaskResult& result) {
  int cause = 0;
  const auto put = [fd, &cause](std::string_view bytes) {
    if (cause == 0) cause = write_whole(fd, bytes);
  };
  if (auto read = read_file_content(result, put); !read) return read;
  if (cause != 0) return write_failure(file, cause);
  return {};
}

}  // namespace

Expected<void> read_file_content(const TaskResult& result,
                                 const std::function<void(std::string_view)>& put) {
  const bool several = result.commands.size() > 1;
  for (const CommandResult& command : result.commands) {
    if (several) put(fmt::format("--- {}\n", command.command));
    if (auto read = command.output.read(put); !read) return read;
    if (several && !command.output.empty() && !command.output.ends_line()) put("\n");
  }
  return {};
}

std::string output_file_name(std::string_view host) { return file_name_of(host) + ".txt"; }

Expected<OutputDirectory> OutputDirectory::open(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail(fmt::format("create directory {}: {}", path, error.message()));
  if (access(path.c_str(), W_OK | X_OK) != 0) {
    return fail(fmt::format("write to directory {}: {}", path, std::strerror(errno)));
  }
  return OutputDirectory(path);
}

Expected<void> OutputDirectory::write(const TaskSpec& task, const TaskResult& result) {
  if (result.outcome != Outcome::kOk || result.commands.empty()) return {};
  const std::string file = path_ + "/" + output_file_name(task.host);
  // Unlike any host's file: it begins with a dot. Whoever else writes here has another process id.
  const std::string temporary = fmt::format("{}/.netfleet-{}.tmp", path_, getpid());
  const int fd =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return write_failure(temporary, errno);
  auto written = write_content(fd, file, result);
  if (close(fd) != 0 && written) written = write_failure(file, errno);
  if (written && std::rename(temporary.c_str(), file.c_str()) != 0) {
    written = write_failure(file, errno);
  }
  if (!written) unlink(temporary.c_str());
  return written;
}

}  // namespace netfleet
