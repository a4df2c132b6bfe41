#include "dispatcher/notify/notifier.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/blocked_signals.h"
#include "common/check.h"
#include "common/child_process.h"

namespace netfleet {
namespace {

// A file without a name that holds `text`, to be read from its beginning.
Expected<Descriptor> file_with(std::string_view text) {
  Descriptor file(memfd_create("netfleet", MFD_CLOEXEC));
  if (file.get() < 0) return fail(std::strerror(errno));
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      lseek(file.get(), 0, SEEK_SET) != 0) {
    return fail(std::strerror(errno));
  }
  return file;
}

// In the quotes of curl's configuration.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char byte : text) {
    if (byte == '\n') continue;
    if (byte == '"' || byte == '\\') out += '\\';
    out += byte;
  }
  return out + "\"";
}

// All of it is told to curl by its standard input: a URL may be a secret, and command lines are
// public. Redirections are not followed: whoever is told is who was named.
std::string curl_configuration(const std::string& url, std::string_view json, Milliseconds limit) {
  return fmt::format(
      "url = {}\ndata-binary = {}\nheader = \"Content-Type: application/json\"\n"
      "user-agent = \"netfleet/{}\"\nproto = \"=http,https\"\ngloboff\nsilent\nshow-error\n"
      "output = \"/dev/null\"\nwrite-out = \"%{{http_code}}\"\nmax-time = {:.1f}\n",
      quoted(url), quoted(json), NETFLEET_VERSION, static_cast<double>(limit.count()) / 1000);
}

// What a program wrote to a file, as far as it matters.
std::string text_in(const Descriptor& file) {
  char text[512];
  const ssize_t got = pread(file.get(), text, sizeof(text), 0);
  std::string line(text, got < 0 ? 0 : static_cast<std::size_t>(got));
  return line.substr(0, line.find('\n'));
}

// A delivery to a webhook under way.
class Post {
 public:
  static Expected<Post> start(const std::string& url, std::string_view json, Milliseconds limit) {
    auto input = file_with(curl_configuration(url, json, limit));
    if (!input) return std::unexpected(input.error());
    auto answer = file_with("");
    if (!answer) return std::unexpected(answer.error());
    auto complaint = file_with("");
    if (!complaint) return std::unexpected(complaint.error());
    auto curl = ChildProcess::start({.arguments = {"curl", "-q", "--config", "-"},
                                     .input = input->get(),
                                     .output = answer->get(),
                                     .errors = complaint->get()});
    if (!curl) return fail("run curl: " + curl.error().message);
    return Post(*std::move(curl), *std::move(answer), *std::move(complaint));
  }

  Expected<void> wait(TimePoint deadline, int given_up) {
    if (auto ended = curl_.wait(deadline, given_up); !ended) {
      const std::string why = text_in(complaint_);
      return why.empty() ? ended : fail(why);
    }
    const std::string status = text_in(answer_);
    if (!status.starts_with('2')) return fail("it answered " + status);
    return {};
  }

 private:
  Post(ChildProcess curl, Descriptor answer, Descriptor complaint)
      : curl_(std::move(curl)), answer_(std::move(answer)), complaint_(std::move(complaint)) {}
  ChildProcess curl_;
  Descriptor answer_;
  Descriptor complaint_;
};

Expected<ChildProcess> start_command(const NotifierOptions& options, const std::string& event,
                                     std::string_view json) {
  auto input = file_with(json);
  if (!input) return std::unexpected(input.error());
  std::vector<std::string> environment = {"NETFLEET_EVENT=" + event};
  for (const std::string& name : options.secrets) environment.push_back(name + "=");
  return ChildProcess::start({.arguments = {"/bin/sh", "-c", options.command},
                              .environment = std::move(environment),
                              .input = input->get()});
}

void signal_event(const Descriptor& event) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event.get(), &one, sizeof(one));
}

std::jthread start_without_signals(auto run) {
  const BlockedSignals blocked(all_signals());
  return std::jthread(std::move(run));
}

}  // namespace

Expected<void> check_webhook(const std::string& url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const std::string_view rest = std::string_view(url).substr(scheme);
  if (scheme == 0 || rest.empty() || rest[0] == '/') return fail("expected https://HOST/...");
  const bool printable =
      std::ranges::all_of(url, [](char byte) { return byte > 0x20 && byte < 0x7f; });
  if (!printable) return fail("blanks and characters beyond ASCII must be written as %XX");
  if (rest.substr(0, rest.find_first_of("/?#")).contains('@')) {
    return fail("a user or password in a URL is not taken");
  }
  return {};
}

Notifier::Notifier(NotifierOptions options)
    : options_(std::move(options)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      done_(eventfd(0, EFD_CLOEXEC)),
      thread_(start_without_signals([this] { run(); })) {}

void Notifier::tell(const Notice& notice) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::string(event_name(notice.event)), notice_json(notice)});
  }
  work_.notify_one();
}

void Notifier::finish(int given_up) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    finish_ = BootClock::now() + options_.patience;
  }
  work_.notify_one();
  pollfd fds[] = {{done_.get(), POLLIN, 0}, {given_up, POLLIN, 0}};
  while (poll(fds, 2, -1) < 0 && errno == EINTR) {  // the thread's own deadline ends it
  }
  if (fds[0].revents == 0) signal_event(stop_);
  thread_.join();
}

void Notifier::run() {
  while (true) {
    Told told;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return !queue_.empty() || finish_; });
      if (queue_.empty()) break;
      told = std::move(queue_.front());
      queue_.pop_front();
    }
    deliver(told.event, told.json);
  }
  signal_event(done_);
}

TimePoint Notifier::deadline() {
  const std::lock_guard lock(mutex_);
  const TimePoint own = BootClock::now() + options_.patience;
  return finish_ ? std::min(own, *finish_) : own;
}

// To both at once, so that neither waits for the other.
void Notifier::deliver(const std::string& event, const std::string& json) {
  const TimePoint until = deadline();
  std::optional<Expected<ChildProcess>> command;
  std::optional<Expected<Post>> post;
  if (!options_.command.empty()) command.emplace(start_command(options_, event, json));
  if (!options_.webhook.empty()) {
    post.emplace(Post::start(options_.webhook, json, options_.patience));
  }
  if (command) {
    const auto done = *command ? (*command)->wait(until, stop_.get())
                               : Expected<void>(std::unexpected(command->error()));
    if (!done) say_once("--notify-command", done.error(), command_said_);
  }
  if (post) {
    const auto done =
        *post ? (*post)->wait(until, stop_.get()) : Expected<void>(std::unexpected(post->error()));
    if (!done) say_once("--notify-webhook", done.error(), webhook_said_);
  }
}

void Notifier::say_once(const char* what, const Error& error, bool& said) {
  if (std::exchange(said, true)) return;
  std::string why = error.message;  // without the URL, which may be a secret
  for (std::size_t at;
       !options_.webhook.empty() && (at = why.find(options_.webhook)) != std::string::npos;) {
    why.replace(at, options_.webhook.size(), "the URL");
  }
  options_.say(fmt::format("{}: nobody was told: {}", what, why));
}

}  // namespace netfleet
