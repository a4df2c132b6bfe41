#include "dispatcher/cli/ssh_settings.h"

#include <string>
#include <unordered_map>

#include "common/check.h"

namespace netfleet {
namespace {

// `text` with what it does not say from `defaults`.
std::string with_defaults(std::string_view text, const SshOptions& defaults) {
  auto options = parse_ssh_options(text);
  CHECK(options.has_value());  // made by a reader of ours
  for (const AlgorithmKindInfo& info : algorithm_kinds()) {
    if ((*options)[info.kind].empty()) (*options)[info.kind] = defaults[info.kind];
  }
  return to_text(*options);
}

}  // namespace

void apply_command_line(const SshCommandLine& options, std::vector<Host>& hosts) {
  if (options.algorithms == SshOptions{}) return;
  std::unordered_map<std::string, SharedText> known;  // by what the inventory says; few differ
  for (Host& host : hosts) {
    const auto [entry, added] = known.try_emplace(host.ssh_options.str());
    if (added) entry->second = with_defaults(host.ssh_options.view(), options.algorithms);
    host.ssh_options = entry->second;
  }
}

}  // namespace netfleet
