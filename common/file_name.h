// common: names of hosts as names of files.
#pragma once

#include <string>
#include <string_view>

namespace netfleet {

// A file's name, without an ending and without a directory, for anything's name. Letters, digits
// and most other characters stay; '/', '%', control characters and a leading '.' become %XX, and
// what a file system would find too long is cut and marked, so no two names share one.
std::string file_name_of(std::string_view name);

}  // namespace netfleet
