#include "worker/device/platform_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "worker/device/yaml_section.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxFileSize = 256u << 10;

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string name_of(const YAML::Node& node) {
  if (!node.IsScalar() || !is_name(node.Scalar()) || node.Scalar() == "auto") {
    malformed(node, "a platform's name is at most 64 of a-z, 0-9, _ and -, and not \"auto\"");
  }
  return node.Scalar();
}

std::string note(const YAML::Node& node) {
  if (!node.IsScalar()) malformed(node, "a note is text");
  return node.Scalar();
}

// `reply: text`, or `send: user|password|enable_password`.
Platform::Answer answer(const Section& section, const YAML::Node& node, const std::string& key) {
  const Section item =
      section.section(node, "an item of " + key, {"prompt", "reply", "bare", "send"});
  Platform::Answer answer{item.pattern("prompt"), item.text_or("reply", ""), item.flag("bare")};
  if (item.has("send") == item.has("reply")) {
    malformed(node, fmt::format("an item of {} needs one of \"reply\" and \"send\"", key));
  }
  if (!item.has("send")) return answer;
  const std::string what = item.text("send");
  if (what == "user") {
    answer.what = Platform::Answer::What::kUser;
  } else if (what == "password") {
    answer.what = Platform::Answer::What::kPassword;
  } else if (what == "enable_password") {
    answer.what = Platform::Answer::What::kEnablePassword;
  } else {
    malformed(item.need("send"), "send must be user, password or enable_password");
  }
  return answer;
}

std::vector<Platform::Answer> answers(const Section& section, const char* key) {
  return section.list(key, [&](const YAML::Node& node) { return answer(section, node, key); });
}

std::vector<Pattern> patterns(const Section& section, const char* key, bool multi_line) {
  return section.list(key,
                      [=](const YAML::Node& node) { return Section::compile(node, multi_line); });
}

std::vector<Platform::Mode> modes(const Section& file) {
  file.need("modes");
  std::vector<std::string> names;
  auto result = file.list("modes", [&](const YAML::Node& node) {
    const Section mode = file.section(node, "an item of modes", {"name", "prompt", "above"});
    names.push_back(mode.text("name"));
    if (std::ranges::count(names, names.back()) > 1) {
      malformed(mode.need("name"), fmt::format("two modes are named \"{}\"", names.back()));
    }
    return Platform::Mode{names.back(), mode.pattern("prompt"), mode.optional_pattern("above")};
  });
  if (names.empty()) malformed(file.need("modes"), "a platform needs at least one mode");
  return result;
}

// The name of one of the platform's modes; "" where the key is missing. Any name when the modes
// themselves could not be read.
std::string mode_of(const Section& section, const char* key, const Platform& platform) {
  const std::string name = section.text_or(key, "");
  const bool known = std::any_of(platform.modes.begin(), platform.modes.end(),
                                 [&](const Platform::Mode& mode) { return mode.name == name; });
  if (!name.empty() && !known && !platform.modes.empty()) {
    malformed(section.need(key), fmt::format("\"{}\" is none of the platform's modes", name));
  }
  return name;
}

std::vector<Platform::Prepare> prepare(const Section& file, const Platform& platform) {
  return file.list("prepare", [&](const YAML::Node& node) {
    const Section item =
        file.section(node, "an item of prepare", {"command", "when_prompt", "new_prompt", "mode"});
    return Platform::Prepare{item.command("command"), item.optional_pattern("when_prompt"),
                             item.optional_pattern("new_prompt"), mode_of(item, "mode", platform)};
  });
}

std::vector<Platform::Move> moves(const Section& file, const Platform& platform) {
  return file.list("moves", [&](const YAML::Node& node) {
    const Section item =
        file.section(node, "an item of moves", {"from", "to", "command", "answers"});
    item.need("from");
    item.need("to");
    return Platform::Move{mode_of(item, "from", platform), mode_of(item, "to", platform),
                          item.command("command"), answers(item, "answers")};
  });
}

Platform::Commit commit(const Section& configure) {
  const Section item =
      configure.section(configure.need("commit"), "commit",
                        {"command", "confirmed", "confirm", "check", "diff", "abort", "success",
                         "check_success", "failure", "failure_detail", "answers"});
  Platform::Commit commit;
  commit.command = item.command("command");
  commit.confirmed = item.command_or_none("confirmed");
  commit.confirm = item.command_or_none("confirm");
  if (commit.confirmed.empty() != commit.confirm.empty()) {
    malformed(item.node(), "commit needs both of \"confirmed\" and \"confirm\", or none");
  }
  const bool says_time = commit.confirmed.find("{minutes}") != std::string::npos ||
                         commit.confirmed.find("{seconds}") != std::string::npos ||
                         commit.confirmed.find("{hh:mm:ss}") != std::string::npos;
  if (!commit.confirmed.empty() && !says_time) {
    malformed(item.need("confirmed"), "confirmed lacks {minutes}, {seconds} or {hh:mm:ss}");
  }
  commit.check = item.command_or_none("check");
  commit.diff = item.command_or_none("diff");
  commit.abort = item.command("abort");
  commit.success = item.optional_pattern("success", true);
  commit.check_success = item.optional_pattern("check_success", true);
  commit.failure = item.optional_pattern("failure", true);
  commit.failure_detail = item.command_or_none("failure_detail");
  commit.answers = answers(item, "answers");
  return commit;
}

Platform::Configure configure(const Section& file, const Platform& platform) {
  const Section item =
      file.section(file.need("configure"), "configure", {"mode", "commit", "blocks"});
  Platform::Configure configure;
  configure.mode = mode_of(item, "mode", platform);
  if (item.has("commit")) configure.commit = commit(item);
  configure.blocks = item.list("blocks", [&](const YAML::Node& node) {
    const Section block = item.section(node, "an item of blocks", {"begin", "end"});
    return Platform::Block{block.pattern("begin"), block.optional_pattern("end")};
  });
  return configure;
}

Platform::Save save(const Section& file, const Platform& platform) {
  const Section item =
      file.section(file.need("save"), "save", {"command", "mode", "answers", "success"});
  return {item.command("command"), mode_of(item, "mode", platform), answers(item, "answers"),
          item.optional_pattern("success", true)};
}

Platform::Detect detect(const Section& file) {
  const Section item = file.section(file.need("detect"), "detect",
                                    {"server", "banner", "prompt", "probes", "fallback"});
  Platform::Detect detect{item.optional_pattern("server"),
                          item.optional_pattern("banner", true),
                          item.optional_pattern("prompt"),
                          {},
                          item.flag("fallback")};
  detect.probes = item.list("probes", [&](const YAML::Node& node) {
    const Section probe = item.section(node, "an item of probes", {"command", "output"});
    return Platform::Probe{probe.command("command"), probe.pattern("output", true)};
  });
  return detect;
}

Platform::Confidence confidence(const Section& file) {
  const std::string text = file.text_or("confidence", "low");
  if (text == "high") return Platform::Confidence::kHigh;
  if (text == "medium") return Platform::Confidence::kMedium;
  if (text != "low") malformed(file.need("confidence"), "confidence is high, medium or low");
  return Platform::Confidence::kLow;
}

std::string line_ending(const Section& file) {
  std::string ending = file.text_or("line_ending", "\n");
  if (ending != "\n" && ending != "\r" && ending != "\r\n") {
    malformed(file.need("line_ending"), R"(line_ending must be "\n", "\r" or "\r\n")");
  }
  return ending;
}

void read_pager(const Section& file, Platform& platform) {
  if (!file.has("pager")) return;
  const Section pager = file.section(file.need("pager"), "pager", {"mark", "key"});
  platform.pager = pager.pattern("mark");
  platform.pager_key = pager.text_or("key", platform.pager_key);
}

// Who it is, and how it is known.
void read_identity(const Section& file, YamlProblems& problems, Platform& platform) {
  problems.attempt([&] { platform.name = name_of(file.need("name")); });
  problems.attempt([&] { platform.title = file.text_or("title", platform.name); });
  problems.attempt([&] { platform.confidence = confidence(file); });
  problems.attempt([&] { platform.aliases = file.list("aliases", name_of); });
  problems.attempt([&] { platform.notes = file.list("notes", note); });
  problems.attempt([&] {
    if (file.has("detect")) platform.detect = detect(file);
  });
}

// What it shows and what is typed.
void read_dialect(const Section& file, YamlProblems& problems, Platform& platform) {
  const std::size_t before = problems.count();
  problems.attempt([&] { platform.modes = modes(file); });
  if (problems.count() != before) platform.modes.clear();
  problems.attempt([&] { platform.confirm_prompt = file.flag("confirm_prompt"); });
  problems.attempt([&] { platform.prompt_after_text = file.flag("prompt_after_text"); });
  problems.attempt([&] { platform.context_lines = patterns(file, "context_lines", false); });
  problems.attempt([&] { platform.prepare = prepare(file, platform); });
  problems.attempt([&] { platform.moves = moves(file, platform); });
  problems.attempt([&] {
    if (file.has("configure")) platform.configure = configure(file, platform);
  });
  problems.attempt([&] {
    if (file.has("save")) platform.save = save(file, platform);
  });
  problems.attempt([&] { read_pager(file, platform); });
  problems.attempt([&] { platform.errors = patterns(file, "errors", true); });
  problems.attempt([&] { platform.volatile_text = patterns(file, "volatile", false); });
  problems.attempt([&] { platform.confirmations = answers(file, "confirmations"); });
  problems.attempt([&] { platform.login = answers(file, "login"); });
  problems.attempt([&] { platform.logout = file.text_or("logout", ""); });
  problems.attempt([&] { platform.logout_answers = answers(file, "logout_answers"); });
  problems.attempt([&] { platform.line_ending = line_ending(file); });
  problems.attempt([&] { platform.exec = file.flag("exec"); });
}

void read(const YAML::Node& root, YamlProblems& problems, Platform& platform) {
  problems.attempt([&] {
    const Section file(problems, root, "the platform",
                       {"name",          "title",          "confidence",
                        "aliases",       "notes",          "detect",
                        "modes",         "confirm_prompt", "prompt_after_text",
                        "context_lines", "prepare",        "moves",
                        "configure",     "save",           "pager",
                        "errors",        "confirmations",  "login",
                        "logout",        "logout_answers", "line_ending",
                        "exec",          "volatile"});
    read_identity(file, problems, platform);
    read_dialect(file, problems, platform);
  });
}

Expected<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(fmt::format("read platform file {}: cannot be opened", path.string()));
  std::string text(kMaxFileSize + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return fail(fmt::format("read platform file {}: read error", path.string()));
  return text;
}

Expected<void> add_file(PlatformSet& set, const std::filesystem::path& path) {
  const Expected<std::string> text = read_file(path);
  if (!text) return std::unexpected(text.error());
  Expected<Platform> platform = parse_platform(*text, path.string());
  if (!platform) return std::unexpected(std::move(platform.error()));
  if (auto added = set.add(*std::move(platform)); !added) {
    return fail(fmt::format("{}:1: {}", path.string(), added.error().message));
  }
  return {};
}

}  // namespace

Expected<Platform> parse_platform(const std::string& text, const std::string& file) {
  if (text.size() > kMaxFileSize) {
    return fail(fmt::format("{}:1: larger than {} KiB", file, kMaxFileSize >> 10));
  }
  Platform platform;
  YamlProblems problems;
  try {
    read(YAML::Load(text), problems, platform);
  } catch (const YAML::Exception& error) {
    return fail(fmt::format("{}:{}: {}", file, error.mark.line + 1, error.msg));
  }
  if (problems.count() != 0) return fail(problems.text(file));
  return platform;
}

Expected<void> PlatformSet::add_directory(const std::string& directory) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".yaml") paths.push_back(at->path());
  }
  if (error) {
    return fail(fmt::format("read platform directory {}: {}", directory, error.message()));
  }
  std::sort(paths.begin(), paths.end());
  std::string problems;
  for (const std::filesystem::path& path : paths) {
    if (auto added = add_file(*this, path); !added) {
      problems += (problems.empty() ? "" : "\n") + added.error().message;
    }
  }
  if (!problems.empty()) return fail(std::move(problems));
  return {};
}

}  // namespace netfleet
