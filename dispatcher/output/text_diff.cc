#include "dispatcher/output/text_diff.h"

#include <fmt/format.h>
#include <git2.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "common/check.h"

namespace netfleet {
namespace {

constexpr std::string_view kNoLineEnd = "\\ No newline at end of file\n";

struct FreePatch {
  void operator()(git_patch* patch) const { git_patch_free(patch); }
};
using Patch = std::unique_ptr<git_patch, FreePatch>;

std::unexpected<Error> comparison_failure() {
  const git_error* error = git_error_last();
  return fail(fmt::format("compare: {}", error == nullptr ? "not possible" : error->message));
}

// Without their ends.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Lines are counted from 1; libgit2 says -1 for those that a side does not have.
std::string_view line_at(const std::vector<std::string_view>& lines, int number) {
  CHECK(number >= 1 && static_cast<std::size_t>(number) <= lines.size());
  return lines[static_cast<std::size_t>(number) - 1];
}

}  // namespace

TextDiff::TextDiff() { CHECK(git_libgit2_init() >= 0); }
TextDiff::~TextDiff() { git_libgit2_shutdown(); }

Expected<std::string> TextDiff::hunks(const DiffText& before, const DiffText& after) const {
  if (before.compared == after.compared) return std::string();
  if (std::max(before.compared.size(), after.compared.size()) > kMostBytes) {
    return fail(fmt::format("compare: more than {} MiB", kMostBytes >> 20));
  }
  git_diff_options options;
  git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
  options.flags = GIT_DIFF_FORCE_TEXT;
  git_patch* made = nullptr;
  if (git_patch_from_buffers(&made, before.compared.data(), before.compared.size(), nullptr,
                             after.compared.data(), after.compared.size(), nullptr,
                             &options) != 0) {
    return comparison_failure();
  }
  const Patch patch(made);
  const auto old_lines = lines_of(before.shown);
  const auto new_lines = lines_of(after.shown);
  std::string out;
  for (std::size_t i = 0; i < git_patch_num_hunks(patch.get()); ++i) {
    const git_diff_hunk* hunk = nullptr;
    std::size_t count = 0;
    if (git_patch_get_hunk(&hunk, &count, patch.get(), i) != 0) return comparison_failure();
    out.append(hunk->header, hunk->header_len);
    for (std::size_t j = 0; j < count; ++j) {
      const git_diff_line* line = nullptr;
      if (git_patch_get_line_in_hunk(&line, patch.get(), i, j) != 0) return comparison_failure();
      switch (line->origin) {
        case GIT_DIFF_LINE_CONTEXT:
          out.append(1, ' ').append(line_at(new_lines, line->new_lineno)).append(1, '\n');
          break;
        case GIT_DIFF_LINE_ADDITION:
          out.append(1, '+').append(line_at(new_lines, line->new_lineno)).append(1, '\n');
          break;
        case GIT_DIFF_LINE_DELETION:
          out.append(1, '-').append(line_at(old_lines, line->old_lineno)).append(1, '\n');
          break;
        default:  // one of the three "no line end" ones
          out.append(kNoLineEnd);
      }
    }
  }
  return out;
}

}  // namespace netfleet
