#include "dispatcher/job/job.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/host_text.h"
#include "common/yaml_tree.h"
#include "dispatcher/inventory/parsers.h"
#include "dispatcher/job/job_reader.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxSettings = 100'000;

enum class Shape : std::uint8_t {
  kText,
  kPath,
  kInput,  // a path that must be there
  kFlag,
  kList,    // each item is an option; a scalar is one item
  kInputs,  // the same, of kInput
  kLines,   // the same, but the lines of a scalar are items
  kCommas,  // a list is one value, joined by commas
};

struct Key {
  std::string_view name;  // in its section: "section.name"
  std::string_view option;
  Shape shape = Shape::kText;
  std::string_view family = {};  // empty: the option
};

constexpr std::string_view kConfiguration = "configuration", kPassword = "password",
                           kEnable = "enable password", kAuthFailures = "refused logins",
                           kWho = "hosts", kWhat = "commands";

constexpr auto kKeys = std::to_array<Key>({
    {"inventory", "--inventory", Shape::kInputs, kWho},
    {"hosts", "--host", Shape::kList, kWho},
    {"selects", "--limit", Shape::kList, kWho},
    {"port", "--port"},
    {"region", "--region"},
    {"platform", "--platform"},
    {"platform_dir", "--platform-dir", Shape::kInput},
    {"commands", "--command", Shape::kLines, kWhat},
    {"commands_file", "--commands-file", Shape::kInput, kWhat},
    {"mode", "--mode"},
    {"exec", "--exec", Shape::kFlag},
    {"save", "--save", Shape::kFlag},
    {"commit", "--commit", Shape::kFlag},
    {"commit_confirmed", "--commit-confirmed"},
    {"dry_run", "--dry-run", Shape::kFlag},
    {"changes_device", "--changes", Shape::kFlag},
    {"retry_unsafe", "--retry-unsafe", Shape::kFlag},
    {"retries", "--retries"},
    {"on_auth_failure", "--on-auth-failure", Shape::kText, kAuthFailures},
    {"max_auth_failures", "--max-auth-failures", Shape::kText, kAuthFailures},
    {"store", "--store", Shape::kPath},
    {"credentials.user", "--user"},
    {"credentials.name", "--credential", Shape::kText, kPassword},
    {"credentials.file", "--credential-file", Shape::kInput},
    {"credentials.password_env", "--password-env", Shape::kText, kPassword},
    {"credentials.password_file", "--password-file", Shape::kInput, kPassword},
    {"credentials.password_command", "--password-command", Shape::kText, kPassword},
    {"credentials.enable_password_env", "--enable-password-env", Shape::kText, kEnable},
    {"credentials.enable_password_file", "--enable-password-file", Shape::kInput, kEnable},
    {"credentials.enable_password_command", "--enable-password-command", Shape::kText, kEnable},
    {"credentials.otp_command", "--otp-command"},
    {"credentials.key", "--key", Shape::kInputs},
    {"credentials.key_passphrase_env", "--key-passphrase-env"},
    {"credentials.agent", "--agent", Shape::kFlag, "agent"},
    {"ssh.host_key_policy", "--host-key-policy"},
    {"ssh.known_hosts", "--known-hosts", Shape::kPath},
    {"ssh.jump", "--jump", Shape::kCommas},
    {"ssh.config", "--ssh-config", Shape::kPath},
    {"ssh.legacy_algorithms", "--legacy-algorithms", Shape::kFlag},
    {"ssh.kex", "--kex"},
    {"ssh.ciphers", "--ciphers"},
    {"ssh.macs", "--macs"},
    {"ssh.host_key_algorithms", "--host-key-algorithms"},
    {"limits.sessions", "--sessions", Shape::kText, "sessions"},
    {"limits.session_threads", "--session-threads"},
    {"limits.logins_per_second", "--logins-per-second"},
    {"timeouts.connect", "--connect-timeout"},
    {"timeouts.auth", "--auth-timeout"},
    {"timeouts.command", "--command-timeout"},
    {"timeouts.task", "--task-timeout"},
    {"output.format", "--output"},
    {"output.order", "--order"},
    {"output.directory", "--output-dir", Shape::kPath},
    {"output.session_log", "--session-log", Shape::kPath},
    {"output.max_output", "--max-output"},
    {"output.git", "--git", Shape::kPath},
    {"output.git_shard", "--git-shard"},
    {"notify.command", "--notify-command"},
    {"notify.webhook", "--notify-webhook", Shape::kText, "webhook"},
    {"notify.webhook_file", "--notify-webhook-file", Shape::kInput, "webhook"},
    {"notify.failures", "--notify-failures"},
    {"rollout.canary", "--canary"},
    {"rollout.batch", "--batch"},
    {"rollout.growth", "--batch-growth"},
    {"rollout.pause", "--batch-pause"},
    {"rollout.max_failures", "--max-failures"},
    {"rollout.on_max_failures", "--on-max-failures"},
    {"rollout.counts", "--count-failures", Shape::kCommas},
    {"workers.listen", "--listen"},
    {"workers.min_workers", "--min-workers"},
    {"workers.keys", "--keys", Shape::kInput},
    {"workers.send_credentials", "--send-credentials", Shape::kFlag},
    {"workers.region_timeout", "--region-timeout"},
    {"workers.lease", "--lease"},
});
// What is read by functions of their own.
constexpr std::array<std::string_view, 4> kOthers = {"name", "configuration", "expect", "schedule"};

// What of an option the command line also calls by another name.
constexpr auto kAliases = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"--config-line", kConfiguration},
     {"--config-file", kConfiguration},
     {"--limit", "--limit"},  // narrows what the job selects
     {"--ask-password", kPassword},
     {"--threads", "sessions"},
     {"--no-agent", "agent"}});

class JobFile {
 public:
  JobFile(const YamlTree& tree, Job& job, Problems& problems)
      : tree_(tree), job_(job), problems_(problems), reader_(tree, job.source, problems) {}

  void read() {
    const YamlNode& root = tree_.root();
    reader_.each_pair(root, "a job",
                      [this](const YamlNode& key, const YamlNode& value) { top(key, value); });
  }

 private:
  void top(const YamlNode& key, const YamlNode& value) {
    if (key.text == "name") {
      if (!reader_.is_scalar(key.text, value)) return;
      if (const auto checked = check_label(value.text, "job"); !checked) {
        return reader_.problem(value, checked.error().message);
      }
      job_.name = value.text;
    } else if (key.text == "configuration") {
      configuration(value);
    } else if (key.text == "expect") {
      expect(value);
    } else if (key.text == "schedule") {
      job_.schedule = read_job_schedule(tree_, value, job_.source, problems_);
    } else if (is_section(key.text)) {
      reader_.each_pair(value, fmt::format("'{}'", key.text),
                        [&](const YamlNode& inner, const YamlNode& what) {
                          setting(fmt::format("{}.", key.text), inner, what);
                        });
    } else {
      setting("", key, value);
    }
  }

  static bool is_section(std::string_view name) {
    return std::ranges::any_of(kKeys, [&](const Key& key) {
      return key.name.starts_with(name) && key.name.substr(name.size()).starts_with('.');
    });
  }

  static std::vector<std::string_view> known_in(std::string_view section) {
    std::vector<std::string_view> names;
    for (const Key& key : kKeys) {
      if (!key.name.starts_with(section)) continue;
      const std::string_view rest = key.name.substr(section.size());
      const std::string_view name = rest.substr(0, rest.find('.'));
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    if (section.empty()) names.insert(names.begin(), kOthers.begin(), kOthers.end());
    return names;
  }

  void setting(const std::string& section, const YamlNode& key, const YamlNode& value) {
    const std::string name = section + std::string(key.text);
    const auto known = std::ranges::find(kKeys, name, &Key::name);
    if (known == kKeys.end() && key.text.ends_with("password")) {
      return reader_.problem(key,
                             "a job file holds no secrets: say where the password is, with "
                             "credentials: password_env, password_file or password_command");
    }
    if (known == kKeys.end()) return reader_.unknown_key(key, known_in(section));
    switch (known->shape) {
      case Shape::kFlag:
        return flag(*known, value);
      case Shape::kList:
      case Shape::kInputs:
      case Shape::kLines:
        return reader_.each_item(value, [&](const YamlNode& item) {
          if (!reader_.is_scalar(name, item)) return;
          const bool lines = known->shape == Shape::kLines && value.kind != YamlNode::Kind::kList;
          if (!lines) return add(*known, std::string(item.text), item);
          each_line(item, [&](std::string line) { add(*known, std::move(line), item); });
        });
      case Shape::kCommas: {
        std::string list;
        reader_.each_item(value, [&](const YamlNode& item) {
          if (reader_.is_scalar(name, item)) {
            list.append(list.empty() ? "" : ",").append(item.text);
          }
        });
        return add(*known, std::move(list), value);
      }
      default:
        if (reader_.is_scalar(name, value)) add(*known, std::string(value.text), value);
    }
  }

  void flag(const Key& key, const YamlNode& value) {
    if (!reader_.is_scalar(key.name, value)) return;
    const bool on = value.text == "true" || value.text == "yes";
    if (!on && value.text != "false" && value.text != "no") {
      return reader_.problem(value,
                             fmt::format("'{}' is neither true nor false", shown(value.text)));
    }
    Key given = key;
    if (!on && key.option == "--agent") given.option = "--no-agent";
    if (on || given.option != key.option) add(given, "", value);
  }

  template <typename Take>
  static void each_line(const YamlNode& node, Take take) {
    std::string_view text = node.text;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (end > 0) take(std::string(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  void add(const Key& key, std::string value, const YamlNode& node) {
    if (job_.settings.size() == kMaxSettings) {
      if (!std::exchange(too_many_, true)) {
        reader_.problem(node, fmt::format("more than {} values", kMaxSettings));
      }
      return;
    }
    const bool input = key.shape == Shape::kInput || key.shape == Shape::kInputs;
    job_.settings.push_back({.key = std::string(key.name),
                             .option = std::string(key.option),
                             .value = std::move(value),
                             .family = key.family.empty() ? key.option : key.family,
                             .line = node.line,
                             .flag = key.shape == Shape::kFlag,
                             .path = input || key.shape == Shape::kPath,
                             .input = input});
  }

  // Lines, or {file: F}, or {template: F.mustache}, in the order in which they are typed.
  void configuration(const YamlNode& node) {
    static constexpr Key kLine{"configuration", "--config-line", Shape::kText, kConfiguration};
    static constexpr Key kFile{"configuration", "--config-file", Shape::kInput, kConfiguration};
    static constexpr std::array<std::string_view, 2> kKinds = {"file", "template"};
    const auto item = [this](const YamlNode& one) {
      if (one.kind == YamlNode::Kind::kScalar) {
        return each_line(one, [&](std::string line) { add(kLine, std::move(line), one); });
      }
      reader_.each_pair(one, "an item of 'configuration' is a line, or",
                        [&](const YamlNode& kind, const YamlNode& path) {
                          if (std::ranges::find(kKinds, kind.text) == kKinds.end()) {
                            return reader_.unknown_key(kind, kKinds);
                          }
                          if (!reader_.is_scalar(kind.text, path)) return;
                          if (path.text.ends_with(".mustache") != (kind.text == "template")) {
                            return reader_.problem(
                                path,
                                "the name of a template ends in .mustache, and no other does");
                          }
                          add(kFile, std::string(path.text), path);
                        });
    };
    if (node.kind == YamlNode::Kind::kMap) return item(node);
    reader_.each_item(node, item);
  }

  void expect(const YamlNode& node) {
    static constexpr Key kAnswer{"expect", "--answer"};
    static constexpr std::array<std::string_view, 2> kParts = {"question", "answer"};
    if (node.kind != YamlNode::Kind::kList && node.kind != YamlNode::Kind::kNull) {
      return reader_.problem(node, "'expect' takes a list of {question: REGEX, answer: TEXT}");
    }
    reader_.each_item(node, [&](const YamlNode& pair) {
      std::string question, answer;
      bool answered = false;
      reader_.each_pair(pair, "an item of 'expect'",
                        [&](const YamlNode& key, const YamlNode& text) {
                          if (std::ranges::find(kParts, key.text) == kParts.end()) {
                            return reader_.unknown_key(key, kParts);
                          }
                          answered |= key.text == "answer";  // maybe nothing but the Enter key
                          if (reader_.is_scalar(key.text, text)) {
                            (key.text == "answer" ? answer : question) = text.text;
                          }
                        });
      if (question.empty() || !answered) {
        return reader_.problem(pair, "an item of 'expect' needs 'question' and 'answer'");
      }
      add(kAnswer, guarded(question) + "=" + answer, pair);
    });
  }

  // A '=' of the question is not the one behind it.
  static std::string guarded(std::string_view question) {
    std::string text;
    for (std::size_t at = 0; at < question.size(); ++at) {
      if (question[at] == '=') text += '\\';
      text += question[at];
      if (question[at] == '\\' && at + 1 < question.size()) text += question[++at];
    }
    return text;
  }

  const YamlTree& tree_;
  Job& job_;
  Problems& problems_;
  JobReader reader_;
  bool too_many_ = false;
};

}  // namespace

Job parse_job(std::string_view text, const std::string& source, Problems& problems) {
  Job job;
  job.source = source;
  if (const auto plain = strip_bom(text, source); !plain) {
    problems.add(source, 1, "this is no text file");
    return job;
  }
  YamlTree tree;
  if (tree.parse(text, source, problems)) JobFile(tree, job, problems).read();
  return job;
}

std::string_view option_family(std::string_view option) {
  for (const auto& [name, family] : kAliases) {
    if (name == option) return family;
  }
  const auto key = std::ranges::find(kKeys, option, &Key::option);
  return key == kKeys.end() || key->family.empty() ? option : key->family;
}

}  // namespace netfleet
