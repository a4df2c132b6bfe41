// tests/fuzz: a platform file of any text. Errors name the file; what is read can be shown and
// used.
#include <cstdint>
#include <string>

#include "common/check.h"
#include "worker/device/dialogue.h"
#include "worker/device/platform_page.h"
#include "worker/device/platform_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  auto platform = netfleet::parse_platform(text, "x.yaml");
  if (!platform) {
    CHECK(platform.error().message.starts_with("x.yaml:"));
    return 0;
  }
  CHECK(netfleet::platform_page(*platform).starts_with(platform->name));
  CHECK(netfleet::platform_json(*platform).ends_with("}\n"));
  const std::string name = platform->name;
  netfleet::PlatformSet set = netfleet::PlatformSet::builtin();
  if (!set.add(*std::move(platform))) return 0;
  netfleet::Dialogue::Options options;
  options.commands = {"show a"};
  netfleet::Dialogue dialogue(set, name, std::move(options));
  for (const char* bytes : {"hello\r\nR1# ", "x\r\nR1# ", "show a\r\nb\r\n--More--", "\r\nR1# "}) {
    dialogue.receive(bytes);
    dialogue.take_outgoing();
  }
  return 0;
}
