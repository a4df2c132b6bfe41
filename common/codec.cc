#include "common/codec.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace netfleet {
namespace {

constexpr std::string_view kPrefix = "nf\x02";
constexpr std::uint32_t kMostSlots = 1'000'000;  // of one worker, so that sums of them fit
static_assert(kPrefix[2] == kProtocolVersion);

// libprotobuf prints to stderr on each invalid UTF-8 string that a peer sends: a log flood.
[[maybe_unused]] const auto kQuietProtobuf = google::protobuf::SetLogHandler(nullptr);

template <typename Message>
std::string encode_frame(const Message& message) {
  std::string bytes;
  bytes.reserve(kPrefix.size() + message.ByteSizeLong());
  bytes.append(kPrefix);
  message.AppendToString(&bytes);
  return bytes;
}

template <typename Message>
Decoded<Message> parse_frame(std::string_view bytes) {
  if (frame_version(bytes) != kProtocolVersion) return fail("no frame of this protocol");
  bytes.remove_prefix(kPrefix.size());
  google::protobuf::ArenaOptions options;  // parsed parts take about six times their bytes
  options.start_block_size = std::clamp<std::size_t>(bytes.size() * 6, 512, 64 << 10);
  options.max_block_size = 64 << 10;
  auto arena = std::make_unique<google::protobuf::Arena>(options);
  auto* message = google::protobuf::Arena::CreateMessage<Message>(arena.get());
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail("a frame that does not parse");
  }
  return Decoded<Message>(std::move(arena), message);
}

bool valid(const v1::TaskRef& ref) { return ref.sweep() > 0 && ref.attempt() > 0; }

bool valid(const v1::TaskSpec& task) {
  return valid(task.task()) && !task.address().empty() && task.port() > 0 && task.port() <= 65535 &&
         task.configuration().size() <= kMaxConfiguration &&
         (task.jump().empty() || parse_jump_route(task.jump()));
}

template <typename Refs>
bool all_valid(const Refs& refs) {
  for (const auto& ref : refs) {
    if (!valid(ref)) return false;
  }
  return true;
}

bool all_valid(const google::protobuf::RepeatedPtrField<v1::Offer>& offers) {
  for (const auto& offer : offers) {
    if (!valid(offer.task()) || offer.round() == 0) return false;
  }
  return true;
}

bool valid(const v1::ToDispatcher& message) {
  switch (message.body_case()) {
    case v1::ToDispatcher::kHello:
      return !message.hello().name().empty() && message.hello().slots() > 0 &&
             message.hello().slots() <= kMostSlots && all_valid(message.hello().running()) &&
             all_valid(message.hello().finished());
    case v1::ToDispatcher::kClaim:
      return message.claim().offers_size() > 0 && all_valid(message.claim().offers());
    case v1::ToDispatcher::kDecline:
      return all_valid(message.decline().offers());
    case v1::ToDispatcher::kHeartbeat:
      return all_valid(message.heartbeat().running()) &&
             all_valid(message.heartbeat().finished()) && all_valid(message.heartbeat().released());
    case v1::ToDispatcher::kRelease:
      return all_valid(message.release().tasks());
    case v1::ToDispatcher::kProgress:
      return valid(message.progress().task());
    case v1::ToDispatcher::kFreeSlots:
    case v1::ToDispatcher::kGoodbye:
    case v1::ToDispatcher::kAskWorkers:
      return true;
    case v1::ToDispatcher::BODY_NOT_SET:
      return false;
  }
  return false;
}

bool valid(const v1::WorkerList& list) {
  for (const auto& worker : list.workers()) {
    if (worker.name().empty() || worker.slots() == 0) return false;
  }
  for (const auto& sweep : list.sweeps()) {
    if (sweep.id().empty() || sweep.done() > sweep.total()) return false;
  }
  return true;
}

bool in_range(std::uint32_t number, std::uint32_t most) { return number > 0 && number <= most; }

bool valid(const v1::JumpHost& host) {
  return check_jump_name(host.name()) && !host.address().empty() && in_range(host.port(), 65535) &&
         !host.user().empty() && (host.via().empty() || parse_jump_chain(host.via())) &&
         in_range(host.weight(), kMaxJumpWeight) &&
         in_range(host.max_connections(), kMaxJumpConnections) &&
         in_range(host.max_channels(), kMaxJumpChannels) &&
         host.host_key_policy() != v1::HOST_KEY_POLICY_UNSPECIFIED &&
         v1::HostKeyPolicy_IsValid(host.host_key_policy());
}

// Each once, and nowhere a loop.
bool all_valid(const google::protobuf::RepeatedPtrField<v1::JumpHost>& jumps) {
  if (static_cast<std::size_t>(jumps.size()) > kMaxJumpHosts) return false;
  JumpHosts hosts;
  for (const auto& host : jumps) {
    if (!valid(host) || !hosts.emplace(host.name(), from_wire(host)).second) return false;
  }
  return std::ranges::all_of(
      hosts, [&](const auto& entry) { return whole_chain({entry.first}, hosts).has_value(); });
}

bool valid(const v1::JobSpec& job) {
  std::size_t size = 0;
  for (const auto& line : job.configuration().lines()) {
    if (line.find('\n') != std::string::npos) return false;
    size += line.size() + 1;
  }
  for (const auto& answer : job.answers()) {
    if (answer.pattern().empty()) return false;
  }
  return all_valid(job.jumps()) && job.sweep() > 0 &&
         job.host_key_policy() != v1::HOST_KEY_POLICY_UNSPECIFIED &&
         v1::HostKeyPolicy_IsValid(job.host_key_policy()) && size <= kMaxConfiguration &&
         static_cast<std::size_t>(job.answers_size()) <= kMaxAnswers;
}

bool valid(const v1::ToWorker& message) {
  switch (message.body_case()) {
    case v1::ToWorker::kWelcome:
      return message.welcome().heartbeat_ms() > 0 && message.welcome().lease_ms() > 0 &&
             message.welcome().sink_offset() > 0;
    case v1::ToWorker::kJob:
      return valid(message.job());
    case v1::ToWorker::kGrant:
      return all_valid(message.grant().tasks());
    case v1::ToWorker::kDeny:
      return all_valid(message.deny().tasks());
    case v1::ToWorker::kRenewal:
      return all_valid(message.renewal().revoked());
    case v1::ToWorker::kResultAck:
      return all_valid(message.result_ack().tasks());
    case v1::ToWorker::kWorkerList:
      return valid(message.worker_list());
    case v1::ToWorker::BODY_NOT_SET:
      return false;
    default:
      return true;
  }
}

bool valid(v1::Outcome outcome) {
  return v1::Outcome_IsValid(outcome) && outcome != v1::OUTCOME_UNSPECIFIED;
}

bool valid(const v1::TaskResult& result) {
  if (!valid(result.task()) || !valid(result.outcome())) return false;
  for (const auto& command : result.commands()) {
    if (!valid(command.outcome())) return false;
    if (command.parted_size() > 0 && !command.output().empty()) return false;
  }
  return true;
}

bool valid(const v1::OutputPart& part) {
  return valid(part.task()) && !part.output().empty() &&
         part.output().size() <= OutputText::kPiece && (!part.first() || part.offset() == 0);
}

}  // namespace

v1::TaskRef make_ref(TaskKey key, std::uint32_t attempt) {
  v1::TaskRef ref;
  ref.set_sweep(key.sweep);
  ref.set_index(key.index);
  ref.set_attempt(attempt);
  return ref;
}

std::string routing_id(std::uint64_t incarnation) {
  std::string id(sizeof incarnation, '\0');
  std::memcpy(id.data(), &incarnation, sizeof incarnation);
  return id;
}

std::uint64_t incarnation_of(const std::string& id) {
  std::uint64_t incarnation = 0;
  if (id.size() == sizeof incarnation) std::memcpy(&incarnation, id.data(), sizeof incarnation);
  return incarnation;
}

std::string encode(const v1::OfferFrame& frame) { return encode_frame(frame); }
std::string encode(const v1::ToDispatcher& message) { return encode_frame(message); }
std::string encode(const v1::ToWorker& message) { return encode_frame(message); }
std::string encode(const v1::ResultFrame& frame) { return encode_frame(frame); }

// A repeated message field on the wire is its tag, its length as a varint, and its bytes.
void begin_result(std::string& frame, std::size_t size) {
  constexpr char kResultsTag = (v1::ResultFrame::kResultsFieldNumber << 3) | 2;
  frame.push_back(kResultsTag);
  std::uint64_t length = size;
  for (; length >= 0x80; length >>= 7) frame.push_back(static_cast<char>(length | 0x80));
  frame.push_back(static_cast<char>(length));
}

std::size_t result_size(std::size_t size) {
  std::size_t bytes = 2 + size;
  for (std::uint64_t length = size; length >= 0x80; length >>= 7) ++bytes;
  return bytes;
}

std::uint8_t frame_version(std::string_view bytes) {
  return bytes.size() > 2 && bytes.starts_with(kPrefix.substr(0, 2))
             ? static_cast<std::uint8_t>(bytes[2])
             : 0;
}

Decoded<v1::OfferFrame> decode_offers(std::string_view bytes) {
  auto frame = parse_frame<v1::OfferFrame>(bytes);
  if (frame && (frame->offers_size() == 0 || !all_valid(frame->offers()))) {
    return fail("an offer without a task");
  }
  return frame;
}

Decoded<v1::ToDispatcher> decode_to_dispatcher(std::string_view bytes) {
  auto message = parse_frame<v1::ToDispatcher>(bytes);
  if (message && (message->incarnation() == 0 || !valid(*message))) {
    return fail("a control message with impossible contents");
  }
  return message;
}

Decoded<v1::ToWorker> decode_to_worker(std::string_view bytes) {
  auto message = parse_frame<v1::ToWorker>(bytes);
  if (message && !valid(*message)) return fail("a control message with impossible contents");
  return message;
}

Decoded<v1::ResultFrame> decode_results(std::string_view bytes) {
  auto frame = parse_frame<v1::ResultFrame>(bytes);
  if (!frame) return frame;
  if (frame->incarnation() == 0) return fail("a result from nobody");
  for (const auto& result : frame->results()) {
    if (!valid(result)) return fail("a result with impossible contents");
  }
  if (frame->has_part() && (frame->results_size() > 0 || !valid(frame->part()))) {
    return fail("a part of an output with impossible contents");
  }
  return frame;
}

}  // namespace netfleet
