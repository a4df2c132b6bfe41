// tests/simulation: what lies between a dispatcher and its workers: one control connection a
// worker, the lanes, the sink. As nasty as ZeroMQ over TCP can be, and on some seeds nastier.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "common/codec.h"
#include "tests/simulation/books.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/losses.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/trace.h"

namespace netfleet::simulation {

// Who hears. A paused process hears later, a dead one never.
struct Ears {
  std::function<bool()> dispatcher_alive;
  std::function<void(std::uint64_t from, const v1::ToDispatcher&)> control;
  std::function<void(const v1::ResultFrame&)> sink;
  std::function<void(std::uint32_t worker, const v1::ToWorker&)> worker;
  // `read` is called when the worker takes the frame out of its pipe.
  std::function<void(std::uint32_t worker, const v1::OfferFrame&, std::function<void()> read)>
      offers;
  std::function<void()> room;  // some lane may have room again
};

class Network {
 public:
  enum class Way : std::uint8_t { kUp, kDown, kSink, kLane };

  Network(const Scenario& scenario, EventLoop& loop, Random& random, Books& books,
          const Trace& trace);
  void listen(Ears ears) { ears_ = std::move(ears); }

  // The worker's sockets.
  void reopen(std::uint32_t worker);  // a new DEALER: what the old one queued is gone
  void up(std::uint32_t worker, std::uint64_t incarnation, const v1::ToDispatcher& message);
  void result(std::uint32_t worker, const v1::ResultFrame& frame);
  void join(std::uint32_t worker, std::vector<std::uint16_t> lanes);
  void leave(std::uint32_t worker);
  void worker_ended(std::uint32_t worker);
  // The dispatcher's.
  void down(std::uint64_t incarnation, const v1::ToWorker& message);
  bool has_room(std::uint16_t lane) const;
  void offer(std::uint16_t lane, const v1::OfferFrame& frame);
  void dispatcher_ended();
  void dispatcher_started();

  // When the last message that is under way arrives.
  Nanoseconds under_way_until() const { return under_way_until_; }
  struct LostOffer {  // it was under way to a worker that left its lanes
    Nanoseconds at;
    TaskKey task;
  };
  const std::vector<LostOffer>& offers_lost() const { return offers_lost_; }

  void cut(std::uint32_t worker, Way way, Nanoseconds length);
  void blip(std::uint32_t worker);  // the connection breaks and is made again by itself
  void heal();

 private:
  struct Link {
    std::uint32_t connection = 0;  // the DEALER's; a message of an older one may come late
    Nanoseconds cut_until[4]{};
    Nanoseconds last[4]{};                                        // the newest arrival, for order
    std::deque<std::function<void()>> control_queue, sink_queue;  // while nobody listens
    std::vector<std::uint16_t> lanes;
    bool in_lanes = false;
    std::uint32_t joining = 0;  // counts joins and leaves
    std::uint32_t pipe = 0;     // frames under way to it
  };
  struct Route {
    std::uint32_t worker;
    std::uint32_t connection;
  };
  using MayLose = std::function<bool()>;
  // When a message sent now arrives; negative: never. Draws whether it does, and may ask.
  Nanoseconds arrival(std::uint32_t worker, Way way, const MayLose& may_lose);
  // Whether it will arrive, once at least.
  void deliver_at(Nanoseconds time, const std::function<void()>& deliver);
  bool carry(std::uint32_t worker, Way way, const MayLose& may_lose,
             const std::function<void()>& deliver, bool may_repeat = true);
  void offers_are_lost(std::uint32_t worker, const v1::OfferFrame& frame);
  void take_from_pipe(std::uint32_t worker, std::uint32_t join);
  void flush(std::uint32_t worker);
  bool receives(std::uint32_t worker, std::uint16_t lane) const;

  const Scenario& scenario_;
  EventLoop& loop_;
  Random& random_;
  Books& books_;
  const Trace& trace_;
  Ears ears_;
  Losses losses_;
  std::vector<Link> links_;
  std::map<std::uint64_t, Route> routes_;
  std::vector<LostOffer> offers_lost_;
  Nanoseconds under_way_until_{0};
  std::uint32_t dispatcher_life_ = 0;
  std::uint32_t next_in_ring_ = 0;
  bool healed_ = false;
};

}  // namespace netfleet::simulation
