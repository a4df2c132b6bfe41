#include "worker/device/session_log_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "worker/device/session_log.h"

namespace netfleet {

SessionLogWriter::SessionLogWriter(std::string_view host, std::string_view about,
                                   std::string_view platform) {
  add_word("host", host);
  add_word("#", about);
  add_word("platform", platform);
}

void SessionLogWriter::begin(const Dialogue::Options& options) {
  const Dialogue::Options defaults;
  const auto add = [this](std::string_view word, std::string_view text) {
    if (!text.empty()) add_word(word, mask_.mask(text, false).text);
  };
  for (const auto& [word, secret] :
       {std::pair{"password", options.password}, {"enable-password", options.enable_password}}) {
    if (secret == nullptr || secret->empty()) continue;
    mask_.add(*secret);
    add_word(word, kMask);
  }
  add("user", options.user);
  add("server", options.server_identification);
  add("banner", options.banner);
  add("remembered", options.remembered_platform);
  add("mode", options.mode);
  for (const std::string& line : options.configuration.lines) add("configure", line);
  if (options.configuration.dry_run) add_word("dry-run", "");
  if (options.configuration.confirm_within) {
    add("confirm-within", fmt::to_string(options.configuration.confirm_within->count()));
  }
  if (options.configuration.save) add_word("save", "");
  for (const std::string& command : options.commands) add("command", command);
  for (const Dialogue::Answer& answer : options.answers) {
    add("question", answer.question.expression());
    add("reply", answer.reply);
  }
  if (options.max_output != defaults.max_output) {
    add("max-output", fmt::to_string(options.max_output));
  }
  if (options.columns != defaults.columns) add("columns", fmt::to_string(options.columns));
  if (options.stop_on_error) add_word("stop-on-error", "");
}

void SessionLogWriter::received(Milliseconds at, std::string_view bytes) {
  const std::string before = std::exchange(held_, {});
  const std::string all = before.empty() ? "" : before + std::string(bytes);
  const std::string_view stream = before.empty() ? bytes : std::string_view(all);
  SecretMask::Masked masked = mask_.mask(stream, true);
  std::string_view text = masked.text;
  held_ = stream.substr(stream.size() - masked.held);
  if (!before.empty()) {
    if (text.empty()) return;  // still the beginning of a secret
    // What was typed meanwhile stands behind what it was an answer to.
    const bool was_none = text.starts_with(before);
    add_event(held_at_, '<', was_none ? before : text, held_goes_on_);
    text.remove_prefix(was_none ? before.size() : text.size());
    release_typed();
  }
  held_at_ = at;
  held_goes_on_ = !text.empty();
  if (!text.empty()) add_event(at, '<', text);
}

void SessionLogWriter::typed(Milliseconds at, std::string_view bytes, bool secret) {
  std::string text = mask_.mask(bytes, false).text;
  if (secret && text == bytes) {
    const std::size_t end = bytes.find_last_not_of("\r\n") + 1;  // npos + 1 is 0
    text = std::string(kMask).append(bytes.substr(end));
  }
  if (held_.empty()) {
    add_event(at, '>', text);
  } else {
    typed_meanwhile_.push_back({at, std::move(text)});
  }
}

void SessionLogWriter::closed(Milliseconds at) {
  release();
  fmt::format_to(std::back_inserter(text_), "{:>8} closed\n", at.count());
}

void SessionLogWriter::ended(Milliseconds at, Outcome outcome, std::string_view reason) {
  release();
  std::string said(outcome_name(outcome));
  if (!reason.empty()) said.append(" ").append(reason);
  fmt::format_to(std::back_inserter(text_), "{:>8} ended {}\n", at.count(),
                 escape(mask_.mask(said, false).text));
}

std::string SessionLogWriter::take() { return std::exchange(text_, {}); }

void SessionLogWriter::release() {
  if (!held_.empty()) add_event(held_at_, '<', kMask, held_goes_on_);
  held_.clear();
  release_typed();
}

void SessionLogWriter::release_typed() {
  for (const Typed& typed : typed_meanwhile_) add_event(typed.at, '>', typed.bytes);
  typed_meanwhile_.clear();
}

void SessionLogWriter::add_word(std::string_view word, std::string_view text) {
  text_ += word;
  if (!text.empty()) text_.append(" ").append(escape(text));
  text_ += '\n';
}

// What the device sends stands as it would on a page: a line of the log for each of its lines.
void SessionLogWriter::add_event(Milliseconds at, char direction, std::string_view bytes,
                                 bool goes_on) {
  std::string time = fmt::format("{:>8}", at.count());
  if (goes_on) time.assign(time.size(), ' ');
  do {
    const std::size_t end = direction == '<' ? bytes.find('\n') : std::string_view::npos;
    const std::string_view line = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
    text_.append(time).append(1, ' ').append(1, direction).append(1, ' ');
    text_.append(escape(line)).append(1, '\n');
    bytes.remove_prefix(line.size());
    time.assign(time.size(), ' ');
  } while (!bytes.empty());
}

}  // namespace netfleet
