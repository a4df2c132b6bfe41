// tests/fuzz: a device that sends anything, in any pieces. The first bytes choose platform, options
// and the cutting; the rest is what the device sends.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/check.h"
#include "worker/device/dialogue.h"
#include "worker/device/terminal.h"

using netfleet::Dialogue;
using netfleet::PlatformSet;
using netfleet::Terminal;

namespace {

// So many bytes cannot make a line that reaches the terminal's limit: such a line is handed on in
// pieces that do depend on the cutting.
constexpr std::size_t kMaxCompared = 2048;

// What the terminal makes of the bytes does not depend on how they are cut.
void check_terminal(std::string_view bytes, std::size_t columns, std::size_t chunk) {
  if (bytes.size() > kMaxCompared) return;
  Terminal whole(columns);
  Terminal pieces(columns);
  std::string whole_lines;
  std::string piece_lines;
  whole.feed(bytes, whole_lines);
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    pieces.feed(bytes.substr(at, chunk), piece_lines);
  }
  CHECK(whole_lines == piece_lines);
  CHECK(whole.line() == pieces.line());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t chunk = data[0] % 32 + 1;
  constexpr const char* kPlatforms[] = {"auto", "cisco_ios", "frr_vtysh", "generic", "linux"};
  constexpr std::size_t kMaxOutput = 64;

  check_terminal(bytes, data[1] % 16, chunk);

  Dialogue::Options options;
  options.commands = {"show a", "echo 12345678901234567890 b", "x"};
  options.max_output = kMaxOutput;
  options.columns = data[1] % 4 == 0 ? 40 : 511;
  options.server_identification = data[1] % 8 == 0 ? "SSH-2.0-Cisco-1.25" : "SSH-2.0-x";
  Dialogue dialogue(PlatformSet::builtin(), kPlatforms[data[2] % 5], std::move(options));
  std::size_t typed = 0;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    dialogue.receive(bytes.substr(at, chunk));
    typed += dialogue.take_outgoing().bytes.size();
    CHECK(dialogue.last_line().size() <= 80 * 4);
    // One thing to a piece at most, but for the logout that follows the last command's end.
    CHECK(typed <= 200 * (at / chunk + 1));
  }
  dialogue.closed();
  CHECK(dialogue.phase() == Dialogue::Phase::kDone);
  CHECK(dialogue.outputs().size() <= 3);
  for (const Dialogue::Output& output : dialogue.outputs()) {
    CHECK(output.text.size() <= kMaxOutput);
    CHECK(output.text.find('\x1b') == std::string::npos);
    CHECK(output.text.find('\r') == std::string::npos);
    CHECK(output.text.find('\0') == std::string::npos);
  }
  return 0;
}
