// dispatcher/api: the service's figures in Prometheus' text format. Their names are a contract:
// docs/API.md lists them, grafana-dashboard.json draws them.
#pragma once

#include <string>

#include "dispatcher/api/exchange.h"
#include "dispatcher/api/service.h"

namespace netfleet {

// As they are now. Reads /proc/self, too.
std::string metrics_text(Service& service, const ApiFigures& own);

}  // namespace netfleet
