// common: programmer errors. CHECK aborts with the expression, in release builds too.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace netfleet {

[[noreturn]] inline void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace netfleet

#define CHECK(expression) \
  ((expression) ? void(0) : ::netfleet::check_failed(#expression, __FILE__, __LINE__))
