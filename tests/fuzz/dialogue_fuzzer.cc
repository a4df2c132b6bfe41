// tests/fuzz: a device that sends anything, in any pieces. The first bytes choose platform, options
// and the cutting; the rest is what the device sends. The session log of it is checked, too.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "worker/device/dialogue.h"
#include "worker/device/question.h"
#include "worker/device/session_log_writer.h"
#include "worker/device/session_replay.h"

using namespace netfleet;

namespace {

constexpr std::size_t kMaxOutput = 64;

const Secret& password() {
  static const Secret kPassword("\xfepA5");
  return kPassword;
}
const Secret& enable_password() {
  static const Secret kEnablePassword(
      "\xfd"
      "3nab1e");
  return kEnablePassword;
}

const std::vector<std::string>& platforms() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names = PlatformSet::builtin().names();
    names.emplace_back("auto");
    return names;
  }();
  return kNames;
}

Dialogue::Options choose_options(std::uint8_t choice, const Platform* platform) {
  Dialogue::Options options;
  options.commands = {"show a", "echo 12345678901234567890 b", "x"};
  options.max_output = kMaxOutput;
  options.columns = choice % 4 == 0 ? 40 : 511;
  options.server_identification = choice % 8 == 0 ? "SSH-2.0-Cisco-1.25" : "SSH-2.0-x";
  options.user = "ann";
  options.password = &password();
  options.enable_password = &enable_password();
  if (platform == nullptr) return options;
  if (choice / 8 % 4 == 1) options.mode = platform->modes.front().name;
  if (choice / 8 % 4 == 2) options.mode = platform->modes.back().name;
  if (choice / 32 % 2 == 1 && platform->configure) {
    options.configuration.lines = {"interface a", "banner motd ^", "b^", "c"};
    options.configuration.save = choice / 64 % 2 == 1;
    if (choice >= 192) options.configuration.confirm_within = Milliseconds(90'000);
    options.configuration.dry_run = choice >= 128 && choice < 192;
  }
  return options;
}

bool holds_secret(std::string_view text) {
  return text.find(password().reveal()) != std::string_view::npos ||
         text.find(enable_password().reveal()) != std::string_view::npos;
}

// A secret goes only to what has just asked for one; it is never typed into the dark.
void check_typed(Dialogue& dialogue, const Dialogue::Outgoing& outgoing) {
  CHECK(outgoing.secret == holds_secret(outgoing.bytes));
  if (!outgoing.secret) return;
  const std::string question = dialogue.last_line();
  CHECK(question.size() >= 80 || asks_for_secret(question));
}

// The log shows no secret, and replayed it types the same.
void check_log(const std::string& text, std::string_view device) {
  CHECK(!holds_secret(text));
  const auto log = parse_session_log(text);
  CHECK(log);
  // Where a secret may have begun, reads are not as they were.
  if (device.find_first_of("\xfe\xfd") != std::string_view::npos) return;
  const Replay replayed = replay(*log, PlatformSet::builtin());
  CHECK(replayed.differences.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t chunk = data[0] % 32 + 1;
  const bool echoes = data[0] >= 128;  // what is secret, too
  const std::string& name = platforms()[data[2] % platforms().size()];
  const Dialogue::Options options = choose_options(data[1], PlatformSet::builtin().find(name));
  SessionLogWriter writer("fuzz", "", name);
  writer.begin(options);
  Dialogue dialogue(PlatformSet::builtin(), name, options);
  std::string typed;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    const std::string_view piece = bytes.substr(at, chunk);
    writer.received(Milliseconds(at), piece);
    dialogue.receive(piece);
    const Dialogue::Outgoing outgoing = dialogue.take_outgoing();
    check_typed(dialogue, outgoing);
    if (!outgoing.bytes.empty()) {
      writer.typed(Milliseconds(at), outgoing.bytes, outgoing.secret);
    }
    if (outgoing.secret && echoes) {
      const std::string_view echo =
          std::string_view(outgoing.bytes).substr(0, outgoing.bytes.find_first_of("\r\n"));
      writer.received(Milliseconds(at), echo);
      dialogue.receive(echo);
    }
    typed += outgoing.bytes;
    CHECK(dialogue.last_line().size() <= 80 * 4);
    CHECK(!holds_secret(dialogue.last_line()));
    // One thing to a piece at most, but for the logout that follows the last command's end.
    CHECK(typed.size() <= 200 * (at / chunk + 1));
  }
  dialogue.closed();
  writer.closed(Milliseconds(bytes.size()));
  CHECK(dialogue.phase() == Dialogue::Phase::kDone);
  CHECK(dialogue.outputs().size() <= 12);
  for (const Dialogue::Output& output : dialogue.outputs()) {
    CHECK(output.text.size() <= kMaxOutput || output.kind == Dialogue::Output::Kind::kConfirm);
    CHECK(holds_secret(bytes) || !holds_secret(output.text + output.error));
    CHECK(output.text.find('\x1b') == std::string::npos);
    CHECK(output.text.find('\r') == std::string::npos);
    CHECK(output.text.find('\0') == std::string::npos);
  }
  check_log(writer.take(), bytes);
  return 0;
}
