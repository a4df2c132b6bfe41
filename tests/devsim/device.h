// devsim: what one simulated device is: name, place, platform and faults. Values only; no socket,
// no SSH. devsim is a program for tests and benchmarks; nothing of netfleet includes it.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace netfleet::devsim {

enum class Platform : std::uint8_t {
  kCiscoIos,
  kLinux,
  kGeneric,
  kFrrVtysh,
  kJuniperJunos,
  kAristaEos,
  kRouterOs
};
Expected<Platform> parse_platform(std::string_view name);
std::string_view platform_name(Platform platform);

enum class Fault : std::uint8_t {
  kSilent,         // accepts TCP, never a byte
  kRefuse,         // holds the port, does not listen
  kSlow,           // a few bytes at a time
  kBannerGarbage,  // what comes first is not SSH
  kCloseAtAccept,  // close-at-*: the TCP connection ends there, without a word
  kCloseAtBanner,
  kCloseAtKex,
  kCloseAtAuth,
  kCloseAtShell,
  kCloseAtPrompt,
  kCloseAtCommand,  // in the middle of the first command's output
  kHangAtAuth,      // hang-at-*: no answer from there on, for ever
  kHangAtShell,
  kHangAtPrompt,
  kHangAtCommand,    // in the middle of the first command's output
  kWrongPassword,    // refuses every password and key
  kFlood,            // the first command's output never ends
  kGarbageOutput,    // control bytes, invalid UTF-8 and NUL instead of the output
  kNoPrompt,         // runs commands, never shows a prompt
  kPromptLookalike,  // output and banner hold lines that look like prompts
  kMotd,             // a banner before authentication and a message after it
  kSplitEscapes,     // coloured lines, written three bytes at a time
  kLegacy,           // group1-sha1, 3des-cbc, hmac-sha1 and ssh-rsa only
  kCount
};

class Faults {
 public:
  bool has(Fault fault) const { return bits_.test(static_cast<std::size_t>(fault)); }
  void add(Fault fault) { bits_.set(static_cast<std::size_t>(fault)); }

 private:
  std::bitset<static_cast<std::size_t>(Fault::kCount)> bits_;
};

// Which devices a rule is for, counted from 1: "3", "5-7", "10%" (evenly spread), "all"; several
// with commas.
class Selector {
 public:
  static Expected<Selector> parse(std::string_view text);
  bool matches(std::size_t number) const;

 private:
  struct Part {
    std::size_t first = 0;
    std::size_t last = 0;
    std::size_t percent = 0;  // not 0: of all devices, first and last unused
  };
  std::vector<Part> parts_;
};

// "NAME:SELECTOR"; "drop-auth" is another name of close-at-auth.
struct FaultRule {
  Fault fault;
  Selector selector;
};
Expected<FaultRule> parse_fault_rule(std::string_view text);
std::string fault_names();  // for --help

struct Endpoint {
  std::uint32_t address = 0;  // IPv4, host byte order
  std::uint16_t port = 0;     // 0: the system chooses
};
// "ADDRESS[-ADDRESS]:PORT[-PORT]", addresses outermost: at most 65,536 endpoints.
Expected<std::vector<Endpoint>> parse_endpoints(std::string_view text);
std::string format_endpoint(Endpoint endpoint);

struct Device {
  std::size_t number = 1;
  std::string name;
  Endpoint endpoint;
  Platform platform = Platform::kCiscoIos;
  Faults faults;
};

}  // namespace netfleet::devsim
