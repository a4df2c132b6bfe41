#include "worker/device/platform_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>

#include "common/check.h"
#include "worker/device/embedded_platforms.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxFileSize = 256u << 10;
constexpr std::size_t kMaxItems = 256;  // of one list

// Thrown and caught in this file only, so that reading reads top to bottom.
struct Malformed {
  YAML::Mark mark;
  std::string message;
};

[[noreturn]] void malformed(const YAML::Node& at, std::string message) {
  throw Malformed{at.Mark(), std::move(message)};
}

// A map of which every key must be known.
class Section {
 public:
  Section(const YAML::Node& node, const std::string& what,
          std::initializer_list<std::string_view> keys)
      : node_(node), what_(what) {
    if (!node.IsMap()) malformed(node, what + " must be a map of keys and values");
    std::vector<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) malformed(entry.first, "a key of " + what + " must be text");
      const std::string& key = entry.first.Scalar();
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        malformed(entry.first, fmt::format("unknown key \"{}\" in {}; known are: {}", key, what,
                                           fmt::join(keys, ", ")));
      }
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        malformed(entry.first, fmt::format("key \"{}\" stands twice in {}", key, what));
      }
      seen.push_back(key);
    }
  }

  bool has(const char* key) const { return static_cast<bool>(node_[key]); }

  YAML::Node need(const char* key) const {
    if (!has(key)) malformed(node_, fmt::format("{} lacks the key \"{}\"", what_, key));
    return node_[key];
  }

  std::string text(const char* key) const {
    const YAML::Node value = need(key);
    if (!value.IsScalar()) malformed(value, fmt::format("{}: {} must be text", what_, key));
    return value.Scalar();
  }
  std::string text_or(const char* key, std::string fallback) const {
    return has(key) ? text(key) : std::move(fallback);
  }

  bool flag(const char* key) const {
    if (!has(key)) return false;
    const std::string value = text(key);
    if (value != "true" && value != "false") {
      malformed(node_[key], fmt::format("{}: {} must be true or false", what_, key));
    }
    return value == "true";
  }

  Pattern pattern(const char* key, bool multi_line = false) const {
    return compile(need(key), multi_line);
  }
  std::optional<Pattern> optional_pattern(const char* key) const {
    if (!has(key)) return std::nullopt;
    return pattern(key);
  }

  // The items of a list; none when the key is missing.
  std::vector<YAML::Node> items(const char* key) const {
    if (!has(key)) return {};
    const YAML::Node list = node_[key];
    if (!list.IsSequence() || list.size() > kMaxItems) {
      malformed(list,
                fmt::format("{}: {} must be a list of at most {} items", what_, key, kMaxItems));
    }
    return {list.begin(), list.end()};
  }

  static Pattern compile(const YAML::Node& node, bool multi_line) {
    if (!node.IsScalar()) malformed(node, "a regular expression must be text");
    Expected<Pattern> pattern = Pattern::compile(node.Scalar(), multi_line);
    if (!pattern) malformed(node, pattern.error().message);
    return *std::move(pattern);
  }

 private:
  const YAML::Node node_;
  const std::string what_;
};

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

std::vector<Platform::Answer> answers(const Section& file, const char* key) {
  std::vector<Platform::Answer> result;
  for (const YAML::Node& node : file.items(key)) {
    const Section item(node, fmt::format("an item of {}", key), {"prompt", "reply", "bare"});
    result.push_back({item.pattern("prompt"), item.text("reply"), item.flag("bare")});
  }
  return result;
}

std::vector<Platform::Prompt> prompts(const Section& file) {
  file.need("modes");
  std::vector<Platform::Prompt> result;
  for (const YAML::Node& node : file.items("modes")) {
    const Section mode(node, "an item of modes", {"name", "prompt"});
    result.push_back({mode.text("name"), mode.pattern("prompt")});
  }
  if (result.empty()) malformed(file.need("modes"), "a platform needs at least one mode");
  return result;
}

std::vector<Platform::Prepare> prepare(const Section& file) {
  std::vector<Platform::Prepare> result;
  for (const YAML::Node& node : file.items("prepare")) {
    const Section item(node, "an item of prepare", {"command", "when_prompt", "new_prompt"});
    result.push_back({item.text("command"), item.optional_pattern("when_prompt"),
                      item.optional_pattern("new_prompt")});
    if (result.back().command.empty() || result.back().command.find('\n') != std::string::npos) {
      malformed(item.need("command"), "a command is one line and not empty");
    }
  }
  return result;
}

Platform read(const YAML::Node& root) {
  const Section file(
      root, "the platform",
      {"name", "aliases", "detect", "modes", "confirm_prompt", "prompt_after_text", "prepare",
       "pager", "errors", "confirmations", "login", "logout", "line_ending"});
  Platform platform;
  platform.name = name_of(file.need("name"));
  for (const YAML::Node& alias : file.items("aliases")) platform.aliases.push_back(name_of(alias));
  if (file.has("detect")) {
    const Section detect(file.need("detect"), "detect", {"server", "prompt"});
    platform.detect_server = detect.optional_pattern("server");
    platform.detect_prompt = detect.optional_pattern("prompt");
  }
  platform.prompts = prompts(file);
  platform.confirm_prompt = file.flag("confirm_prompt");
  platform.prompt_after_text = file.flag("prompt_after_text");
  platform.prepare = prepare(file);
  if (file.has("pager")) {
    const Section pager(file.need("pager"), "pager", {"mark", "key"});
    platform.pager = pager.pattern("mark");
    platform.pager_key = pager.text_or("key", platform.pager_key);
  }
  for (const YAML::Node& error : file.items("errors")) {
    platform.errors.push_back(Section::compile(error, true));
  }
  platform.confirmations = answers(file, "confirmations");
  platform.login = answers(file, "login");
  platform.logout = file.text_or("logout", "");
  platform.line_ending = file.text_or("line_ending", platform.line_ending);
  if (platform.line_ending != "\n" && platform.line_ending != "\r" &&
      platform.line_ending != "\r\n") {
    malformed(file.need("line_ending"), R"(line_ending must be "\n", "\r" or "\r\n")");
  }
  return platform;
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

}  // namespace

Expected<Platform> parse_platform(const std::string& text, const std::string& file) {
  if (text.size() > kMaxFileSize) {
    return fail(fmt::format("{}:1: larger than {} KiB", file, kMaxFileSize >> 10));
  }
  try {
    return read(YAML::Load(text));
  } catch (const Malformed& error) {
    return fail(fmt::format("{}:{}: {}", file, error.mark.line + 1, error.message));
  } catch (const YAML::Exception& error) {
    return fail(fmt::format("{}:{}: {}", file, error.mark.line + 1, error.msg));
  }
}

const PlatformSet& PlatformSet::builtin() {
  static const PlatformSet set = [] {
    PlatformSet result;
    for (const EmbeddedFile& file : embedded_platforms()) {
      Expected<Platform> platform = parse_platform(file.text, file.name);
      if (!platform) std::fprintf(stderr, "%s\n", platform.error().message.c_str());
      CHECK(platform.has_value());
      CHECK(result.add(*std::move(platform)).has_value());
    }
    return result;
  }();
  return set;
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
  for (const std::filesystem::path& path : paths) {
    const Expected<std::string> text = read_file(path);
    if (!text) return fail(text.error().message);
    Expected<Platform> platform = parse_platform(*text, path.string());
    if (!platform) return fail(std::move(platform.error().message));
    const Expected<void> added = add(*std::move(platform));
    if (!added) return fail(fmt::format("{}:1: {}", path.string(), added.error().message));
  }
  return {};
}

}  // namespace netfleet
