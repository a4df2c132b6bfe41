// dispatcher/fleet: what becomes of the results of one sweep: stored, put in order, rendered,
// written to standard output and to files. Knows no queue and no thread (recorder.h has them).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/task.h"
#include "dispatcher/history/git_backup.h"
#include "dispatcher/output/order.h"
#include "dispatcher/output/output_directory.h"
#include "dispatcher/output/output_stream.h"
#include "dispatcher/output/renderer.h"
#include "dispatcher/store/store.h"

namespace netfleet {

struct RecordingOptions {
  OutputFormat format = OutputFormat::kText;
  OutputOrder order = OutputOrder::kInventory;
  bool to_terminal = false;  // output_fd is one
  int output_fd = 1;         // borrowed
  // Called on the recorder's thread before each write to output_fd: whoever keeps a progress line
  // there removes it.
  std::function<void()> before_output;
  std::optional<OutputDirectory> output_directory;
  // Called, on the recorder's thread, when the store cannot take something for a reason that may
  // pass (a full disk): true, after a while, to try again. Empty: the store has failed for good.
  std::function<bool(const Error&)> no_room;
  std::shared_ptr<GitBackup> backup;  // the recorder's thread alone uses it; null: none
  // Results that wait for their turn are kept in memory up to so many bytes; the rest waits in the
  // store.
  std::size_t held_bytes = 16u << 20;
  // The store ends with this process: it is given only what memory may have no room for, and what
  // the format reads back.
  bool scratch_store = false;
};

// What a sweep came to.
struct RecordingReport {
  Summary summary;
  std::vector<FailedHost> failed;  // the first kFailedHostsShown of the inventory
  std::optional<Error> store_error;
  std::optional<Error> output_error;  // the first one, of standard output or of the directory
  bool reader_left = false;           // whoever read standard output closed it
  std::string backup;                 // what came of it, for people; empty: there is none
};

// Memory the result takes, about.
std::size_t size_of(const TaskResult& result);

// One thread. `store` and `tasks` outlive it; nobody else may use the store meanwhile.
class Recording {
 public:
  // Readability of `stop_fd` ends all writing to standard output; storing goes on. `meanwhile` may
  // call store().
  Recording(Store& store, const SweepRecord& sweep, std::span<const TaskSpec> tasks,
            RecordingOptions options, int stop_fd, OutputStream::Meanwhile meanwhile);

  // Before anything else: what an earlier process stored of this sweep is counted, filed and shown.
  void resume();
  // Each index once; show() must follow. `grants` first; both are safe when it returns, a scratch
  // store's results in memory. After the store has failed once
  // it is not tried again, and results that wait for their turn are held in memory; when they would
  // be too many, the order is given up.
  void store(std::span<const GrantRecord> grants, std::span<const TaskResult> results);
  // Counts, files and shows what was passed to store() before.
  void show(std::vector<TaskResult> results);
  // Shows what waits for results that never came, and the renderer's end.
  void end(Milliseconds elapsed);

  const RecordingReport& report() const { return report_; }

 private:
  void show_one(TaskResult result);
  void count(const TaskResult& result);
  void write_files(const TaskResult& result);
  void commit_backup(Milliseconds elapsed);
  void note(Expected<void> written);
  bool can_hold(std::span<const TaskResult> results) const;
  void hold(TaskResult result);
  void show_held(std::span<const std::uint32_t> indexes);
  void show_stored(std::uint32_t first, std::uint32_t count);
  void render(const TaskSpec& task, const TaskResult& result);
  Expected<void> read_back(std::uint32_t index, const Renderer::Show& show);
  void flush();

  Store& store_;
  std::uint32_t sweep_;
  WallTime started_at_;
  std::span<const TaskSpec> tasks_;
  RecordingOptions options_;
  Order order_;
  std::unique_ptr<Renderer> renderer_;
  OutputStream output_;
  std::string text_;  // rendered and not yet written
  std::unordered_map<std::uint32_t, TaskResult> held_;
  std::size_t held_bytes_ = 0;
  std::map<std::uint32_t, FailedHost> failed_;  // those with the lowest indexes
  RecordingReport report_;
};

}  // namespace netfleet
