// dispatcher/cli: stderr as people see it: lines, and on a terminal one progress line below them.
// Has its own synchronization: the embedded worker's thread says things too.
#pragma once

#include <mutex>
#include <string>

namespace netfleet {

class Console {
 public:
  // `progress`: whether the progress line is shown.
  explicit Console(bool progress) : progress_(progress) {}
  ~Console() { clear(); }
  void say(const std::string& line);
  void show_progress(const std::string& line);
  // Held, it is not shown: somebody is being asked on the same terminal.
  void hold_progress(bool held);
  void clear();  // removes the progress line; before stdout is written to the same terminal
  bool shows_progress() const { return progress_; }

 private:
  void write(const std::string& text);
  const bool progress_;
  std::mutex mutex_;
  bool line_there_ = false;  // guarded by mutex_
  bool held_ = false;        // guarded by mutex_
};

// Columns of the terminal on stderr; 80 when it is none.
int terminal_columns();

}  // namespace netfleet
