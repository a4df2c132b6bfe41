// worker/device: writes the text of a session log (session_log.h says what is in it), secrets
// masked. Pure: times are passed in, and the text goes wherever the caller takes it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/outcome.h"
#include "worker/device/dialogue.h"
#include "worker/device/secret_mask.h"

namespace netfleet {

// One session's. Times are since the session's start, and never go back.
class SessionLogWriter {
 public:
  // `about` becomes a comment; `platform` is what the dialogue is asked for.
  SessionLogWriter(std::string_view host, std::string_view about, std::string_view platform);

  // Once, before anything is sent: what the dialogue is to do. Its secrets are masked from now on.
  void begin(const Dialogue::Options& options);
  // Bytes that may be the beginning of a secret are kept back until more is known.
  void received(Milliseconds at, std::string_view bytes);
  // `secret`: there is one in it, known here or not.
  void typed(Milliseconds at, std::string_view bytes, bool secret);
  void closed(Milliseconds at);  // by the device
  void ended(Milliseconds at, Outcome outcome, std::string_view reason);

  // What there is to write since the last time, whole lines. The size of what would be taken is
  // size().
  std::string take();
  std::size_t size() const { return text_.size(); }

 private:
  struct Typed {
    Milliseconds at;
    std::string bytes;
  };
  void add_word(std::string_view word, std::string_view text);
  void add_event(Milliseconds at, char direction, std::string_view bytes, bool goes_on = false);
  void release();        // what was kept back, hidden
  void release_typed();  // what was typed meanwhile

  SecretMask mask_;
  std::string text_;
  std::string held_;  // kept back of what the device sent
  Milliseconds held_at_{};
  bool held_goes_on_ = false;           // the bytes that came with it, before it, are written
  std::vector<Typed> typed_meanwhile_;  // bounded: nothing is typed but in answer to the device
};

}  // namespace netfleet
