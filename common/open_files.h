// common: how many files and sockets this process may have open.
#pragma once

#include <cstdint>

namespace netfleet {

// Raises the limit (ulimit -n) to what the system allows this process; returns it.
std::uint64_t allow_open_files();

}  // namespace netfleet
