#include "dispatcher/serve/first_token.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "dispatcher/api/tokens.h"

namespace netfleet {
namespace {

std::unexpected<Error> could_not(const char* what, const std::string& path) {
  return fail(fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

// Whole, or not at all; for its owner only.
Expected<void> put_file(const std::string& path, std::string_view text) {
  std::string fresh = path + ".new-XXXXXX";
  const int fd = mkostemp(fresh.data(), O_CLOEXEC);
  if (fd < 0) return could_not("create", path);
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  if (written && rename(fresh.c_str(), path.c_str()) == 0) return {};
  const auto error = could_not("write", path);
  unlink(fresh.c_str());
  return error;
}

}  // namespace

Expected<void> make_first_token(const std::string& tokens, const std::string& token) {
  if (access(tokens.c_str(), F_OK) == 0) return {};
  const auto made = make_token("owner", Scope::kChange);
  if (!made) return std::unexpected(made.error());
  if (auto put = put_file(token, made->token + "\n"); !put) return put;
  return put_file(tokens, made->line + "\n");
}

}  // namespace netfleet
