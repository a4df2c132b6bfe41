// dispatcher/serve: a token for whoever starts a service without having made any: nobody else on
// the machine may ask, and the one user has nothing to set up.
#pragma once

#include <string>

#include "common/error.h"

namespace netfleet {

// Unless `tokens` is there: makes it, and `token` with the token itself, both for their owner only.
Expected<void> make_first_token(const std::string& tokens, const std::string& token);

}  // namespace netfleet
