#include "dispatcher/inventory/csv_records.h"

#include <fmt/format.h>

#include <algorithm>

namespace netfleet {
namespace {

constexpr std::size_t kMaxField = 64 * 1024;
constexpr std::size_t kMaxFields = 1000;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

void CsvRecords::skip_line() {
  const std::size_t end = rest_.find('\n');
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  ++next_line_;
}

Expected<bool> CsvRecords::next(std::vector<std::string>& fields) {
  fields.clear();
  while (!rest_.empty()) {
    const std::string_view line = trimmed(rest_.substr(0, rest_.find('\n')));
    if (!line.empty() && line.front() != '#') break;
    skip_line();
  }
  line_ = next_line_;
  if (rest_.empty()) return false;
  while (true) {
    auto one = field();
    if (!one || fields.size() == kMaxFields) {
      skip_line();
      if (!one) return std::unexpected(one.error());
      return fail(fmt::format("more than {} fields", kMaxFields));
    }
    fields.push_back(*std::move(one));
    const bool more = !rest_.empty() && rest_.front() == delimiter_;
    if (!more) break;
    rest_.remove_prefix(1);
  }
  skip_line();
  return true;
}

Expected<std::string> CsvRecords::field() {
  rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(" \t")));
  if (rest_.starts_with('"')) return quoted();
  const std::size_t end = std::min(rest_.find(delimiter_), rest_.find('\n'));
  const std::string_view raw = rest_.substr(0, end);
  rest_.remove_prefix(raw.size());
  if (raw.size() > kMaxField)
    return fail(fmt::format("a field is longer than {} bytes", kMaxField));
  if (raw.find('"') != std::string_view::npos) {
    return fail("a '\"' inside a field: quote the whole field and double the quotes in it");
  }
  return std::string(trimmed(raw));
}

Expected<std::string> CsvRecords::quoted() {
  std::string value;
  std::size_t at = 1;
  std::size_t line_ends = 0;
  while (true) {
    const std::size_t quote = rest_.find('"', at);
    if (quote == std::string_view::npos) return fail("a '\"' that is never closed");
    const std::string_view part = rest_.substr(at, quote - at);
    if (value.size() + part.size() > kMaxField) {
      return fail(fmt::format("a field is longer than {} bytes", kMaxField));
    }
    value += part;
    line_ends += static_cast<std::size_t>(std::ranges::count(part, '\n'));
    at = quote + 1;
    if (at >= rest_.size() || rest_[at] != '"') break;
    value += '"';
    ++at;
  }
  rest_.remove_prefix(at);
  next_line_ += line_ends;
  rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(" \t\r")));
  if (!rest_.empty() && rest_.front() != delimiter_ && rest_.front() != '\n') {
    return fail("text behind a closing '\"'");
  }
  return value;
}

}  // namespace netfleet
