// worker/device: recognises a command that the device sends back as it was typed: whole, wrapped
// over several lines, or scrolled sideways ("R1#$ long command"). Not for the prompt before it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace netfleet {

// One command's echo, fed line by line. Blanks at the ends of lines do not count.
class Echo {
 public:
  enum class Part : std::uint8_t { kNone, kBegun, kWhole };

  explicit Echo(std::string_view command);

  // The next line, without the prompt. `width`: of the whole line; too narrow a line is no wrap.
  // kBegun: the echo may go on in the next line. kNone after kBegun: none of them was the echo.
  Part next(std::string_view text, std::size_t width);
  // To start again with another first line.
  void reset() { rest_ = command_; }

 private:
  std::string command_;
  std::string_view rest_;
};

}  // namespace netfleet
