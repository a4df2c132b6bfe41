#include "dispatcher/schedule/cron.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/problems.h"

namespace netfleet {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct Field {
  const char* name;
  int first;
  int last;
  std::vector<std::string_view> words;  // of the values from `first`
};

const std::array<Field, 5>& fields() {
  static const std::array<Field, 5> kFields = {{
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day of month", 1, 31, {}},
      {"month",
       1,
       12,
       {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      {"day of week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
  }};
  return kFields;
}

constexpr std::pair<std::string_view, std::string_view> kNicknames[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

std::vector<std::string_view> split(std::string_view text, std::string_view separators,
                                    bool keep_empty) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0 || keep_empty) parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

std::unexpected<Error> wrong(const Field& field, std::string_view item, std::string_view why) {
  return fail(fmt::format("{} field: \"{}\" {}", field.name, shown(item), why));
}

Expected<int> value_of(const Field& field, std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto word = std::find(field.words.begin(), field.words.end(), lower);
  if (word != field.words.end()) return field.first + static_cast<int>(word - field.words.begin());
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return wrong(field, text, field.words.empty() ? "is no number" : "is neither number nor name");
  }
  if (value < field.first || value > field.last) {
    return wrong(field, text, fmt::format("is not in {} to {}", field.first, field.last));
  }
  return value;
}

// One item of a list: "*", "5", "1-5", each with "/n" behind it.
Expected<void> add_item(const Field& field, std::string_view item, std::bitset<64>& values) {
  const std::size_t slash = item.find('/');
  const std::string_view range = item.substr(0, slash);
  int step = 1;
  if (slash != std::string_view::npos) {
    const std::string_view text = item.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (error != std::errc() || end != text.data() + text.size() || step < 1) {
      return wrong(field, item, "has a step that is no positive number");
    }
  }
  int first = field.first;
  int last = field.last;
  if (range != "*") {
    const std::size_t dash = range.find('-');
    const Expected<int> from = value_of(field, range.substr(0, dash));
    if (!from) return std::unexpected(from.error());
    first = last = *from;
    if (dash != std::string_view::npos) {
      const Expected<int> to = value_of(field, range.substr(dash + 1));
      if (!to) return std::unexpected(to.error());
      last = *to;
      if (last < first) return wrong(field, item, "ends before it begins");
    } else if (slash != std::string_view::npos) {
      return wrong(field, item, "has a step but no range");
    }
  }
  for (int value = first; value <= last; value += step) values.set(static_cast<std::size_t>(value));
  return {};
}

Expected<std::bitset<64>> parse_field(const Field& field, std::string_view text) {
  std::bitset<64> values;
  for (const std::string_view item : split(text, ",", true)) {
    if (item.empty()) return wrong(field, text, "has an empty item");
    if (const Expected<void> added = add_item(field, item, values); !added) {
      return std::unexpected(added.error());
    }
  }
  return values;
}

// The longest month of those given; with February, 29.
unsigned longest(const std::bitset<13>& months) {
  unsigned days = 0;
  for (unsigned month = 1; month <= 12; ++month) {
    const date::year_month_day_last end{date::year(2000), date::month_day_last(date::month(month))};
    if (months.test(month)) days = std::max(days, static_cast<unsigned>(end.day()));
  }
  return days;
}

template <std::size_t Size>
std::bitset<Size> narrow(const std::bitset<64>& values) {
  return std::bitset<Size>(values.to_ullong());
}

}  // namespace

Expected<CronExpression> CronExpression::parse(std::string_view text) {
  std::vector<std::string_view> parts = split(text, " \t", false);
  if (parts.size() == 1 && parts[0].starts_with('@')) {
    const auto nickname = std::find_if(std::begin(kNicknames), std::end(kNicknames),
                                       [&](const auto& known) { return known.first == parts[0]; });
    if (nickname == std::end(kNicknames)) {
      return fail(
          fmt::format("\"{}\" is none of @hourly, @daily, @midnight, @weekly, @monthly, "
                      "@yearly, @annually",
                      shown(parts[0])));
    }
    parts = split(nickname->second, " ", false);
  }
  if (parts.size() != fields().size()) {
    return fail(
        fmt::format("\"{}\" has {} field{}; five are needed: minute, hour, day of month, "
                    "month, day of week",
                    shown(text), parts.size(), parts.size() == 1 ? "" : "s"));
  }
  std::array<std::bitset<64>, 5> values;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Expected<std::bitset<64>> field = parse_field(fields()[i], parts[i]);
    if (!field) return std::unexpected(std::move(field.error()));
    values[i] = *field;
  }
  values[4].set(0, values[4].test(0) || values[4].test(7));
  values[4].reset(7);

  CronExpression cron;
  cron.minutes_ = narrow<60>(values[0]);
  cron.hours_ = narrow<24>(values[1]);
  cron.days_ = narrow<32>(values[2]);
  cron.months_ = narrow<13>(values[3]);
  cron.week_days_ = narrow<7>(values[4]);
  cron.any_day_ = parts[2] == "*";
  cron.any_week_day_ = parts[4] == "*";
  cron.every_so_often_ = parts[1].starts_with('*');
  const unsigned long earliest = cron.days_.to_ulong() & ((2ul << longest(cron.months_)) - 1);
  if (earliest == 0 && cron.any_week_day_) {
    return fail(fmt::format("\"{}\" never fires: none of its months has such a day", shown(text)));
  }
  return cron;
}

bool CronExpression::on_day(date::local_days day) const {
  const date::year_month_day calendar(day);
  if (!months_.test(static_cast<unsigned>(calendar.month()))) return false;
  const bool day_fits = days_.test(static_cast<unsigned>(calendar.day()));
  const bool week_day_fits = week_days_.test(date::weekday(day).c_encoding());
  if (any_day_ || any_week_day_) return day_fits && week_day_fits;
  return day_fits || week_day_fits;
}

std::optional<minutes> CronExpression::in_day_from(minutes time) const {
  for (hours hour = std::chrono::floor<hours>(time); hour < hours(24); ++hour) {
    if (!hours_.test(static_cast<std::size_t>(hour.count()))) continue;
    const minutes from = std::max(time - hour, minutes(0));
    for (std::int64_t minute = from.count(); minute < 60; ++minute) {
      if (minutes_.test(static_cast<std::size_t>(minute))) return hour + minutes(minute);
    }
  }
  return std::nullopt;
}

LocalMinutes CronExpression::next(LocalMinutes after) const {
  const LocalMinutes from = after + minutes(1);
  date::local_days day = date::floor<date::days>(from);
  minutes time = from - day;
  // Leap days are at most eight years apart (around 2100); parse() has refused what never fires.
  const date::local_days end = day + date::days(9 * 366);
  for (; day < end; day += date::days(1), time = minutes(0)) {
    if (!on_day(day)) continue;
    if (const std::optional<minutes> found = in_day_from(time)) return day + *found;
  }
  CHECK(false);
}

}  // namespace netfleet
