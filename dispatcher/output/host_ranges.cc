#include "dispatcher/output/host_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <unordered_map>
#include <utility>

namespace netfleet {
namespace {

constexpr std::size_t kMostDigits = 18;  // fit into 64 bits; longer ones are words

struct Number {
  std::uint64_t value = 0;
  std::size_t width = 0;  // of one with zeros in front; 0: it has none
};

// The texts between a name's numbers and the numbers, in turn: "sw", "1", ".dc", "2", "". Those
// with an odd position are numbers, or folded ones.
using Fields = std::vector<std::string>;

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

Fields split(std::string_view name) {
  Fields fields(1);
  if (name.find_first_of("[],") != std::string_view::npos) {
    fields[0] = name;
    return fields;
  }
  for (std::size_t at = 0; at < name.size();) {
    std::size_t end = at;
    while (end < name.size() && is_digit(name[end]) == is_digit(name[at])) ++end;
    const std::string_view part = name.substr(at, end - at);
    if (is_digit(name[at]) && part.size() <= kMostDigits) {
      fields.emplace_back(part);
      fields.emplace_back();
    } else {
      fields.back() += part;
    }
    at = end;
  }
  return fields;
}

Number to_number(std::string_view digits) {
  Number number;
  std::from_chars(digits.data(), digits.data() + digits.size(), number.value);
  if (digits.size() > 1 && digits.front() == '0') number.width = digits.size();
  return number;
}

std::size_t digits_of(std::uint64_t value) { return fmt::formatted_size("{}", value); }

// "7", or "[1-40,42]".
std::string fold(std::vector<Number> numbers) {
  // 08 and 09 make 10 one of theirs.
  std::size_t widths = 0;  // a bit for each
  for (const Number& number : numbers) widths |= std::size_t{1} << number.width;
  for (Number& number : numbers) {
    const std::size_t digits = digits_of(number.value);
    if (number.width == 0 && (widths >> digits & 1) != 0 && digits > 1) number.width = digits;
  }
  std::ranges::sort(numbers, {},
                    [](const Number& number) { return std::pair(number.width, number.value); });
  struct Range {
    Number first;
    std::uint64_t last;
  };
  std::vector<Range> ranges;
  for (const Number& number : numbers) {
    if (!ranges.empty() && ranges.back().first.width == number.width &&
        number.value - ranges.back().last <= 1) {
      ranges.back().last = number.value;
    } else {
      ranges.push_back({number, number.value});
    }
  }
  std::ranges::sort(ranges, {}, [](const Range& range) {
    return std::pair(range.first.value, range.first.width);
  });
  const bool several = ranges.size() > 1 || ranges[0].first.value != ranges[0].last;
  std::string text(several ? "[" : "");
  for (const Range& range : ranges) {
    if (text.size() > 1) text += ',';
    const auto out = std::back_inserter(text);
    fmt::format_to(out, "{:0{}}", range.first.value, range.first.width);
    if (range.last != range.first.value)
      fmt::format_to(out, "-{:0{}}", range.last, range.first.width);
  }
  return several ? text + "]" : text;
}

// Names that are alike but for one of their numbers.
struct Alike {
  Fields fields;
  std::vector<Number> numbers;  // empty: they have no such number
};

// Folds the number at `place` (1 is the last one, 2 the one before it) of all that have one.
std::vector<Fields> fold_place(std::vector<Fields> names, std::size_t place) {
  std::vector<Alike> all;
  std::unordered_map<std::string, std::size_t> known;
  for (Fields& fields : names) {
    if (fields.size() <= 2 * place - 1) {
      all.push_back({std::move(fields), {}});
      continue;
    }
    const std::size_t at = fields.size() - 2 * place;
    std::string key = fmt::format("{}", at);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i != at) key.append(1, '\0').append(fields[i]);
    }
    const Number number = to_number(fields[at]);
    const auto [entry, added] = known.try_emplace(std::move(key), all.size());
    if (added) all.push_back({std::move(fields), {}});
    all[entry->second].numbers.push_back(number);
  }
  names.clear();
  for (Alike& alike : all) {
    if (!alike.numbers.empty()) {
      alike.fields[alike.fields.size() - 2 * place] = fold(std::move(alike.numbers));
    }
    names.push_back(std::move(alike.fields));
  }
  return names;
}

}  // namespace

std::string fold_hosts(const std::vector<std::string_view>& hosts) {
  std::vector<Fields> names;
  names.reserve(hosts.size());
  std::size_t places = 0;
  for (const std::string_view host : hosts) {
    names.push_back(split(host));
    places = std::max(places, names.back().size() / 2);
  }
  for (std::size_t place = 1; place <= places; ++place) {
    names = fold_place(std::move(names), place);
  }
  std::string text;
  for (const Fields& fields : names) {
    if (!text.empty()) text += ',';
    for (const std::string& field : fields) text += field;
  }
  return text;
}

}  // namespace netfleet
