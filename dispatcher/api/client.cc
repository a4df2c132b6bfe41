#include "dispatcher/api/client.h"

#include <fmt/format.h>
#include <httplib.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

namespace netfleet {
namespace {

constexpr Milliseconds kWrite{30'000};
constexpr std::size_t kLargestRefusal = 64u << 10;  // bytes that are read of an answer of errors
constexpr std::size_t kLongestMessage = 2000;       // bytes of what it says
constexpr const char* kJson = "application/json";

struct FreeAddresses {
  void operator()(addrinfo* first) const { freeaddrinfo(first); }
};

// Why there is no connection, which httplib does not tell: by another try.
std::string connection_error(const ServerUrl& server) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const int found =
      getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &first);
  if (found != 0) return fmt::format("look up {}: {}", server.host, gai_strerror(found));
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(first);
  int cause = ETIMEDOUT;
  for (const addrinfo* address = first; address != nullptr; address = address->ai_next) {
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    const bool connects = fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0;
    cause = errno == EINPROGRESS ? ETIMEDOUT : errno;
    if (fd >= 0) close(fd);
    if (connects) return "the connection failed";
    if (cause == ECONNREFUSED) break;
  }
  std::string why = std::strerror(cause);
  why.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(why.front())));
  return why + " (is 'netfleet serve' running? --server says where)";
}

// Without what may follow a type: "; charset=utf-8".
std::string type_of(const httplib::Response& response) {
  const std::string value = response.get_header_value("Content-Type");
  return value.substr(0, value.find_first_of("; "));
}

// Whether one can know that it is whole.
bool has_length(const httplib::Response& response) {
  return response.has_header("Content-Length") || response.has_header("Transfer-Encoding");
}

// The "error" of what a dispatcher answers; empty: there is none.
std::string error_in(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return {};
  const auto error = json.find("error");
  if (error == json.end() || !error->is_string()) return {};
  return error->get<std::string>().substr(0, kLongestMessage);
}

// Nothing is sent yet. Null: TLS cannot be set up.
std::unique_ptr<httplib::ClientImpl> open_connection(const ServerUrl& server,
                                                     const std::string& ca_file,
                                                     Milliseconds silence) {
  std::unique_ptr<httplib::ClientImpl> http;
  if (server.secure) {
    auto tls = std::make_unique<httplib::SSLClient>(server.host, server.port);
    if (!tls->is_valid()) return nullptr;
    SSL_CTX_set_min_proto_version(tls->ssl_context(), TLS1_2_VERSION);
    if (!ca_file.empty()) tls->set_ca_cert_path(ca_file);
    http = std::move(tls);
  } else {
    http = std::make_unique<httplib::ClientImpl>(server.host, server.port);
  }
  http->set_follow_location(false);
  http->set_decompress(false);
  http->set_url_encode(false);  // the target is
  http->set_tcp_nodelay(true);
  http->set_socket_options([](int) {});  // else others could listen at our port
  http->set_connection_timeout(ApiClient::kConnect);
  http->set_write_timeout(kWrite);
  http->set_read_timeout(silence);
  return http;
}

// What comes back: passes on what was asked for, keeps what explains why there is none.
class Reception {
 public:
  Reception(const std::string& type, const ApiClient::Take& take) : type_(type), take_(take) {}

  bool begin(const httplib::Response& response) {
    status_ = response.status;
    location_ = response.get_header_value("Location");
    if (is_refusal()) return true;
    if (const std::string type = type_of(response); type != type_) {
      strange_ = fmt::format("no dispatcher of netfleet answers there: its answer is '{}', not {}",
                             type.substr(0, 100), type_);
    } else if (!has_length(response)) {
      strange_ = "its answer has no length";
    }
    return strange_.empty();
  }
  bool more(std::string_view piece) {
    if (is_refusal()) {
      refusal_.append(piece.substr(0, kLargestRefusal - refusal_.size()));
      stopped_ = refusal_.size() == kLargestRefusal;
    } else {
      stopped_ = !take_(piece);
    }
    return !stopped_;
  }

  int status() const { return status_; }  // 0: no answer has begun
  bool is_refusal() const { return status_ != 0 && status_ / 100 != 2; }
  const std::string& location() const { return location_; }
  const std::string& refusal() const { return refusal_; }
  // What no dispatcher says; empty: nothing is strange.
  const std::string& strange() const { return strange_; }
  // By who takes it, or behind the part of a refusal that is read.
  bool stopped() const { return stopped_; }

 private:
  const std::string& type_;
  const ApiClient::Take& take_;
  int status_ = 0;
  std::string location_;
  std::string refusal_;
  std::string strange_;
  bool stopped_ = false;
};

}  // namespace

struct ApiClient::Request {
  std::string method;
  std::string target;
  std::string type = kJson;  // that is wanted
  Milliseconds silence = kAnswer;
  std::string body{};
  std::string key{};
};

Expected<ApiClient> ApiClient::make(Options options) {
  if (!options.token.empty() && !options.server.secure && !options.server.is_loopback()) {
    return fail(
        fmt::format("ask {}: the token of {} would go over the network in clear text: "
                    "a server on another machine is asked over https://",
                    options.server.text(), options.token_name));
  }
  return ApiClient(std::move(options));
}

ClientAnswer<std::string> ApiClient::get(const std::string& target) {
  return ask_whole({.method = "GET", .target = target});
}

ClientAnswer<std::string> ApiClient::post(const std::string& target, const std::string& json,
                                          const std::string& key) {
  return ask_whole({.method = "POST", .target = target, .body = json, .key = key});
}

ClientAnswer<void> ApiClient::stream(const std::string& target, const std::string& type,
                                     Milliseconds silence, const Take& take) {
  return ask({.method = "GET", .target = target, .type = type, .silence = silence}, take);
}

ClientAnswer<std::string> ApiClient::ask_whole(const Request& request) {
  std::string body;
  bool too_large = false;
  const auto answered = ask(request, [&](std::string_view piece) {
    too_large = body.size() + piece.size() > kLargestBody;
    if (!too_large) body.append(piece);
    return !too_large;
  });
  if (!answered) return std::unexpected(answered.error());
  if (too_large) {
    return std::unexpected(failure(ClientFailure::Kind::kBroken, "the answer is too large"));
  }
  return body;
}

ClientAnswer<void> ApiClient::ask(const Request& request, const Take& take) {
  const auto http = open_connection(options_.server, options_.ca_file, request.silence);
  if (!http) return std::unexpected(failure(ClientFailure::Kind::kBroken, "TLS cannot be set up"));
  httplib::Request asked;
  asked.method = request.method;
  asked.path = request.target;
  asked.body = request.body;
  asked.headers = {{"Accept", request.type + ", " + kJson},
                   {"User-Agent", "netfleet/" NETFLEET_VERSION}};
  if (request.method == "POST") asked.set_header("Content-Type", kJson);
  if (!request.key.empty()) asked.set_header("Idempotency-Key", request.key);
  if (!options_.token.empty()) {
    asked.set_header("Authorization", fmt::format("Bearer {}", options_.token.reveal()));
  }
  Reception reception(request.type, take);
  asked.response_handler = [&](const httplib::Response& response) {
    return reception.begin(response);
  };
  asked.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    return reception.more({data, size});
  };
  const httplib::Result result = http->send(asked);
  for (auto [at, end] = asked.headers.equal_range("Authorization"); at != end; ++at) {
    wipe(at->second.data(), at->second.size());
  }
  if (!reception.strange().empty()) {
    return std::unexpected(failure(ClientFailure::Kind::kBroken, reception.strange()));
  }
  const bool whole = result || reception.stopped();
  if (whole && reception.is_refusal()) {
    return std::unexpected(refusal(reception.status(), reception.location(), reception.refusal()));
  }
  if (whole) return {};
  return std::unexpected(broken_off(static_cast<int>(result.error()), reception.status()));
}

ClientFailure ApiClient::broken_off(int error, int status) const {
  using Kind = ClientFailure::Kind;
  switch (static_cast<httplib::Error>(error)) {
    case httplib::Error::Connection:
    case httplib::Error::BindIPAddress:
      return failure(Kind::kUnreachable, connection_error(options_.server));
    case httplib::Error::ConnectionTimeout:
      return failure(Kind::kUnreachable, "connect: timed out");
    case httplib::Error::SSLConnection:
      return failure(Kind::kUnreachable, "no TLS connection (is it http://?)");
    case httplib::Error::SSLLoadingCerts:
      return failure(Kind::kBroken,
                     fmt::format("the certificates of {} cannot be read",
                                 options_.ca_file.empty() ? "the system" : options_.ca_file));
    case httplib::Error::SSLServerVerification:
      return failure(Kind::kBroken,
                     "its certificate is not of that name, or not signed by anybody who is trusted "
                     "(--ca FILE names who is)");
    default:
      break;
  }
  ClientFailure lost =
      failure(Kind::kLost, status != 0 ? "the connection ended before the end of the answer"
                                       : "the connection ended before an answer");
  lost.status = status;
  return lost;
}

ClientFailure ApiClient::failure(ClientFailure::Kind kind, const std::string& why) const {
  return {.kind = kind, .message = fmt::format("ask {}: {}", options_.server.text(), why)};
}

ClientFailure ApiClient::refusal(int status, const std::string& location,
                                 const std::string& body) const {
  using Kind = ClientFailure::Kind;
  std::string said = error_in(body);
  const bool ours = !said.empty();
  if (!ours) said = fmt::format("it answered {}", status);
  Kind kind = Kind::kBroken;
  if (status / 100 == 3) {
    said = fmt::format("it sends to '{}': --server says where to ask", location.substr(0, 200));
  } else if (status == 401 || status == 403) {
    kind = Kind::kRefused;
    said += options_.token.empty() ? " (no token was found: see --token-file)"
                                   : fmt::format(" (the token is that of {})", options_.token_name);
  } else if (status == 429 || status == 503) {
    kind = Kind::kBusy;
  } else if (status / 100 == 4) {
    kind = ours ? Kind::kRefused : Kind::kBroken;
  }
  ClientFailure refused = failure(kind, said);
  refused.status = status;
  return refused;
}

}  // namespace netfleet
