// dispatcher/cli: the verbs that ask a long-lived dispatcher. Each returns the exit status; errors
// go to stderr. 2: refused, or wrong input; 3: nobody answers, or something else than a dispatcher.
#pragma once

#include <string>

#include "dispatcher/api/client.h"
#include "dispatcher/cli/options.h"

namespace netfleet {

int service_verb(const ServiceCommand& command);

int submit_verb(const SubmitOptions& options);
int status_verb(const StatusOptions& options);
int watch_verb(const WatchOptions& options);
int cancel_verb(const CancelOptions& options);
int retry_verb(const RetryOptions& options);
int schedule_verb(const ScheduleOptions& options);

// Those of the verbs that can also do without.
int server_results(const ResultsOptions& options);
int server_diff(const DiffOptions& options);
int server_workers(const WorkersOptions& options);

// Until the sweep has ended, across restarts of the dispatcher.
int watch_sweep(ApiClient& client, const std::string& sweep, RolloutReply reply);

}  // namespace netfleet
