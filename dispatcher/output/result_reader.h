// dispatcher/output: a task and its result from a line of -o jsonl. Pure. Not for the stream that
// the lines come from.
#pragma once

#include <string_view>

#include "common/error.h"
#include "common/task.h"

namespace netfleet {

struct ReadResult {
  TaskSpec task;
  TaskResult result;
};

// What is said in the line: not the user, the credential and the ways of the task. Fields that are
// not known are left out; one that is missing, twice there or of another kind is an error. Memory:
// the texts of the line, once.
Expected<ReadResult> read_result_line(std::string_view line);

}  // namespace netfleet
