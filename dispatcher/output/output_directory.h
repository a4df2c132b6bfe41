// dispatcher/output: --output-dir. One file a host, complete or not there at all.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/task.h"

namespace netfleet {

// Writes DIR/<host>.txt with the whole output of each host that ended ok: first to a temporary file
// beside it, then renamed. Any other result writes nothing, so that half an output never takes the
// place of the good one of an earlier sweep. The file holds the output as it is; with several
// commands each has a line "--- COMMAND" above it. One thread.
class OutputDirectory {
 public:
  // Creates the directory if it is missing; an error when it cannot be written to.
  static Expected<OutputDirectory> open(const std::string& path);
  Expected<void> write(const TaskSpec& task, const TaskResult& result);

 private:
  explicit OutputDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// What the file of a host holds, piece by piece: its output, of several commands each below a line
// "--- COMMAND". An error when an output cannot be read.
Expected<void> read_file_content(const TaskResult& result,
                                 const std::function<void(std::string_view)>& put);

// The file name of a host, without a directory (common/file_name.h).
std::string output_file_name(std::string_view host);

}  // namespace netfleet
