#define PCRE2_CODE_UNIT_WIDTH 8
#include "worker/device/pattern.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <functional>
#include <utility>

#include "common/check.h"
#include "common/lazy.h"
#include "common/tally.h"

namespace netfleet {
namespace {

// Far beyond what a sane expression needs on a prompt or an output, far below a noticeable wait:
// 200,000 steps are a few milliseconds.
constexpr std::uint32_t kMatchLimit = 200'000;
constexpr std::uint32_t kDepthLimit = 20'000;
constexpr std::uint32_t kHeapLimitKilobytes = 4'096;
// Bytes that one pattern looks through before machine code is made for it, which costs about as
// much as to interpret it over so many. Most patterns of most platforms never see them.
constexpr std::size_t kWorthMachineCode = 1'024;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct FreeCompileContext {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};

using Code = std::unique_ptr<pcre2_code, FreeCode>;
using MatchContext = std::unique_ptr<pcre2_match_context, FreeMatchContext>;

MatchContext make_match_context() {
  MatchContext context(pcre2_match_context_create(nullptr));
  CHECK(context != nullptr);
  pcre2_set_match_limit(context.get(), kMatchLimit);
  pcre2_set_depth_limit(context.get(), kDepthLimit);
  pcre2_set_heap_limit(context.get(), kHeapLimitKilobytes);
  return context;
}

Expected<Code> compiled_code(const std::string& expression, bool multi_line) {
  const std::unique_ptr<pcre2_compile_context, FreeCompileContext> context(
      pcre2_compile_context_create(nullptr));
  CHECK(context != nullptr);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context.get(), 50);

  int error_code = 0;
  PCRE2_SIZE error_offset = 0;
  const std::uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C |
                                (multi_line ? PCRE2_MULTILINE : 0u);
  Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                          options, &error_code, &error_offset, context.get()));
  if (code == nullptr) {
    char message[256];
    pcre2_get_error_message(error_code, reinterpret_cast<PCRE2_UCHAR*>(message), sizeof message);
    return fail(fmt::format("regular expression \"{}\", at position {}: {}", expression,
                            error_offset + 1, message));
  }
  return code;
}

}  // namespace

struct Pattern::Impl {
  Impl(std::string text, bool multi, Code compiled)
      : Impl(std::move(text), multi,
             [compiled = std::move(compiled)]() mutable { return std::move(compiled); }) {}
  Impl(std::string text, bool multi)
      : Impl(std::move(text), multi, [this] { return *compiled_code(expression, multi_line); }) {}

  // What to search `size` bytes with.
  const pcre2_code* for_subject(std::size_t size) const {
    return (seen.reaches(kWorthMachineCode, size + 1) ? machine : code).get().get();
  }

  const std::string expression;
  const bool multi_line;
  const Lazy<Code> code;
  const Lazy<Code> machine;  // the same with machine code
  mutable Tally seen;        // bytes, by the interpreter

 private:
  Impl(std::string text, bool multi, std::move_only_function<Code()> compile)
      : expression(std::move(text)), multi_line(multi), code(std::move(compile)), machine([this] {
          // A copy: other threads may be searching with the first one.
          Code copy(pcre2_code_copy(code.get().get()));
          CHECK(copy != nullptr);
          // Without a JIT (a machine that PCRE2 has none for) the interpreter does the same,
          // slower.
          pcre2_jit_compile(copy.get(), PCRE2_JIT_COMPLETE);
          return copy;
        }) {}
};

Expected<Pattern> Pattern::compile(const std::string& expression, bool multi_line) {
  auto code = compiled_code(expression, multi_line);
  if (!code) return std::unexpected(code.error());
  Pattern pattern;
  pattern.impl_ = std::make_shared<const Impl>(expression, multi_line, *std::move(code));
  return pattern;
}

Pattern Pattern::proven(std::string expression, bool multi_line) {
  Pattern pattern;
  pattern.impl_ = std::make_shared<const Impl>(std::move(expression), multi_line);
  return pattern;
}

std::optional<Pattern::Span> Pattern::find(std::string_view subject) const {
  return find(subject, 0);
}

std::optional<Pattern::Span> Pattern::find_group(std::string_view subject) const {
  return find(subject, 1);
}

std::optional<Pattern::Span> Pattern::find(std::string_view subject, std::size_t group) const {
  // Scratch memory of the matcher, one a thread: the pattern itself stays untouched.
  thread_local const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
      pcre2_match_data_create(2, nullptr));
  thread_local const MatchContext context = make_match_context();
  CHECK(data != nullptr);
  const auto match = [&](const pcre2_code* code) {
    return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), 0, 0,
                       data.get(), context.get());
  };
  int found = match(impl_->for_subject(subject.size()));
  // Machine code has 32 KiB of stack, which a group repeated a thousand times can take.
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = match(impl_->code.get().get());
  // 0: there are more groups than room for them.
  if (found < 0 || (found > 0 && static_cast<std::size_t>(found) <= group)) return std::nullopt;
  const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(data.get()) + 2 * group;
  if (bounds[0] == PCRE2_UNSET) return std::nullopt;
  // "\K" in a lookahead can put the start behind the end.
  return Span{std::min(bounds[0], bounds[1]), bounds[1]};
}

const std::string& Pattern::expression() const { return impl_->expression; }
bool Pattern::multi_line() const { return impl_->multi_line; }

}  // namespace netfleet
