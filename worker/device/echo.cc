#include "worker/device/echo.h"

#include "worker/device/text.h"

namespace netfleet {
namespace {

// No device wraps earlier; shorter lines are output that happens to begin like the command.
constexpr std::size_t kMinWidth = 20;
// What is left of a command that was scrolled sideways.
constexpr std::size_t kMinScrolled = 8;

}  // namespace

Echo::Echo(std::string_view command) : command_(trim_right(trim_left(command))), rest_(command_) {}

Echo::Part Echo::next(std::string_view text, std::size_t width) {
  text = trim_right(trim_left(text));
  if (text == rest_) return Part::kWhole;
  if (text.size() > kMinScrolled && (text.front() == '$' || text.front() == '<') &&
      rest_.ends_with(trim_left(text.substr(1)))) {
    return Part::kWhole;
  }
  if (text.empty() || width < kMinWidth || !rest_.starts_with(text)) return Part::kNone;
  rest_ = trim_left(rest_.substr(text.size()));
  return Part::kBegun;
}

}  // namespace netfleet
