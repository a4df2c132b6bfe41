#include "dispatcher/cli/configuration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "common/problems.h"
#include "common/shared_text.h"
#include "dispatcher/inventory/template.h"

namespace netfleet {
namespace {

constexpr std::string_view kTemplateSuffix = ".mustache";
constexpr std::size_t kMaxProblems = 20;  // different ones in a message
constexpr std::size_t kMaxHostsNamed = 10;

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

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \r\n") == std::string_view::npos;
}

// A source as it is read: text for all hosts, or a template for each.
struct Piece {
  std::vector<std::string> lines;
  std::optional<Template> by_host;
};

Expected<Piece> read_piece(const ConfigurationSource& source) {
  Piece piece;
  if (!source.is_file) {
    piece.lines.push_back(source.text);
    return piece;
  }
  const auto text = read_file(source.text);
  if (!text) return std::unexpected(text.error());
  if (is_blank(*text)) return fail(fmt::format("no configuration in {}", shown(source.text)));
  if (source.text.ends_with(kTemplateSuffix)) {
    auto parsed = Template::parse(*text, source.text);
    if (!parsed) return std::unexpected(parsed.error());
    piece.by_host = *std::move(parsed);
  } else if (auto added = add_lines(*text, piece.lines); !added) {
    return fail(fmt::format("{}:{}", shown(source.text), added.error().message));
  }
  return piece;
}

std::size_t size_of(const std::vector<std::string>& lines) {
  std::size_t size = 0;
  for (const std::string& line : lines) size += line.size() + 1;
  return size;
}

// What is wrong, each with the hosts where it is.
class HostProblems {
 public:
  void add(const std::string& problem, std::string_view host) {
    if (problems_.size() == kMaxProblems && !problems_.contains(problem)) {
      more_ = true;
      return;
    }
    Hosts& hosts = problems_[problem];
    if (++hosts.count <= kMaxHostsNamed) hosts.named.push_back(shown(host));
  }

  Expected<void> result() const {
    if (problems_.empty()) return {};
    std::string text;
    for (const auto& [problem, hosts] : problems_) {
      text += fmt::format("{}{} for {}", text.empty() ? "" : "\n", problem,
                          fmt::join(hosts.named, ", "));
      if (hosts.count > kMaxHostsNamed) {
        text += fmt::format(" and {} more", hosts.count - kMaxHostsNamed);
      }
    }
    if (more_) text += "\n... and more";
    return fail(std::move(text));
  }

 private:
  struct Hosts {
    std::size_t count = 0;
    std::vector<std::string> named;
  };
  std::map<std::string, Hosts> problems_;
  bool more_ = false;  // than can be shown
};

// All that one host gets; what is wrong goes to `problems`.
std::vector<std::string> lines_for(std::vector<Piece>& pieces, const Host& host,
                                   const TaskSpec& task, HostProblems& problems) {
  std::vector<std::string> lines;
  for (Piece& piece : pieces) {
    if (!piece.by_host) {
      lines.insert(lines.end(), piece.lines.begin(), piece.lines.end());
      continue;
    }
    std::vector<std::string> wrong;
    const std::string text = piece.by_host->render(host, task, wrong);
    for (const std::string& problem : wrong) problems.add(problem, host.name);
    if (auto added = add_lines(text, lines); !added) {
      problems.add(fmt::format("{}: line {}", piece.by_host->source(), added.error().message),
                   host.name);
    }
  }
  if (size_of(lines) > kMaxConfiguration) problems.add(too_much().message, host.name);
  return lines;
}

Expected<void> add_by_host(std::vector<Piece>& pieces, const std::vector<Host>& hosts,
                           std::vector<TaskSpec>& tasks, std::vector<std::string>& warnings) {
  HostProblems problems;
  TextPool pool;
  std::size_t without = 0;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::string text =
        fmt::format("{}", fmt::join(lines_for(pieces, hosts[i], tasks[i], problems), "\n"));
    if (is_blank(text)) {
      ++without;
    } else {
      tasks[i].configuration = pool(text);
    }
  }
  if (auto wrong = problems.result(); !wrong) return wrong;
  for (const Piece& piece : pieces) {
    const auto unknown =
        piece.by_host ? piece.by_host->unknown_sections() : std::vector<std::string>();
    if (!unknown.empty()) return fail(fmt::format("{}", fmt::join(unknown, "\n")));
  }
  if (without > 0) {
    warnings.push_back(fmt::format("{} of {} hosts get no configuration: the templates make none",
                                   without, hosts.size()));
  }
  return {};
}

}  // namespace

Expected<void> add_configuration(const std::vector<ConfigurationSource>& sources,
                                 const std::vector<Host>& hosts, JobSpec& job,
                                 std::vector<TaskSpec>& tasks, std::vector<std::string>& warnings) {
  std::vector<Piece> pieces;
  for (const ConfigurationSource& source : sources) {
    auto piece = read_piece(source);
    if (!piece) return std::unexpected(piece.error());
    pieces.push_back(*std::move(piece));
  }
  if (std::ranges::any_of(pieces, [](const Piece& piece) { return piece.by_host.has_value(); })) {
    return add_by_host(pieces, hosts, tasks, warnings);
  }
  std::vector<std::string>& lines = job.configuration.lines;
  for (Piece& piece : pieces) std::ranges::move(piece.lines, std::back_inserter(lines));
  if (size_of(lines) > kMaxConfiguration) return std::unexpected(too_much());
  return {};
}

}  // namespace netfleet
