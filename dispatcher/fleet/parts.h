// dispatcher/fleet: large outputs, which come in parts before their result (PROTOCOL.md §6). Says
// which part is the next one, and whether all have come; holds no bytes. No input or output.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "common/codec.h"
#include "common/output_text.h"
#include "common/task.h"

namespace netfleet {

// The large outputs of one result as they come, by command. Made by the loop, and then the
// recorder's thread's alone.
struct Assembly {
  std::map<std::uint32_t, OutputText> outputs;
};

// One thing for the recorder, in the order of their coming.
struct Delivery {
  Delivery() = default;
  Delivery(TaskResult whole, std::shared_ptr<Assembly> parts = {})  // NOLINT: the usual one
      : result(std::move(whole)), assembly(std::move(parts)) {}
  bool is_part() const { return !part.empty(); }

  TaskResult result;                   // unless it is a part
  std::shared_ptr<Assembly> assembly;  // to which the part belongs, or the result, if it has parts
  std::uint32_t command = 0;           // of the part
  std::string part;
};

// Of the tasks of one sweep. One thread.
class PartTracker {
 public:
  // What a result may bring at most: outputs, and bytes of each.
  PartTracker(std::uint32_t most_outputs, std::uint64_t most_output)
      : most_outputs_(most_outputs), most_output_(most_output) {}

  // The assembly that the part goes to; null: it is not the next one and counts for nothing. That
  // it is of the task's holder was asked before.
  std::shared_ptr<Assembly> accept(const v1::OutputPart& part);
  // Whether parts of so many and so large outputs are accepted at all: otherwise it is never
  // complete.
  bool is_within_bounds(const v1::TaskResult& result) const;
  // Whether every part of the result is there.
  bool is_complete(const v1::TaskResult& result) const;
  // What came for it, which is forgotten; null: it has no parts.
  std::shared_ptr<Assembly> take(const v1::TaskResult& result);
  void forget(std::uint32_t index) { tasks_.erase(index); }

 private:
  struct Parts {
    std::uint32_t attempt = 0;
    std::map<std::uint32_t, std::uint64_t> sizes;  // by command
    std::shared_ptr<Assembly> assembly;
  };
  std::uint32_t most_outputs_;
  std::uint64_t most_output_;
  std::unordered_map<std::uint32_t, Parts> tasks_;  // by index
};

}  // namespace netfleet
