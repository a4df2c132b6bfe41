#include "dispatcher/fleet/parts.h"

#include <algorithm>

namespace netfleet {

std::shared_ptr<Assembly> PartTracker::accept(const v1::OutputPart& part) {
  const std::uint32_t index = part.task().index();
  if (part.first()) tasks_[index] = {part.task().attempt(), {}, std::make_shared<Assembly>()};
  const auto found = tasks_.find(index);
  if (found == tasks_.end() || found->second.attempt != part.task().attempt()) return nullptr;
  auto& sizes = found->second.sizes;
  const bool begins = sizes.empty() || part.command() > sizes.rbegin()->first;
  const bool goes_on = !sizes.empty() && part.command() == sizes.rbegin()->first;
  const bool is_next =
      (begins && part.offset() == 0) || (goes_on && part.offset() == sizes.rbegin()->second);
  const bool too_much = part.offset() + part.output().size() > most_output_ ||
                        (begins && sizes.size() >= most_outputs_);
  if (!is_next || too_much) {  // those behind it count for nothing either
    tasks_.erase(found);
    return nullptr;
  }
  sizes[part.command()] += part.output().size();
  return found->second.assembly;
}

bool PartTracker::is_within_bounds(const v1::TaskResult& result) const {
  std::uint32_t parted = 0;
  for (const auto& command : result.commands()) {
    if (command.parted_size() > most_output_) return false;
    if (command.parted_size() > 0) ++parted;
  }
  return parted <= most_outputs_;
}

bool PartTracker::is_complete(const v1::TaskResult& result) const {
  const auto found = tasks_.find(result.task().index());
  const bool known = found != tasks_.end() && found->second.attempt == result.task().attempt();
  std::size_t parted = 0;
  for (int i = 0; i < result.commands_size(); ++i) {
    const std::uint64_t size = result.commands(i).parted_size();
    if (size == 0) continue;
    if (!known) return false;
    const auto came = found->second.sizes.find(static_cast<std::uint32_t>(i));
    if (came == found->second.sizes.end() || came->second != size) return false;
    ++parted;
  }
  return parted == 0 || parted == found->second.sizes.size();
}

std::shared_ptr<Assembly> PartTracker::take(const v1::TaskResult& result) {
  auto node = tasks_.extract(result.task().index());
  const bool has_parts = std::ranges::any_of(
      result.commands(), [](const v1::CommandResult& one) { return one.parted_size() > 0; });
  return has_parts && !node.empty() ? std::move(node.mapped().assembly) : nullptr;
}

}  // namespace netfleet
