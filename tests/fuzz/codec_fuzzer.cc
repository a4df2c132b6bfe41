// tests/fuzz: a peer that sends anything. The first byte says as which kind of frame the rest is
// taken. What is accepted survives another trip over the wire unchanged, and becomes values.
#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"
#include "common/codec.h"

namespace netfleet {
namespace {

template <typename Message>
void check_round_trip(const Message& message, Decoded<Message> (*decode)(std::string_view)) {
  const std::string bytes = encode(message);
  const Decoded<Message> again = decode(bytes);
  CHECK(bool{again});
  CHECK(encode(*again) == bytes);
}

template <typename Message>
Decoded<Message> accepted(std::string_view bytes, Decoded<Message> (*decode)(std::string_view)) {
  Decoded<Message> message = decode(bytes);
  if (message) {
    check_round_trip(*message, decode);
  } else {
    CHECK(!message.error().message.empty());
  }
  return message;
}

void check_to_worker(std::string_view bytes) {
  const auto message = accepted<v1::ToWorker>(bytes, decode_to_worker);
  if (!message) return;
  if (message->has_job()) {
    const JobSpec job = from_wire(message->job());
    CHECK(from_wire(to_wire(job, message->job().sweep())) == job);
  }
  for (const v1::TaskSpec& spec : message->grant().tasks()) {
    const TaskSpec task = from_wire(spec);
    CHECK(from_wire(to_wire(task, spec.task().sweep(), spec.task().attempt())) == task);
  }
}

void check_results(std::string_view bytes) {
  auto frame = accepted<v1::ResultFrame>(bytes, decode_results);
  if (!frame) return;
  for (v1::TaskResult& wired : *frame->mutable_results()) {
    const std::uint32_t sweep = wired.task().sweep();
    const TaskResult result = from_wire(wired);
    v1::TaskResult again = to_wire(result, sweep);
    CHECK(from_wire(again) == result);
  }
}

}  // namespace
}  // namespace netfleet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netfleet;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      accepted<v1::OfferFrame>(bytes, decode_offers);
      break;
    case 1:
      accepted<v1::ToDispatcher>(bytes, decode_to_dispatcher);
      break;
    case 2:
      check_to_worker(bytes);
      break;
    default:
      check_results(bytes);
  }
  return 0;
}
