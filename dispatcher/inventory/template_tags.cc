#include "dispatcher/inventory/template_tags.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/problems.h"
#include "common/task.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxTags = 100'000;
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxName = 512;
constexpr std::string_view kBlanks = " ";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// Letters, digits, what is not ASCII and a few marks; so that tags of another template language are
// not taken for names.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](char c) {
    return c < 0 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("._-/:@+").contains(c);
  });
}

class TagReader {
 public:
  explicit TagReader(std::string_view text) : rest_(text) {}

  Expected<TemplateTags> read() {
    while (true) {
      const std::size_t open = rest_.find("{{");
      if (auto added = add_text(rest_.substr(0, open)); !added) {
        return std::unexpected(added.error());
      }
      if (open == std::string_view::npos) break;
      rest_.remove_prefix(open);
      if (auto added = read_tag(); !added) return std::unexpected(added.error());
    }
    if (!sections_.empty()) {
      const TemplateTag& open = read_.tags[sections_.back()];
      return fail(fmt::format("{}: the section '{}' is never closed", open.line, shown(open.name)));
    }
    return std::move(read_);
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(fmt::format("{}: {}", line_, what));
  }

  Expected<void> add_text(std::string_view text) {
    std::size_t& own = sections_.empty() ? read_.own_text : read_.tags[sections_.back()].own_text;
    own += text.size();
    for (const char c : text) {
      if (c == '\n') {
        ++line_;
        line_begin_ = read_.text.size() + 1;
      } else if ((c >= 0 && c < 0x20) || c == 0x7F) {
        return wrong(c == '\t' ? "a tab, by which a device completes words: use spaces"
                               : "a control character");
      }
      read_.text += c == '\n' ? kLineEnd : c;
    }
    return {};
  }

  // `rest_` begins with the tag.
  Expected<void> read_tag() {
    const bool triple = rest_.starts_with("{{{");
    const std::size_t open = triple ? 3 : 2;
    const std::size_t close = rest_.find(triple ? "}}}" : "}}", open);
    if (close == std::string_view::npos) return wrong("a tag is never closed");
    std::string_view inside = trimmed(rest_.substr(open, close - open));
    const std::string_view whole = rest_.substr(0, close + open);
    const char kind = triple || inside.empty() ? '\0' : inside.front();
    if (kind == '!') return put(whole, true, "");
    if (kind == '>') return wrong("partials are not supported");
    if (kind == '=') return wrong("the delimiters cannot be changed");
    if (kind == '#' || kind == '^' || kind == '/' || kind == '&') {
      inside = trimmed(inside.substr(1));
    }
    if (!is_name(inside)) return wrong(fmt::format("'{}' is no tag", shown(whole)));
    const std::string name(inside);
    if (kind == '/') return end_section(whole, name);
    if (read_.tags.size() == kMaxTags) return wrong(fmt::format("more than {} tags", kMaxTags));
    const std::size_t position = read_.tags.size();
    const std::size_t line = line_;
    if (kind != '#' && kind != '^') {
      read_.tags.push_back({TemplateTag::Kind::kVariable, name, line});
      return put(whole, false, fmt::format("{{{{&{}}}}}", position));
    }
    if (sections_.size() == kMaxDepth) {
      return wrong(fmt::format("sections nested more than {} deep", kMaxDepth));
    }
    sections_.push_back(position);
    read_.tags.push_back(
        {kind == '#' ? TemplateTag::Kind::kSection : TemplateTag::Kind::kInverted, name, line});
    return put(whole, true, fmt::format("{{{{{}{}}}}}", kind, position));
  }

  Expected<void> end_section(std::string_view whole, const std::string& name) {
    if (sections_.empty()) return wrong(fmt::format("no section '{}' is open", shown(name)));
    const TemplateTag& open = read_.tags[sections_.back()];
    if (open.name != name) {
      return wrong(fmt::format("the section '{}' of line {} is open, not '{}'", shown(open.name),
                               open.line, shown(name)));
    }
    const std::string closing = fmt::format("{{{{/{}}}}}", sections_.back());
    sections_.pop_back();
    return put(whole, true, closing);
  }

  // Goes on behind the tag `whole`, with `replacement` for it. One that may disappear together with
  // its line, and stands alone there, does.
  Expected<void> put(std::string_view whole, bool with_line, const std::string& replacement) {
    rest_.remove_prefix(whole.size());
    line_ += static_cast<std::size_t>(std::ranges::count(whole, '\n'));
    const std::size_t next = rest_.find_first_not_of(' ');
    const bool ends = next == std::string_view::npos || rest_[next] == '\n';
    const bool begins = read_.text.find_first_not_of(' ', line_begin_) == std::string::npos;
    const bool alone = with_line && begins && ends;
    if (alone) {
      read_.text.resize(line_begin_);
      if (next != std::string_view::npos) ++line_;
      rest_.remove_prefix(next == std::string_view::npos ? rest_.size() : next + 1);
    }
    read_.text += replacement;
    if (alone) line_begin_ = read_.text.size();
    return {};
  }

  std::string_view rest_;
  std::size_t line_ = 1;
  TemplateTags read_;
  std::vector<std::size_t> sections_;  // open ones
  std::size_t line_begin_ = 0;         // in read_.text: where what is left of this line begins
};

}  // namespace

Expected<TemplateTags> read_template_tags(std::string_view text) {
  if (text.size() > kMaxConfiguration) {
    return fail(fmt::format("1: larger than {} bytes", kMaxConfiguration));
  }
  return TagReader(text).read();
}

}  // namespace netfleet
