#include "worker/own_jumps.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "common/jump_reader.h"
#include "worker/ssh/identity.h"

namespace netfleet {
namespace {

constexpr std::string_view kDefaultCredential = "default";

Expected<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || !text) {
    return fail(fmt::format("read jump hosts {}: {}", path, std::strerror(errno)));
  }
  return std::move(text).str();
}

Expected<Credential> credential_of(const JumpDefinition& jump, const CredentialOptions& own,
                                   const std::string& home, std::vector<std::string>& warnings) {
  const AskPassphrase nobody = [](const std::string& path) -> Expected<Secret> {
    return fail(fmt::format("the key {} needs a passphrase: give --key-passphrase-env VAR", path));
  };
  auto credential = read_credential(login_options(jump, own, home), ssh::Identity::needs_passphrase,
                                    nobody, warnings);
  if (credential && jump.password != nullptr) credential->password = jump.password->clone();
  return credential;
}

}  // namespace

Expected<JumpHosts> read_own_jumps(const std::string& path, const CredentialOptions& own,
                                   const std::string& home, CredentialStore& store,
                                   std::vector<std::string>& warnings) {
  JumpHosts hosts;
  if (path.empty()) return hosts;
  auto text = read_file(path);
  if (!text) return std::unexpected(std::move(text.error()));
  const auto definitions = parse_jump_file(*text, path);
  wipe(text->data(), text->size());
  if (!definitions) return std::unexpected(definitions.error());
  for (const JumpDefinition& jump : *definitions) {
    const auto wrong = [&](std::string_view why) {
      return fail(fmt::format("{}: jump host '{}': {}", jump.place, jump.host.name, why));
    };
    if (jump.host.user.empty()) return wrong("give the user to log in as");
    if (jump.sessions != 0 || jump.logins_per_second != 0) {
      return wrong(
          "sessions and logins_per_second are limits over the fleet: they belong into "
          "the dispatcher's inventory");
    }
    JumpHost& host = hosts[jump.host.name] = jump.host;
    if (host.port == 0) host.port = 22;
    if (host.credential.empty()) host.credential = kDefaultCredential;
    if (jump.host_key_policy) host.host_key_policy = *jump.host_key_policy;
    if (!jump.has_secret()) continue;
    auto credential = credential_of(jump, own, home, warnings);
    if (!credential) return wrong(credential.error().message);
    store[host.credential] = std::make_shared<const Credential>(*std::move(credential));
  }
  for (const JumpDefinition& jump : *definitions) {
    if (auto whole = whole_chain({jump.host.name}, hosts); !whole) {
      return fail(fmt::format("{}: {}", jump.place, whole.error().message));
    }
  }
  return hosts;
}

}  // namespace netfleet
