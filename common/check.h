// common: programmer errors. CHECK aborts with the expression, in release builds too.
#pragma once

#include <cstdio>
#include <cstdlib>
#ifdef NETFLEET_BREACHES
#include <stdexcept>
#include <string>
#endif

namespace netfleet {

[[noreturn]] inline void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expression);
  std::abort();
}

#ifdef NETFLEET_BREACHES
// The simulation names the seed that led to it.
[[noreturn]] inline void check_thrown(const char* expression) {
  throw std::logic_error(std::string("CHECK failed: ") + expression);
}
#endif

}  // namespace netfleet

#ifdef NETFLEET_BREACHES
#define CHECK(expression) ((expression) ? void(0) : ::netfleet::check_thrown(#expression))
#else
#define CHECK(expression) \
  ((expression) ? void(0) : ::netfleet::check_failed(#expression, __FILE__, __LINE__))
#endif
