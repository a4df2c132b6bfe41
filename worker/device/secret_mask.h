// worker/device: hides secrets in what a device sends and what is typed to it, however it is cut.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/secret.h"

namespace netfleet {

// What stands for a secret. A word, so that prompts and commands that hold one stay what they are;
// a replay takes it for the secret.
inline constexpr std::string_view kMask = "_masked_";

// One direction of one session. Owns its copies of the secrets.
class SecretMask {
 public:
  // The longest secret that begins somewhere is hidden there. Empty ones are left out.
  void add(const Secret& secret);

  // `text` with every secret replaced. `held`: bytes at its end that may be the beginning of one,
  // with `more` to come: they are left out of the result.
  struct Masked {
    std::string text;
    std::size_t held = 0;
  };
  Masked mask(std::string_view text, bool more) const;

 private:
  std::vector<Secret> secrets_;  // longest first
};

}  // namespace netfleet
