// common: a program's three standard streams, however its caller left them: closed, on a full disk,
// with nobody at the other end. Not for results in the course of a sweep (dispatcher/output).
#pragma once

#include <string_view>

#include "common/error.h"

namespace netfleet {

// To be called first in main(). A standard stream that is closed gets a descriptor with which every
// read or write fails, so that no file or socket of ours takes its number, and its text.
void occupy_standard_streams();

// Writes text to stderr. What cannot be written there can be reported nowhere: it is dropped.
void print_error(std::string_view text);

// Writes all of text to stdout. False when nobody reads it any more, which is no error of ours.
Expected<bool> print_output(std::string_view text);

}  // namespace netfleet
