// dispatcher/inventory: what ssh_config(5) looks like once it is parsed. Private to ssh_config*.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dispatcher/inventory/ssh_config.h"

namespace netfleet {

enum class SshKeyword : std::uint8_t {
  kHostName,
  kPort,
  kUser,
  kIdentityFile,
  kCertificateFile,
  kIdentitiesOnly,
  kProxyJump,
  kProxyCommand,
  kAlgorithms,
  kIgnored,  // may matter, and is not acted on
};

// One criterion of a Match line.
struct SshCriterion {
  enum class Kind : std::uint8_t { kAll, kHost, kOriginalHost, kUser, kLocalUser, kNever };
  Kind kind;
  bool negated = false;
  std::string argument = {};  // patterns, separated by commas; of kNever what to say about it
};

struct SshConfig::Entry {
  enum class Kind : std::uint8_t {
    kHost,   // `words` are its patterns
    kMatch,  // `criteria` must all hold
    kSet,    // `words` are the keyword's values
    kEnter,  // an included file begins, which ends before `end`
    kLeave,
  };
  Kind kind;
  SshKeyword keyword = SshKeyword::kIgnored;
  AlgorithmKind algorithms = AlgorithmKind::kKeyExchange;
  std::vector<std::string> words = {};
  std::vector<SshCriterion> criteria = {};
  std::size_t end = 0;
};

}  // namespace netfleet
