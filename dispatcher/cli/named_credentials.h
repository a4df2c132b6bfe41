// dispatcher/cli: what the command line and jobs say of hosts whose inventory does not: their
// region, and a credential by its name, which a file (common/credential_file.h) says more of.
#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "common/problems.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/inventory/inventory.h"
#include "dispatcher/job/job.h"

namespace netfleet {

void add_region(CLI::App& run, RunOptions& options);
void add_named_credentials(CLI::App& run, RunOptions& options);
Expected<void> settle_named_credentials(const RunOptions& options);

// The credential of what the inventory names none for.
std::string credential_of_rest(const RunOptions& options);
// What the options say of hosts that say nothing of it.
void settle_hosts(const RunOptions& options, std::vector<Host>& hosts);

// Whether the file of credentials has the one that the job names; what is wrong goes to
// `problems`, with the job's line. Workers of their own may know it: then nothing is.
void check_job_credential(const Job& job, const RunOptions& options, const std::string& home,
                          Problems& problems);

}  // namespace netfleet
