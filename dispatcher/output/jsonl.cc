// -o jsonl: one JSON object a task on one line, its fields always all there and in the documented
// order. Written by hand: outputs of many megabytes go straight into `out`.
#include <fmt/format.h>

#include <iterator>

#include "common/utf8.h"
#include "dispatcher/output/formats.h"
#include "dispatcher/output/visible.h"

namespace netfleet {
namespace {

// What may stand in a JSON string as it is. DEL, though allowed, and the eight-bit control
// characters are escaped too: a terminal may be reading.
struct IsPlain {
  bool operator()(char byte) const {
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
  }
};

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

// `is_valid`: `text` is known to be UTF-8. Mostly it is ASCII and needs no look at that.
void append_content(std::string& out, std::string_view text, bool is_valid) {
  while (true) {
    const std::size_t plain = prefix_length(text, IsPlain());
    out.append(text, 0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte >= 0x80 && !is_valid) {
      append_content(out, to_utf8(text), true);
      return;
    }
    std::size_t used = 1;
    if (byte == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) {  // U+0080 to U+009F
      append_escaped(out, static_cast<unsigned char>(text[1]));
      used = 2;
    } else if (byte >= 0x80) {
      out.push_back(text[0]);
    } else {
      append_escaped(out, byte);
    }
    text.remove_prefix(used);
  }
}

void append_string(std::string& out, std::string_view bytes) {
  out.push_back('"');
  append_content(out, bytes, false);
  out.push_back('"');
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
      const fmt::format_int digits(value);
      out.append(name).append(digits.data(), digits.size());
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
      out.append(",\"output\":\"");
      for_pieces(command.output, out,
                 [&out](std::string_view piece) { append_content(out, piece, false); });
      out.push_back('"');
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
