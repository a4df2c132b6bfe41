// dispatcher/cli: kinds of values that several verbs' options have.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
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

inline TakeValue take_output_format(OutputFormat& target) {
  return [&target](const std::string& given) -> Expected<void> {
    if (given == "grouped") return fail("'grouped' is not available yet");
    return take_word(
        target, std::array{std::pair{std::string_view("text"), OutputFormat::kText},
                           std::pair{std::string_view("jsonl"), OutputFormat::kJsonl},
                           std::pair{std::string_view("summary"), OutputFormat::kSummary}})(given);
  };
}

}  // namespace netfleet
