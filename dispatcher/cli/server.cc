#include "dispatcher/cli/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "dispatcher/cli/verbs.h"

namespace netfleet {
namespace {

constexpr std::size_t kLongestToken = 1024;
constexpr const char* kTokenFile = "/api-token";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct NamedToken {
  Secret token;
  std::string name;  // where it comes from
};

// What can stand in a header, and is no accident: one word.
Expected<Secret> check_token(std::string_view text, const std::string& name) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.empty()) return fail(fmt::format("{}: it holds no token", name));
  const bool is_word = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (!is_word || text.size() > kLongestToken) {
    return fail(fmt::format("{}: what is there is no token", name));
  }
  return Secret(text);
}

// The first line of a file. Empty: there is no such file.
Expected<Secret> read_token(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT) return Secret();
  std::array<char, kLongestToken + 2> bytes{};
  std::size_t size = 0;
  ssize_t got = fd < 0 ? -1 : 0;
  while (fd >= 0 && size < bytes.size()) {
    got = read(fd, bytes.data() + size, bytes.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  const int cause = errno;
  if (fd >= 0) close(fd);
  const std::string_view text(bytes.data(), size);
  auto token = got < 0 ? fail(fmt::format("read the token {}: {}", path, std::strerror(cause)))
                       : check_token(text.substr(0, text.find('\n')), path);
  wipe(bytes.data(), bytes.size());
  return token;
}

Expected<NamedToken> read_named_token(const std::string& path) {
  auto token = read_token(path);
  if (!token) return std::unexpected(token.error());
  if (token->empty()) {
    return fail(fmt::format("read the token {}: {}", path, std::strerror(ENOENT)));
  }
  return NamedToken{*std::move(token), path};
}

// Where `netfleet serve` of this user keeps what is its own; empty: nowhere.
std::string state_directory() {
  const std::string state = variable("XDG_STATE_HOME");
  if (state.starts_with('/')) return state + "/netfleet";
  const std::string home = variable("HOME");
  return home.starts_with('/') ? home + "/.local/state/netfleet" : "";
}

Expected<NamedToken> find_token(const ServerOptions& options, const ServerUrl& server) {
  if (!options.token_file.empty()) return read_named_token(options.token_file);
  if (const std::string file = variable("NETFLEET_TOKEN_FILE"); !file.empty()) {
    return read_named_token(file);
  }
  if (const char* token = std::getenv("NETFLEET_TOKEN"); token != nullptr && *token != '\0') {
    auto checked = check_token(token, "$NETFLEET_TOKEN");
    if (!checked) return std::unexpected(checked.error());
    return NamedToken{*std::move(checked), "$NETFLEET_TOKEN"};
  }
  const std::string directory = state_directory();
  if (directory.empty() || !server.is_loopback()) return NamedToken();
  auto own = read_token(directory + kTokenFile);
  if (!own) return std::unexpected(own.error());
  return NamedToken{*std::move(own), directory + kTokenFile};
}

}  // namespace

Expected<ApiClient> open_client(const ServerOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);  // httplib and OpenSSL write to sockets as to files
  std::string url = options.server.empty() ? variable("NETFLEET_SERVER") : options.server;
  if (url.empty()) url = kDefaultServer;
  auto server = parse_server_url(url);
  if (!server) {
    return fail((options.server.empty() ? "$NETFLEET_SERVER: " : "--server: ") +
                server.error().message);
  }
  if (!options.ca_file.empty() && access(options.ca_file.c_str(), R_OK) != 0) {
    return fail(fmt::format("read --ca {}: {}", options.ca_file, std::strerror(errno)));
  }
  auto token = find_token(options, *server);
  if (!token) return std::unexpected(token.error());
  return ApiClient::make({.server = *std::move(server),
                          .token = std::move(token->token),
                          .token_name = std::move(token->name),
                          .ca_file = options.ca_file});
}

int say_failure(const ClientFailure& failure) {
  const bool refused = failure.kind == ClientFailure::Kind::kRefused;
  return say_error({failure.message}, refused ? kExitUsage : kExitInternal);
}

bool BackOff::wait() {
  const TimePoint now = BootClock::now();
  if (failing_since_ == TimePoint()) failing_since_ = now;
  if (now - failing_since_ >= patience_) return false;
  const auto most = static_cast<std::uint64_t>(next_.count());
  // Nothing tells when a dispatcher is back.
  poll(nullptr, 0, static_cast<int>(most / 2 + random_seed() % (most / 2 + 1)));
  next_ = std::min(next_ * 2, kLongest);
  return true;
}

void BackOff::went_well() {
  failing_since_ = {};
  next_ = kFirst;
}

std::string sweep_target(std::string_view sweep, std::string_view rest) {
  return fmt::format("/v1/sweeps/{}{}", percent_encoded(sweep), rest);
}

}  // namespace netfleet
