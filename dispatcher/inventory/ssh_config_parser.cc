// From the text of ssh_config(5) to entries; where the syntax is loose, as OpenSSH's readconf.c is.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/host_text.h"
#include "common/problems.h"
#include "dispatcher/inventory/ssh_config_entry.h"
#include "dispatcher/inventory/ssh_config_words.h"

namespace netfleet {
namespace {

constexpr std::size_t kMostDepth = 16;  // as OpenSSH
constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kMostEntries = 200'000;
constexpr std::size_t kMostText = 8u << 20;  // of one file

using Words = std::vector<std::string>;

struct Keyword {
  std::string_view name;
  SshKeyword keyword;
};
constexpr std::array kKeywords = {
    Keyword{"hostname", SshKeyword::kHostName},
    Keyword{"port", SshKeyword::kPort},
    Keyword{"user", SshKeyword::kUser},
    Keyword{"identityfile", SshKeyword::kIdentityFile},
    Keyword{"certificatefile", SshKeyword::kCertificateFile},
    Keyword{"identitiesonly", SshKeyword::kIdentitiesOnly},
    Keyword{"proxyjump", SshKeyword::kProxyJump},
    Keyword{"proxycommand", SshKeyword::kProxyCommand},
};

// Of no consequence for commands on a device: nothing is said about them.
constexpr std::array<std::string_view, 37> kHarmless = {
    "addkeystoagent",
    "batchmode",
    "checkhostip",
    "clearallforwardings",
    "compression",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "dynamicforward",
    "enableescapecommandline",
    "escapechar",
    "exitonforwardfailure",
    "forkafterauthentication",
    "forwardagent",
    "forwardx11",
    "forwardx11timeout",
    "forwardx11trusted",
    "gatewayports",
    "hashknownhosts",
    "ignoreunknown",
    "ipqos",
    "localcommand",
    "localforward",
    "loglevel",
    "logverbose",
    "permitlocalcommand",
    "remoteforward",
    "requesttty",
    "sendenv",
    "serveralivecountmax",
    "serveraliveinterval",
    "setenv",
    "stdinnull",
    "streamlocalbindmask",
    "tcpkeepalive",
    "usekeychain",
    "visualhostkey",
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return text;
}

bool only_knows_host(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 2)) {
    if (at + 1 == text.size() || (text[at + 1] != 'h' && text[at + 1] != '%')) return false;
  }
  return true;
}

}  // namespace

class SshConfigParser {
 public:
  explicit SshConfigParser(const SshConfig::ReadIncluded& read_included)
      : read_included_(read_included) {}

  Expected<SshConfig> parse(const SshConfig::File& file) {
    SshConfig config;
    entries_ = &config.entries_;
    read(file, 0);
    if (problems_.any()) return std::unexpected(problems_.error());
    return config;
  }

 private:
  using Entry = SshConfig::Entry;

  void read(const SshConfig::File& file, std::size_t depth) {
    const std::string* const outer = std::exchange(source_, &file.path);
    std::string_view text = file.text;
    std::size_t number = 0;
    if (text.size() > kMostText || text.find('\0') != std::string_view::npos) {
      problems_.add(file.path, 1, "this is no ssh_config");
      text = {};
    }
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      line_ = ++number;
      if (entries_->size() >= kMostEntries) {
        problem(fmt::format("more than {} lines", kMostEntries));
        break;
      }
      take(line, depth);
    }
    source_ = outer;
  }

  void take(std::string_view text, std::size_t depth) {
    const SshConfigLine line = split_ssh_config_line(text);
    if (line.keyword.empty()) return;
    const auto* const known = std::ranges::find(kKeywords, line.keyword, &Keyword::name);
    const bool kept = known != kKeywords.end();
    const AlgorithmKindInfo* const algorithms = algorithm_keyword(line.keyword);
    const bool block =
        line.keyword == "host" || line.keyword == "match" || line.keyword == "include";
    if (!kept && !block && algorithms == nullptr) return ignore(line.keyword);
    if (kept && known->keyword == SshKeyword::kProxyCommand) {  // the rest is one value
      if (line.rest.empty()) return problem("its value is missing");
      return set(SshKeyword::kProxyCommand, {std::string(line.rest)});
    }
    auto words = ssh_config_words(line.rest);
    if (!words) return problem(words.error().message);
    if (words->empty()) return problem(fmt::format("'{}' needs a value", shown(line.keyword)));
    if (line.keyword == "host") {
      entries_->push_back({.kind = Entry::Kind::kHost, .words = *std::move(words)});
    } else if (line.keyword == "match") {
      match(*words);
    } else if (line.keyword == "include") {
      include(*words, depth);
    } else if (words->size() > 1) {
      problem(fmt::format("'{}' takes one value", shown(line.keyword)));
    } else if (algorithms != nullptr) {
      set_algorithms(*algorithms, std::move(words->front()));
    } else if (check(known->keyword, words->front())) {
      set(known->keyword, *std::move(words));
    }
  }

  void ignore(const std::string& keyword) {
    if (std::ranges::find(kHarmless, keyword) != kHarmless.end()) return;
    set(SshKeyword::kIgnored, {shown(keyword)});
  }

  static const AlgorithmKindInfo* algorithm_keyword(std::string_view keyword) {
    if (keyword == "pubkeyacceptedkeytypes") keyword = "pubkeyacceptedalgorithms";
    const auto* const info =
        std::ranges::find(algorithm_kinds(), keyword, &AlgorithmKindInfo::keyword);
    return info == algorithm_kinds().end() ? nullptr : info;
  }

  void set(SshKeyword keyword, Words words) {
    entries_->push_back({.kind = Entry::Kind::kSet, .keyword = keyword, .words = std::move(words)});
  }

  void set_algorithms(const AlgorithmKindInfo& info, std::string list) {
    std::vector<std::string> unknown;  // to this libssh; OpenSSH may know them
    const auto resolved = resolve_algorithms(info.kind, list, true, &unknown);
    if (!resolved && unknown.empty()) return problem(resolved.error().message);
    entries_->push_back({.kind = Entry::Kind::kSet,
                         .keyword = SshKeyword::kAlgorithms,
                         .algorithms = info.kind,
                         .words = {std::move(list)}});
  }

  bool check(SshKeyword keyword, const std::string& value) {
    Expected<void> good;
    if (value.empty()) {
      good = fail("the value is empty");
    } else if (keyword == SshKeyword::kPort) {
      if (const auto port = parse_port(value); !port) good = std::unexpected(port.error());
    } else if (keyword == SshKeyword::kUser) {
      good = check_user(value);
    } else if (keyword == SshKeyword::kHostName && !only_knows_host(value)) {
      good = fail("a HostName knows %h and %% alone");
    } else if (keyword == SshKeyword::kIdentitiesOnly) {
      const std::string word = lower(value);
      if (word != "yes" && word != "no" && word != "true" && word != "false") {
        good = fail(fmt::format("'{}' is neither yes nor no", shown(value)));
      }
    }
    if (!good) problem(good.error().message);
    return good.has_value();
  }

  void include(const Words& patterns, std::size_t depth) {
    if (depth == kMostDepth) return problem(fmt::format("nested more than {} deep", kMostDepth));
    for (const std::string& pattern : patterns) {
      const auto files = read_included_(pattern);
      if (!files) {
        problem(files.error().message);
        continue;
      }
      const std::size_t line = line_;
      for (const SshConfig::File& file : *files) {
        if (++files_ > kMostFiles) return problem(fmt::format("more than {} files", kMostFiles));
        const std::size_t begin = entries_->size();
        entries_->push_back({.kind = Entry::Kind::kEnter});
        read(file, depth + 1);
        entries_->push_back({.kind = Entry::Kind::kLeave});
        (*entries_)[begin].end = entries_->size();
        line_ = line;
      }
    }
  }

  // "host a,b user c", with '=' or blanks between a criterion and its argument.
  void match(const Words& words) {
    Entry entry{.kind = Entry::Kind::kMatch};
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::string name = words[i];
      SshCriterion criterion{SshCriterion::Kind::kNever};
      if (name.starts_with('!')) {
        criterion.negated = true;
        name.erase(0, 1);
      }
      std::optional<std::string> argument;
      if (const auto equals = name.find('='); equals != std::string::npos) {
        argument = name.substr(equals + 1);
        name.resize(equals);
      }
      name = lower(name);
      const auto kind = criterion_kind(name);
      if (!kind) return problem(fmt::format("'{}' is no criterion of Match", shown(name)));
      criterion.kind = *kind;
      const bool alone = name == "all" || name == "canonical" || name == "final";
      if (!alone && !argument) {
        if (++i < words.size() && words[i] == "=") ++i;
        if (i >= words.size()) return problem(fmt::format("'{}' needs a value", shown(name)));
        argument = words[i];
      }
      const bool silent = name == "canonical";  // there is no canonicalization: it never holds
      criterion.argument = *kind != SshCriterion::Kind::kNever ? argument.value_or("")
                           : silent                            ? ""
                                                               : "Match " + name;
      entry.criteria.push_back(std::move(criterion));
    }
    const bool all = std::ranges::any_of(entry.criteria, [](const SshCriterion& criterion) {
      return criterion.kind == SshCriterion::Kind::kAll;
    });
    const bool others = std::ranges::any_of(entry.criteria, [](const SshCriterion& criterion) {
      return criterion.kind != SshCriterion::Kind::kAll &&
             criterion.kind != SshCriterion::Kind::kNever;
    });
    if (all && others) return problem("'Match all' stands alone");
    entries_->push_back(std::move(entry));
  }

  static std::optional<SshCriterion::Kind> criterion_kind(std::string_view name) {
    using Kind = SshCriterion::Kind;
    if (name == "all") return Kind::kAll;
    if (name == "host") return Kind::kHost;
    if (name == "originalhost") return Kind::kOriginalHost;
    if (name == "user") return Kind::kUser;
    if (name == "localuser") return Kind::kLocalUser;
    for (const std::string_view other : {"canonical", "final", "exec", "localnetwork", "tagged",
                                         "version", "sessiontype", "command"}) {
      if (name == other) return Kind::kNever;
    }
    return std::nullopt;
  }

  void problem(std::string_view message) { problems_.add(*source_, line_, message); }

  const SshConfig::ReadIncluded& read_included_;
  std::vector<Entry>* entries_ = nullptr;
  const std::string* source_ = nullptr;
  std::size_t line_ = 0;
  std::size_t files_ = 0;
  Problems problems_;
};

Expected<SshConfig> SshConfig::parse(File file, const ReadIncluded& read_included) {
  return SshConfigParser(read_included).parse(file);
}

}  // namespace netfleet
