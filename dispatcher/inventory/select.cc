// dispatcher/inventory: applies a limit expression to hosts. The grammar is in limit.h.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "common/problems.h"
#include "dispatcher/inventory/glob.h"
#include "dispatcher/inventory/inventory.h"
#include "dispatcher/inventory/limit.h"
#include "dispatcher/inventory/name_table.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxSuggestions = 3;
constexpr std::size_t kMaxUnknown = 20;

// A limit made ready: the plain names of an "or" are looked up in one set, since a list of ten
// thousand names against a million hosts must not be compared one by one.
struct Condition {
  Limit::Kind kind;
  std::string key;
  std::string text;
  std::string pattern;
  std::unordered_set<std::string> names;
  std::vector<Condition> parts;
};

bool value_matches(const Condition& condition, std::string_view value) {
  return condition.pattern.empty() ? value == condition.text
                                   : glob_matches(condition.pattern, value);
}

// The value itself, or one of the elements when it is a list (KEY.0, KEY.1, ...).
bool data_matches(const Condition& condition, const Host& host) {
  const auto exact = host.data->find(condition.key);
  if (exact != host.data.end() && value_matches(condition, exact->second)) return true;
  const std::string prefix = condition.key + ".";
  for (auto at = host.data->lower_bound(prefix);
       at != host.data.end() && at->first.starts_with(prefix); ++at) {
    const bool is_element =
        at->first.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (is_element && value_matches(condition, at->second)) return true;
  }
  return false;
}

bool matches(const Condition& condition, const Host& host) {
  const auto holds = [&](const Condition& part) { return matches(part, host); };
  switch (condition.kind) {
    case Limit::Kind::kName:
      return value_matches(condition, host.name);
    case Limit::Kind::kGroup:
      return std::ranges::any_of(
          host.groups, [&](const std::string& group) { return value_matches(condition, group); });
    case Limit::Kind::kRegion:
      return value_matches(condition, host.region);
    case Limit::Kind::kPlatform:
      return value_matches(condition, host.platform);
    case Limit::Kind::kData:
      return data_matches(condition, host);
    case Limit::Kind::kAnd:
      return std::ranges::all_of(condition.parts, holds);
    case Limit::Kind::kOr:
      return condition.names.contains(host.name.str()) ||
             std::ranges::any_of(condition.parts, holds);
    case Limit::Kind::kNot:
      return !matches(condition.parts.front(), host);
  }
  return false;
}

// Turns limits into conditions and reports the names that no host and no group has.
class Preparation {
 public:
  explicit Preparation(const std::vector<Host>& hosts) : hosts_(hosts), names_(hosts) {
    for (const Host& host : hosts) groups_.insert(host.groups.begin(), host.groups.end());
  }

  Condition prepare(Limit limit) {
    Condition condition{
        limit.kind, std::move(limit.key), std::move(limit.text), std::move(limit.pattern), {}, {}};
    if (condition.kind == Limit::Kind::kName) check_name(condition);
    if (condition.kind == Limit::Kind::kGroup && condition.pattern.empty() &&
        !groups_.contains(condition.text)) {
      unknown("group", condition.text);
    }
    for (Limit& part : limit.parts) {
      Condition prepared = prepare(std::move(part));
      const bool plain_name = prepared.kind == Limit::Kind::kName && prepared.pattern.empty();
      if (condition.kind == Limit::Kind::kOr && plain_name) {
        condition.names.insert(std::move(prepared.text));
      } else {
        condition.parts.push_back(std::move(prepared));
      }
    }
    return condition;
  }

  std::string complaint() const {
    if (count_ <= kMaxUnknown) return complaint_;
    return fmt::format("{}\n... and {} more", complaint_, count_ - kMaxUnknown);
  }

 private:
  // A name that exists is meant literally, whatever it holds ("[::1]:22").
  void check_name(Condition& condition) {
    const bool exists = names_.find(condition.text) != NameTable::kNone;
    if (exists) {
      condition.pattern.clear();
    } else if (condition.pattern.empty()) {
      unknown("host", condition.text);
    }
  }

  std::string near_hosts(std::string_view name) const {
    if (groups_.contains(std::string(name))) {
      return fmt::format("; there is a group: write group:{}", name);
    }
    std::vector<std::string_view> words;
    for (const Host& host : hosts_) {
      if (words.size() == kMaxSuggestions) break;
      if (is_near(name, host.name)) words.push_back(host.name);
    }
    return did_you_mean(words);
  }

  std::string near_groups(std::string_view name) const {
    std::vector<std::string_view> words;
    for (const std::string& group : groups_) {
      if (is_near(name, group)) words.push_back(group);
    }
    std::ranges::sort(words);
    words.resize(std::min(words.size(), kMaxSuggestions));
    return did_you_mean(words);
  }

  static std::string did_you_mean(const std::vector<std::string_view>& words) {
    std::string text;
    for (const std::string_view word : words) {
      text += fmt::format("{}'{}'", text.empty() ? "; did you mean " : " or ", shown(word));
    }
    return text.empty() ? text : text + "?";
  }

  void unknown(std::string_view what, std::string_view name) {
    if (++count_ > kMaxUnknown) return;
    complaint_ +=
        fmt::format("{}limit: no {} is called '{}'{}", complaint_.empty() ? "" : "\n", what,
                    shown(name), what == "group" ? near_groups(name) : near_hosts(name));
  }

  const std::vector<Host>& hosts_;
  NameTable names_;
  std::unordered_set<std::string> groups_;
  std::string complaint_;
  std::size_t count_ = 0;
};

}  // namespace

Expected<std::vector<Host>> select_hosts(std::vector<Host> hosts, const std::string& expression) {
  auto limit = parse_limit(expression);
  if (!limit) return std::unexpected(limit.error());
  Preparation preparation(hosts);
  const Condition condition = preparation.prepare(*std::move(limit));
  if (std::string complaint = preparation.complaint(); !complaint.empty()) {
    return fail(std::move(complaint));
  }
  std::erase_if(hosts, [&](const Host& host) { return !matches(condition, host); });
  return hosts;
}

}  // namespace netfleet
