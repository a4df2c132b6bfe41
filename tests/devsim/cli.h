// devsim: one session's command line as the device sees it: echo and line editing, modes and
// prompts, pages, the shell's faults. Pure: bytes in, bytes out; the session (session.h) brings the
// time and the channel. What commands print is command_output.h's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/devsim/device.h"

namespace netfleet::devsim {

struct CliOptions {
  int privilege = 15;  // 15 begins privileged, less in user mode
  std::string user = "admin";
  std::string enable_password;   // empty: enable and sudo ask nothing
  bool confirm_save = false;     // cisco_ios: write memory asks
  bool colour = false;           // linux: bracketed paste, title and a coloured prompt
  bool erase_by_return = false;  // the page mark goes by \r and spaces instead of \b
};

// Owned by one session. take() drives it: it hands out what the device prints next and reads what
// was typed as it goes, so that typing ahead is echoed when the device comes to it.
class Cli {
 public:
  enum class End : std::uint8_t { kNone, kLogout, kDrop };

  // `device` and `options` outlive this. rows: lines a page, 0 for no pages; columns: 0 for no
  // wrapping.
  Cli(const Device& device, const CliOptions& options, std::size_t columns, std::size_t rows);

  // What the user types. False: more than 64 KiB are typed ahead; give up.
  bool receive(std::string_view bytes);
  // The next bytes for the terminal, at most `max`. Empty: nothing to say until receive() or
  // release().
  std::string take(std::size_t max);
  // A command was entered and runs when release() is called.
  bool waiting() const { return state_ == State::kWaiting; }
  bool sets_terminal() const;  // that command is about pages or columns only
  void release();
  // All that was typed is read, and more would be.
  bool idle() const;
  // How the session ended, once take() returns nothing more.
  End end() const { return end_; }
  // The lines entered since the last call; passwords never.
  std::vector<std::string> take_commands() { return std::exchange(commands_, {}); }

 private:
  enum class State : std::uint8_t {
    kLine,
    kPassword,
    kQuestion,
    kWaiting,
    kPrinting,
    kMore,
    kDead
  };
  enum class Mode : std::uint8_t { kUser, kPrivileged, kConfig, kSubConfig };

  // cli.cc: keys, lines, pages
  void key(char byte);
  void edit(char byte);
  void echo(char byte);
  void control(char byte);
  void enter();
  void more_key(char byte);
  void print(std::string text);  // then the prompt
  void print_some(std::size_t max);
  void page_mark();
  void prompt();
  void finish(End end);
  bool pages() const;

  // cli_modes.cc: what lines do
  std::string prompt_text() const;
  void run(const std::string& line);
  void run_ios_like(const std::string& line);
  void run_config(const std::string& line);
  void configure_name(std::string_view line);
  void begin_banner(const std::string& line);
  bool takes_banner_line();
  void run_linux(const std::string& line);
  void ask_password(std::string_view question);
  void password_entered();
  void question_answered();
  bool leaves(std::string_view line) const;  // the line ends the session, at once

  // cli_commit.cc: Junos
  void run_junos(const std::string& line);
  void run_junos_config(const std::string& line);
  void leave_configuration();
  bool candidate_is_sound();
  void commit(std::string_view line);
  std::string difference() const;

  const Device& device_;
  const CliOptions& options_;
  std::size_t columns_;
  std::size_t rows_;
  State state_ = State::kPrinting;
  Mode mode_ = Mode::kUser;
  End end_ = End::kNone;
  std::string name_;  // as it is configured now
  std::string submode_;
  std::string banner_end_;              // a banner is being typed, up to this
  std::vector<std::string> candidate_;  // what was set and is not committed
  std::string typed_;                   // not yet read
  std::size_t typed_at_ = 0;
  std::string line_;           // being edited
  std::size_t left_edge_ = 0;  // of the line, when it is scrolled
  bool after_return_ = false;
  int password_tries_ = 0;
  std::string after_question_;  // printed when the question is answered
  bool answer_is_line_ = false;
  std::string out_;
  std::string body_;  // being printed, '\n' ends a line
  std::size_t body_at_ = 0;
  std::size_t body_stop_ = std::string::npos;  // the fault strikes here
  bool endless_ = false;
  bool printed_command_ = false;  // a command printed something: close/hang-at-command are over
  std::size_t page_lines_ = 0;
  std::vector<std::string> commands_;
};

}  // namespace netfleet::devsim
