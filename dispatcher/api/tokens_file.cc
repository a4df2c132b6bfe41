// Tokens files as files, and new tokens: what of tokens.h is not pure.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/secret.h"
#include "common/utf8.h"
#include "dispatcher/api/descriptor.h"
#include "dispatcher/api/tokens.h"

namespace netfleet {
namespace {

constexpr std::size_t kLargestFile = 256u << 10;

// RFC 4648, for URLs, without padding.
std::string base64_url(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<std::uint8_t>(byte);
    have += 8;
    for (; have >= 6; have -= 6) text += kDigits[bits >> (have - 6) & 63];
  }
  if (have > 0) text += kDigits[bits << (6 - have) & 63];
  return text;
}

}  // namespace

Expected<Tokens> read_tokens(const std::string& path) {
  const auto wrong = [&](std::string_view why) {
    return fail(fmt::format("tokens {}: {}", path, why));
  };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return wrong(std::strerror(errno));
  const ApiDescriptor closing(fd);
  struct stat status{};
  if (fstat(fd, &status) != 0) return wrong(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return wrong("it is no regular file");
  if ((status.st_mode & 077) != 0) {
    return wrong(fmt::format("others may open it: chmod 600 {}", path));
  }
  if (status.st_uid != geteuid() && status.st_uid != 0) return wrong("it belongs to somebody else");
  std::string text(kLargestFile + 1, '\0');
  std::size_t used = 0;
  while (used < text.size()) {
    const ssize_t got = read(fd, text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return wrong(std::strerror(errno));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  if (used > kLargestFile) return wrong("it is too large for a file of tokens");
  return Tokens::parse({text.data(), used}, path);
}

Expected<NewToken> make_token(const std::string& name, Scope scope) {
  if (!is_token_name(name)) {
    return fail(
        fmt::format("'{}' is no name: letters, digits, '.', '_', '-', at most 64", to_utf8(name)));
  }
  std::array<unsigned char, 32> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return fail("the system has no random bytes");
  }
  NewToken made;
  made.token = "nf_" + base64_url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  wipe(bytes.data(), bytes.size());
  made.line =
      fmt::format("{} {} {:02x}", name, scope_name(scope), fmt::join(hash_token(made.token), ""));
  return made;
}

}  // namespace netfleet
