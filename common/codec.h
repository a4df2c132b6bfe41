// common: values to bytes and back. The only place that parses what came over the wire; what it
// returns is valid by meaning, not only by syntax (PROTOCOL.md §3).
#pragma once

#include <google/protobuf/arena.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/error.h"
#include "common/task.h"
#include "proto/netfleet.pb.h"

namespace netfleet {

inline constexpr std::uint8_t kProtocolVersion = 2;

// One try at one task, as a key for maps.
struct TaskKey {
  std::uint32_t sweep = 0;
  std::uint32_t index = 0;
  auto operator<=>(const TaskKey&) const = default;
};
struct TaskKeyHash {
  std::size_t operator()(const TaskKey& key) const {
    return std::hash<std::uint64_t>()((std::uint64_t{key.sweep} << 32) | key.index);
  }
};
inline TaskKey key_of(const v1::TaskRef& ref) { return {ref.sweep(), ref.index()}; }
v1::TaskRef make_ref(TaskKey key, std::uint32_t attempt);

// An incarnation as the ROUTER socket knows it, and back; 0 for an id that is none.
std::string routing_id(std::uint64_t incarnation);
std::uint64_t incarnation_of(const std::string& routing_id);

std::string encode(const v1::OfferFrame& frame);
std::string encode(const v1::ToDispatcher& message);
std::string encode(const v1::ToWorker& message);
std::string encode(const v1::ResultFrame& frame);
// Adds to an encoded ResultFrame what precedes a result that is serialized already, `size` bytes
// long: the caller appends it next. result_size: what both take together.
void begin_result(std::string& frame, std::size_t size);
std::size_t result_size(std::size_t size);

// A message, or an error that names what is wrong with its bytes. The message lives in an arena of
// its own: the many small parts of a frame cost a few allocations.
template <typename Message>
class Decoded {
 public:
  Decoded(std::unique_ptr<google::protobuf::Arena> arena, Message* message)
      : arena_(std::move(arena)), message_(message) {}
  Decoded(std::unexpected<Error> error) : error_(std::move(error.error())) {}
  explicit operator bool() const { return message_ != nullptr; }
  Message* operator->() const { return message_; }
  Message& operator*() const { return *message_; }
  const Error& error() const { return error_; }

 private:
  std::unique_ptr<google::protobuf::Arena> arena_;
  Message* message_ = nullptr;
  Error error_;
};

// Nothing in the bytes can crash these.
Decoded<v1::OfferFrame> decode_offers(std::string_view bytes);
Decoded<v1::ToDispatcher> decode_to_dispatcher(std::string_view bytes);
Decoded<v1::ToWorker> decode_to_worker(std::string_view bytes);
Decoded<v1::ResultFrame> decode_results(std::string_view bytes);
// The major version that a frame claims to be of; 0 when it is no frame of ours at all.
std::uint8_t frame_version(std::string_view bytes);

// Whether a ToWorker with this job fits into a control frame; the error says by how much not.
Expected<void> check_size(const JobSpec& job);

// Between the wire's messages and common/task.h. `sweep` is the sweep's number.
v1::JobSpec to_wire(const JobSpec& job, std::uint32_t sweep);
JobSpec from_wire(const v1::JobSpec& job);
void to_wire(const JumpHost& host, v1::JumpHost& out);
JumpHost from_wire(const v1::JumpHost& host);
v1::TaskSpec to_wire(const TaskSpec& task, std::uint32_t sweep, std::uint32_t attempt);
void fill_in(const TaskSpec& task, v1::TaskSpec& out);  // all but the TaskRef; `out` has only that
TaskSpec from_wire(const v1::TaskSpec& task);
v1::TaskResult to_wire(TaskResult result, std::uint32_t sweep);
void to_wire(TaskResult result, std::uint32_t sweep, v1::TaskResult& out);  // `out` is empty
TaskResult from_wire(v1::TaskResult& result);  // moves the outputs out of `result`
Outcome from_wire(v1::Outcome outcome);

}  // namespace netfleet
