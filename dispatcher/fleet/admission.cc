#include "dispatcher/fleet/admission.h"

#include <fmt/format.h>

#include <utility>

#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr Milliseconds kLookEvery{1000};
constexpr Milliseconds kNoteEvery{10'000};  // a flood of strangers is no flood of lines
constexpr std::size_t kLongestShown = 64;   // of a name; a key's is no longer

}  // namespace

Admission::Admission(curve::DispatcherKeys keys, wire::Gate gate, Log log, Known known)
    : keys_(std::move(keys)),
      gate_(std::move(gate)),
      log_(std::move(log)),
      known_(std::move(known)),
      stamp_(curve::allow_list_stamp(keys_.directory)) {}

Expected<Admission> Admission::open(wire::Context& context, curve::DispatcherKeys keys, Log log,
                                    Known known) {
  auto gate = wire::Gate::open(context);
  if (!gate) return std::unexpected(gate.error());
  return Admission(std::move(keys), std::move(*gate), std::move(log), std::move(known));
}

void Admission::answer(TimePoint now) {
  now_ = now;
  if (now >= next_look_) {
    next_look_ = now + kLookEvery;
    if (curve::allow_list_stamp(keys_.directory) != stamp_) read_list();
  }
  gate_.answer([this](const std::string& key, const std::string& address, bool to_control) {
    return admit(key, address, to_control);
  });
}

// Operators ask, and have no business where offers and results go.
bool Admission::is_allowed(const std::string& key, bool to_control) const {
  const auto found = holder(key);
  return found && (to_control || found->role == curve::Role::kWorker);
}

bool Admission::admit(const std::string& key, const std::string& address, bool to_control) {
  if (is_allowed(key, to_control)) return true;
  // It may have been added just now: no second of waiting.
  if (now_ >= next_read_) {
    next_read_ = now_ + kLookEvery;
    read_list();
    if (is_allowed(key, to_control)) return true;
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
  if (found == keys_.allowed.end()) return {};
  const curve::Holder& holder = found->second;
  if (message.has_ask_workers()) return {holder.role == curve::Role::kOperator, std::nullopt};
  if (message.has_hello()) {
    if (holder.role != curve::Role::kWorker || holder.name != message.hello().name()) {
      return {false, refuse(holder, message.hello().name())};
    }
    if (owners_.size() >= forget_at_) {
      std::erase_if(owners_, [this](const auto& owner) { return !known_(owner.first); });
      forget_at_ = 2 * owners_.size() + 256;
    }
    const auto owner = owners_.try_emplace(message.incarnation(), user).first;
    return {owner->second == user, std::nullopt};
  }
  // Of an incarnation that nobody has said Hello with: it will be asked to.
  const auto owner = owners_.find(message.incarnation());
  return {owner == owners_.end() || owner->second == user, std::nullopt};
}

v1::ToWorker Admission::refuse(const curve::Holder& holder, const std::string& name) {
  v1::ToWorker refusal;
  refusal.mutable_refused()->set_reason(fmt::format(
      "it says that it is worker {}, but its key is that of {} {}",
      one_line(name.substr(0, kLongestShown)), curve::role_name(holder.role), holder.name));
  if (now_ >= next_refusal_note_) {
    next_refusal_note_ = now_ + kNoteEvery;
    log_(fmt::format("refused a worker: {}", refusal.refused().reason()));
  }
  return refusal;
}

bool Admission::may_deliver(const std::string& user, std::uint64_t incarnation) const {
  const auto owner = owners_.find(incarnation);
  return owner != owners_.end() && owner->second == user && keys_.allowed.contains(user);
}

}  // namespace netfleet
