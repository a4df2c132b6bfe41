// dispatcher/cli: prints the results of a sweep in any form, one task after another, wherever they
// come from: the store here, or a server.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dispatcher/history/git_backup.h"
#include "dispatcher/output/output_directory.h"
#include "dispatcher/output/renderer.h"

namespace netfleet {

class ResultsPrinter {
 public:
  // `about` says the sweep's id and how many hosts it has; `output_dir`: a directory, or empty.
  // `read_back`: see Renderer::set_read_back.
  static Expected<std::unique_ptr<ResultsPrinter>> make(OutputFormat format, Summary about,
                                                        const std::string& output_dir,
                                                        Renderer::ReadBack read_back);
  ResultsPrinter(const ResultsPrinter&) = delete;
  ResultsPrinter& operator=(const ResultsPrinter&) = delete;

  // False: nobody reads any more, or something is wrong, which end() says.
  bool visit(const TaskSpec& task, const TaskResult& result);
  // Writes what was gathered; the same.
  bool flush();
  // Of how long the sweep took, once it is known.
  void set_elapsed(Milliseconds elapsed) { summary_.elapsed = elapsed; }
  // Gets each task too, and makes its commit, of this time, once all were there.
  void set_backup(std::shared_ptr<GitBackup> backup, WallTime when);
  // The exit status. Says on stderr when hosts have no result.
  Expected<int> end();

 private:
  ResultsPrinter(std::unique_ptr<Renderer> renderer, std::optional<OutputDirectory> directory,
                 Summary about);
  bool stop(Error error);

  std::unique_ptr<Renderer> renderer_;
  std::optional<OutputDirectory> directory_;
  std::shared_ptr<GitBackup> backup_;  // may be null
  WallTime backup_at_{};
  Summary summary_;
  std::string out_;
  bool open_ = true;
  std::optional<Error> error_;
};

}  // namespace netfleet
