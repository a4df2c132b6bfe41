// common: what the command lines of netfleet and netfleet-worker share: kinds of options, checked
// values, messages. Built on CLI11; which options there are is said in dispatcher/cli and worker.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/credential_source.h"
#include "common/error.h"

namespace CLI {
class App;
}

namespace netfleet {

// A number of bytes: "4096", "64K", "16M", "1G" (powers of 1024).
Expected<std::uint64_t> parse_size(std::string_view text);

// A decimal number from `least` to `most`.
Expected<std::uint64_t> parse_number(std::string_view text, std::uint64_t least,
                                     std::uint64_t most);

// Whether it is tcp://HOST:PORT or ipc://PATH.
Expected<void> check_endpoint(const std::string& endpoint);
// Off loopback there must be `keys` (the directory of --keys; empty: none was given).
Expected<void> check_keys(const std::string& endpoint, const std::string& keys);

// Takes one value of an option; its error's message follows the option's name.
using TakeValue = std::function<Expected<void>(const std::string& value)>;

enum class Times : std::uint8_t { kOnce, kMany };

// `names` as CLI11 writes them ("-u,--user"), `value` is the word for the value in the help. An
// empty value is refused.
void add_value(CLI::App& app, const std::string& names, const std::string& value,
               const std::string& help, Times times, TakeValue take);
void add_text(CLI::App& app, const std::string& names, const std::string& value,
              const std::string& help, std::string& target);
void add_list(CLI::App& app, const std::string& names, const std::string& value,
              const std::string& help, std::vector<std::string>& target);
void add_number(CLI::App& app, const std::string& names, const std::string& help,
                std::uint32_t& target, std::uint32_t least, std::uint32_t most);
// A duration greater than zero.
void add_duration(CLI::App& app, const std::string& names, const std::string& help,
                  Milliseconds& target);

// --password-*, --enable-password-*, --otp-command, --key, --key-passphrase-env, --agent,
// --no-agent, and
// --ask-password where there may be somebody to ask.
void add_credential_options(CLI::App& app, CredentialOptions& options, bool may_ask);

// Parses; the text to print for --help or --version, if that was asked for. The error is one line,
// and one that says where the help is. It never shows the value of an unknown option.
Expected<std::optional<std::string>> parse_arguments(CLI::App& app, int argc,
                                                     const char* const* argv);

// A usage error as parse_arguments reports them; `command` as in "netfleet run".
std::unexpected<Error> usage_error(std::string_view message, std::string_view command);

}  // namespace netfleet
