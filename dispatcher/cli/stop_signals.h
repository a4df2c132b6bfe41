// dispatcher/cli: the signals that end a verb, for one that waits for descriptors.
#pragma once

namespace netfleet {

// SIGINT, SIGTERM and SIGHUP as a file descriptor; blocked for every thread started later. A reader
// that goes away and a file too large for the limit are errors of their writes, no signals.
int open_stop_signals();

}  // namespace netfleet
