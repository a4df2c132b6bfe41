// common: what is done with the key of a server that is connected to.
#pragma once

#include <cstdint>

namespace netfleet {

enum class HostKeyPolicy : std::uint8_t { kStrict, kAcceptNew, kOff };

}  // namespace netfleet
