// common: credentials by name, in a file of YAML that says where their secrets are and holds none:
//
//   credentials:
//     night: {password_file: night.password, enable_password_env: NIGHT_ENABLE}
//     lab:   {key: [~/.ssh/lab], agent: false}
//
// Jobs, inventories and jump hosts name them. Reading the secrets is credential_source.h's.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/credential_source.h"
#include "common/error.h"

namespace netfleet {

// By name. Who is asked for nothing (ask_password) is nobody here.
using NamedCredentials = std::map<std::string, CredentialOptions, std::less<>>;

// What a person may call one: a label, not "default", which is the command line's own, and without
// ':', which stands in names that are made up.
Expected<void> check_credential(std::string_view name);

// `source` is the file's name, for messages: "source:line: message" for all that is wrong. Paths
// come relative to its directory, "~/" as `home`.
Expected<NamedCredentials> parse_credential_file(std::string_view text, const std::string& source,
                                                 const std::string& home);
Expected<NamedCredentials> read_credential_file(const std::string& path, const std::string& home);

}  // namespace netfleet
