#include "worker/ssh/jump_connection.h"

#include <fmt/format.h>
#include <libssh/server.h>

#include <charconv>
#include <optional>
#include <utility>

#include "common/check.h"
#include "worker/ssh/login.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

// Moved at once from one stream; also the most that waits in libssh's own buffer.
constexpr std::size_t kPiece = 32 << 10;
// Rounds of poll(2) and recv(2) of 4 KiB before others get their turn.
constexpr int kMostRounds = 16;
// Intervals without a word after which a jump host counts as gone, two of them after a question: at
// the latest when a command that it carried times out, so that no device is blamed.
constexpr int kMostSilences = 3;
// Streams given up while the jump host still connects, for each that may be in use.
constexpr std::size_t kOrphansEach = 3;

// The number that `text` has behind `start`, if it begins so; it is left behind the number.
std::optional<std::uint32_t> number_after(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return std::nullopt;
  std::uint32_t number = 0;
  const char* const from = text.data() + start.size();
  const auto [end, error] = std::from_chars(from, text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

JumpBridge::Answer refusal(std::uint32_t code, std::string_view text) {
  using Kind = JumpBridge::Answer::Kind;
  constexpr std::uint32_t kProhibited = 1;  // RFC 4254, 5.1
  constexpr std::uint32_t kConnectFailed = 2;
  const Kind kind = code == kProhibited      ? Kind::kForbidden
                    : code == kConnectFailed ? Kind::kConnectFailed
                                             : Kind::kNoResources;
  return {kind, printable(text)};
}

}  // namespace

// Libssh says only in its log which channel was opened, and why another one was not: the session's
// one error text keeps the last of several. While streams are being opened, its log is read; the
// settings are the thread's, and other sessions run between two calls.
class JumpConnection::Listening {
 public:
  explicit Listening(JumpConnection& connection, bool always = false)
      : on_(always || !connection.openings_.empty()) {
    if (!on_) return;
    ssh_set_log_callback(on_log);
    ssh_set_log_userdata(&connection);
    ssh_set_log_level(SSH_LOG_FUNCTIONS);
  }
  ~Listening() {
    if (on_) ssh_set_log_level(SSH_LOG_NOLOG);
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

 private:
  const bool on_;
};

JumpConnection::JumpConnection(asio::any_io_executor executor, std::shared_ptr<const JumpHop> hop,
                               std::function<void()> on_room)
    : executor_(executor),
      hop_(std::move(hop)),
      on_room_(std::move(on_room)),
      link_(executor),
      buffer_(std::make_unique_for_overwrite<char[]>(kPiece)),
      self_(std::make_shared<JumpConnection*>(this)),
      idle_timer_(executor),
      silence_timer_(executor) {}

JumpConnection::~JumpConnection() {
  *self_ = nullptr;
  for (auto& [raw, bridge] : bridges_) bridge->close();
  if (event_ != nullptr) {
    ssh_event_remove_session(event_, link_.session.get());
    ssh_event_free(event_);
  }
}

void JumpConnection::adopt(JumpStream stream) {
  passage_ = std::move(stream.passage);
  link_.adopt(stream.descriptor.release());
}

asio::awaitable<Attempt<void>> JumpConnection::connect(Resolver& resolver, KnownHosts& known_hosts,
                                                       TimePoint deadline) {
  const JumpHost& host = hop_->host;
  Target target{.address = host.address,
                .port = host.port,
                .legacy_algorithms = host.legacy_algorithms,
                .host_key_policy = host.host_key_policy,
                .name = host.name,
                .options = host.ssh_options,
                .behind = {}};
  if (hop_->via != nullptr) target.behind.push_back(hop_->via->place());
  Attempt<void> attempt =
      co_await link_.connect(std::move(target), resolver, known_hosts, deadline);
  co_return blame_passage(std::move(attempt));
}

asio::awaitable<Attempt<void>> JumpConnection::log_in(TimePoint deadline) {
  Attempt<void> attempt = co_await ssh::log_in(link_, hop_->host.user, hop_->identity, deadline);
  co_return blame_passage(std::move(attempt));
}

// What ended because the way to it was lost says nothing of this jump host.
Attempt<void> JumpConnection::blame_passage(Attempt<void> attempt) const {
  if (attempt || passage_ == nullptr || passage_->lost.empty()) return attempt;
  return std::unexpected(Failure{Outcome::kJumpFailed, passage_->lost});
}

Link::CutOff JumpConnection::cut_off() const {
  const bool passage_lost = passage_ != nullptr && !passage_->lost.empty();
  return passage_lost ? Link::CutOff::kYes : link_.cut_off;
}

bool JumpConnection::shown_out() const {
  const bool passage_lost = passage_ != nullptr && !passage_->lost.empty();
  if (passage_lost || link_.socket.fd() < 0 || !link_.server_identification.empty()) return false;
  const std::string_view said = link_.greeting;
  return said.empty() || said.find("MaxStartups") != std::string_view::npos ||
         said.find("Not allowed at this time") != std::string_view::npos;
}

asio::awaitable<std::string> JumpConnection::run(Nanoseconds idle, Nanoseconds keepalive) {
  idle_ = idle;
  keepalive_ = keepalive;
  link_.begin(TimePoint::max());
  event_ = ssh_event_new();
  CHECK(event_ != nullptr && ssh_event_add_session(event_, link_.session.get()) == SSH_OK);
  running_ = true;
  silent_since_ = received();
  watch_idle();
  watch_silence();
  on_room_();
  while (!closing_ && !silent_ && !link_.lost()) {
    awaits_writability_ = write_pending();
    co_await link_.wait();
    awaits_writability_ = true;  // nobody has to tell
    for (int round = 0; round < kMostRounds && !link_.lost(); ++round) {
      const Listening listening(*this);
      if (ssh_event_dopoll(event_, 0) != SSH_OK) break;
    }
    settle();
  }
  running_ = false;
  idle_timer_.cancel();
  silence_timer_.cancel();
  co_return closing_ ? "" : lost_text();
}

asio::awaitable<void> JumpConnection::end(std::string why) {
  fail_all(why.empty() ? fmt::format("the connection to {} was closed", hop_->where()) : why);
  ssh_event_remove_session(event_, link_.session.get());
  ssh_event_free(std::exchange(event_, nullptr));
  // Nothing to wait for: what is not sent at once is of no use to anybody.
  co_await link_.close(BootClock::now());
}

void JumpConnection::stop() {
  closing_ = true;
  link_.abort();
}

std::string JumpConnection::lost_text() {
  std::string why;
  if (passage_ != nullptr && !passage_->lost.empty()) {
    why = passage_->lost;
  } else if (silent_) {
    why = fmt::format("it did not answer for {}", seconds_text(keepalive_ * kMostSilences));
  } else {
    why = link_.error_text();
  }
  return fmt::format("the connection to {} was lost: {}", hop_->where(), why);
}

bool JumpConnection::has_room() const {
  const std::size_t most = hop_->host.max_channels;
  return running_ && !closing_ && in_use() < most && orphans_ < most * kOrphansEach;
}

Attempt<std::shared_ptr<JumpBridge>> JumpConnection::open(const std::string& address,
                                                          std::uint16_t port) {
  auto bridge = std::make_shared<JumpBridge>(*this, executor_);
  if (auto ready = bridge->prepare(link_.session.get()); !ready) {
    return std::unexpected(std::move(ready.error()));
  }
  idle_timer_.cancel();
  bridges_.emplace(bridge.get(), bridge);
  created_ = 0;
  {
    const Listening listening(*this, true);
    ssh_channel_open_forward(bridge->channel(), address.c_str(), port, "127.0.0.1", 0);
  }
  if (created_ == 0) {
    finish(*bridge);
    return std::unexpected(Failure{
        Outcome::kJumpFailed,
        fmt::format("{} was not asked for a channel: {}", hop_->where(), link_.error_text())});
  }
  openings_.emplace(created_, bridge.get());
  return bridge;
}

void JumpConnection::ping() {
  const Listening listening(*this);
  ssh_send_keepalive(link_.session.get());
}

// --- libssh's log

void JumpConnection::on_log(int, const char* function, const char* line, void* self) {
  std::string_view text = line;
  const std::string_view start = function;  // "channel_open: ", but not before errors
  if (text.starts_with(start) && text.substr(start.size()).starts_with(": ")) {
    text.remove_prefix(start.size() + 2);
  }
  static_cast<JumpConnection*>(self)->heard(text);
}

void JumpConnection::heard(std::string_view text) {
  if (const auto created = number_after(text, "Creating a channel ")) {
    created_ = *created;
  } else if (const auto opened =
                 number_after(text, "Received a CHANNEL_OPEN_CONFIRMATION for channel ")) {
    answers_.push_back({*opened, {JumpBridge::Answer::Kind::kOpen, ""}});
  } else if (const auto refused = number_after(text, "Channel opening failure: channel ")) {
    const std::uint32_t code = number_after(text, " error (").value_or(0);
    text.remove_prefix(std::min(text.size(), std::string_view(") ").size()));
    answers_.push_back({*refused, refusal(code, text)});
  }
}

// --- the work after each event

void JumpConnection::settle() {
  if (settling_) return;
  settling_ = true;
  do {
    take_answers();
    take_touched();
    resume();
  } while (!touched_.empty() || !answers_.empty());
  settling_ = false;
  if (link_.lost() || (write_pending() && !awaits_writability_)) link_.socket.wake();
  if (!std::exchange(room_made_, false) || !running_) return;
  watch_idle();
  on_room_();
}

void JumpConnection::take_answers() {
  for (auto& [number, answer] : std::exchange(answers_, {})) {
    const auto opening = openings_.find(number);
    if (opening == openings_.end()) continue;
    JumpBridge& bridge = *opening->second;
    openings_.erase(opening);
    const bool open = answer.kind == JumpBridge::Answer::Kind::kOpen;
    bridge.answered(std::move(answer));
    if (!open || bridge.abandoned()) finish(bridge);
  }
}

void JumpConnection::take_touched() {
  for (const auto& bridge : std::exchange(touched_, {})) {
    bridge->touched = false;
    bridge->act();
  }
}

void JumpConnection::resume() {
  for (std::size_t count = held_.size(); count > 0 && !write_pending(); --count) {
    const auto bridge = std::move(held_.front());
    held_.pop_front();
    bridge->pump();
  }
  // Only something received can open a window, and libssh tells nobody which.
  if (windowless_.empty() || write_pending() || received() == seen_bytes_) return;
  seen_bytes_ = received();
  for (const auto& bridge : std::exchange(windowless_, {})) bridge->pump();
}

void JumpConnection::touch(JumpBridge& bridge) {
  if (!std::exchange(bridge.touched, true)) touched_.push_back(bridge.shared_from_this());
}

void JumpConnection::hold(JumpBridge& bridge) { held_.push_back(bridge.shared_from_this()); }

void JumpConnection::await_window(JumpBridge& bridge) {
  windowless_.push_back(bridge.shared_from_this());
}

// Libssh cannot close a channel before it is open; the jump host may take minutes to answer.
void JumpConnection::abandoned(JumpBridge& bridge) {
  if (bridge.closed()) return;
  if (bridge.answer()) {
    finish(bridge);
    settle();
  } else {
    bridge.orphan = true;
    ++orphans_;
    if (!settling_) on_room_();
  }
}

void JumpConnection::finish(JumpBridge& bridge) {
  const auto entry = bridges_.find(&bridge);
  if (entry == bridges_.end()) return;
  const auto kept = std::move(entry->second);
  bridges_.erase(entry);
  if (std::exchange(bridge.orphan, false)) --orphans_;
  {
    const Listening listening(*this);
    bridge.end_channel();
  }
  bridge.close();
  room_made_ = true;
}

// Everything that was carried learns why it ends; libssh frees the channels with the session.
void JumpConnection::fail_all(const std::string& why) {
  openings_.clear();
  answers_.clear();
  held_.clear();
  windowless_.clear();
  touched_.clear();
  orphans_ = 0;
  for (const auto& [raw, bridge] : std::exchange(bridges_, {})) {
    bridge->close(why);
    if (!bridge->answer()) bridge->answered({JumpBridge::Answer::Kind::kLost, why});
  }
}

// --- calls on the session

bool JumpConnection::write_pending() const {
  return (ssh_get_status(link_.session.get()) & SSH_WRITE_PENDING) != 0;
}

std::span<char> JumpConnection::buffer() const { return {buffer_.get(), kPiece}; }

int JumpConnection::write(ssh_channel channel, std::string_view bytes) {
  const Listening listening(*this);
  return ssh_channel_write(channel, bytes.data(), static_cast<std::uint32_t>(bytes.size()));
}

int JumpConnection::read(ssh_channel channel, char* bytes, std::uint32_t size) {
  const Listening listening(*this);
  return ssh_channel_read_nonblocking(channel, bytes, size, 0);
}

// --- time

void JumpConnection::watch_idle() {
  if (!bridges_.empty()) return;
  idle_timer_.expires_after(idle_);
  idle_timer_.async_wait([self = self_](asio::error_code error) {
    JumpConnection* const connection = *self;
    if (error || connection == nullptr || !connection->bridges_.empty()) return;
    connection->closing_ = true;
    connection->link_.socket.wake();
  });
}

void JumpConnection::watch_silence() {
  silence_timer_.expires_after(keepalive_);
  silence_timer_.async_wait([self = self_](asio::error_code error) {
    JumpConnection* const connection = *self;
    if (error || connection == nullptr || !connection->running_) return;
    const bool heard = connection->received() != connection->silent_since_;
    connection->silent_since_ = connection->received();
    connection->silences_ = heard ? 0 : connection->silences_ + 1;
    connection->silent_ = connection->silences_ >= kMostSilences;
    if (connection->silent_) return connection->link_.socket.wake();
    if (!heard) connection->ping();
    connection->watch_silence();
    connection->settle();
  });
}

}  // namespace netfleet::ssh
