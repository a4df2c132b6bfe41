// dispatcher/fleet: who may connect to a dispatcher with keys, and who may speak for whom. Belongs
// to the hub's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/clock.h"
#include "common/codec.h"
#include "common/curve_files.h"
#include "common/error.h"
#include "common/wire.h"

namespace netfleet {

class Admission {
 public:
  using Log = std::function<void(const std::string&)>;

  // Opens the context's gate: before any socket with these keys is bound. `known`: whether an
  // incarnation still means anything; those that do not are forgotten now and then.
  using Known = std::function<bool(std::uint64_t incarnation)>;
  static Expected<Admission> open(wire::Context& context, curve::DispatcherKeys keys, Log log,
                                  Known known);

  const curve::Keys& keys() const { return keys_.own; }
  const wire::Gate& gate() const { return gate_; }

  // Answers connections that wait at the gate, and reads the list again when its files have
  // changed, or a key is not on it; at most once a second. A list that cannot be read changes
  // nothing.
  void answer(TimePoint now);

  // Not believed: a key that was taken off the list, one that speaks for another's incarnation, a
  // worker that asks what operators ask, or a Hello by another name than the key's, which gets the
  // refusal as its answer.
  struct Judgement {
    bool believed = false;
    std::optional<v1::ToWorker> refusal;
  };
  // `user` is the key that the socket vouches for. A believed Hello binds its incarnation to it.
  Judgement judge(const std::string& user, const v1::ToDispatcher& message);
  // Whether this key may deliver results of this incarnation.
  bool may_deliver(const std::string& user, std::uint64_t incarnation) const;

  // Who holds a key that is on the list now.
  std::optional<curve::Holder> holder(const std::string& user) const;

 private:
  Admission(curve::DispatcherKeys keys, wire::Gate gate, Log log, Known known);
  bool admit(const std::string& key, const std::string& address, bool to_control);
  bool is_allowed(const std::string& key, bool to_control) const;
  void read_list();
  void note_refused(const std::string& key, const std::string& address);
  v1::ToWorker refuse(const curve::Holder& holder, const std::string& name);

  curve::DispatcherKeys keys_;
  wire::Gate gate_;
  Log log_;
  Known known_;
  std::string stamp_;    // of the list that was read
  std::string problem_;  // why the list could not be read; said once
  std::unordered_map<std::uint64_t, std::string> owners_;  // incarnation -> key
  std::size_t forget_at_ = 256;  // so many of them: look which are known no more
  TimePoint now_{};
  TimePoint next_look_{};  // whether files have changed
  TimePoint next_read_{};  // because of an unknown key
  TimePoint next_note_{};
  TimePoint next_refusal_note_{};
  std::uint64_t unnoted_ = 0;
};

}  // namespace netfleet
