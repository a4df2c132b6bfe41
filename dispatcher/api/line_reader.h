// dispatcher/api: lines out of the bytes of a stream, however they are cut. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet {

// What the stream ends with is a line only with its '\n'. Blank lines, which keep a connection
// alive, are left out.
class LineReader {
 public:
  explicit LineReader(std::size_t longest) : longest_(longest) {}

  // Calls `visit` with each line, without its end, until it returns false; then reads no more.
  // False when it did.
  using Visit = std::function<bool(std::string_view line)>;
  Expected<bool> read(std::string_view bytes, const Visit& visit);

 private:
  std::size_t longest_;  // bytes of a line; more is an error
  std::string line_;     // begun
};

}  // namespace netfleet
