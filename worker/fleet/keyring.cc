#include "worker/fleet/keyring.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "common/credential_command.h"

namespace netfleet {
namespace {

constexpr std::size_t kCodeCommandsAtOnce = 16;  // processes; logins beyond that wait

}  // namespace

Expected<void> Keyring::load() {
  for (const auto& [name, credential] : credentials_) {
    if (auto loaded = find(name); !loaded) return std::unexpected(loaded.error());
  }
  return {};
}

Expected<std::shared_ptr<const ssh::Identity>> Keyring::find(const std::string& name) {
  if (const auto known = identities_.find(name); known != identities_.end()) return known->second;
  auto own = credentials_.find(name);
  if (own == credentials_.end() && more_) {
    if (auto found = more_(name)) own = credentials_.emplace(name, std::move(found)).first;
  }
  if (own == credentials_.end()) {
    return fail(fmt::format("no credential '{}' here, and the dispatcher sent none", name));
  }
  auto loaded = ssh::Identity::load(own->second, codes_for(*own->second));
  if (loaded) identities_[name] = *loaded;
  return loaded;
}

std::shared_ptr<ssh::Codes> Keyring::codes_for(const Credential& credential) {
  const std::string& command = credential.otp_command;
  if (command.empty() && !ask_code_) return nullptr;
  auto& codes = codes_[command];
  if (codes == nullptr) {
    codes = command.empty()
                ? std::make_shared<ssh::Codes>(ask_code_, 1)
                : std::make_shared<ssh::Codes>(codes_from_command(command), kCodeCommandsAtOnce);
  }
  return codes;
}

void Keyring::take(const std::string& name, const Secret& secret) {
  const auto found = own_.find(name);
  const Credential* own = found == own_.end() ? nullptr : found->second.get();
  if (own != nullptr && !own->password.empty()) return;
  const std::string_view text = secret.reveal();
  const auto nul = text.find('\0');
  auto merged = std::make_shared<Credential>();
  merged->password = Secret(text.substr(0, nul));
  if (nul != std::string_view::npos) merged->enable_password = Secret(text.substr(nul + 1));
  auto& slot = credentials_[name];
  // With each Welcome the same comes again: keys are not decrypted again for that.
  const bool known = slot != nullptr && slot->password.reveal() == merged->password.reveal() &&
                     slot->enable_password.reveal() == merged->enable_password.reveal();
  if (known) return;
  if (own != nullptr) {
    merged->use_agent = own->use_agent;
    merged->otp_command = own->otp_command;
    for (const auto& key : own->keys) {
      merged->keys.push_back({key.path, key.passphrase.clone(), key.certificate});
    }
  }
  slot = std::move(merged);
  identities_.erase(name);
}

void Keyring::forget_taken() {
  std::erase_if(credentials_, [this](const auto& entry) {
    const auto own = own_.find(entry.first);
    const bool taken = own == own_.end() || own->second != entry.second;
    if (taken) identities_.erase(entry.first);
    return taken;
  });
  credentials_.insert(own_.begin(), own_.end());
}

}  // namespace netfleet
