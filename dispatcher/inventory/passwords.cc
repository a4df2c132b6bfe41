#include "dispatcher/inventory/passwords.h"

#include <fmt/format.h>

#include "common/host_text.h"
#include "common/jump_reader.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxPasswords = 10'000;
constexpr std::size_t kMaxLength = 4096;

}  // namespace

Expected<std::string> Passwords::name_of(std::string_view password) {
  if (const auto known = names_.find(password); known != names_.end()) return known->second;
  if (password.size() > kMaxLength || password.find_first_of("\r\n") != std::string_view::npos) {
    return fail(fmt::format("the password is not one line of at most {} bytes", kMaxLength));
  }
  if (secrets_.size() == kMaxPasswords) {
    return fail(fmt::format("more than {} different passwords", kMaxPasswords));
  }
  auto secret = std::make_shared<const Secret>(password);
  std::string name = fmt::format("{}{}", kInventoryCredentials, secrets_.size() + 1);
  secrets_.emplace(name, secret);
  names_.emplace(secret->reveal(), name);
  return name;
}

Expected<void> check_credential_name(std::string_view name) {
  if (const auto checked = check_label(name, "credential"); !checked) return checked;
  if (name.starts_with(kInventoryCredentials) || name.starts_with(kJumpCredentials)) {
    return fail(fmt::format("the credential name '{}' is reserved", name));
  }
  return {};
}

}  // namespace netfleet
