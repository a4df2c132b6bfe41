// -o grouped: hosts with the same outputs are shown once, under their folded names. What is kept of
// a host is its name and the number of its group, of a group a digest and where one of it is: the
// outputs are read back at the end.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <optional>
#include <unordered_map>

#include "common/check.h"
#include "dispatcher/output/formats.h"
#include "dispatcher/output/host_ranges.h"
#include "dispatcher/output/text_diff.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

// Half a SHA-256: enough that nobody makes two outputs look the same.
using Digest = std::array<std::uint64_t, 2>;

struct DigestHash {
  std::size_t operator()(const Digest& digest) const { return digest[0]; }
};

class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new()) {
    CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  void add_number(std::uint64_t number) {
    add({reinterpret_cast<const char*>(&number), sizeof(number)});
  }
  // With its length before it, so that no two sequences of texts are the same bytes.
  void add_text(std::string_view text) {
    add_number(text.size());
    add(text);
  }
  Digest end() {
    std::array<unsigned char, 32> whole{};
    CHECK(EVP_DigestFinal_ex(context_.get(), whole.data(), nullptr) == 1);
    Digest digest{};
    std::memcpy(digest.data(), whole.data(), sizeof(digest));
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// The message without the words that name its host: those of a thousand hosts are one.
std::string common_error(const TaskSpec& task, std::string_view error) {
  const bool bracketed = task.address.view().contains(':');
  const std::string named = fmt::format("{} ({}{}{}:{})", task.host, bracketed ? "[" : "",
                                        task.address, bracketed ? "]" : "", task.port);
  std::string text;
  for (std::size_t at; (at = error.find(named)) != std::string_view::npos;) {
    text.append(error, 0, at).append("HOST");
    error.remove_prefix(at + named.size());
  }
  return text.append(error);
}

class GroupedRenderer final : public Renderer {
 public:
  GroupedRenderer(bool differences, bool to_terminal)
      : differences_(differences), to_terminal_(to_terminal) {}

  bool reads_back() const override { return true; }

  void result(const TaskSpec& task, const TaskResult& result, std::string&) override {
    const auto next = static_cast<std::uint32_t>(groups_.size());
    const auto [known, added] = by_digest_.try_emplace(digest_of(task, result), next);
    if (added) groups_.push_back({.sample = task.index, .outcome = result.outcome});
    ++groups_[known->second].count;
    members_.push_back({task.host, known->second, task.index});
  }

  void end(const Summary&, std::string& out) override {
    by_digest_.clear();
    std::ranges::sort(members_, {},
                      [](const Member& member) { return std::pair(member.group, member.index); });
    std::size_t first = 0;
    for (Group& group : groups_) {
      group.first = first;
      first += group.count;
      group.least = members_[group.first].index;
    }
    std::vector<const Group*> shown;
    for (const Group& group : groups_) shown.push_back(&group);
    std::ranges::sort(shown, {}, [](const Group* group) {  // the largest first, failures last
      return std::tuple(group->outcome != Outcome::kOk, -static_cast<std::int64_t>(group->count),
                        group->least);
    });
    for (const Group* group : shown) {
      show(*group, out);
      drain(out);
    }
  }

 private:
  struct Group {
    std::uint32_t sample = 0;  // the index of one of it
    std::uint32_t count = 0;
    std::uint32_t least = 0;  // index
    Outcome outcome = Outcome::kOk;
    std::size_t first = 0;  // of its members
  };
  struct Member {
    SharedText host;
    std::uint32_t group;
    std::uint32_t index;
  };

  Digest digest_of(const TaskSpec& task, const TaskResult& result) {
    Hasher hasher;
    hasher.add_number(static_cast<std::uint64_t>(result.outcome));
    hasher.add_text(common_error(task, result.error));
    for (const CommandResult& command : result.commands) {
      hasher.add_text(command.command);
      hasher.add_number(static_cast<std::uint64_t>(command.outcome));
      hasher.add_number(command.truncated ? 1 : 0);
      hasher.add_number(command.output.size());
      std::string none;
      for_pieces(command.output, none, [&](std::string_view piece) { hasher.add(piece); });
    }
    return hasher.end();
  }

  void show(const Group& group, std::string& out) {
    std::vector<std::string_view> hosts;
    hosts.reserve(group.count);
    for (std::size_t i = group.first; i < group.first + group.count; ++i) {
      hosts.push_back(members_[i].host);
    }
    fmt::format_to(std::back_inserter(out), "=== {} ({} host{}) {}\n", one_line(fold_hosts(hosts)),
                   group.count, group.count == 1 ? "" : "s", outcome_name(group.outcome));
    read_back(group.sample, [&](const TaskSpec& task, const TaskResult& result) {
      if (!result.error.empty()) {
        out.append(one_line(group.count == 1 ? result.error : common_error(task, result.error)));
        out.push_back('\n');
      }
      if (differences_ && group.outcome == Outcome::kOk) {
        show_differences(result, out);
      } else {
        show_outputs(result, out);
      }
    });
    out.push_back('\n');
  }

  void show_outputs(const TaskResult& result, std::string& out) {
    for (const CommandResult& command : result.commands) {
      if (result.commands.size() > 1 || command.outcome != Outcome::kOk || command.truncated) {
        append_command_line(command, out);
      }
      show_output(command, out);
    }
  }

  void show_output(const CommandResult& command, std::string& out) {
    for_pieces(command.output, out, [&](std::string_view piece) { append(piece, out); });
    if (!command.output.empty() && !command.output.ends_line()) out.push_back('\n');
  }

  // The first group that is shown is what the others are compared with.
  void show_differences(const TaskResult& result, std::string& out) {
    if (!majority_) {
      majority_ = result.commands;
      return show_outputs(result, out);
    }
    for (std::size_t i = 0; i < result.commands.size(); ++i) {
      const CommandResult& command = result.commands[i];
      const CommandResult* other = i < majority_->size() ? &(*majority_)[i] : nullptr;
      const bool comparable = other != nullptr && other->command == command.command &&
                              !command.truncated && !other->truncated;
      if (comparable && other->output == command.output) continue;
      append_command_line(command, out);
      const auto hunks = comparable ? compare(*other, command) : fail("");
      if (hunks) {
        append(*hunks, out);
      } else {
        show_output(command, out);
      }
    }
  }

  Expected<std::string> compare(const CommandResult& before, const CommandResult& after) {
    if (before.output.size() + after.output.size() > TextDiff::kMostBytes) return fail("too large");
    const auto old_text = before.output.whole();
    const auto new_text = after.output.whole();
    if (!old_text || !new_text) return fail("cannot be read");
    if (!diff_) diff_.emplace();
    return diff_->hunks({*old_text, *old_text}, {*new_text, *new_text});
  }

  void append(std::string_view bytes, std::string& out) const {
    if (to_terminal_) {
      append_visible(out, bytes);
    } else {
      out.append(bytes);
    }
  }

  bool differences_;
  bool to_terminal_;
  std::unordered_map<Digest, std::uint32_t, DigestHash> by_digest_;
  std::vector<Group> groups_;
  std::vector<Member> members_;
  std::optional<std::vector<CommandResult>> majority_;
  std::optional<TextDiff> diff_;
};

}  // namespace

std::unique_ptr<Renderer> make_grouped_renderer(bool differences, bool to_terminal) {
  return std::make_unique<GroupedRenderer>(differences, to_terminal);
}

}  // namespace netfleet
