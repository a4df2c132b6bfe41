#include "worker/device/terminal.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace netfleet {
namespace {

constexpr char kEmptyCell = '\0';
constexpr unsigned char kEscapeByte = 0x1b;
constexpr std::size_t kMaxParameters = 64;       // bytes of a control sequence; the rest is ignored
constexpr std::size_t kMaxControlString = 4096;  // a title that never ends must not eat the session
constexpr std::size_t kMaxMove = 1024;           // cells, of one sequence
// Edits within a longer line are not followed: no CLI makes them, and each would move all of it.
constexpr std::size_t kMaxEdited = 8192;

bool is_control(unsigned char byte) { return (byte < 0x20 && byte != '\t') || byte == 0x7f; }

// The first control byte in [at, end). Eight bytes at a time: most of what devices send is text.
const char* find_control(const char* at, const char* end) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    const std::uint64_t below_blank = (word - kOnes * 0x20) & ~word & kHigh;
    const std::uint64_t rubout = word ^ (kOnes * 0x7f);
    const std::uint64_t is_rubout = (rubout - kOnes) & ~rubout & kHigh;
    const std::uint64_t found = below_blank | is_rubout;
    if (found == 0) {
      at += 8;
      continue;
    }
    // The lowest mark is right; a borrow may have set others above it.
    at += std::countr_zero(found) / 8;
    if (*at != '\t') return at;
    ++at;
  }
  while (at != end && !is_control(static_cast<unsigned char>(*at))) ++at;
  return at;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

void Terminal::feed(std::string_view bytes, std::string& lines) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end) {
    if (state_ != State::kGround) {
      at = sequence(at, end, lines);
      continue;
    }
    const char* const stop = find_control(at, end);
    if (stop != end && line_.empty() && !goes_on_) {
      // The common case: a whole line at once, that never has to be held.
      const char* const line_feed_at = *stop == '\r' && stop + 1 != end ? stop + 1 : stop;
      if (*line_feed_at == '\n') {
        lines.append(at, static_cast<std::size_t>(stop - at) + 1);
        lines.back() = '\n';
        row_start_ = saved_cursor_ = 0;
        ++line_id_;
        at = line_feed_at + 1;
        continue;
      }
    }
    if (stop != at) write({at, stop}, lines);
    at = stop;
    if (at != end) execute(static_cast<unsigned char>(*at++), lines);
  }
}

std::string_view Terminal::line() {
  if (!has_empty_cells_) return line_;
  shown_ = line_;
  while (!shown_.empty() && shown_.back() == kEmptyCell) shown_.pop_back();
  std::replace(shown_.begin(), shown_.end(), kEmptyCell, ' ');
  return shown_;
}

void Terminal::hide_line() {
  if (line_.empty()) return;
  hidden_text_ = line();
  line_.assign(line_.size(), kEmptyCell);
  has_empty_cells_ = true;
  hidden_ = true;
}

void Terminal::write(std::string_view text, std::string& lines) {
  if (cursor_ == line_.size()) {
    write_at_end(text);
  } else {
    overwrite(text);
  }
  if (line_.size() > max_line_) {
    lines += line();
    line_.clear();
    cursor_ = row_start_ = saved_cursor_ = 0;
    has_empty_cells_ = hidden_ = false;
    goes_on_ = true;
  }
}

void Terminal::write_at_end(std::string_view text) {
  if (hidden_) {
    if (text.find_first_not_of(' ') == std::string_view::npos) {
      hidden_text_ += text;
      line_.append(text.size(), kEmptyCell);
      cursor_ = line_.size();
      return;
    }
    line_ = hidden_text_;
    has_empty_cells_ = hidden_ = false;
  }
  if (!line_.empty() && line_.back() == kEmptyCell) {
    // Blanks that go on where others have just rubbed something out.
    const std::size_t blanks = std::min(text.find_first_not_of(' '), text.size());
    line_.append(blanks, kEmptyCell);
    text.remove_prefix(blanks);
  }
  line_ += text;
  cursor_ = line_.size();
}

void Terminal::overwrite(std::string_view text) {
  rubbed_out();
  const bool whole_characters = line_.size() <= kMaxEdited;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (cursor_ == line_.size()) return write_at_end(text.substr(i));
    if (whole_characters && is_continuation(text[i])) {
      line_.insert(cursor_++, 1, text[i]);
      continue;
    }
    const std::size_t next = after_cells(cursor_, 1);
    const bool blank = text[i] == ' ';
    has_empty_cells_ |= blank;
    line_[cursor_] = blank ? kEmptyCell : text[i];
    if (whole_characters && next - cursor_ > 1) line_.erase(cursor_ + 1, next - cursor_ - 1);
    ++cursor_;
  }
}

void Terminal::line_feed(std::string& lines) {
  if (hidden_) {
    hidden_ = false;
  } else {
    lines += line();
    lines += '\n';
  }
  line_.clear();
  cursor_ = row_start_ = saved_cursor_ = 0;
  has_empty_cells_ = goes_on_ = false;
  ++line_id_;
}

// A hidden line was touched: what follows stands on a clean line.
void Terminal::rubbed_out() {
  if (!hidden_) return;
  hidden_ = false;
  ++line_id_;
}

void Terminal::execute(unsigned char control, std::string& lines) {
  switch (control) {
    case '\n':
      return line_feed(lines);
    case '\r':
      return carriage_return();
    case '\b':
      return move_left(1);
    case kEscapeByte:
      state_ = State::kEscape;
      return;
    default:
      return;  // NUL, bell, shifts, form feed: nothing to see
  }
}

void Terminal::carriage_return() {
  follow_wrap();
  cursor_ = row_start_;
}

// Finds the row the cursor is in. A full row is left only when something is written beyond it.
void Terminal::follow_wrap() {
  if (cursor_ < row_start_) row_start_ = 0;  // it was moved back over the row's start
  if (columns_ == 0 || cursor_ - row_start_ <= columns_) return;
  for (;;) {
    const std::size_t next_row = after_cells(row_start_, columns_);
    if (next_row >= cursor_) return;
    row_start_ = next_row;
  }
}

const char* Terminal::sequence(const char* at, const char* end, std::string& lines) {
  for (; at != end && state_ != State::kGround; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte == 0x18 || byte == 0x1a) {  // CAN, SUB: the sequence is void
      state_ = State::kGround;
      continue;
    }
    switch (state_) {
      case State::kEscape:
        if (byte < 0x20) {
          execute(byte, lines);
        } else if (byte < 0x30) {
          state_ = State::kEscapeOne;  // charset selection and the like: one more byte
        } else {
          state_ = State::kGround;
          escape(byte, lines);
        }
        break;
      case State::kEscapeOne:
        state_ = byte == kEscapeByte ? State::kEscape : State::kGround;
        break;
      case State::kControl:
        if (byte < 0x20) {
          execute(byte, lines);
        } else if (byte < 0x40) {
          if (parameters_.size() < kMaxParameters) parameters_ += *at;
        } else {
          state_ = State::kGround;
          if (byte < 0x7f) control_sequence(byte);
        }
        break;
      case State::kString:
        // A line feed ends it too: no title has one, and binary rubbish must not swallow the rest.
        if (byte == '\n') execute(byte, lines);
        if (byte == '\a' || byte == '\n' || ++string_size_ > kMaxControlString) {
          state_ = State::kGround;
        } else if (byte == kEscapeByte) {
          state_ = State::kStringEscape;
        }
        break;
      case State::kStringEscape:
        state_ = byte == '\\' ? State::kGround : State::kEscape;
        if (state_ == State::kEscape) --at;  // the escape began another sequence
        break;
      case State::kGround:
        break;
    }
  }
  return at;
}

void Terminal::escape(unsigned char final, std::string& lines) {
  switch (final) {
    case '[':
      parameters_.clear();
      state_ = State::kControl;
      return;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
      string_size_ = 0;
      state_ = State::kString;
      return;
    case '7':
      saved_cursor_ = cursor_;
      return;
    case '8':
      cursor_ = std::min(saved_cursor_, line_.size());
      return;
    case 'D':
    case 'E':
      return line_feed(lines);
    case 'M':
      return move_rows(1, true);
    default:
      return;
  }
}

// The index-th number of the sequence; `fallback` when it is missing or 0.
std::size_t Terminal::parameter(std::size_t index, std::size_t fallback) const {
  std::size_t value = 0;
  for (const char c : parameters_) {
    if (c == ';') {
      if (index == 0) break;
      --index;
      value = 0;
    } else if (c >= '0' && c <= '9') {
      value = std::min<std::size_t>(value * 10 + static_cast<std::size_t>(c - '0'), kMaxMove);
    }
  }
  return index != 0 || value == 0 ? fallback : value;
}

void Terminal::control_sequence(unsigned char final) {
  if (!parameters_.empty() && parameters_.front() == '?' && final != 'J' && final != 'K') return;
  switch (final) {
    case 'A':
      return move_rows(parameter(0, 1), true);
    case 'B':
      return move_rows(parameter(0, 1), false);
    case 'C':
      return move_right(parameter(0, 1));
    case 'D':
      return move_left(parameter(0, 1));
    case 'E':
    case 'F':
      return carriage_return();
    case 'G':
    case '`':
      carriage_return();
      return move_right(parameter(0, 1) - 1);
    case 'H':
    case 'f':
      carriage_return();
      return move_right(parameter(1, 1) - 1);
    case 'J':
    case 'K': {
      const std::size_t which = parameter(0, 0);
      if (which == 0) return erase_cells(cursor_, line_.size());
      return erase_cells(0, which == 1 ? after_cells(cursor_, 1) : line_.size());
    }
    case 'P':
      return delete_cells(parameter(0, 1));
    case '@':
      return insert_cells(parameter(0, 1));
    case 'X':
      return erase_cells(cursor_, after_cells(cursor_, parameter(0, 1)));
    case 's':
      saved_cursor_ = cursor_;
      return;
    case 'u':
      cursor_ = std::min(saved_cursor_, line_.size());
      return;
    default:
      return;  // colours, modes, scrolling, reports
  }
}

void Terminal::erase_cells(std::size_t begin, std::size_t end) {
  const bool to_the_end = begin == cursor_ && end == line_.size();
  if (begin >= end || (line_.size() > kMaxEdited && !to_the_end)) return;
  rubbed_out();
  if (to_the_end) return line_.resize(begin);
  line_.replace(begin, end - begin, end - begin, kEmptyCell);
  has_empty_cells_ = true;
  if (end == line_.size()) line_.resize(std::max(begin, cursor_));
}

void Terminal::delete_cells(std::size_t count) {
  const std::size_t end = after_cells(cursor_, count);
  if (end == cursor_ || line_.size() > kMaxEdited) return;
  rubbed_out();
  line_.erase(cursor_, end - cursor_);
}

void Terminal::insert_cells(std::size_t count) {
  if (cursor_ == line_.size() || line_.size() > kMaxEdited) return;
  rubbed_out();
  line_.insert(cursor_, count, kEmptyCell);
  has_empty_cells_ = true;
}

void Terminal::move_left(std::size_t cells) {
  while (cells-- > 0 && cursor_ > 0) {
    --cursor_;
    while (cursor_ > 0 && is_continuation(line_[cursor_])) --cursor_;
  }
}

void Terminal::move_right(std::size_t cells) {
  for (; cells > 0 && cursor_ < line_.size(); --cells) cursor_ = after_cells(cursor_, 1);
  if (cells == 0) return;
  line_.append(cells, kEmptyCell);
  has_empty_cells_ = true;
  cursor_ = line_.size();
}

// Only within the line: rows of one that is longer than the terminal is wide.
void Terminal::move_rows(std::size_t rows, bool up) {
  if (columns_ == 0 || line_.size() <= columns_) return;
  if (up) {
    move_left(std::min(rows, line_.size() / columns_) * columns_);
    row_start_ = 0;
    follow_wrap();
  } else if (after_cells(cursor_, columns_) < line_.size()) {
    cursor_ = after_cells(cursor_, columns_);
    follow_wrap();
  }
}

std::size_t Terminal::after_cells(std::size_t from, std::size_t cells) const {
  for (; cells > 0 && from < line_.size(); --cells) {
    ++from;
    while (from < line_.size() && is_continuation(line_[from])) ++from;
  }
  return from;
}

}  // namespace netfleet
