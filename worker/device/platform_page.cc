#include "worker/device/platform_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "worker/device/text.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxKey = 40;    // characters of something typed
constexpr std::size_t kMaxTitle = 60;  // in the table

std::string_view confidence(Platform::Confidence confidence) {
  switch (confidence) {
    case Platform::Confidence::kHigh:
      return "high";
    case Platform::Confidence::kMedium:
      return "medium";
    case Platform::Confidence::kLow:
      return "low";
  }
  return "";
}

std::string typed(std::string_view text) {
  if (text == " ") return "Space";
  if (text == "\n" || text == "\r") return "Enter";
  if (text.size() == 1 && text[0] > 0 && text[0] < ' ') {
    return fmt::format("Ctrl-{}", static_cast<char>(text[0] + '@'));
  }
  return fmt::format("'{}'", printable(text, kMaxKey));
}

std::string what_is_typed(const Platform::Answer& answer) {
  switch (answer.what) {
    case Platform::Answer::What::kUser:
      return "the user";
    case Platform::Answer::What::kPassword:
      return "the password";
    case Platform::Answer::What::kEnablePassword:
      return "the enable password";
    case Platform::Answer::What::kText:
      break;
  }
  if (answer.bare) return "the key " + typed(answer.reply);
  return answer.reply.empty() ? "Enter" : typed(answer.reply);
}

// Lines of a page: sections with indented entries.
class Page {
 public:
  void line(std::string_view text) { text_ += fmt::format("{}\n", text); }
  void section(std::string_view title) { text_ += fmt::format("\n{}\n", title); }
  void entry(std::string_view text) { text_ += fmt::format("  {}\n", text); }
  void entry(std::string_view key, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("  {:<16}{}\n", key, value);
  }
  void entry(std::string_view key, const std::optional<Pattern>& pattern) {
    if (pattern) entry(key, pattern->expression());
  }
  void answers(const std::vector<Platform::Answer>& answers, std::string_view indent = "  ") {
    for (const Platform::Answer& answer : answers) {
      text_ += fmt::format("{}asked {}  answers {}\n", indent, answer.prompt.expression(),
                           what_is_typed(answer));
    }
  }
  void patterns(std::string_view title, const std::vector<Pattern>& patterns) {
    if (patterns.empty()) return;
    section(title);
    for (const Pattern& pattern : patterns) entry(pattern.expression());
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_detection(Page& page, const Platform::Detect& detect) {
  if (!detect.server && !detect.banner && !detect.prompt && detect.probes.empty()) return;
  page.section("Recognized by -P auto");
  page.entry("server", detect.server);
  page.entry("banner", detect.banner);
  page.entry("prompt", detect.prompt);
  for (const Platform::Probe& probe : detect.probes) {
    page.entry(fmt::format("{}  prints {}", typed(probe.command), probe.output.expression()));
  }
  if (detect.fallback) page.entry("where others are named, too, and no command tells: this one");
}

void add_modes(Page& page, const Platform& platform) {
  page.section("Modes, as their prompts are tried");
  for (const Platform::Mode& mode : platform.modes) {
    page.entry(mode.name, mode.prompt.expression());
    if (mode.above) page.entry("", "below " + mode.above->expression());
  }
  if (!platform.moves.empty()) page.section("Ways between them");
  std::size_t width = 0;
  for (const Platform::Move& move : platform.moves) width = std::max(width, move.from.size());
  for (const Platform::Move& move : platform.moves) {
    page.entry(fmt::format("{:<{}} --[ {} ]--> {}", move.from, width, move.command, move.to));
    page.answers(move.answers, std::string(width + 5, ' '));
  }
  page.patterns("Above a prompt, and no output", platform.context_lines);
}

void add_preparation(Page& page, const Platform& platform) {
  if (platform.prepare.empty()) return;
  page.section("Sent after the login");
  for (const Platform::Prepare& step : platform.prepare) {
    page.entry(step.mode.empty() ? step.command
                                 : fmt::format("{:<40}once in mode {}", step.command, step.mode));
    if (step.when_prompt) page.entry("  if the prompt", step.when_prompt);
    if (step.new_prompt) page.entry("  new prompt", step.new_prompt);
  }
}

void add_configuration(Page& page, const Platform& platform) {
  if (!platform.configure) {
    page.section("Configuration: none");
    return;
  }
  const Platform::Configure& configure = *platform.configure;
  page.section(configure.mode.empty() ? "Configuration, typed in any mode"
                                      : "Configuration, typed in mode " + configure.mode);
  if (configure.commit) {
    const Platform::Commit& commit = *configure.commit;
    page.entry("commit", commit.command);
    page.entry("confirmed", commit.confirmed);
    page.entry("confirm", commit.confirm);
    page.entry("check", commit.check);
    page.entry("check succeeds", commit.check_success);
    page.entry("diff", commit.diff);
    page.entry("abort", commit.abort);
    page.entry("success", commit.success);
    page.entry("failure", commit.failure);
    page.entry("failure detail", commit.failure_detail);
    page.answers(commit.answers);
  } else {
    page.entry("each line takes effect at once");
  }
  for (const Platform::Block& block : configure.blocks) {
    page.entry("block", block.begin.expression());
    page.entry("  up to", block.end ? block.end->expression() : "its delimiter again");
  }
}

void add_save(Page& page, const Platform& platform) {
  if (!platform.save) return;
  page.section("Saving");
  page.entry("command", platform.save->command);
  page.entry("mode", platform.save->mode);
  page.entry("success", platform.save->success);
  page.answers(platform.save->answers);
}

void add_questions(Page& page, const Platform& platform) {
  if (!platform.login.empty()) page.section("Questions of the login");
  page.answers(platform.login);
  if (!platform.confirmations.empty()) page.section("Questions of commands");
  page.answers(platform.confirmations);
  page.section("Logout");
  page.entry(platform.logout.empty() ? "the connection is closed" : platform.logout);
  page.answers(platform.logout_answers);
}

std::string_view line_ending(const Platform& platform) {
  if (platform.line_ending == "\r") return "CR";
  return platform.line_ending == "\n" ? "LF" : "CR LF";
}

}  // namespace

std::string platform_table(const PlatformSet& platforms) {
  std::vector<std::array<std::string, 4>> rows{{"NAME", "TITLE", "CONFIDENCE", "ALSO CALLED"}};
  for (const std::string& name : platforms.names()) {
    const Platform& platform = *platforms.find(name);
    rows.push_back({name, printable(platform.title, kMaxTitle),
                    std::string(confidence(platform.confidence)),
                    fmt::format("{}", fmt::join(platform.aliases, ", "))});
  }
  std::array<std::size_t, 4> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < 3; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = fmt::format("{:<{}}  {:<{}}  {:<{}}  {}", row[0], widths[0], row[1],
                                   widths[1], row[2], widths[2], row[3]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string platform_table_jsonl(const PlatformSet& platforms) {
  std::string text;
  for (const std::string& name : platforms.names()) text += platform_json(*platforms.find(name));
  return text;
}

std::string platform_page(const Platform& platform) {
  Page page;
  page.line(fmt::format("{}: {}", platform.name, platform.title));
  page.entry("confidence", confidence(platform.confidence));
  page.entry("also called", fmt::format("{}", fmt::join(platform.aliases, ", ")));
  page.entry("lines end with", line_ending(platform));
  page.entry("exec channel", platform.exec ? "yes" : "no");
  if (platform.confirm_prompt) page.entry("prompt", "believed when it comes a second time");
  if (platform.prompt_after_text) page.entry("output", "may end on the prompt's line");
  if (!platform.notes.empty()) page.section("Notes");
  for (const std::string& note : platform.notes) page.entry("* " + note);
  add_modes(page, platform);
  add_preparation(page, platform);
  add_configuration(page, platform);
  add_save(page, platform);
  if (platform.pager) {
    page.section("Pages");
    page.entry("mark", platform.pager);
    page.entry("key", typed(platform.pager_key));
  }
  page.patterns("Refusals", platform.errors);
  page.patterns("Changes by itself", platform.volatile_text);
  add_questions(page, platform);
  add_detection(page, platform.detect);
  return page.take();
}

}  // namespace netfleet
