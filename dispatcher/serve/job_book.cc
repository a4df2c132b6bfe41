#include "dispatcher/serve/job_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/problems.h"
#include "dispatcher/cli/job_file.h"
#include "dispatcher/cli/named_credentials.h"

namespace netfleet {
namespace {

constexpr std::size_t kLongestName = 64;

bool is_job_file(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"));
}

bool is_plain(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, plain);
}

Expected<std::vector<std::string>> job_files(const std::string& directory) {
  std::error_code failed;
  std::vector<std::string> paths;
  std::filesystem::directory_iterator entries(directory, failed);
  while (!failed && entries != std::filesystem::directory_iterator()) {
    if (is_job_file(entries->path())) paths.push_back(entries->path().string());
    entries.increment(failed);
  }
  if (failed) return fail(fmt::format("read the jobs in {}: {}", directory, failed.message()));
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

// The name is the file's, unless it says another.
JobBook::Entry JobBook::read(const std::string& path, std::string& name) const {
  Problems problems;
  Job job = read_job(path, home_, problems);
  name = job.name.empty() ? std::filesystem::path(path).stem().string() : job.name;
  if (!is_plain(name)) {
    problems.add(path, 1,
                 fmt::format("name: '{}': a service's job is named with letters, digits, '-', '_' "
                             "and '.', at most {} of them",
                             name, kLongestName));
  }
  RunOptions options = run_options_of(job, login_, problems);
  options.listen = service_.listen;
  if (options.credential_file.empty()) options.credential_file = service_.credential_file;
  if (!problems.any()) check_job_credential(job, options, home_, problems);
  if (std::ranges::find(options.inventories, "-") != options.inventories.end()) {
    problems.add(path, 1, "inventory: '-' is standard input, which a service does not read");
  }
  Entry entry{.path = path, .job = nullptr, .error = {}, .changes = options.changes};
  if (problems.any()) {
    entry.error = problems.error().message;
  } else {
    job.name = name;
    entry.job = std::make_shared<const Job>(std::move(job));
  }
  return entry;
}

Expected<std::vector<std::string>> JobBook::reload() {
  auto paths = job_files(service_.jobs);
  if (!paths) return std::unexpected(paths.error());
  std::map<std::string, Entry, std::less<>> now;
  std::vector<std::string> wrong;
  for (const std::string& path : *paths) {
    std::string name;
    Entry entry = read(path, name);
    if (const auto other = now.find(name); other != now.end()) {
      wrong.push_back(fmt::format("{}: {} is the job '{}', too", path, other->second.path, name));
      continue;
    }
    if (!entry.error.empty()) {
      wrong.push_back(entry.error);
      const auto before =
          std::ranges::find(jobs_, path, [](const auto& known) { return known.second.path; });
      if (before != jobs_.end() && before->second.job != nullptr) {
        name = before->first;
        entry.job = before->second.job;
        entry.changes = before->second.changes;
      }
    }
    now.insert_or_assign(std::move(name), std::move(entry));
  }
  jobs_ = std::move(now);
  return wrong;
}

std::shared_ptr<const Job> JobBook::find(std::string_view name) const {
  const auto known = jobs_.find(name);
  return known == jobs_.end() ? nullptr : known->second.job;
}

std::vector<std::string> JobBook::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : jobs_) {
    if (entry.job != nullptr) names.push_back(name);
  }
  return names;
}

std::vector<JobView> JobBook::views() const {
  std::vector<JobView> views;
  for (const auto& [name, entry] : jobs_) {
    views.push_back({.name = name,
                     .path = entry.path,
                     .error = entry.error,
                     .changes = entry.changes,
                     .scheduled = entry.job != nullptr && entry.job->schedule.has_value()});
  }
  return views;
}

}  // namespace netfleet
