#include "dispatcher/inventory/read_ssh_config.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace netfleet {
namespace {

constexpr std::size_t kMostText = 8u << 20;

enum class Writers : std::uint8_t { kAnybody, kOwnerAlone };

struct Closing {
  int fd;
  ~Closing() {
    if (fd >= 0) close(fd);
  }
};

Expected<std::string> read_text(const std::string& path, Writers writers) {
  const Closing file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status{};
  if (file.fd < 0 || fstat(file.fd, &status) != 0) {
    return fail(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  if (S_ISDIR(status.st_mode)) return fail(fmt::format("{}: this is a directory", path));
  const bool foreign = (status.st_uid != 0 && status.st_uid != getuid()) ||
                       (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if (writers == Writers::kOwnerAlone && foreign) {
    return fail(fmt::format("{}: others own it or may write to it; give --ssh-config", path));
  }
  std::string text;
  std::array<char, 16384> chunk;
  while (text.size() <= kMostText) {
    const ssize_t size = read(file.fd, chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(fmt::format("{}: {}", path, std::strerror(errno)));
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
  }
  return fail(fmt::format("{}: more than {} MiB", path, kMostText >> 20));
}

// What an Include names, as glob(7) does.
Expected<std::vector<SshConfig::File>> read_included(std::string pattern, const std::string& home,
                                                     Writers writers) {
  if (pattern.starts_with("~/")) {
    pattern = home + pattern.substr(1);
  } else if (!pattern.starts_with('/')) {
    pattern = home + "/.ssh/" + pattern;
  }
  struct Found {
    glob_t paths{};
    ~Found() { globfree(&paths); }
  } found;
  const int code = glob(pattern.c_str(), 0, nullptr, &found.paths);
  if (code == GLOB_NOMATCH) return std::vector<SshConfig::File>{};
  if (code != 0) return fail(fmt::format("{}: it cannot be searched", pattern));
  std::vector<SshConfig::File> files;
  for (std::size_t i = 0; i < found.paths.gl_pathc; ++i) {
    std::string path = found.paths.gl_pathv[i];
    auto text = read_text(path, writers);
    if (!text) return std::unexpected(text.error());
    files.push_back({std::move(path), *std::move(text)});
  }
  return files;
}

}  // namespace

Expected<std::optional<SshConfig>> read_ssh_config(const std::string& path,
                                                   const std::string& home) {
  const bool own = path.empty();
  const std::string place = own ? home + "/.ssh/config" : path;
  if (own && (home.empty() || access(place.c_str(), F_OK) != 0)) return std::nullopt;
  const Writers writers = own ? Writers::kOwnerAlone : Writers::kAnybody;
  auto text = read_text(place, writers);
  if (!text) return std::unexpected(text.error());
  auto config = SshConfig::parse({place, *std::move(text)}, [&](const std::string& pattern) {
    return read_included(pattern, home, writers);
  });
  if (!config) return std::unexpected(config.error());
  return *std::move(config);
}

}  // namespace netfleet
