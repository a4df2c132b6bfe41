#include "tests/devsim/cli.h"

#include <algorithm>

#include "tests/devsim/command_output.h"

namespace netfleet::devsim {
namespace {

constexpr std::size_t kMaxTyped = 65536;
constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kEndlessBlockKib = 64;
constexpr std::string_view kPageMark = " --More-- ";
constexpr char kControlC = 3;
constexpr char kControlD = 4;
constexpr char kControlU = 21;
constexpr char kControlZ = 26;
constexpr char kDelete = 127;

std::string message_of_the_day(const Device& device) {
  if (device.faults.has(Fault::kPromptLookalike)) {
    return "\n########################\n# Authorised use only! #\n########################\n"
           "Ticket #4711>\n" +
           device.name + "#\n";
  }
  if (device.faults.has(Fault::kMotd)) {
    return "\n*** Maintenance window: Saturday 02:00-04:00 ***\nThis is " + device.name + ".\n\n";
  }
  return {};
}

}  // namespace

Cli::Cli(const Device& device, const CliOptions& options, std::size_t columns, std::size_t rows)
    : device_(device), options_(options), columns_(columns), rows_(rows), name_(device.name) {
  const bool user_mode = device.platform == Platform::kLinux ||
                         device.platform == Platform::kJuniperJunos || options.privilege < 15;
  if (!user_mode || device.platform == Platform::kFrrVtysh) mode_ = Mode::kPrivileged;
  if (device.faults.has(Fault::kHangAtPrompt)) {
    state_ = State::kDead;
  } else if (device.faults.has(Fault::kCloseAtPrompt)) {
    finish(End::kDrop);
  } else {
    body_ = message_of_the_day(device);
  }
}

bool Cli::receive(std::string_view bytes) {
  if (state_ == State::kDead) return true;
  typed_.erase(0, std::exchange(typed_at_, 0));
  if (typed_.size() + bytes.size() > kMaxTyped) return false;
  typed_ += bytes;
  return true;
}

std::string Cli::take(std::size_t max) {
  while (out_.size() < max) {
    if (state_ == State::kPrinting) {
      print_some(max);
    } else if (state_ != State::kWaiting && state_ != State::kDead && typed_at_ < typed_.size()) {
      key(typed_[typed_at_++]);
    } else {
      break;
    }
  }
  if (out_.size() <= max) return std::exchange(out_, {});
  std::string first = out_.substr(0, max);
  out_.erase(0, max);
  return first;
}

void Cli::release() {
  if (state_ == State::kWaiting) run(std::exchange(line_, {}));
}

bool Cli::sets_terminal() const {
  return line_.starts_with("terminal ") || line_.starts_with("stty ");
}

bool Cli::idle() const {
  return state_ != State::kWaiting && state_ != State::kPrinting && state_ != State::kDead &&
         typed_at_ == typed_.size() && out_.empty();
}

void Cli::key(char byte) {
  const bool second_half = after_return_ && byte == '\n';
  after_return_ = byte == '\r';
  if (second_half) return;
  if (byte == '\n') byte = '\r';
  switch (state_) {
    case State::kMore:
      more_key(byte);
      break;
    case State::kQuestion:
      if (!answer_is_line_ || byte == '\r') {
        question_answered();
      } else {
        if (line_.size() < kMaxLine) line_ += byte;
        echo(byte);
      }
      break;
    case State::kPassword:
      if (byte == '\r')
        password_entered();
      else if (line_.size() < kMaxLine)
        line_ += byte;
      break;
    default:
      edit(byte);
  }
}

void Cli::edit(char byte) {
  if (byte == '\r') {
    enter();
  } else if (static_cast<unsigned char>(byte) < ' ' || byte == kDelete) {
    control(byte);
  } else if (line_.size() < kMaxLine) {
    line_ += byte;
    echo(byte);
  }
}

// A line that reaches the right margin is wrapped by readline (a blank and a return bring the
// cursor to the next row) and scrolled by IOS ('$' and the line's tail are drawn over it).
void Cli::echo(char byte) {
  out_ += byte;
  if (columns_ == 0) return;
  const std::size_t prompt_width = prompt_text().size();
  if (device_.platform == Platform::kLinux) {
    if ((prompt_width + line_.size()) % columns_ == 0) out_ += " \r";
    return;
  }
  const std::size_t shown = line_.size() - left_edge_ + (left_edge_ > 0 ? 1 : 0);
  if (prompt_width + shown + 1 < columns_ || shown < 20) return;
  const std::size_t tail = shown / 2;
  left_edge_ = line_.size() - tail;
  out_.append(shown, '\b').append("$").append(line_, left_edge_);
  const std::size_t stale = shown - tail - 1;
  out_.append(stale, ' ').append(stale, '\b');
}

void Cli::control(char byte) {
  switch (byte) {
    case '\b':
    case kDelete:
      if (line_.empty()) break;
      line_.pop_back();
      out_ += "\b \b";
      break;
    case kControlU:
      for (; !line_.empty(); line_.pop_back()) out_ += "\b \b";
      break;
    case kControlC:
      out_ += "^C\r\n";
      prompt();
      break;
    case kControlZ:
      out_ += "^Z\r\n";
      if (mode_ == Mode::kConfig || mode_ == Mode::kSubConfig) mode_ = Mode::kPrivileged;
      prompt();
      break;
    case kControlD:
      if (device_.platform == Platform::kLinux && line_.empty()) finish(End::kLogout);
      break;
    default:
      break;  // as a terminal line: other controls do nothing
  }
}

void Cli::enter() {
  if (device_.platform == Platform::kLinux && options_.colour)
    out_ += "\r\n\x1B[?2004l\r";
  else
    out_ += "\r\n";
  left_edge_ = 0;
  if (!banner_end_.empty()) {
    commands_.push_back(line_);
    if (takes_banner_line()) return;
    return prompt();
  }
  const std::size_t first = line_.find_first_not_of(' ');
  if (first == std::string::npos) return prompt();
  line_ = line_.substr(first, line_.find_last_not_of(' ') - first + 1);
  commands_.push_back(line_);
  if (leaves(line_)) return finish(End::kLogout);
  state_ = State::kWaiting;
}

void Cli::print(std::string text) {
  const Faults& faults = device_.faults;
  body_ = std::move(text);
  body_at_ = 0;
  page_lines_ = 0;
  state_ = State::kPrinting;
  if (body_.empty()) return;
  if (faults.has(Fault::kGarbageOutput)) body_ = garbage_output(name_);
  if (faults.has(Fault::kPromptLookalike)) body_ += lookalike_output(name_);
  if (!std::exchange(printed_command_, true)) {
    if (faults.has(Fault::kFlood)) {
      body_ = bulk_output(name_, kEndlessBlockKib);
      endless_ = true;
    }
    if (faults.has(Fault::kCloseAtCommand) || faults.has(Fault::kHangAtCommand)) {
      body_stop_ = body_.size() / 2;
    }
  }
}

void Cli::print_some(std::size_t max) {
  const bool coloured = device_.faults.has(Fault::kSplitEscapes);
  while (out_.size() < max && body_at_ < body_.size()) {
    if (body_at_ >= body_stop_) {
      if (device_.faults.has(Fault::kCloseAtCommand)) finish(End::kDrop);
      state_ = State::kDead;
      return;
    }
    const std::size_t newline = std::min(body_.find('\n', body_at_), body_.size());
    if (coloured) out_ += "\x1B[1;32m";
    out_.append(body_, body_at_, newline - body_at_);
    if (coloured) out_ += "\x1B[0m\x1B[K";
    if (newline < body_.size()) out_ += "\r\n";
    body_at_ = newline + 1;
    if (pages() && ++page_lines_ + 1 >= rows_ && body_at_ < body_.size()) return page_mark();
  }
  if (body_at_ < body_.size()) return;
  if (endless_) {
    body_at_ = 0;
  } else {
    body_ = {};
    prompt();
  }
}

bool Cli::pages() const { return rows_ > 1 && device_.platform == Platform::kCiscoIos; }

void Cli::page_mark() {
  out_ += kPageMark;
  state_ = State::kMore;
}

void Cli::more_key(char byte) {
  if (options_.erase_by_return) {
    out_.append("\r").append(kPageMark.size(), ' ').append("\r");
  } else {
    // As IOS does it: the blanks of both ends of the mark are left standing.
    out_.append(9, '\b').append(8, ' ').append(9, '\b');
  }
  state_ = State::kPrinting;
  if (byte == ' ') {
    page_lines_ = 0;
  } else if (byte == '\r') {
    page_lines_ = rows_ - 2;
  } else {
    endless_ = false;
    body_ = {};
    prompt();
  }
}

void Cli::prompt() {
  state_ = State::kLine;
  line_.clear();
  left_edge_ = 0;
  if (device_.faults.has(Fault::kNoPrompt)) return;
  const std::string text = prompt_text();
  if (device_.platform == Platform::kJuniperJunos && mode_ == Mode::kConfig) {
    out_ += "\r\n[edit]\r\n";
  }
  if (device_.faults.has(Fault::kSplitEscapes)) {
    out_ += "\x1B[1;36m" + text + "\x1B[0m";
  } else if (options_.colour && device_.platform == Platform::kLinux) {
    out_ += "\x1B[?2004h\x1B]0;" + text + "\a\x1B[01;32m" + text + "\x1B[00m";
  } else {
    out_ += text;
  }
}

void Cli::finish(End end) {
  state_ = State::kDead;
  end_ = end;
}

}  // namespace netfleet::devsim
