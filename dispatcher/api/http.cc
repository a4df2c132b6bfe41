#include "dispatcher/api/http.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/utf8.h"

namespace netfleet {
namespace {

using httplib::Request;
using httplib::Response;

constexpr std::size_t kLongestToken = 256;

std::unexpected<ApiAnswer> refuse(int status, const std::string& why) {
  return std::unexpected(json_answer(status, {{"error", why}}));
}

// What frames a body, before it is read. Two lengths would be read differently by a proxy.
std::expected<void, ApiAnswer> check_framing(const Request& request) {
  const bool chunked = request.has_header("Transfer-Encoding");
  const std::string length = request.get_header_value("Content-Length");
  if (request.get_header_value_count("Content-Length") > 1 ||
      request.get_header_value_count("Transfer-Encoding") > 1 ||
      (chunked && request.has_header("Content-Length"))) {
    return refuse(400, "the length of the body is there twice");
  }
  if (chunked &&
      strcasecmp(request.get_header_value("Transfer-Encoding").c_str(), "chunked") != 0) {
    return refuse(400, "the body comes in a coding that is not known here");
  }
  if (!std::ranges::all_of(length, [](char c) { return c >= '0' && c <= '9'; })) {
    return refuse(400, "the length of the body is no number");
  }
  std::size_t bytes = 0;
  if (!length.empty() &&
      (std::from_chars(length.data(), length.data() + length.size(), bytes).ec != std::errc() ||
       bytes > kLongestBody)) {
    return refuse(413, fmt::format("the body is larger than {} bytes", kLongestBody));
  }
  if (request.has_header("Content-Encoding")) {
    return refuse(415, "the body is compressed; here it is not to be");
  }
  if ((chunked || bytes > 0) &&
      !request.get_header_value("Content-Type").starts_with("application/json")) {
    return refuse(415, "the body's Content-Type is to be application/json");
  }
  return {};
}

// Empty: there is none, or it is no Bearer token.
std::string token_of(const Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string header = request.get_header_value("Authorization");
  if (header.size() <= kScheme.size() || header.size() > kScheme.size() + kLongestToken ||
      strncasecmp(header.c_str(), kScheme.data(), kScheme.size()) != 0) {
    return {};
  }
  return header.substr(header.find_first_not_of(' ', kScheme.size()));
}

}  // namespace

HttpServer::HttpServer(ApiContext& context, Options options)
    : context_(context), options_(options), notes_(context.audit, options.refusals_noted) {
  svr_sock_ = 0;  // not INVALID_SOCKET, by which the library knows that it is to end streams
  set_payload_max_length(kLongestBody);
  set_default_headers({{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}});
  set_pre_routing_handler(
      [this](const Request& request, Response& response) { return begin(request, response); });
  Post(".*", [this](const Request& request, Response& response) {
    auto admitted = admit(request, response);
    if (!admitted) return put(std::move(admitted.error()), response);
    admitted->request.body = request.body;
    handle(*admitted, response);
  });
  set_error_handler(HandlerWithResponse([](const Request&, Response& response) {
    if (response.body.empty()) {
      const auto* const why = response.status == 400   ? "the request is malformed or not complete"
                              : response.status == 413 ? "the body is too large"
                              : response.status == 414 ? "the path is too long"
                                                       : "this cannot be answered";
      response.set_content(json_answer(response.status, {{"error", why}}).body, "application/json");
    }
    return HandlerResponse::Handled;
  }));
  set_exception_handler([this](const Request&, Response& response, std::exception_ptr thrown) {
    try {
      std::rethrow_exception(std::move(thrown));
    } catch (const std::exception& cause) {
      put_failure(response, cause.what());
    } catch (...) {
      put_failure(response, "unknown");
    }
  });
  set_logger([this](const Request&, const Response& response) {
    const std::lock_guard lock(mutex_);
    ++answers_[response.status];
  });
}

void HttpServer::set_tokens(std::shared_ptr<const Tokens> tokens) {
  const std::lock_guard lock(mutex_);
  tokens_ = std::move(tokens);
}

ApiFigures HttpServer::figures() const {
  ApiFigures figures;
  figures.streams = streams_;
  figures.audit_fails = !context_.audit.problem().empty();
  const std::lock_guard lock(mutex_);
  figures.answers_by_status = answers_;
  return figures;
}

bool HttpServer::serve(Connection& connection) {
  bool all_read = false;
  try {
    bool closed = false;
    process_request(connection, true, closed, [&](Request& request) {
      // Parts of an answer and compressed ones: more than is needed, and ways to wear us out.
      request.ranges.clear();
      request.headers.erase("Accept-Encoding");
      const bool framed =
          request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
      if (!framed) request.headers.emplace("Content-Length", "0");
      all_read = !framed;
    });
  } catch (const std::exception& cause) {
    context_.log(fmt::format("API: {}", cause.what()));
  }
  return all_read;
}

HttpServer::HandlerResponse HttpServer::begin(const Request& request, Response& response) {
  auto admitted = admit(request, response);
  if (!admitted) {
    put(std::move(admitted.error()), response);
    return HandlerResponse::Handled;
  }
  if (request.method == "POST") return HandlerResponse::Unhandled;  // its body comes first
  handle(*admitted, response);
  return HandlerResponse::Handled;
}

std::expected<HttpServer::Admitted, ApiAnswer> HttpServer::admit(const Request& request,
                                                                 Response& response) {
  auto target = parse_target(request.target);
  if (!target) {
    return refuse(request.target.size() > kLongestTarget ? 414 : 400, target.error().message);
  }
  if (options_.loopback_only && request.has_header("Host") &&
      !is_loopback_host(request.get_header_value("Host"))) {
    return refuse(421, "this server is asked by localhost or an address of loopback");
  }
  Routed routed = find_route(request.method, target->parts);
  if (routed.allowed.empty()) return refuse(404, "there is no such path");
  if (routed.route == nullptr) {
    response.set_header("Allow", routed.allowed);
    return refuse(405, "this path is for " + routed.allowed);
  }
  Admitted admitted;
  admitted.route = routed.route;
  admitted.request.parts = std::move(routed.values);
  admitted.request.query = std::move(target->query);
  admitted.request.key = request.get_header_value("Idempotency-Key");
  admitted.request.from = request.remote_addr.contains(':')
                              ? fmt::format("[{}]:{}", request.remote_addr, request.remote_port)
                              : fmt::format("{}:{}", request.remote_addr, request.remote_port);
  if (auto known = authenticate(request, response, admitted); !known) {
    return std::unexpected(std::move(known.error()));
  }
  if (auto framed = check_framing(request); !framed) {
    return std::unexpected(std::move(framed.error()));
  }
  return admitted;
}

std::expected<void, ApiAnswer> HttpServer::authenticate(const Request& request, Response& response,
                                                        Admitted& admitted) {
  const Scope needed = admitted.route->scope;
  if (needed == Scope::kNone && !request.has_header("Authorization")) return {};
  std::shared_ptr<const Tokens> tokens;
  {
    const std::lock_guard lock(mutex_);
    tokens = tokens_;
  }
  const std::string given = token_of(request);
  const Token* const token = given.empty() || request.get_header_value_count("Authorization") > 1
                                 ? nullptr
                                 : tokens->find(given);
  if (token == nullptr) {
    std::string why = "this token is not known here";
    if (!request.has_header("Authorization")) {
      why = "a token is needed: Authorization: Bearer TOKEN";
    }
    if (tokens->size() == 0) why = "no tokens are known here: 'netfleet keygen --token' makes one";
    response.set_header("WWW-Authenticate", "Bearer realm=\"netfleet\"");
    note_refusal(request, admitted.request, 401, why);
    return refuse(401, why);
  }
  admitted.request.name = token->name;
  admitted.request.scope = token->scope;
  if (token->scope >= needed) return {};
  const std::string why =
      fmt::format("the token {} lacks the scope {}", token->name, scope_name(needed));
  response.set_header("WWW-Authenticate",
                      fmt::format("Bearer realm=\"netfleet\", error=\"insufficient_scope\", "
                                  "scope=\"{}\"",
                                  scope_name(needed)));
  note_refusal(request, admitted.request, 403, why);
  return refuse(403, why);
}

void HttpServer::note_refusal(const Request& request, const ApiRequest& api_request, int status,
                              const std::string& why) {
  const std::string who = api_request.name.empty() ? std::string() : api_request.who();
  const auto written = notes_.write({who, api_request.from, request.method, to_utf8(request.target),
                                     "refused", fmt::format("{}: {}", status, why)});
  if (!written) context_.log(written.error().message);
}

void HttpServer::handle(const Admitted& admitted, Response& response) {
  std::shared_ptr<void> slot;
  if (admitted.route->streams) {
    slot = take_stream();
    if (!slot) {
      return put(refusal_answer({Refusal::Kind::kBusy,
                                 fmt::format("{} streams are read already: the most at once",
                                             options_.streams)}),
                 response);
    }
  }
  ApiAnswer answer = admitted.route->handle(context_, admitted.request);
  if (answer.stream) {
    put_stream(std::move(answer), std::move(slot), response);
  } else {
    put(std::move(answer), response);
  }
}

void HttpServer::put(ApiAnswer answer, Response& response) {
  response.status = answer.status;
  if (answer.status == 503) response.set_header("Retry-After", "5");
  if (!answer.location.empty()) response.set_header("Location", answer.location);
  response.body = std::move(answer.body);
  response.set_header("Content-Type", answer.type);
}

void HttpServer::put_stream(ApiAnswer answer, std::shared_ptr<void> slot, Response& response) {
  response.status = answer.status;
  response.set_header("X-Accel-Buffering", "no");  // of nginx, which would keep it
  response.set_chunked_content_provider(
      answer.type, [this, slot = std::move(slot), stream = std::move(answer.stream)](
                       std::size_t, httplib::DataSink& sink) {
        try {
          const bool whole = stream([&](std::string_view bytes) {
            return !context_.stopping.begun() && sink.write(bytes.data(), bytes.size());
          });
          if (whole) sink.done();
          return whole;
        } catch (const std::exception& cause) {
          context_.log(fmt::format("API: {}", cause.what()));
          return false;
        }
      });
}

std::shared_ptr<void> HttpServer::take_stream() {
  if (++streams_ > options_.streams) {
    --streams_;
    return nullptr;
  }
  return {this, [](void* server) { --static_cast<HttpServer*>(server)->streams_; }};
}

void HttpServer::put_failure(Response& response, const char* why) {
  context_.log(fmt::format("API: {}", why));
  put(refusal_answer({Refusal::Kind::kInternal, "a defect of netfleet; its log says more"}),
      response);
}

}  // namespace netfleet
