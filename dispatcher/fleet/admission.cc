#include "dispatcher/fleet/admission.h"

#include <fmt/format.h>

#include <utility>

namespace netfleet {
namespace {

constexpr Milliseconds kLookEvery{1000};
constexpr Milliseconds kNoteEvery{10'000};  // a flood of strangers is no flood of lines
constexpr std::size_t kManyForgotten = 256;

}  // namespace

Admission::Admission(curve::DispatcherKeys keys, wire::Gate gate, Log log)
    : keys_(std::move(keys)),
      gate_(std::move(gate)),
      log_(std::move(log)),
      stamp_(curve::allow_list_stamp(keys_.directory)) {}

Expected<Admission> Admission::open(wire::Context& context, curve::DispatcherKeys keys, Log log) {
  auto gate = wire::Gate::open(context);
  if (!gate) return std::unexpected(gate.error());
  return Admission(std::move(keys), std::move(*gate), std::move(log));
}

void Admission::answer(TimePoint now) {
  now_ = now;
  if (now >= next_look_) {
    next_look_ = now + kLookEvery;
    if (curve::allow_list_stamp(keys_.directory) != stamp_) read_list();
  }
  gate_.answer([this](const std::string& key, const std::string& address) {
    return admit(key, address);
  });
}

bool Admission::admit(const std::string& key, const std::string& address) {
  if (keys_.allowed.contains(key)) return true;
  // A line that was added to a file changes no directory: the key that asks is the sign of it.
  if (now_ >= next_read_) {
    next_read_ = now_ + kLookEvery;
    read_list();
    if (keys_.allowed.contains(key)) return true;
  }
  note_refused(key, address);
  return false;
}

void Admission::read_list() {
  stamp_ = curve::allow_list_stamp(keys_.directory);
  auto list = curve::read_allow_list(keys_.directory);
  if (list) {
    keys_.allowed = *std::move(list);
    problem_.clear();
  } else if (problem_ != list.error().message) {
    problem_ = list.error().message;
    log_(fmt::format("the list of keys stays as it was: {}", problem_));
  }
}

void Admission::note_refused(const std::string& key, const std::string& address) {
  ++unnoted_;
  if (now_ < next_note_) return;
  next_note_ = now_ + kNoteEvery;
  log_(fmt::format("refused {} connection{}, the last one from {}: its key {} is not in {}/workers",
                   unnoted_, unnoted_ == 1 ? "" : "s", address, key, keys_.directory));
  unnoted_ = 0;
}

std::optional<curve::Holder> Admission::holder(const std::string& user) const {
  const auto found = keys_.allowed.find(user);
  if (found == keys_.allowed.end()) return std::nullopt;
  return found->second;
}

Admission::Judgement Admission::judge(const std::string& user, const v1::ToDispatcher& message) {
  const auto found = keys_.allowed.find(user);
  if (found == keys_.allowed.end()) return Judgement::kDropped;
  if (message.has_hello()) {
    const curve::Holder& holder = found->second;
    if (holder.role != curve::Role::kWorker || holder.name != message.hello().name()) {
      return Judgement::kWrongName;
    }
    const auto owner = owners_.try_emplace(message.incarnation(), user).first;
    return owner->second == user ? Judgement::kBelieved : Judgement::kDropped;
  }
  // Of an incarnation that nobody has said Hello with: it will be asked to.
  const auto owner = owners_.find(message.incarnation());
  const bool foreign = owner != owners_.end() && owner->second != user;
  return foreign ? Judgement::kDropped : Judgement::kBelieved;
}

std::string Admission::refusal(const std::string& user, const v1::ToDispatcher& message) const {
  const auto found = keys_.allowed.find(user);
  if (found == keys_.allowed.end()) return "its key is not on the list";
  return fmt::format("it says that it is worker {}, but its key is that of {} {}",
                     message.hello().name(), curve::role_name(found->second.role),
                     found->second.name);
}

bool Admission::may_deliver(const std::string& user, std::uint64_t incarnation) const {
  const auto owner = owners_.find(incarnation);
  return owner != owners_.end() && owner->second == user && keys_.allowed.contains(user);
}

void Admission::forget(const std::function<bool(std::uint64_t incarnation)>& known,
                       std::size_t living) {
  if (owners_.size() < living + kManyForgotten) return;
  std::erase_if(owners_, [&known](const auto& owner) { return !known(owner.first); });
}

}  // namespace netfleet
