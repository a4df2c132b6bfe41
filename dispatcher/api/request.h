// dispatcher/api: what a stranger sends, taken apart and checked: the target of a request, its
// query, its JSON. Pure; whatever comes, the answer is a value or a Refusal for people.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dispatcher/api/service.h"

namespace netfleet {

inline constexpr std::size_t kLongestTarget = 4096;    // bytes
inline constexpr std::size_t kLongestBody = 1u << 20;  // bytes
inline constexpr int kDeepestBody = 4;                 // objects and arrays in each other

Refusal invalid(std::string message);

// NAME=VALUE&..., names once each.
class Query {
 public:
  static Answer<Query> parse(std::string_view text);
  // The refusal names a parameter that is none of these.
  Answer<void> allow(std::initializer_list<std::string_view> names) const;
  // Empty: it is not there.
  std::string text(std::string_view name) const;
  // nullopt: it is not there.
  Answer<std::optional<std::uint32_t>> number(std::string_view name, std::uint32_t least,
                                              std::uint32_t most) const;
  // One of two words; `otherwise` when it is not there.
  Answer<bool> either(std::string_view name, std::string_view yes, std::string_view no,
                      bool otherwise) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

struct Target {
  std::vector<std::string> parts;  // of the path, decoded: {"v1", "sweeps", "last"}
  Query query;
};
// "/v1/sweeps/last?x=y". No empty parts, no "." and "..", however they are written; UTF-8 without
// control characters; no '/' inside a part.
Answer<Target> parse_target(std::string_view raw);

// Whether a request to a server on loopback means it: "localhost:7680", an address of loopback; not
// a name that somebody else's DNS gave that address.
bool is_loopback_host(std::string_view host_header);

// An object, or nothing, which is {}.
Answer<nlohmann::json> parse_body(std::string_view body);

// What the bodies of requests say. A Submission's `who`, `key` and `may_change` are left alone.
Answer<Submission> parse_submission(std::string_view body);
Answer<bool> parse_cancel(std::string_view body);  // now
Answer<OutcomeSet> parse_retry(std::string_view body);
Answer<bool> parse_answer(std::string_view body);  // go_on
Answer<void> check_idempotency_key(std::string_view key);

}  // namespace netfleet
