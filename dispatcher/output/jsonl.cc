// -o jsonl: one JSON object a task on one line, its fields always all there and in the documented
// order. Written by hand: outputs of many megabytes go straight into `out`.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/utf8.h"
#include "dispatcher/output/formats.h"

namespace netfleet {
namespace {

// What may stand in a JSON string as it is. DEL, though allowed, and the eight-bit control
// characters are escaped too: a terminal may be reading.
bool is_plain(char byte) { return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\'; }

void append_escaped(std::string& out, unsigned char code) {
  switch (code) {
    case '"':
      out.append("\\\"");
      break;
    case '\\':
      out.append("\\\\");
      break;
    case '\n':
      out.append("\\n");
      break;
    case '\r':
      out.append("\\r");
      break;
    case '\t':
      out.append("\\t");
      break;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
  }
}

void append_utf8_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto special = std::ranges::find_if_not(text, is_plain);
    out.append(text.begin(), special);
    text.remove_prefix(static_cast<std::size_t>(special - text.begin()));
    if (text.empty()) break;
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) {  // U+0080 to U+009F
      append_escaped(out, static_cast<unsigned char>(text[1]));
      text.remove_prefix(2);
    } else if (byte >= 0x80) {
      out.push_back(text[0]);
      text.remove_prefix(1);
    } else {
      append_escaped(out, byte);
      text.remove_prefix(1);
    }
  }
  out.push_back('"');
}

void append_string(std::string& out, std::string_view bytes) {
  const bool ascii =
      std::ranges::all_of(bytes, [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
  append_utf8_string(out, ascii ? bytes : to_utf8(bytes));
}

void append_or_null(std::string& out, std::string_view bytes) {
  if (bytes.empty()) {
    out.append("null");
  } else {
    append_string(out, bytes);
  }
}

class JsonlRenderer final : public Renderer {
 public:
  explicit JsonlRenderer(const std::string& sweep) {
    beginning_ = "{\"sweep\":";
    append_string(beginning_, sweep);
  }

  void result(const TaskSpec& task, const TaskResult& result, std::string& out) override {
    const auto text = [&](const char* name, std::string_view value) {
      append_string(out.append(name), value);
    };
    const auto text_or_null = [&](const char* name, std::string_view value) {
      append_or_null(out.append(name), value);
    };
    const auto number = [&](const char* name, auto value) {
      fmt::format_to(std::back_inserter(out), "{}{}", name, value);
    };
    out.append(beginning_);
    number(",\"index\":", task.index);
    text(",\"host\":", task.host);
    text(",\"address\":", task.address);
    number(",\"port\":", task.port);
    text(",\"platform\":", result.platform.empty() ? task.platform : result.platform);
    text(",\"region\":", task.region);
    text_or_null(",\"worker\":", result.worker);
    number(",\"attempt\":", result.attempt);
    text(",\"outcome\":", outcome_name(result.outcome));
    text_or_null(",\"error\":", result.error);
    text_or_null(",\"jump\":", result.jump);
    text_or_null(",\"started_at\":",
                 result.started_at ? format_wall_time(*result.started_at) : std::string());
    number(",\"duration_ms\":", result.duration.count());
    out.append(",\"commands\":[");
    for (const CommandResult& command : result.commands) {
      text(&command == result.commands.data() ? "{\"command\":" : ",{\"command\":",
           command.command);
      text(",\"output\":", command.output);
      text(",\"outcome\":", outcome_name(command.outcome));
      number(",\"duration_ms\":", command.duration.count());
      out.append(",\"truncated\":").append(command.truncated ? "true}" : "false}");
    }
    out.append("]}\n");
  }

  void end(const Summary&, std::string&) override {}

 private:
  std::string beginning_;  // the same in every object
};

}  // namespace

std::unique_ptr<Renderer> make_jsonl_renderer(std::string sweep) {
  return std::make_unique<JsonlRenderer>(sweep);
}

}  // namespace netfleet
