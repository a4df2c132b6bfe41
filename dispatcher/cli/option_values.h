// dispatcher/cli: kinds of values that several verbs' options have.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "dispatcher/output/renderer.h"

namespace netfleet {

// Takes one of a few words.
template <typename Enum, std::size_t N>
TakeValue take_word(Enum& target, std::array<std::pair<std::string_view, Enum>, N> words) {
  return [&target, words](const std::string& given) -> Expected<void> {
    std::string expected;
    for (const auto& [word, value] : words) {
      if (given == word) {
        target = value;
        return {};
      }
      expected += fmt::format("{}{}", expected.empty() ? "" : ", ", word);
    }
    return fail(fmt::format("'{}' is not one of {}", given, expected));
  };
}

// Takes how many sweeps or days stay.
inline TakeValue take_count(std::optional<std::uint32_t>& target) {
  return [&target](const std::string& given) -> Expected<void> {
    const auto number = parse_number(given, 1, 100'000);
    if (!number) return std::unexpected(number.error());
    target = static_cast<std::uint32_t>(*number);
    return {};
  };
}

inline TakeValue take_output_format(OutputFormat& target) {
  return take_word(target,
                   std::array{std::pair{std::string_view("text"), OutputFormat::kText},
                              std::pair{std::string_view("grouped"), OutputFormat::kGrouped},
                              std::pair{std::string_view("jsonl"), OutputFormat::kJsonl},
                              std::pair{std::string_view("csv"), OutputFormat::kCsv},
                              std::pair{std::string_view("summary"), OutputFormat::kSummary}});
}

// -o of the verbs that print results, and --diff; settle_output() puts both together.
inline void add_result_format(CLI::App& verb, OutputFormat& format, bool& differences) {
  add_value(verb, "-o,--output", "FORMAT", "text (default), grouped, jsonl, csv or summary",
            Times::kOnce, take_output_format(format));
  verb.add_flag("--diff", differences,
                "With -o grouped: of all groups but the largest only what differs from it");
}

inline Expected<void> settle_output(OutputFormat& format, bool differences) {
  if (!differences) return {};
  if (format != OutputFormat::kGrouped) return fail("--diff needs -o grouped");
  format = OutputFormat::kGroupedDiff;
  return {};
}

}  // namespace netfleet
