#include "dispatcher/fleet/recording.h"

#include <utility>

#include "common/check.h"

namespace netfleet {
namespace {
// So much text is written at once.
constexpr std::size_t kTextAtOnce = 64u << 10;
}  // namespace

std::size_t size_of(const TaskResult& result) {
  std::size_t size = sizeof(TaskResult) + result.error.size() + result.worker.size() +
                     result.platform.size() + result.jump.size();
  for (const CommandResult& command : result.commands) {
    size += sizeof(CommandResult) + command.command.size() + command.output.memory().size();
  }
  return size;
}

Recording::Recording(Store& store, const SweepRecord& sweep, std::span<const TaskSpec> tasks,
                     RecordingOptions options, int stop_fd, OutputStream::Meanwhile meanwhile)
    : store_(store),
      sweep_(sweep.number),
      started_at_(sweep.started_at),
      tasks_(tasks),
      options_(std::move(options)),
      order_(options_.order, static_cast<std::uint32_t>(tasks.size())),
      renderer_(make_renderer(options_.format, sweep.id, options_.to_terminal)),
      output_(options_.output_fd, stop_fd, std::move(meanwhile)) {
  report_.summary.sweep = sweep.id;
  report_.summary.total = static_cast<std::uint32_t>(tasks.size());
  renderer_->set_drain([this](std::string&) { flush(); });
  renderer_->set_read_back(
      [this](std::uint32_t index, const Renderer::Show& show) { return read_back(index, show); });
}

void Recording::resume() {
  auto read = store_.for_each(sweep_, [this](const TaskSpec&, const TaskResult* result) {
    if (result != nullptr) show_one(*result);
    return true;
  });
  if (!read && !report_.store_error) report_.store_error = std::move(read.error());
  flush();
}

void Recording::store(std::span<const GrantRecord> grants, std::span<const TaskResult> results) {
  if (report_.store_error) return;
  if (options_.scratch_store && !renderer_->reads_back() && can_hold(results)) results = {};
  auto saved = store_.save(sweep_, grants, results);
  while (!saved && options_.no_room && store_.may_recover() && options_.no_room(saved.error())) {
    saved = store_.save(sweep_, grants, results);
  }
  if (!saved) {
    report_.store_error = std::move(saved.error());
    report_.store_error->message += "; results are shown, but not stored any more";
  }
}

void Recording::show(std::vector<TaskResult> results) {
  for (TaskResult& result : results) show_one(std::move(result));
  flush();
}

void Recording::show_one(TaskResult result) {
  CHECK(result.index < tasks_.size());
  count(result);
  write_files(result);
  const std::vector<std::uint32_t> shown = order_.arrived(result.index);
  if (shown.empty()) return hold(std::move(result));
  render(tasks_[result.index], result);
  show_held(std::span(shown).subspan(1));  // the first one is the one that arrived
}

void Recording::end(Milliseconds elapsed) {
  report_.summary.elapsed = elapsed;
  show_held(order_.release());
  if (output_.is_open()) renderer_->end(report_.summary, text_);
  if (renderer_->error() && !report_.output_error) report_.output_error = renderer_->error();
  flush();
  commit_backup(elapsed);
  for (auto& [index, host] : failed_) report_.failed.push_back(std::move(host));
}

void Recording::count(const TaskResult& result) {
  report_.summary.count(result.outcome);
  if (result.outcome == Outcome::kOk) return;
  if (failed_.size() == kFailedHostsShown && failed_.rbegin()->first < result.index) return;
  failed_[result.index] = {tasks_[result.index].host.str(), result.outcome, result.error};
  if (failed_.size() > kFailedHostsShown) failed_.erase(std::prev(failed_.end()));
}

void Recording::write_files(const TaskResult& result) {
  const TaskSpec& task = tasks_[result.index];
  if (options_.output_directory) note(options_.output_directory->write(task, result));
  if (options_.backup) note(options_.backup->write(task, result));
}

void Recording::commit_backup(Milliseconds elapsed) {
  if (!options_.backup) return;
  note(options_.backup->commit(report_.summary.sweep, started_at_ + elapsed));
  report_.backup = options_.backup->report();
}

void Recording::note(Expected<void> written) {
  if (!written && !report_.output_error) report_.output_error = std::move(written.error());
}

// Even if none of them could be shown at once.
bool Recording::can_hold(std::span<const TaskResult> results) const {
  std::size_t size = held_bytes_;
  for (const TaskResult& result : results) size += size_of(result);
  return size <= options_.held_bytes;
}

void Recording::hold(TaskResult result) {
  const std::size_t size = size_of(result);
  const bool fits = held_bytes_ + size <= options_.held_bytes;
  if (!fits && !report_.store_error) return;  // it waits in the store
  held_bytes_ += size;
  held_.emplace(result.index, std::move(result));
  if (!fits) show_held(order_.release());  // out of order rather than lost or without bound
}

void Recording::show_held(std::span<const std::uint32_t> indexes) {
  for (std::size_t i = 0; i < indexes.size();) {
    if (const auto held = held_.find(indexes[i]); held != held_.end()) {
      render(tasks_[indexes[i]], held->second);
      held_bytes_ -= size_of(held->second);
      held_.erase(held);
      ++i;
      continue;
    }
    const std::size_t first = i++;  // a run of neighbours that are all in the store
    while (i < indexes.size() && indexes[i] == indexes[i - 1] + 1 && !held_.contains(indexes[i])) {
      ++i;
    }
    show_stored(indexes[first], static_cast<std::uint32_t>(i - first));
  }
}

void Recording::show_stored(std::uint32_t first, std::uint32_t count) {
  if (!output_.is_open()) return;
  auto read =
      store_.for_range(sweep_, first, count, [&](const TaskSpec& task, const TaskResult* result) {
        if (result != nullptr) render(task, *result);
        return output_.is_open();
      });
  if (!read && !report_.store_error) report_.store_error = std::move(read.error());
}

void Recording::render(const TaskSpec& task, const TaskResult& result) {
  if (!output_.is_open()) return;
  renderer_->result(task, result, text_);
  if (renderer_->error() && !report_.output_error) report_.output_error = renderer_->error();
  if (text_.size() >= kTextAtOnce) flush();
}

Expected<void> Recording::read_back(std::uint32_t index, const Renderer::Show& show) {
  if (!output_.is_open()) return {};
  const auto result = store_.result(sweep_, index);
  if (!result) return std::unexpected(result.error());
  if (!*result) return fail("a result cannot be shown: it is not stored");
  show(tasks_[index], **result);
  return {};
}

void Recording::flush() {
  if (!text_.empty() && output_.is_open()) {
    if (options_.before_output) options_.before_output();
    output_.write(text_);
  }
  text_.clear();
  if (text_.capacity() > 16 * kTextAtOnce) text_.shrink_to_fit();
  report_.reader_left = output_.reader_left();
  if (output_.error() && !report_.output_error) report_.output_error = output_.error();
}

}  // namespace netfleet
