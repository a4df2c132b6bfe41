// dispatcher/inventory: the tags of a template with their places, and its text as the Mustache
// library is given it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace netfleet {

// A control character that no configuration holds stands for a line end, so that the library's own
// notion of lines does not matter.
inline constexpr char kLineEnd = '\x01';

struct TemplateTag {
  enum class Kind : std::uint8_t { kVariable, kSection, kInverted };
  Kind kind;
  std::string name;
  std::size_t line;          // from 1
  std::size_t own_text = 0;  // of a section: bytes of text directly in it, which each turn prints
};

struct TemplateTags {
  std::vector<TemplateTag> tags;
  std::size_t own_text = 0;  // outside of all sections
  std::string text;          // each tag's name is its position in `tags`
};

// The error says "line: what".
Expected<TemplateTags> read_template_tags(std::string_view text);

}  // namespace netfleet
