// dispatcher/fleet: somebody who may be asked whether a sweep goes on; nothing waits for the
// answer.
#pragma once

#include <optional>

namespace netfleet {

class Question {
 public:
  virtual ~Question() = default;
  // Why was said in the log. Who cannot be asked has answered no.
  virtual void ask() = 0;
  // Readable when there may be an answer; -1 while nothing is asked.
  virtual int fd() const = 0;
  // Whether to go on; once a question.
  virtual std::optional<bool> take_answer() = 0;
};

}  // namespace netfleet
