#include "worker/device/secret_mask.h"

#include <algorithm>

namespace netfleet {

void SecretMask::add(const Secret& secret) {
  const std::string_view text = secret.reveal();
  if (text.empty()) return;
  const auto place = std::ranges::find_if(
      secrets_, [text](const Secret& other) { return other.reveal().size() <= text.size(); });
  secrets_.insert(place, secret.clone());
}

SecretMask::Masked SecretMask::mask(std::string_view text, bool more) const {
  Masked result;
  for (std::size_t at = 0;;) {
    // The first secret from here on, the longest of those that begin there.
    std::size_t found = std::string_view::npos;
    std::size_t size = 0;
    for (const Secret& secret : secrets_) {
      const std::size_t begin = text.find(secret.reveal(), at);
      if (begin >= found) continue;
      found = begin;
      size = secret.reveal().size();
    }
    // What may be the beginning of a secret, at the end, before anything that was found.
    std::size_t held = text.size();
    for (const Secret& secret : secrets_) {
      const std::size_t longest = std::min(secret.reveal().size() - 1, text.size() - at);
      std::size_t begin = text.size() - longest;
      while (begin < text.size() && !secret.reveal().starts_with(text.substr(begin))) ++begin;
      held = std::min(held, begin);
    }
    if (more && held < text.size() && held <= found) {
      result.text += text.substr(at, held - at);
      result.held = text.size() - held;
      return result;
    }
    if (found == std::string_view::npos) {
      result.text += text.substr(at);
      return result;
    }
    result.text += text.substr(at, found - at);
    result.text += kMask;
    at = found + size;
  }
}

}  // namespace netfleet
