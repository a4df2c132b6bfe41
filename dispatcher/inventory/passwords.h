// dispatcher/inventory: the passwords that an inventory holds, by generated credential names.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/error.h"
#include "common/secret.h"

namespace netfleet {

// How the generated names begin.
inline constexpr std::string_view kInventoryCredentials = "inventory:";

// Gives each distinct password, with that of privileged mode, one name, "inventory:1" and so on.
// One thread.
class Passwords {
 public:
  // `enable`: empty: the inventory says none. An error when there are more than 10,000: each takes
  // locked memory.
  Expected<std::string> name_of(std::string_view password, std::string_view enable = {});
  std::map<std::string, std::shared_ptr<const Secret>> take() { return std::move(secrets_); }
  std::map<std::string, std::shared_ptr<const Secret>> take_enable() {
    return std::move(enable_secrets_);
  }

 private:
  std::map<std::string, std::shared_ptr<const Secret>> secrets_;
  std::map<std::string, std::shared_ptr<const Secret>> enable_secrets_;
  // By views into the secrets.
  std::map<std::pair<std::string_view, std::string_view>, std::string> names_;
};

// A credential's name as an inventory writes it: the generated ones are not for writing.
Expected<void> check_credential_name(std::string_view name);

}  // namespace netfleet
