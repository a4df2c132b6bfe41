#include "common/credential_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "common/clock.h"
#include "common/credential_command.h"
#include "common/credential_line.h"

namespace netfleet {
namespace {

constexpr Milliseconds kCommandLimit{30'000};

Expected<Secret> read_environment(const std::string& variable) {
  const char* value = getenv(variable.c_str());
  if (value == nullptr) return fail("it is not set");
  if (*value == '\0') return fail("it is empty");
  if (std::strlen(value) > kMaxSecret) {
    return fail(fmt::format("it is longer than {} bytes", kMaxSecret));
  }
  return Secret(value);
}

Expected<Secret> read_secret_file(const std::string& path, std::vector<std::string>& warnings) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) return fail(std::strerror(errno));
  if (S_ISREG(status.st_mode) && (status.st_mode & 077) != 0) {
    warnings.push_back(
        fmt::format("{} holds a secret and others may read it: chmod 600 {}", path, path));
  }
  FirstLine line;
  while (!line.complete()) {
    const ssize_t got = line.read_from(file.get());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(std::strerror(errno));
    if (got == 0) break;
  }
  return line.secret();
}

Expected<Credential::Key> read_key(const std::string& path, const CredentialOptions& options,
                                   const NeedsPassphrase& needs_passphrase,
                                   const AskPassphrase& ask, std::vector<std::string>& warnings) {
  Credential::Key key;
  key.path = path;
  std::string certificate = path + "-cert.pub";
  if (access(certificate.c_str(), R_OK) == 0) key.certificate = std::move(certificate);
  const auto encrypted = needs_passphrase(path);
  if (!encrypted) return std::unexpected(encrypted.error());
  if (!*encrypted) return key;
  auto passphrase =
      options.key_passphrase_env.empty()
          ? ask(path)
          : read_secret({SecretSource::Kind::kEnvironment, options.key_passphrase_env},
                        "passphrase", warnings);
  if (!passphrase) return std::unexpected(passphrase.error());
  key.passphrase = *std::move(passphrase);
  return key;
}

}  // namespace

Expected<Secret> read_secret(const SecretSource& source, std::string_view what,
                             std::vector<std::string>& warnings) {
  CHECK(source.given());
  Expected<Secret> secret;
  std::string from;
  switch (source.kind) {
    case SecretSource::Kind::kEnvironment:
      from = "environment variable " + source.argument;
      secret = read_environment(source.argument);
      break;
    case SecretSource::Kind::kFile:
      from = source.argument;
      secret = read_secret_file(source.argument, warnings);
      break;
    default:
      // The command itself is not shown: it may hold a token.
      from = "the command";
      secret = run_secret_command({source.argument, {}, BootClock::now() + kCommandLimit});
  }
  if (!secret) {
    return fail(fmt::format("read the {} from {}: {}", what, from, secret.error().message));
  }
  return secret;
}

Expected<bool> agent_wanted(AgentUse use) {
  const char* socket = getenv("SSH_AUTH_SOCK");
  const bool is_there = socket != nullptr && *socket != '\0';
  if (use == AgentUse::kOn && !is_there) return fail("--agent: SSH_AUTH_SOCK is not set");
  return use != AgentUse::kOff && is_there;
}

Expected<Credential> read_credential(const CredentialOptions& options,
                                     const NeedsPassphrase& needs_passphrase,
                                     const AskPassphrase& ask, std::vector<std::string>& warnings) {
  Credential credential;
  const auto use_agent = agent_wanted(options.agent);
  if (!use_agent) return std::unexpected(use_agent.error());
  credential.use_agent = *use_agent;
  credential.otp_command = options.otp_command;
  if (options.password.given()) {
    auto password = read_secret(options.password, "password", warnings);
    if (!password) return std::unexpected(password.error());
    credential.password = *std::move(password);
  }
  if (options.enable_password.given()) {
    auto password = read_secret(options.enable_password, "enable password", warnings);
    if (!password) return std::unexpected(password.error());
    credential.enable_password = *std::move(password);
  }
  for (const std::string& path : options.keys) {
    auto key = read_key(path, options, needs_passphrase, ask, warnings);
    if (!key) return std::unexpected(key.error());
    credential.keys.push_back(*std::move(key));
  }
  return credential;
}

}  // namespace netfleet
