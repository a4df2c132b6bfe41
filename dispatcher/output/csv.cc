// -o csv: RFC 4180. One row a command with the fields of its task, one for a task without any; the
// names of the columns first. Outputs are data, byte for byte: what a spreadsheet makes of one that
// begins with '=' is the spreadsheet's.
#include <fmt/format.h>

#include <iterator>

#include "common/clock.h"
#include "dispatcher/output/formats.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

constexpr std::string_view kHeader =
    "sweep,index,host,address,port,platform,region,worker,attempt,outcome,error,jump,started_at,"
    "duration_ms,command,command_outcome,command_duration_ms,truncated,output\r\n";

// What stands between the quotes of a field.
void append_quoted(std::string& out, std::string_view text) {
  for (std::size_t end; (end = text.find('"')) != std::string_view::npos;) {
    out.append(text, 0, end + 1).push_back('"');
    text.remove_prefix(end + 1);
  }
  out.append(text);
}

class CsvRenderer final : public Renderer {
 public:
  CsvRenderer(const std::string& sweep, bool to_terminal) : to_terminal_(to_terminal) {
    field(sweep, sweep_);
  }

  void result(const TaskSpec& task, const TaskResult& result, std::string& out) override {
    begin(out);
    task_.clear();
    begin_row(task, result);
    if (result.commands.empty()) out.append(task_).append(",,,,\r\n");
    for (const CommandResult& command : result.commands) {
      out.append(task_);
      field(command.command, out);
      fmt::format_to(std::back_inserter(out), ",{},{},{},\"", outcome_name(command.outcome),
                     command.duration.count(), command.truncated);
      for_pieces(command.output, out, [&](std::string_view piece) { content(piece, out); });
      out.append("\"\r\n");
    }
  }

  void end(const Summary&, std::string& out) override { begin(out); }

 private:
  void begin(std::string& out) {
    if (!begun_) out.append(kHeader);
    begun_ = true;
  }

  void begin_row(const TaskSpec& task, const TaskResult& result) {
    const auto text = [&](std::string_view value) {
      field(value, task_);
      task_.push_back(',');
    };
    const auto number = [&](auto value) {
      fmt::format_to(std::back_inserter(task_), "{},", value);
    };
    task_.append(sweep_).push_back(',');
    number(task.index);
    text(task.host);
    text(task.address);
    number(task.port);
    text(result.platform.empty() ? task.platform.view() : std::string_view(result.platform));
    text(task.region);
    text(result.worker);
    number(result.attempt);
    text(outcome_name(result.outcome));
    text(result.error);
    text(result.jump);
    text(result.started_at ? format_wall_time(*result.started_at) : std::string());
    number(result.duration.count());
  }

  void field(std::string_view text, std::string& out) const {
    const bool plain = text.find_first_of(",\"\r\n") == std::string_view::npos;
    if (!plain) out.push_back('"');
    content(text, out);
    if (!plain) out.push_back('"');
  }

  void content(std::string_view text, std::string& out) const {
    if (!to_terminal_) return append_quoted(out, text);
    std::string visible;
    append_visible(visible, text);
    append_quoted(out, visible);
  }

  bool to_terminal_;
  bool begun_ = false;
  std::string sweep_;  // the same in every row
  std::string task_;   // the same in every row of a task
};

}  // namespace

std::unique_ptr<Renderer> make_csv_renderer(const std::string& sweep, bool to_terminal) {
  return std::make_unique<CsvRenderer>(sweep, to_terminal);
}

}  // namespace netfleet
