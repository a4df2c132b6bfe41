#include "tests/replay/transcript.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace netfleet::replay {
namespace {

[[noreturn]] void malformed(const std::string& path, int line, const char* why) {
  fmt::print(stderr, "{}:{}: {}\n", path, line, why);
  std::abort();
}

std::string unescape(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    switch (const char c = text[++i]) {
      case 'r':
        result += '\r';
        break;
      case 'n':
        result += '\n';
        break;
      case 'b':
        result += '\b';
        break;
      case 'e':
        result += '\x1b';
        break;
      case 'a':
        result += '\a';
        break;
      case 't':
        result += '\t';
        break;
      case '0':
        result += '\0';
        break;
      case 'x':
        result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
        break;
      default:
        result += c;
    }
  }
  return result;
}

// Without lone Enters and blanks at the start of lines.
std::string lines_only(const std::string& sent) {
  std::string result;
  for (const char c : sent) {
    const bool at_start = result.empty() || result.back() == '\n';
    if (!at_start || (c != '\n' && c != ' ')) result += c;
  }
  return result;
}

std::string compare(const std::string& what, const std::string& expected,
                    const std::string& actual) {
  if (expected == actual) return "";
  return fmt::format("{}\n  expected: {}\n  actual:   {}\n", what, visible(expected),
                     visible(actual));
}

std::string describe(const Dialogue::Output& output) {
  return fmt::format("{}{}{}", output.text, output.truncated ? "[truncated]" : "",
                     output.failed ? "[refused: " + output.error + "]" : "");
}

}  // namespace

Transcript read_transcript(const std::string& path) {
  Transcript result;
  std::ifstream in(path, std::ios::binary);
  if (!in) malformed(path, 0, "cannot be opened");
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::size_t blank = line.find(' ');
    const std::string word = line.substr(0, blank);
    const std::string raw = blank == std::string::npos ? "" : line.substr(blank + 1);
    const std::string text = unescape(raw);
    const bool in_output = !result.outputs.empty();
    using Kind = Transcript::Step::Kind;
    if (word.empty() || word == "#") continue;
    if (word == "platform") {
      result.platform = text;
    } else if (word == "server") {
      result.options.server_identification = text;
    } else if (word == "command") {
      result.options.commands.push_back(text);
    } else if (word == "max-output") {
      result.options.max_output = std::stoul(text);
    } else if (word == "columns") {
      result.options.columns = std::stoul(text);
    } else if (word == "stop-on-error") {
      result.options.stop_on_error = true;
    } else if (word == "typing-varies") {
      result.typing_varies = true;
    } else if (word == "<") {
      if (result.steps.empty() || result.steps.back().kind != Kind::kDevice) {
        result.steps.push_back({Kind::kDevice, ""});
      }
      result.steps.back().bytes += text;
    } else if (word == ">") {
      result.steps.push_back({Kind::kNetfleet, text});
    } else if (word == "closed") {
      result.steps.push_back({Kind::kClosed, ""});
    } else if (word == "output") {
      result.outputs.emplace_back();
    } else if (word == "=" && in_output) {
      result.outputs.back().text += text + "\n";
    } else if (word == "=-" && in_output) {
      result.outputs.back().text += text;
    } else if (word == "refused" && in_output) {
      result.outputs.back().failed = true;
      result.outputs.back().error = text;
    } else if (word == "truncated" && in_output) {
      result.outputs.back().truncated = true;
    } else if (word == "detected") {
      result.detected = text;
    } else if (word == "failure") {
      result.failure = text;
    } else {
      malformed(path, number, "unknown word");
    }
  }
  if (result.platform.empty() || result.steps.empty()) malformed(path, 1, "platform or steps lack");
  return result;
}

std::string replay(const Transcript& transcript, std::size_t chunk) {
  Dialogue dialogue(PlatformSet::builtin(), transcript.platform, transcript.options);
  std::string sent;
  int number = 0;
  for (const auto& step : transcript.steps) {
    ++number;
    switch (step.kind) {
      case Transcript::Step::Kind::kDevice:
        for (std::size_t at = 0; at < step.bytes.size(); at += chunk) {
          dialogue.receive(std::string_view(step.bytes).substr(at, chunk));
          sent += dialogue.take_outgoing().bytes;
        }
        break;
      case Transcript::Step::Kind::kNetfleet: {
        const bool vary = transcript.typing_varies;
        const std::string difference = compare(
            fmt::format("sent at step {} (last line: \"{}\")", number, dialogue.last_line()),
            vary ? lines_only(step.bytes) : step.bytes, vary ? lines_only(sent) : sent);
        if (!difference.empty()) return difference;
        sent.clear();
        break;
      }
      case Transcript::Step::Kind::kClosed:
        dialogue.closed();
        break;
    }
  }
  const auto& actual = dialogue.outputs();
  for (std::size_t i = 0; i < std::max(actual.size(), transcript.outputs.size()); ++i) {
    const std::string difference = compare(
        fmt::format("output of command {}", i),
        i < transcript.outputs.size() ? describe(transcript.outputs[i]) : "[no such command]",
        i < actual.size() ? describe(actual[i]) : "[none came]");
    if (!difference.empty()) return difference;
  }
  const auto& failure = dialogue.failure();
  std::string ended = dialogue.phase() == Dialogue::Phase::kDone ? "done" : "still going on";
  if (failure) ended = fmt::format("{} {}", outcome_name(failure->outcome), failure->reason);
  return compare("how the dialogue ended", transcript.failure.value_or("done"), ended) +
         (transcript.detected.empty()
              ? ""
              : compare("platform", transcript.detected, dialogue.platform_name())) +
         (transcript.typing_varies ? "" : compare("sent at the end", "", sent));
}

std::size_t longest_run(const Transcript& transcript) {
  std::size_t longest = 1;
  for (const auto& step : transcript.steps) longest = std::max(longest, step.bytes.size());
  return longest;
}

std::string visible(const std::string& bytes) {
  std::string result;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n\n            ";
    } else if (byte < 0x20 || byte >= 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace netfleet::replay
