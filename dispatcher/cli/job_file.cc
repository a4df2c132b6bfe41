#include "dispatcher/cli/job_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

namespace netfleet {
namespace {

constexpr std::size_t kMaxFile = 16u << 20;

Expected<std::string> read_text(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.is_open() || (!file && !file.eof())) {
    return fail(fmt::format("read job {}: {}", shown(path), std::strerror(errno)));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFile) {
    return fail(fmt::format("read job {}: it is larger than {} MiB", shown(path), kMaxFile >> 20));
  }
  return text;
}

// "none" and "-" are words of some options.
std::string resolved(const std::string& path, const std::string& job, const std::string& home) {
  if (path.starts_with("~/") && !home.empty()) return home + path.substr(1);
  const std::size_t slash = job.rfind('/');
  if (path.empty() || path.starts_with('/') || path == "-" || path == "none" ||
      slash == std::string::npos) {
    return path;
  }
  return job.substr(0, slash + 1) + path;
}

std::string argument_of(const JobSetting& setting) {
  return setting.flag ? setting.option : fmt::format("{}={}", setting.option, setting.value);
}

Expected<CommandLine> parse(std::vector<const char*> arguments, const std::string& login_name,
                            const std::vector<std::string>* of_job) {
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), login_name,
                            of_job);
}

// What is wrong, without the option's name and the hint.
std::string complaint(const Error& error, std::string_view option) {
  std::string text = error.message.substr(0, error.message.find('\n'));
  const std::string prefix = fmt::format("{}: ", option);
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

void check_setting(const JobSetting& setting, const Job& job, Problems& problems) {
  const auto wrong = [&](std::string_view message) {
    problems.add(job.source, setting.line, fmt::format("{}: {}", setting.key, message));
  };
  const std::string argument = argument_of(setting);
  // Alone: whether options fit together is judged when all are there.
  const auto parsed = parse({"netfleet", "run", job.source.c_str(), argument.c_str()}, "", nullptr);
  if (!parsed) return wrong(complaint(parsed.error(), setting.option));
  const std::string& path = setting.value;
  if (setting.input && path != "-" && path != "none" && access(path.c_str(), R_OK) != 0) {
    wrong(fmt::format("read {}: {}", shown(path), std::strerror(errno)));
  }
}

}  // namespace

Job read_job(const std::string& path, const std::string& home, Problems& problems) {
  const auto text = read_text(path);
  if (!text) {
    problems.add(path, 1, text.error().message);
    return {};
  }
  Job job = parse_job(*text, path, problems);
  for (JobSetting& setting : job.settings) {
    if (setting.path) setting.value = resolved(setting.value, path, home);
    check_setting(setting, job, problems);
  }
  return job;
}

std::vector<std::string> arguments_of(const Job& job, const std::vector<std::string>& given) {
  std::vector<std::string> arguments;
  for (const JobSetting& setting : job.settings) {
    const bool replaced = std::ranges::any_of(
        given, [&](const std::string& option) { return option_family(option) == setting.family; });
    if (!replaced) arguments.push_back(argument_of(setting));
  }
  return arguments;
}

RunOptions run_options_of(const Job& job, const std::string& login_name, Problems& problems,
                          const std::vector<std::string>& instead,
                          const std::vector<std::string>& families) {
  auto arguments = arguments_of(job, families);
  arguments.insert(arguments.end(), instead.begin(), instead.end());
  const auto parsed = parse({"netfleet", "run", job.source.c_str()}, login_name, &arguments);
  if (parsed) return std::get<RunOptions>(*parsed);
  problems.add(job.source, 1, complaint(parsed.error(), ""));
  return {};
}

Expected<CommandLine> parse_command_line_with_job(int argc, const char* const* argv,
                                                  const std::string& login_name,
                                                  const std::string& home) {
  auto parsed = parse_command_line(argc, argv, login_name);
  const auto* run = parsed ? std::get_if<RunOptions>(&*parsed) : nullptr;
  if (run == nullptr || run->job.empty()) return parsed;
  if (access(run->job.c_str(), F_OK) != 0) {
    return fail(
        fmt::format("netfleet: there is no job file '{}' (commands are given with -c, "
                    "hosts with -H or -i)\nTry 'netfleet run --help'.",
                    shown(run->job)));
  }
  Problems problems;
  const Job job = read_job(run->job, home, problems);
  if (problems.any()) return std::unexpected(problems.error());
  const auto arguments = arguments_of(job, run->given);
  return parse_command_line(argc, argv, login_name, &arguments);
}

}  // namespace netfleet
