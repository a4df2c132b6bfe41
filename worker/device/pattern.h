// worker/device: one regular expression (PCRE2, JIT, with match limits).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet {

// Immutable, shared between threads. A hostile subject cannot make it run away:
// match and depth limits count as "no match".
class Pattern {
 public:
  struct Span {
    std::size_t begin;
    std::size_t end;
  };
  // `multi_line`: ^ and $ match at lines. The error says where in the expression.
  static Expected<Pattern> compile(const std::string& expression, bool multi_line = false);
  // One that compile() has taken before, as the build's: compiled when it is first asked.
  static Pattern proven(std::string expression, bool multi_line);
  bool matches(std::string_view subject) const { return find(subject).has_value(); }
  std::optional<Span> find(std::string_view subject) const;
  // What its first group matched; nothing when there is no group, or it took no part.
  std::optional<Span> find_group(std::string_view subject) const;
  const std::string& expression() const;
  bool multi_line() const;

 private:
  std::optional<Span> find(std::string_view subject, std::size_t group) const;

  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace netfleet
