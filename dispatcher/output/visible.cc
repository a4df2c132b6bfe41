#include "dispatcher/output/visible.h"

#include <algorithm>

#include "common/utf8.h"

namespace netfleet {
namespace {

struct IsPlain {
  bool operator()(char byte) const {
    return (byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\t';
  }
};

}  // namespace

void append_visible(std::string& out, std::string_view bytes) {
  const std::size_t plain = prefix_length(bytes, IsPlain());
  out.append(bytes, 0, plain);
  if (plain == bytes.size()) return;
  const std::string text = to_utf8(bytes.substr(plain));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) {  // U+0080 to U+009F
      out.append("\xEF\xBF\xBD");
      ++i;
    } else if (byte >= 0x80 || IsPlain()(text[i])) {
      out.push_back(text[i]);
    } else {
      out.push_back('^');
      out.push_back(static_cast<char>(byte ^ 0x40));  // as terminals show it: ^@ to ^_, ^?
    }
  }
}

std::string one_line(std::string_view bytes) {
  std::string out;
  append_visible(out, bytes);
  std::ranges::replace_if(out, [](char byte) { return byte == '\n' || byte == '\t'; }, ' ');
  return out;
}

}  // namespace netfleet
