#include "dispatcher/cli/named_credentials.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "common/command_line.h"
#include "common/credential_file.h"
#include "common/host_text.h"
#include "dispatcher/cli/credentials.h"

namespace netfleet {

void add_region(CLI::App& run, RunOptions& options) {
  add_value(run, "--region", "NAME", "The region of hosts whose inventory names none", Times::kOnce,
            [&options](const std::string& given) {
              options.region = given;
              return check_label(given, "region");
            });
}

void add_named_credentials(CLI::App& run, RunOptions& options) {
  add_value(run, "--credential", "NAME",
            "The credential of hosts whose inventory names none, instead of what is said here",
            Times::kOnce, [&options](const std::string& given) {
              options.credential = given;
              return check_credential(given);
            });
  add_text(run, "--credential-file", "FILE",
           "Where the secrets of named credentials are (YAML: 'credentials:')",
           options.credential_file);
}

Expected<void> settle_named_credentials(const RunOptions& options) {
  if (options.credential.empty() || options.credentials == CredentialOptions{}) return {};
  return fail(
      "--credential: all of it is said where the name is defined: not with --ask-password, "
      "--password-*, --enable-password-*, --otp-command, --key or --agent");
}

std::string credential_of_rest(const RunOptions& options) {
  return options.credential.empty() ? kDefaultCredential : options.credential;
}

void settle_hosts(const RunOptions& options, std::vector<Host>& hosts) {
  const SharedText region(options.region);
  const SharedText credential(options.credential);
  for (Host& host : hosts) {
    if (host.region.empty()) host.region = region;
    if (host.credential.empty()) host.credential = credential;
  }
}

void check_job_credential(const Job& job, const RunOptions& options, const std::string& home,
                          Problems& problems) {
  if (options.credential.empty() || !options.listen.empty()) return;
  const auto named = std::ranges::find(job.settings, "--credential", &JobSetting::option);
  const std::size_t line = named == job.settings.end() ? 1 : named->line;
  const auto wrong = [&](std::string_view what) {
    problems.add(job.source, line, fmt::format("credentials.name: {}", what));
  };
  if (options.credential_file.empty()) {
    return wrong(fmt::format(
        "nothing says where the credential '{}' is: give credentials: file, or --credential-file "
        "to who runs the job",
        options.credential));
  }
  const auto known = read_credential_file(options.credential_file, home);
  if (!known) return wrong(known.error().message);
  if (known->contains(options.credential)) return;
  std::string names;
  for (const auto& [name, where] : *known) names += (names.empty() ? "" : ", ") + name;
  wrong(fmt::format("{} has no credential '{}' (it has: {})", options.credential_file,
                    options.credential, names.empty() ? "none" : names));
}

}  // namespace netfleet
