#define PCRE2_CODE_UNIT_WIDTH 8
#include "worker/device/pattern.h"

#include <fmt/format.h>
#include <pcre2.h>

#include "common/check.h"
#include "common/lazy.h"

namespace netfleet {
namespace {

// Far beyond what a sane expression needs on a prompt or an output, far below a noticeable wait:
// 200,000 steps are a few milliseconds.
constexpr std::uint32_t kMatchLimit = 200'000;
constexpr std::uint32_t kDepthLimit = 2'000;
constexpr std::uint32_t kHeapLimitKilobytes = 4'096;

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

using MatchContext = std::unique_ptr<pcre2_match_context, FreeMatchContext>;

MatchContext make_match_context() {
  MatchContext context(pcre2_match_context_create(nullptr));
  CHECK(context != nullptr);
  pcre2_set_match_limit(context.get(), kMatchLimit);
  pcre2_set_depth_limit(context.get(), kDepthLimit);
  pcre2_set_heap_limit(context.get(), kHeapLimitKilobytes);
  return context;
}

}  // namespace

struct Pattern::Impl {
  using Code = std::unique_ptr<pcre2_code, FreeCode>;

  Impl(std::string text, Code compiled)
      : expression(std::move(text)), code([compiled = std::move(compiled)]() mutable {
          // Without a JIT (a machine that PCRE2 has none for) the interpreter does the same,
          // slower.
          pcre2_jit_compile(compiled.get(), PCRE2_JIT_COMPLETE);
          return std::move(compiled);
        }) {}

  const std::string expression;
  // Machine code is made at the first match: most of the patterns of most platforms never match.
  const Lazy<Code> code;
};

Expected<Pattern> Pattern::compile(const std::string& expression, bool multi_line) {
  const std::unique_ptr<pcre2_compile_context, FreeCompileContext> context(
      pcre2_compile_context_create(nullptr));
  CHECK(context != nullptr);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context.get(), 50);

  int error_code = 0;
  PCRE2_SIZE error_offset = 0;
  const std::uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C |
                                (multi_line ? PCRE2_MULTILINE : 0u);
  Impl::Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                                options, &error_code, &error_offset, context.get()));
  if (code == nullptr) {
    char message[256];
    pcre2_get_error_message(error_code, reinterpret_cast<PCRE2_UCHAR*>(message), sizeof message);
    return fail(fmt::format("regular expression \"{}\", at position {}: {}", expression,
                            error_offset + 1, message));
  }
  Pattern pattern;
  pattern.impl_ = std::make_shared<const Impl>(expression, std::move(code));
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
  const int found =
      pcre2_match(impl_->code.get().get(), reinterpret_cast<PCRE2_SPTR>(subject.data()),
                  subject.size(), 0, 0, data.get(), context.get());
  // 0: there are more groups than room for them.
  if (found < 0 || (found > 0 && static_cast<std::size_t>(found) <= group)) return std::nullopt;
  const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(data.get()) + 2 * group;
  if (bounds[0] == PCRE2_UNSET) return std::nullopt;
  // "\K" in a lookahead can put the start behind the end.
  return Span{std::min(bounds[0], bounds[1]), bounds[1]};
}

const std::string& Pattern::expression() const { return impl_->expression; }

}  // namespace netfleet
