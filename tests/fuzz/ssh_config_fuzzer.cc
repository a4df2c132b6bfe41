// tests/fuzz: ssh_config. An included file is the input itself, so that depth and size have to be
// bounded. Checks what every accepted input promises: an answer for any host that a task can hold.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "dispatcher/inventory/ssh_config.h"

namespace netfleet {
namespace {

void check(const SshConfigAnswer& answer, const SshConfigAnswer& again) {
  CHECK(answer.user.find('\n') == std::string::npos);
  CHECK(answer.proxy.empty() || answer.proxy.starts_with("ProxyJump ") ||
        answer.proxy.starts_with("ProxyCommand "));
  for (const std::string& path : answer.identity_files) CHECK(path != "none");
  // The lists travel as a text, and come back as they were.
  const auto parsed = parse_ssh_options(to_text(answer.algorithms));
  CHECK(parsed && *parsed == answer.algorithms);
  // The same question has the same answer.
  CHECK(answer.hostname == again.hostname && answer.identity_files == again.identity_files);
}

}  // namespace
}  // namespace netfleet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netfleet;
  if (size > 4096) return 0;  // each Include of itself multiplies it
  const std::string text(reinterpret_cast<const char*>(data), size);
  int included = 0;
  const auto config = SshConfig::parse(
      {"f", text}, [&](const std::string&) -> Expected<std::vector<SshConfig::File>> {
        if (++included > 20) return fail("enough");
        return std::vector{SshConfig::File{"g", text}};
      });
  if (!config) {
    CHECK(!config.error().message.empty());
    return 0;
  }
  for (const char* host : {"edge-1", "core.example.net", "::1"}) {
    std::set<std::string> ignored;
    const SshConfigQuery query{
        .host = host, .user = "", .port = 0, .local_user = "me", .home = "/h"};
    const SshConfigAnswer answer = config->find(query, ignored);
    check(answer, config->find(query, ignored));
  }
  return 0;
}
