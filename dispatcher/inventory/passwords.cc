#include "dispatcher/inventory/passwords.h"

#include <fmt/format.h>

#include "common/host_text.h"
#include "common/jump_reader.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxPasswords = 10'000;
constexpr std::size_t kMaxLength = 4096;

bool is_one_line(std::string_view text) {
  return text.size() <= kMaxLength && text.find_first_of("\r\n") == std::string_view::npos;
}

}  // namespace

Expected<std::string> Passwords::name_of(std::string_view password, std::string_view enable) {
  const auto known = names_.find(std::pair(password, enable));
  if (known != names_.end()) return known->second;
  if (!is_one_line(password) || !is_one_line(enable)) {
    return fail(fmt::format("the password is not one line of at most {} bytes", kMaxLength));
  }
  if (secrets_.size() == kMaxPasswords) {
    return fail(fmt::format("more than {} different passwords", kMaxPasswords));
  }
  auto secret = std::make_shared<const Secret>(password);
  std::string name = fmt::format("{}{}", kInventoryCredentials, secrets_.size() + 1);
  secrets_.emplace(name, secret);
  auto enable_secret = std::make_shared<const Secret>(enable);
  names_.emplace(std::pair(secret->reveal(), enable_secret->reveal()), name);
  if (!enable.empty()) enable_secrets_.emplace(name, std::move(enable_secret));
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
