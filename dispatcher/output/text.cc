// -o text: a header line a host, its outputs, a blank line.
#include <fmt/format.h>

#include <iterator>

#include "dispatcher/output/formats.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

class TextRenderer final : public Renderer {
 public:
  explicit TextRenderer(bool to_terminal) : to_terminal_(to_terminal) {}

  void result(const TaskSpec& task, const TaskResult& result, std::string& out) override {
    const bool bracketed = task.address.view().contains(':');
    // Before anything is known of the way that was taken, the ways there are.
    const std::string way = result.jump.empty() ? shown_route(task.jump) : result.jump;
    fmt::format_to(std::back_inserter(out), "=== {} ({}{}{}:{}){}{} {} {}\n", one_line(task.host),
                   bracketed ? "[" : "", one_line(task.address), bracketed ? "]" : "", task.port,
                   way.empty() ? "" : " via ", one_line(way), outcome_name(result.outcome),
                   seconds_text(result.duration));
    if (!result.error.empty()) out.append(one_line(result.error)).push_back('\n');
    for (const CommandResult& command : result.commands) {
      // One command that went well needs no line of its own.
      if (result.commands.size() > 1 || command.outcome != Outcome::kOk || command.truncated) {
        append_command_line(command, out);
      }
      for_pieces(command.output, out, [&](std::string_view piece) {
        if (to_terminal_) {
          append_visible(out, piece);
        } else {
          out.append(piece);
        }
      });
      if (!command.output.empty() && !command.output.ends_line()) out.push_back('\n');
    }
    out.push_back('\n');
  }

  void end(const Summary&, std::string&) override {}

 private:
  bool to_terminal_;
};

}  // namespace

void append_command_line(const CommandResult& command, std::string& out) {
  out.append("--- ").append(one_line(command.command));
  if (command.outcome != Outcome::kOk) out.append(": ").append(outcome_name(command.outcome));
  if (command.truncated) {
    fmt::format_to(std::back_inserter(out), ": truncated after {} bytes", command.output.size());
  }
  out.push_back('\n');
}

std::unique_ptr<Renderer> make_text_renderer(bool to_terminal) {
  return std::make_unique<TextRenderer>(to_terminal);
}

}  // namespace netfleet
