#include "dispatcher/cli/configuration.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "dispatcher/inventory/problems.h"

namespace netfleet {
namespace {

Error too_much() {
  return Error{fmt::format("more than {} bytes of configuration for one host", kMaxConfiguration)};
}

// The bytes of a file; more of them than one host may be sent are an error.
Expected<std::string> read_file(const std::string& path) {
  const auto cannot = [&](std::string_view why) {
    return fail(fmt::format("read configuration {}: {}", shown(path), why));
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxConfiguration + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.is_open() || (!file && !file.eof())) return cannot(std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxConfiguration) return cannot(too_much().message);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

// Adds the lines of `text`; the error begins with the line's number.
Expected<void> add_lines(std::string_view text, std::vector<std::string>& lines) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.pop_back();
    if (const auto checked = check_configuration_line(line); !checked) {
      return fail(fmt::format("{}: {}", number, checked.error().message));
    }
    lines.push_back(std::move(line));
  }
  return {};
}

Expected<void> add_file(const std::string& path, std::vector<std::string>& lines) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  const std::size_t before = lines.size();
  if (auto added = add_lines(*text, lines); !added) {
    return fail(fmt::format("{}:{}", shown(path), added.error().message));
  }
  for (std::size_t i = before; i < lines.size(); ++i) {
    if (lines[i].find_first_not_of(' ') != std::string::npos) return {};
  }
  return fail(fmt::format("no configuration in {}", shown(path)));
}

std::size_t size_of(const std::vector<std::string>& lines) {
  std::size_t size = 0;
  for (const std::string& line : lines) size += line.size() + 1;
  return size;
}

}  // namespace

Expected<void> add_configuration(const std::vector<ConfigurationSource>& sources,
                                 const std::vector<Host>&, JobSpec& job, std::vector<TaskSpec>&,
                                 std::vector<std::string>&) {
  std::vector<std::string>& lines = job.configuration.lines;
  for (const ConfigurationSource& source : sources) {
    if (!source.is_file) {
      lines.push_back(source.text);
    } else if (auto added = add_file(source.text, lines); !added) {
      return added;
    }
  }
  if (size_of(lines) > kMaxConfiguration) return std::unexpected(too_much());
  return {};
}

}  // namespace netfleet
