// dispatcher/output: --output-dir. One file a host, complete or not there at all.
#pragma once

#include <map>
#include <string>

#include "common/error.h"
#include "common/task.h"

namespace netfleet {

// Writes DIR/<host>.txt with the host's whole output for each result that has any: first to a
// temporary file beside it, then renamed. Host names become safe file names (no '/', no leading '.',
// no control characters); two hosts never share a file. One thread.
class OutputDirectory {
 public:
  // Creates the directory if it is missing; an error when it cannot be written to.
  static Expected<OutputDirectory> open(const std::string& path);
  Expected<void> write(const TaskSpec& task, const TaskResult& result);

 private:
  explicit OutputDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::map<std::string, std::string> owner_;  // file name -> host
};

}  // namespace netfleet
