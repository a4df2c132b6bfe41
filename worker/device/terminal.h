// worker/device: what a terminal would show of a byte stream, for line-oriented CLIs. Interprets
// control sequences and hands on finished lines; only the current line is held. Not a screen: what
// has scrolled by with a line feed is final.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace netfleet {

// A value of one dialogue, one thread. Bytes may be cut anywhere: the result is the same.
//
// Cells are characters (a UTF-8 sequence is one, an invalid byte is kept with its neighbour). A
// cell that was written over with a blank, or erased, is empty: empty cells at a line's end vanish,
// those within it read as blanks. So a pager's mark that is rubbed out leaves nothing, and blanks
// that a device prints at the end of a line stay.
class Terminal {
 public:
  // `columns`: where a real terminal of this width would go on in the next row, so that a carriage
  // return after it leads to the right place. `max_line`: a longer line is handed on in pieces.
  explicit Terminal(std::size_t columns = 511, std::size_t max_line = 1u << 20)
      : columns_(columns), max_line_(max_line) {}

  // Appends the lines that end in `bytes` to `lines`, each with one '\n'.
  void feed(std::string_view bytes, std::string& lines);

  // The current line as it looks now. Valid until the next call.
  std::string_view line();
  // Whether the beginning of the current line was already handed on (it is longer than max_line).
  bool line_goes_on() const { return goes_on_; }
  // Changes when another line begins, and when a hidden line is rubbed out.
  std::uint64_t line_id() const { return line_id_; }

  // The current line is a pager's mark: it shall not appear. Rubbed out, or ended by a line feed,
  // it is gone; when text follows it directly it was no mark, and is back.
  void hide_line();

 private:
  enum class State : std::uint8_t {
    kGround,
    kEscape,
    kEscapeOne,
    kControl,
    kString,
    kStringEscape
  };

  void write(std::string_view text, std::string& lines);
  void overwrite(std::string_view text);
  void write_at_end(std::string_view text);
  void line_feed(std::string& lines);
  void execute(unsigned char control, std::string& lines);
  const char* sequence(const char* at, const char* end, std::string& lines);
  void escape(unsigned char final, std::string& lines);
  void control_sequence(unsigned char final);
  std::size_t parameter(std::size_t index, std::size_t fallback) const;
  void carriage_return();
  void follow_wrap();
  void rubbed_out();
  void erase_cells(std::size_t begin, std::size_t end);
  void delete_cells(std::size_t count);
  void insert_cells(std::size_t count);
  void move_left(std::size_t cells);
  void move_right(std::size_t cells);
  void move_rows(std::size_t rows, bool up);
  std::size_t after_cells(std::size_t from, std::size_t cells) const;

  const std::size_t columns_;
  const std::size_t max_line_;
  std::string line_;           // '\0' is an empty cell
  std::size_t cursor_ = 0;     // byte position in line_
  std::size_t row_start_ = 0;  // where the cursor's row begins in line_
  std::size_t saved_cursor_ = 0;
  bool goes_on_ = false;
  bool has_empty_cells_ = false;
  bool hidden_ = false;
  std::uint64_t line_id_ = 0;
  std::string hidden_text_;
  std::string shown_;  // what line() made of line_ with its empty cells
  State state_ = State::kGround;
  std::string parameters_;       // of the control sequence under way
  std::size_t string_size_ = 0;  // of the control string under way
};

}  // namespace netfleet
