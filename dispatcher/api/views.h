// dispatcher/api: what the service and the store say, as the JSON of openapi.json. Pure.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "dispatcher/api/service.h"
#include "dispatcher/store/store.h"

namespace netfleet {

using OutcomeCounts = std::array<std::uint32_t, kOutcomeCount>;

// A sweep of the store; `live`: as it runs, or nullptr; `counts`: of its results, if they were
// counted (of live ones they are in `live`).
nlohmann::json sweep_view(const SweepRecord& sweep, const LiveSweep* live,
                          const std::optional<OutcomeCounts>& counts);

nlohmann::json view(const JobView& job);
nlohmann::json view(const ScheduleView& schedule);
nlohmann::json view(const FiringView& firing);
nlohmann::json view(const WorkerInfo& worker);
nlohmann::json view(const Health& health);

// Whatever bytes are in it (names of files, texts of errors) become UTF-8.
std::string json_text(const nlohmann::json& value);

}  // namespace netfleet
