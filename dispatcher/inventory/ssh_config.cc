#include "dispatcher/inventory/ssh_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/host_text.h"
#include "common/wildcard.h"
#include "dispatcher/inventory/ssh_config_entry.h"

namespace netfleet {
namespace {

// `text` with %h and the like replaced; nothing when it has what only OpenSSH knows.
using Token = std::pair<char, std::string_view>;
std::optional<std::string> expand(std::string_view text, std::initializer_list<Token> tokens) {
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      expanded.push_back(text[i]);
      continue;
    }
    const char wanted = ++i < text.size() ? text[i] : '\0';
    const auto* const token = std::ranges::find(tokens, wanted, &Token::first);
    if (token != tokens.end()) {
      expanded += token->second;
    } else if (wanted == '%') {
      expanded.push_back('%');
    } else {
      return std::nullopt;
    }
  }
  return expanded;
}

// Match compares hosts so, Host does not.
std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return result;
}

bool is_true(std::string_view word) { return lower(word) == "yes" || lower(word) == "true"; }

// Some pattern holds and none that begins with '!' does.
template <typename Patterns>
bool any_holds(const Patterns& patterns, std::string_view text) {
  bool holds = false;
  for (std::string_view pattern : patterns) {
    const bool negated = pattern.starts_with('!');
    if (negated) pattern.remove_prefix(1);
    if (!wildcard_matches(pattern, text)) continue;
    if (negated) return false;
    holds = true;
  }
  return holds;
}

}  // namespace

SshConfig::SshConfig() = default;
SshConfig::SshConfig(SshConfig&&) noexcept = default;
SshConfig& SshConfig::operator=(SshConfig&&) noexcept = default;
SshConfig::~SshConfig() = default;

// One host on its way through the entries.
struct SshConfig::Evaluation {
  const SshConfigQuery& query;
  std::set<std::string>& ignored;
  SshConfigAnswer answer = {};
  std::vector<std::string> identities = {};  // before tokens are expanded
  std::vector<std::string> certificates = {};
  bool proxy_decided = false;

  const std::string& hostname() const {
    return answer.hostname.empty() ? query.host : answer.hostname;
  }
  const std::string& user() const {
    if (!query.user.empty()) return query.user;
    return answer.user.empty() ? query.local_user : answer.user;
  }

  bool holds(const SshCriterion& criterion) {
    const auto subject = [&]() -> std::string_view {
      switch (criterion.kind) {
        case SshCriterion::Kind::kHost:
          return hostname();
        case SshCriterion::Kind::kOriginalHost:
          return query.host;
        case SshCriterion::Kind::kUser:
          return user();
        default:
          return query.local_user;
      }
    };
    if (criterion.kind == SshCriterion::Kind::kAll) return !criterion.negated;
    if (criterion.kind == SshCriterion::Kind::kNever) {
      if (!criterion.argument.empty()) ignored.insert(criterion.argument);
      return false;
    }
    const bool names_host = criterion.kind == SshCriterion::Kind::kHost ||
                            criterion.kind == SshCriterion::Kind::kOriginalHost;
    const std::string text = names_host ? lower(subject()) : std::string(subject());
    const std::string patterns = names_host ? lower(criterion.argument) : criterion.argument;
    return any_holds(split_algorithms(patterns), text) != criterion.negated;
  }

  bool opens(const Entry& block) {
    if (block.kind == Entry::Kind::kHost) return any_holds(block.words, query.host);
    return std::ranges::all_of(block.criteria,
                               [this](const SshCriterion& criterion) { return holds(criterion); });
  }

  void set(const Entry& entry) {
    const std::string& value = entry.words.front();
    switch (entry.keyword) {
      case SshKeyword::kHostName:
        if (answer.hostname.empty()) answer.hostname = *expand(value, {{'h', query.host}});
        break;
      case SshKeyword::kPort:
        if (answer.port == 0) answer.port = *parse_port(value);
        break;
      case SshKeyword::kUser:
        if (answer.user.empty()) answer.user = value;
        break;
      case SshKeyword::kIdentityFile:
        identities.push_back(value);
        break;
      case SshKeyword::kCertificateFile:
        certificates.push_back(value);
        break;
      case SshKeyword::kIdentitiesOnly:
        if (!answer.identities_only) answer.identities_only = is_true(value);
        break;
      case SshKeyword::kProxyJump:
        set_proxy("ProxyJump", value);
        break;
      case SshKeyword::kProxyCommand:
        set_proxy("ProxyCommand", value);
        break;
      case SshKeyword::kAlgorithms:
        if (std::string& list = answer.algorithms[entry.algorithms]; list.empty()) list = value;
        break;
      case SshKeyword::kIgnored:
        ignored.insert(value);
        break;
    }
  }

  // Whichever of the two comes first counts; "none" does, too.
  void set_proxy(std::string_view keyword, const std::string& value) {
    if (std::exchange(proxy_decided, true)) return;
    if (lower(value) != "none") answer.proxy = fmt::format("{} {}", keyword, value);
  }

  // Paths, each once. Those with what is not known here are told as ignored.
  std::vector<std::string> paths(const std::vector<std::string>& given, std::string_view keyword) {
    const std::string port = std::to_string(query.port != 0    ? query.port
                                            : answer.port != 0 ? answer.port
                                                               : 22);
    std::vector<std::string> expanded;
    for (std::string path : given) {
      if (path == "none") continue;
      const std::string written = path;
      if (path == "~" || path.starts_with("~/")) path = "%d" + path.substr(1);
      const bool plain = !path.starts_with('~') && path.find("${") == std::string::npos;
      auto whole = expand(path, {{'d', query.home},
                                 {'h', hostname()},
                                 {'n', query.host},
                                 {'p', port},
                                 {'r', user()},
                                 {'u', query.local_user}});
      if (!plain || !whole) {
        ignored.insert(fmt::format("{} {}", keyword, written));
      } else if (std::ranges::find(expanded, *whole) == expanded.end()) {
        expanded.push_back(*std::move(whole));
      }
    }
    return expanded;
  }
};

SshConfigAnswer SshConfig::find(const SshConfigQuery& query, std::set<std::string>& ignored) const {
  Evaluation evaluation{query, ignored};
  std::vector<bool> outer;  // whether the block was open that a file is included in
  bool open = true;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    switch (entry.kind) {
      case Entry::Kind::kHost:
      case Entry::Kind::kMatch:
        open = evaluation.opens(entry);
        break;
      case Entry::Kind::kSet:
        if (open) evaluation.set(entry);
        break;
      case Entry::Kind::kEnter:
        if (open) {
          outer.push_back(open);
        } else {
          i = entry.end - 1;
        }
        break;
      case Entry::Kind::kLeave:
        open = outer.back();
        outer.pop_back();
        break;
    }
  }
  SshConfigAnswer answer = std::move(evaluation.answer);
  evaluation.answer = answer;  // its paths depend on the rest
  answer.identity_files = evaluation.paths(evaluation.identities, "IdentityFile");
  answer.certificate_files = evaluation.paths(evaluation.certificates, "CertificateFile");
  return answer;
}

}  // namespace netfleet
