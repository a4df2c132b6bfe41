#include "dispatcher/api/server.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>

#include <mutex>
#include <utility>

#include "common/check.h"
#include "dispatcher/api/http.h"
#include "dispatcher/api/listen_address.h"
#include "dispatcher/api/server_threads.h"

namespace netfleet {
namespace {

constexpr std::size_t kHeaderBytes = 64u << 10;  // at most, of a request, beside its body

constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
    "Content-Type: application/json\r\nContent-Length: 41\r\n\r\n"
    "{\"error\":\"too many connections at once\"}\n";

// cpp-httplib ignores SIGPIPE for the whole process when a server is made; who makes it decides.
class KeptSigpipe {
 public:
  KeptSigpipe() { sigaction(SIGPIPE, nullptr, &before_); }
  ~KeptSigpipe() { sigaction(SIGPIPE, &before_, nullptr); }
  KeptSigpipe(const KeptSigpipe&) = delete;
  KeptSigpipe& operator=(const KeptSigpipe&) = delete;

 private:
  struct sigaction before_{};
};

struct Secrets {
  std::shared_ptr<const Tokens> tokens;
  TlsContext tls;  // nullptr: none
};

Expected<Secrets> read_secrets(const ApiOptions& options) {
  Secrets secrets;
  auto tokens = options.tokens.empty() ? Expected<Tokens>(Tokens()) : read_tokens(options.tokens);
  if (!tokens) return std::unexpected(tokens.error());
  secrets.tokens = std::make_shared<const Tokens>(*std::move(tokens));
  if (options.certificate.empty()) return secrets;
  auto tls = make_tls_context(options.certificate, options.key);
  if (!tls) return std::unexpected(tls.error());
  secrets.tls = *std::move(tls);
  return secrets;
}

// Whether what is asked for may be served there.
Expected<void> check_safe(const ApiOptions& options, const ListenAddress& address) {
  if (options.certificate.empty() != options.key.empty()) {
    return fail("TLS takes both a certificate and its key");
  }
  if (address.is_loopback()) return {};
  if (options.certificate.empty() || options.tokens.empty()) {
    return fail(fmt::format(
        "listen on {}: others can reach that address, so it takes {}{}{}; or listen on 127.0.0.1",
        address.text(), options.tokens.empty() ? "a file of tokens" : "",
        options.tokens.empty() && options.certificate.empty() ? " and " : "",
        options.certificate.empty() ? "TLS (a certificate and its key)" : ""));
  }
  return {};
}

}  // namespace

class ApiServer::Impl {
 public:
  Impl(ApiOptions options, ListenAddress address, Service& service, Secrets secrets,
       std::function<void(const std::string&)> log)
      : options_(std::move(options)),
        address_(std::move(address)),
        tls_(std::move(secrets.tls)),
        context_{service,
                 *options_.audit,
                 options_.open_store,
                 options_.mask,
                 options_.limits.heartbeat,
                 stopping_,
                 std::move(log),
                 [this] { return http_->figures(); }} {
    const KeptSigpipe kept;
    http_ = std::make_unique<HttpServer>(
        context_, HttpServer::Options{address_.is_loopback(), options_.limits.streams,
                                      options_.limits.refusals_noted});
    http_->set_tokens(std::move(secrets.tokens));
  }
  ~Impl() { stop(); }

  Expected<void> listen() {
    auto listening = address_.listen(port_);
    if (!listening) return std::unexpected(listening.error());
    threads_ = std::make_unique<ServerThreads>(
        *std::move(listening), options_.limits.connections,
        ServerThreads::Work{[this](ApiDescriptor fd) { serve(std::move(fd)); },
                            [this](ApiDescriptor fd) { refuse(std::move(fd)); }, context_.log},
        stopping_);
    return {};
  }

  void stop() {
    if (!threads_) return;
    stopping_.begin();
    http_->end_streams();
    threads_.reset();
  }

  Expected<void> reload() {
    auto secrets = read_secrets(options_);
    if (!secrets) return std::unexpected(secrets.error());
    http_->set_tokens(std::move(secrets->tokens));
    const std::lock_guard lock(mutex_);
    tls_ = std::move(secrets->tls);
    return {};
  }

  std::uint16_t port() const { return port_; }
  std::string url() const { return address_.url(!options_.certificate.empty(), port_); }

 private:
  TlsContext tls() const {
    const std::lock_guard lock(mutex_);
    return tls_;
  }

  void serve(ApiDescriptor fd) {
    Connection connection(std::move(fd), tls(), stopping_.fd(),
                          {BootClock::now() + options_.limits.request, kHeaderBytes + kLongestBody,
                           options_.limits.write});
    if (!connection.handshake()) return;
    const bool all_read = http_->serve(connection);
    connection.finish(all_read);
  }

  void refuse(ApiDescriptor fd) {
    if (!options_.certificate.empty()) return;
    send(fd.get(), kTooMany.data(), kTooMany.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd.get(), SHUT_WR);
  }

  const ApiOptions options_;
  const ListenAddress address_;
  Stopping stopping_;
  mutable std::mutex mutex_;
  TlsContext tls_;  // guarded by mutex_
  ApiContext context_;
  std::unique_ptr<HttpServer> http_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ServerThreads> threads_;
};

Expected<std::unique_ptr<ApiServer>> ApiServer::start(
    ApiOptions options, Service& service, std::function<void(const std::string& line)> log) {
  CHECK(options.audit != nullptr && options.open_store && log);
  auto address = ListenAddress::parse(options.listen);
  if (!address) return std::unexpected(address.error());
  if (auto safe = check_safe(options, *address); !safe) return std::unexpected(safe.error());
  auto secrets = read_secrets(options);
  if (!secrets) return std::unexpected(secrets.error());
  auto impl = std::make_unique<Impl>(std::move(options), *std::move(address), service,
                                     *std::move(secrets), std::move(log));
  if (auto listening = impl->listen(); !listening) return std::unexpected(listening.error());
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiServer::~ApiServer() = default;

void ApiServer::stop() { impl_->stop(); }
Expected<void> ApiServer::reload() { return impl_->reload(); }
std::uint16_t ApiServer::port() const { return impl_->port(); }
std::string ApiServer::url() const { return impl_->url(); }

}  // namespace netfleet
