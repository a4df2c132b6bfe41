#include "worker/fleet/keyring.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace netfleet {

Expected<void> Keyring::load() {
  for (const auto& [name, credential] : credentials_) {
    if (auto loaded = find(name); !loaded) return std::unexpected(loaded.error());
  }
  return {};
}

Expected<std::shared_ptr<const ssh::Identity>> Keyring::find(const std::string& name) {
  if (const auto known = identities_.find(name); known != identities_.end()) return known->second;
  const auto own = credentials_.find(name);
  if (own == credentials_.end()) {
    return fail(fmt::format("it has no credential '{}', and the dispatcher sent none", name));
  }
  auto loaded = ssh::Identity::load(own->second);
  if (loaded) identities_[name] = *loaded;
  return loaded;
}

void Keyring::take(const std::string& name, const Secret& secret) {
  const std::string_view text = secret.reveal();
  const auto nul = text.find('\0');
  auto& slot = credentials_[name];
  if (slot != nullptr && !slot->password.empty()) return;
  auto merged = std::make_shared<Credential>();
  merged->password = Secret(text.substr(0, nul));
  if (nul != std::string_view::npos) merged->enable_password = Secret(text.substr(nul + 1));
  if (slot != nullptr) {
    merged->use_agent = slot->use_agent;
    for (const auto& key : slot->keys) {
      merged->keys.push_back({key.path, key.passphrase.clone(), key.certificate});
    }
  }
  slot = std::move(merged);
  identities_.erase(name);
}

}  // namespace netfleet
