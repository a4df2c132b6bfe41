#include "dispatcher/api/tokens.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

namespace netfleet {
namespace {

constexpr std::size_t kMostTokens = 1000;
constexpr std::size_t kMostName = 64;
constexpr std::array kScopes = {Scope::kRead, Scope::kRun, Scope::kChange};

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::optional<TokenHash> parse_hash(std::string_view text) {
  TokenHash hash;
  if (text.size() != 2 * hash.size()) return {};
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return {};
    hash[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return hash;
}

std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

// Nothing of the line is repeated in an error but its name: a token itself may stand there.
Expected<Token> parse_line(std::string_view line) {
  Token token;
  token.name = std::string(take_word(line));
  const std::string_view scopes = take_word(line);
  const auto hash = parse_hash(take_word(line));
  if (!is_token_name(token.name)) {
    return fail("expected NAME SCOPES SHA256, the name of letters, digits, '.', '_' and '-'");
  }
  const auto scope = parse_scopes(scopes);
  if (!scope) return std::unexpected(scope.error());
  if (!hash) return fail("the third word is no SHA-256: 64 hexadecimal digits");
  if (!take_word(line).empty()) return fail("there is more than NAME SCOPES SHA256");
  token.scope = *scope;
  token.hash = *hash;
  return token;
}

}  // namespace

bool is_token_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kMostName && std::ranges::all_of(name, fits);
}

std::string_view scope_name(Scope scope) {
  switch (scope) {
    case Scope::kNone:
      return "";
    case Scope::kRead:
      return "read";
    case Scope::kRun:
      return "run";
    case Scope::kChange:
      return "change";
  }
  return "";
}

Expected<Scope> parse_scopes(std::string_view list) {
  Scope greatest = Scope::kNone;
  while (true) {
    const std::string_view word = list.substr(0, list.find(','));
    const auto* const scope = std::ranges::find(kScopes, word, scope_name);
    if (scope == kScopes.end()) return fail("the scopes are a list of read, run and change");
    greatest = std::max(greatest, *scope);
    if (word.size() == list.size()) return greatest;
    list.remove_prefix(word.size() + 1);
  }
}

TokenHash hash_token(std::string_view token) {
  TokenHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

Expected<Tokens> Tokens::parse(std::string_view text, const std::string& file) {
  Tokens tokens;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    const auto wrong = [&](std::string_view why) {
      return fail(fmt::format("{}:{}: {}", file, number, why));
    };
    auto token = parse_line(line);
    if (!token) return wrong(token.error().message);
    for (const Token& other : tokens.tokens_) {
      if (other.name == token->name) return wrong("this name is there already");
      if (other.hash == token->hash) return wrong("this token is there already");
    }
    if (tokens.tokens_.size() == kMostTokens) {
      return wrong(fmt::format("more than {} tokens", kMostTokens));
    }
    tokens.tokens_.push_back(*std::move(token));
  }
  return tokens;
}

const Token* Tokens::find(std::string_view token) const {
  const TokenHash hash = hash_token(token);
  const Token* found = nullptr;
  for (const Token& one : tokens_) {
    if (CRYPTO_memcmp(one.hash.data(), hash.data(), hash.size()) == 0) found = &one;
  }
  return found;
}

}  // namespace netfleet
