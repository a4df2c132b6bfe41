// dispatcher/api: who may ask for what: the tokens file and its check. Parsing and checking are
// pure; only read_tokens() touches a file.
//
//   # NAME SCOPES SHA256 of the token, in hexadecimal
//   night   run       9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//   grafana read      60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace netfleet {

// Each includes those before it.
enum class Scope : std::uint8_t { kNone, kRead, kRun, kChange };
std::string_view scope_name(Scope scope);  // "read", "run", "change"; of kNone ""
// "read,run": the greatest of a list.
Expected<Scope> parse_scopes(std::string_view list);

// Letters, digits, '.', '_', '-', at most 64.
bool is_token_name(std::string_view name);

using TokenHash = std::array<std::uint8_t, 32>;
TokenHash hash_token(std::string_view token);

struct Token {
  std::string name;
  Scope scope = Scope::kNone;
  TokenHash hash{};
};

class Tokens {
 public:
  // `file` names the text in errors: "tokens:3: ...". Names and hashes are there once each.
  static Expected<Tokens> parse(std::string_view text, const std::string& file);

  // Takes as long whichever it is, or none. nullptr: none.
  const Token* find(std::string_view token) const;
  std::size_t size() const { return tokens_.size(); }

 private:
  std::vector<Token> tokens_;
};

// Refuses a file that others than its owner may read or write.
Expected<Tokens> read_tokens(const std::string& path);

// A new random token, "nf_" and 43 characters, and its line in a tokens file. The error: `name` is
// no name.
struct NewToken {
  std::string token;
  std::string line;
};
Expected<NewToken> make_token(const std::string& name, Scope scope);

}  // namespace netfleet
