#include "dispatcher/inventory/limit.h"

#include <fmt/format.h>

#include "common/problems.h"
#include "dispatcher/inventory/glob.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxExpression = 1 << 20;
constexpr int kMaxDepth = 100;

struct Token {
  enum class Kind : std::uint8_t { kEnd, kOpen, kClose, kComma, kAnd, kOr, kNot, kWord };
  Kind kind = Kind::kEnd;
  std::string text;     // without quotes
  std::string pattern;  // with what was quoted escaped
  bool is_glob = false;
  std::size_t colon = std::string::npos;  // the first unquoted ':' in `text`
  std::size_t pattern_colon = 0;
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) {}

  Expected<Token> next() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    Token token;
    if (rest_.empty()) return token;
    const std::size_t special = std::string_view("(),").find(rest_.front());
    if (special != std::string_view::npos) {
      constexpr Token::Kind kKinds[] = {Token::Kind::kOpen, Token::Kind::kClose,
                                        Token::Kind::kComma};
      token.kind = kKinds[special];
      token.text = rest_.front();
      rest_.remove_prefix(1);
      return token;
    }
    return word();
  }

 private:
  Expected<Token> word() {
    Token token;
    token.kind = Token::Kind::kWord;
    bool quoted = false;
    while (!rest_.empty() && !is_blank(rest_.front()) &&
           std::string_view("(),").find(rest_.front()) == std::string_view::npos) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\'' || c == '"') {
        quoted = true;
        const std::size_t close = rest_.find(c);
        if (close == std::string_view::npos) return fail(fmt::format("a {} is never closed", c));
        token.text += rest_.substr(0, close);
        token.pattern += glob_escaped(rest_.substr(0, close));
        rest_.remove_prefix(close + 1);
        continue;
      }
      if (c == ':' && token.colon == std::string::npos) {
        token.colon = token.text.size();
        token.pattern_colon = token.pattern.size();
      }
      token.is_glob = token.is_glob || c == '*' || c == '?' || c == '[';
      token.text += c;
      token.pattern += c == '\\' ? "\\\\" : std::string(1, c);
    }
    if (!quoted) token.kind = keyword(token.text);
    return token;
  }

  static Token::Kind keyword(std::string_view text) {
    if (text == "and" || text == "AND") return Token::Kind::kAnd;
    if (text == "or" || text == "OR") return Token::Kind::kOr;
    if (text == "not" || text == "NOT") return Token::Kind::kNot;
    return Token::Kind::kWord;
  }

  std::string_view rest_;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Expected<Limit> parse() {
    if (const auto started = advance(); !started) return std::unexpected(started.error());
    if (token_.kind == Token::Kind::kEnd) return fail("it is empty");
    auto limit = expression(0);
    if (limit && token_.kind != Token::Kind::kEnd) {
      return fail(fmt::format("unexpected '{}'", shown(token_.text)));
    }
    return limit;
  }

 private:
  Expected<void> advance() {
    auto token = lexer_.next();
    if (!token) return std::unexpected(token.error());
    token_ = *std::move(token);
    return {};
  }

  bool at_end() const {
    return token_.kind == Token::Kind::kEnd || token_.kind == Token::Kind::kClose;
  }

  Expected<Limit> expression(int depth) {
    Limit any;
    any.kind = Limit::Kind::kOr;
    while (true) {
      auto terms = and_terms(depth);
      if (!terms) return terms;
      any.parts.push_back(*std::move(terms));
      if (at_end()) break;
      const bool written = token_.kind == Token::Kind::kOr;
      if (written || token_.kind == Token::Kind::kComma) {
        if (const auto moved = advance(); !moved) return std::unexpected(moved.error());
      }
      if (!written && token_.kind == Token::Kind::kNot) {
        return fail("before 'not' write 'and' (to leave hosts out) or 'or'");
      }
    }
    if (any.parts.size() == 1) return std::move(any.parts.front());
    return any;
  }

  Expected<Limit> and_terms(int depth) {
    Limit all;
    all.kind = Limit::Kind::kAnd;
    while (true) {
      auto term = factor(depth);
      if (!term) return term;
      all.parts.push_back(*std::move(term));
      if (token_.kind != Token::Kind::kAnd) break;
      if (const auto moved = advance(); !moved) return std::unexpected(moved.error());
    }
    if (all.parts.size() == 1) return std::move(all.parts.front());
    return all;
  }

  Expected<Limit> factor(int depth) {
    if (depth > kMaxDepth) return fail(fmt::format("nested more than {} deep", kMaxDepth));
    const Token token = std::move(token_);
    if (token.kind != Token::Kind::kWord && token.kind != Token::Kind::kNot &&
        token.kind != Token::Kind::kOpen) {
      if (token.kind == Token::Kind::kEnd) return fail("a condition is missing at the end");
      return fail(fmt::format("a condition is missing before '{}'", shown(token.text)));
    }
    if (const auto moved = advance(); !moved) return std::unexpected(moved.error());
    if (token.kind == Token::Kind::kWord) return condition(token);
    if (token.kind == Token::Kind::kNot) {
      auto inner = factor(depth + 1);
      if (!inner) return inner;
      Limit negated;
      negated.kind = Limit::Kind::kNot;
      negated.parts.push_back(*std::move(inner));
      return negated;
    }
    auto inner = expression(depth + 1);
    if (!inner) return inner;
    if (token_.kind != Token::Kind::kClose) return fail("a '(' is never closed");
    if (const auto moved = advance(); !moved) return std::unexpected(moved.error());
    return inner;
  }

  // A word that begins with a known "prefix:" asks for that; any other is a host's name.
  static Expected<Limit> condition(const Token& token) {
    Limit limit;
    std::size_t value = 0;
    std::size_t pattern = 0;
    if (token.colon != std::string::npos) {
      const std::string_view prefix = std::string_view(token.text).substr(0, token.colon);
      if (prefix == "group") {
        limit.kind = Limit::Kind::kGroup;
      } else if (prefix == "region") {
        limit.kind = Limit::Kind::kRegion;
      } else if (prefix == "platform") {
        limit.kind = Limit::Kind::kPlatform;
      } else if (prefix.starts_with("data.")) {
        limit.kind = Limit::Kind::kData;
        limit.key = prefix.substr(5);
      }
      if (limit.kind != Limit::Kind::kName) {
        value = token.colon + 1;
        pattern = token.pattern_colon + 1;
      }
    }
    limit.text = token.text.substr(value);
    if (token.is_glob) limit.pattern = token.pattern.substr(pattern);
    if (limit.kind == Limit::Kind::kData && limit.key.empty()) {
      return fail("the key is missing after 'data.'");
    }
    if (limit.text.empty() && limit.kind != Limit::Kind::kData) {
      return fail(limit.kind == Limit::Kind::kName
                      ? std::string("a host's name is empty")
                      : fmt::format("the value is missing after '{}'", shown(token.text)));
    }
    return limit;
  }

  Lexer lexer_;
  Token token_;
};

}  // namespace

Expected<Limit> parse_limit(std::string_view expression) {
  Expected<Limit> limit = expression.size() > kMaxExpression
                              ? fail(fmt::format("it is longer than {} bytes", kMaxExpression))
                              : Parser(expression).parse();
  if (!limit) {
    return fail(fmt::format("limit '{}': {}", shown(expression), limit.error().message));
  }
  return limit;
}

}  // namespace netfleet
