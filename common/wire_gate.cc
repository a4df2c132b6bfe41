// common: the ZAP handler (RFC 27). libzmq asks it once for each CURVE connection.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "common/wire_impl.h"

namespace netfleet::wire {
namespace {

constexpr int kAnswersATurn = 256;
constexpr std::size_t kMostFrames = 16;  // of a request: 6, and the credentials' one
constexpr std::size_t kKeyBytes = 32;

// The frames of one request; empty when there is none.
std::vector<std::string> receive_frames(zmq::socket_t& socket) {
  std::vector<std::string> frames;
  bool more = true;
  while (more) {
    zmq::message_t frame;
    try {
      if (!socket.recv(frame, zmq::recv_flags::dontwait)) return {};
    } catch (const zmq::error_t& error) {
      if (error.num() == EINTR) continue;
      return {};
    }
    more = frame.more();
    if (frames.size() < kMostFrames) frames.push_back(frame.to_string());
  }
  return frames;
}

// A mapped IPv4 address as people write it.
std::string plain_address(const std::string& address) {
  constexpr std::string_view kMapped = "::ffff:";
  return address.starts_with(kMapped) ? address.substr(kMapped.size()) : address;
}

std::string to_z85(const std::string& bytes) {
  std::array<char, 41> text{};
  if (bytes.size() != kKeyBytes) return {};
  zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return text.data();
}

}  // namespace

Gate::Gate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gate::Gate(Gate&&) noexcept = default;
Gate& Gate::operator=(Gate&&) noexcept = default;
Gate::~Gate() = default;

Expected<Gate> Gate::open(Context& context) {
  try {
    auto impl = std::make_unique<Impl>(
        Impl{Watched(zmq::socket_t(context.impl().context, zmq::socket_type::rep))});
    impl->watched.socket.set(zmq::sockopt::linger, 0);
    impl->watched.socket.bind("inproc://zeromq.zap.01");
    return Gate(std::move(impl));
  } catch (const zmq::error_t& error) {
    return fail(fmt::format("cannot open the gate for keys: {}", error.what()));
  }
}

// A request is: version, request id, domain, address, identity, mechanism, the client's key. An
// answer: version, request id, status, its text, user id, metadata.
void Gate::answer(const Admit& admit) {
  Watched& watched = impl_->watched;
  if (watched.is_known_empty()) return;
  for (int i = 0; i < kAnswersATurn; ++i) {
    const std::vector<std::string> request = receive_frames(watched.socket);
    if (request.empty()) return;
    std::string user;
    if (request.size() == 7 && request[0] == "1.0" && request[5] == "CURVE") {
      user = to_z85(request[6]);
      const bool to_control = request[2] == kControlDomain;
      if (!user.empty() && !admit(user, plain_address(request[3]), to_control)) user.clear();
    }
    const std::array<std::string, 6> answer = {"1.0",
                                               request.size() > 1 ? request[1] : "",
                                               user.empty() ? "400" : "200",
                                               user.empty() ? "not on the list" : "",
                                               user,
                                               ""};
    try {
      for (std::size_t frame = 0; frame < answer.size(); ++frame) {
        const bool last = frame + 1 == answer.size();
        watched.socket.send(zmq::buffer(answer[frame]),
                            last ? zmq::send_flags::dontwait
                                 : zmq::send_flags::dontwait | zmq::send_flags::sndmore);
      }
    } catch (const zmq::error_t&) {
      // The connection that asked is gone.
    }
  }
}

}  // namespace netfleet::wire
