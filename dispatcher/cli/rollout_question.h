// dispatcher/cli: asks at the terminal whether a sweep goes on after too many failures. The sweep's
// thread looks in when something was typed; nothing waits.
#pragma once

#include <string>

#include "dispatcher/cli/console.h"
#include "dispatcher/fleet/question.h"

namespace netfleet {

class TerminalQuestion final : public Question {
 public:
  // `console` outlives it: the progress line waits meanwhile.
  explicit TerminalQuestion(Console& console) : console_(console) {}
  ~TerminalQuestion() override { close_terminal(); }
  TerminalQuestion(const TerminalQuestion&) = delete;
  TerminalQuestion& operator=(const TerminalQuestion&) = delete;

  // Whether there is a terminal, and this process is in its foreground.
  static bool can_ask();
  void ask() override;
  int fd() const override { return fd_; }
  std::optional<bool> take_answer() override;
  // Nobody could be asked: what take_answer() says then is nobody's answer.
  bool was_refused() const { return refused_; }
  // The question does not stand any more.
  void withdraw() { close_terminal(); }

 private:
  void write(const std::string& text);
  void close_terminal();

  Console& console_;
  int fd_ = -1;
  bool refused_ = false;  // nobody can be asked
  std::string typed_;
};

}  // namespace netfleet
