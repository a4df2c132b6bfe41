#include "dispatcher/inventory/ansible_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/child_process.h"
#include "common/credential_line.h"
#include "common/problems.h"
#include "common/secret.h"
#include "common/utf8.h"
#include "dispatcher/inventory/ansible_inventory.h"

namespace netfleet {
namespace {

constexpr std::size_t kComplaintKept = 2048;
constexpr std::size_t kPiece = 64 * 1024;

// Bytes that may hold passwords: wiped when they are moved and in the end.
struct Output {
  std::string bytes;
  Output() = default;
  Output(Output&& other) noexcept : bytes(std::exchange(other.bytes, {})) {}
  Output& operator=(Output&&) = delete;
  ~Output() { wipe(bytes.data(), bytes.size()); }

  void append(std::string_view more) {
    if (bytes.capacity() - bytes.size() < more.size()) {
      std::string larger;
      larger.reserve(std::max(bytes.size() * 2, bytes.size() + more.size() + kPiece));
      larger = bytes;
      wipe(bytes.data(), bytes.size());
      bytes.swap(larger);
    }
    bytes += more;
  }
};

// A pipe's two ends; what is read does not block.
struct Pipe {
  static Expected<Pipe> make() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return fail(std::strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  }
  Descriptor reading;
  Descriptor writing;
};

class Run {
 public:
  Run(const ProgramLimits& limits, TimePoint deadline) : limits_(limits), deadline_(deadline) {}

  Expected<Output> of(const std::string& path, std::vector<std::string> arguments) {
    std::string named = shown(path);
    for (const std::string& one : arguments) named.append(" ").append(shown(one));
    const auto failed = [&](std::string_view how) {
      return fail(fmt::format("inventory program {}: {}{}", named, how, what_it_said()));
    };
    auto output = Pipe::make();
    auto complaint = Pipe::make();
    if (!output || !complaint) return failed((!output ? output : complaint).error().message);
    arguments.insert(arguments.begin(), path);
    auto program = ChildProcess::start({.arguments = std::move(arguments),
                                        .output = output->writing.get(),
                                        .errors = complaint->writing.get()});
    if (!program) return failed(program.error().message);
    output->writing.reset();
    complaint->writing.reset();
    if (auto read = read_all(program->ended_fd(), output->reading, complaint->reading); !read) {
      return failed(read.error().message);
    }
    if (auto ended = program->result(); !ended) return failed(ended.error().message);
    return std::move(output_);
  }

 private:
  // A process left behind may keep the pipes open, so the program's own end counts too.
  Expected<void> read_all(int ended, Descriptor& output, Descriptor& complaint) {
    for (bool over = false; !over;) {
      const auto left = std::chrono::ceil<Milliseconds>(deadline_ - BootClock::now()).count();
      if (left <= 0) return fail("it took too long and was stopped");
      std::array<pollfd, 3> fds = {pollfd{output.get(), POLLIN, 0},
                                   pollfd{complaint.get(), POLLIN, 0}, pollfd{ended, POLLIN, 0}};
      if (poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000))) <
              0 &&
          errno != EINTR) {
        return fail(std::strerror(errno));
      }
      over = fds[2].revents != 0;
      drain(output, [this](std::string_view bytes) { output_.append(bytes); });
      drain(complaint, [this](std::string_view bytes) {
        complaint_ += bytes;
        if (complaint_.size() > kComplaintKept) {
          complaint_.erase(0, complaint_.size() - kComplaintKept);
        }
      });
      if (output_.bytes.size() > limits_.output) {
        return fail(fmt::format("it printed more than {} bytes", limits_.output));
      }
    }
    return {};
  }

  template <typename Take>
  void drain(Descriptor& from, Take take) {
    std::array<char, kPiece> piece;
    while (from.get() >= 0 && output_.bytes.size() <= limits_.output) {
      const ssize_t got = read(from.get(), piece.data(), piece.size());
      if (got == 0) from.reset();
      if (got <= 0) break;
      take(std::string_view(piece.data(), static_cast<std::size_t>(got)));
    }
    wipe(piece.data(), piece.size());
  }

  // Its last lines, with nothing that a terminal would obey.
  std::string what_it_said() const {
    std::string text = to_utf8(complaint_);
    while (text.ends_with('\n')) text.pop_back();
    if (text.empty()) return "";
    for (char& c : text) {
      if (c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)) c = ' ';
    }
    std::string indented;
    for (const char c : text) indented.append(c == '\n' ? "\n  " : std::string(1, c));
    return "; it said:\n  " + indented;
  }

  const ProgramLimits& limits_;
  TimePoint deadline_;
  Output output_;
  std::string complaint_;
};

}  // namespace

Expected<Inventory> read_ansible_inventory(const std::string& path, const ProgramLimits& limits) {
  const std::string program = path.contains('/') ? path : "./" + path;
  const TimePoint deadline = BootClock::now() + limits.time;
  const auto list = Run(limits, deadline).of(program, {"--list"});
  if (!list) return std::unexpected(list.error());
  return parse_ansible_inventory(list->bytes, path,
                                 [&](const std::string& host) -> Expected<std::string> {
                                   auto vars = Run(limits, deadline).of(program, {"--host", host});
                                   if (!vars) return std::unexpected(vars.error());
                                   return std::exchange(vars->bytes, {});
                                 });
}

}  // namespace netfleet
