#include <fmt/format.h>

#include "common/codec.h"
#include "common/curve_files.h"
#include "common/endpoint.h"
#include "common/standard_streams.h"
#include "common/wire.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/output/worker_table.h"

namespace netfleet {
namespace {

constexpr std::chrono::seconds kPatience{5};

// Asks once and waits: libzmq keeps the question until the dispatcher can be reached.
Expected<v1::WorkerList> ask(const Endpoint& endpoint, const curve::Keys* keys) {
  wire::Context context;
  const std::uint64_t incarnation = random_seed() | 1;  // a routing id must not begin with 0
  auto socket =
      wire::Socket::make(context, wire::Kind::kControlDealer, routing_id(incarnation), keys);
  if (!socket) return std::unexpected(socket.error());
  if (auto connected = socket->connect(endpoint.at(0)); !connected) {
    return std::unexpected(connected.error());
  }
  v1::ToDispatcher question;
  question.set_incarnation(incarnation);
  question.mutable_ask_workers();
  socket->send(encode(question));

  const SystemClock clock;
  const TimePoint deadline = clock.now() + kPatience;
  while (clock.now() < deadline) {
    wire::Poller poller;
    poller.add(*socket, true, false);
    poller.wait(deadline - clock.now());
    while (auto received = socket->receive()) {
      auto answer = decode_to_worker(received->bytes);
      if (answer && answer->has_worker_list()) return std::move(*answer->mutable_worker_list());
      if (answer && answer->has_refused()) {
        return fail(fmt::format("the dispatcher at {} refused to answer: {}", endpoint.text(),
                                answer->refused().reason()));
      }
    }
  }
  return fail(
      fmt::format("no dispatcher answered at {} within {} s", endpoint.text(), kPatience.count()));
}

// With an operator's keys, where there are any.
Expected<v1::WorkerList> ask(const WorkersOptions& options) {
  auto endpoint = Endpoint::parse(options.dispatcher);
  if (!endpoint) return std::unexpected(endpoint.error());
  if (options.keys.empty()) return ask(*endpoint, nullptr);
  auto keys = curve::read_operator_keys(options.keys);
  if (!keys) return std::unexpected(keys.error());
  return ask(*endpoint, &keys->own);
}

}  // namespace

int workers_verb(const WorkersOptions& options) {
  if (options.dispatcher.empty()) return server_workers(options);
  const auto list = ask(options);
  if (!list) {
    print_error("netfleet: " + list.error().message + "\n");
    return kExitUsage;
  }
  const WallTime now = SystemClock().wall();
  const std::string text =
      options.jsonl ? render_worker_jsonl(*list, now) : render_worker_table(*list, now);
  if (const auto printed = print_output(text); !printed) {
    print_error("netfleet: " + printed.error().message + "\n");
    return kExitUsage;
  }
  return kExitOk;
}

}  // namespace netfleet
