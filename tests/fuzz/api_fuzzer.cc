// tests/fuzz: what strangers send to the HTTP API, and a tokens file that says anything. Whatever
// is accepted keeps to the bounds.
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/check.h"
#include "common/utf8.h"
#include "dispatcher/api/request.h"
#include "dispatcher/api/tokens.h"

namespace netfleet {
namespace {

void check_target(std::string_view text) {
  const auto target = parse_target(text);
  if (!target) return;
  CHECK(!target->parts.empty());
  for (const std::string& part : target->parts) {
    CHECK(!part.empty() && part != "." && part != ".." && !part.contains('/'));
    CHECK(to_utf8(part) == part);
    CHECK(std::ranges::none_of(part, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }));
  }
}

void check_bodies(std::string_view text) {
  const auto body = parse_body(text);
  CHECK(!body || body->is_object());
  const auto submission = parse_submission(text);
  if (submission) {
    CHECK(!submission->job.empty() && !submission->may_change && submission->who.empty());
    for (const std::string& command : submission->commands) CHECK(!command.contains('\n'));
  }
  for (const bool accepted : {bool(parse_cancel(text)), bool(parse_retry(text)),
                              bool(parse_answer(text)), bool(submission)}) {
    CHECK(!accepted || body);
  }
}

void check_tokens(std::string_view text) {
  const auto tokens = Tokens::parse(text, "tokens");
  if (!tokens) {
    CHECK(tokens.error().message.starts_with("tokens:"));
    return;
  }
  CHECK(tokens->size() <= text.size() / 64);
  CHECK(tokens->find("no token of any file") == nullptr);
}

}  // namespace
}  // namespace netfleet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  netfleet::check_target(text);
  netfleet::check_bodies(text);
  netfleet::check_tokens(text);
  netfleet::is_loopback_host(text);
  return 0;
}
