#include "dispatcher/cli/check_verb.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "common/standard_streams.h"
#include "common/utf8.h"
#include "dispatcher/cli/configuration.h"
#include "dispatcher/cli/named_credentials.h"
#include "dispatcher/cli/options.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/inventory/inventory.h"
#include "dispatcher/inventory/jumps.h"

namespace netfleet {
namespace {

constexpr const char* kExamples = R"(Examples:
  netfleet check -i devices.txt             is it well written, and how many hosts are there
  netfleet check -i inventory.yaml -l group:edge --config-file ntp.cfg
  netfleet check --platform-dir my          every mistake in my/*.yaml, with its line
  netfleet check nightly.yaml               a job file: what would be done to whom

All that is wrong is said, a line each, file:line first. Nothing is connected to.
Exit status: 0 nothing is wrong; 2 something is.)";

// Whether it went well.
template <typename T>
bool take(const Expected<T>& result, CheckFindings& findings) {
  if (!result) findings.problems.push_back(result.error().message);
  return result.has_value();
}

Inventory gather(const CheckOptions& options, CheckFindings& findings) {
  const std::size_t before = findings.problems.size();
  Inventory all;
  for (const std::string& path : options.inventories) {
    if (auto read = read_inventory(path); take(read, findings))
      merge_inventory(all, *std::move(read));
  }
  if (!options.hosts.empty()) {
    if (auto given = inventory_from_arguments(options.hosts); take(given, findings))
      merge_inventory(all, *std::move(given));
  }
  RunOptions of_job;
  of_job.region = options.region;
  settle_hosts(of_job, all.hosts);
  const bool whole =
      findings.problems.size() == before;  // else limits may be missing that are defined
  if (whole) {
    take(resolve_limits(all), findings);
    if (take(resolve_jumps(all, false), findings)) {
      take(limit_jumps(all, hosts_of(all.jumps), all.hosts, options.limits.empty()), findings);
    }
  }
  std::ranges::move(all.warnings, std::back_inserter(findings.warnings));
  for (const std::string& limit : whole ? options.limits : std::vector<std::string>{}) {
    auto selected = select_hosts(all.hosts, limit);
    if (take(selected, findings)) all.hosts = *std::move(selected);
  }
  return all;
}

using Counts = std::map<std::string, std::size_t, std::less<>>;

void report_counts(const char* kind, const Counts& counts, std::string& report) {
  for (const auto& [name, hosts] : counts) {
    report += fmt::format("{:>8}  {} {}\n", hosts, kind, to_utf8(name));
  }
}

Counts count_hosts(const std::vector<Host>& hosts, std::string& report) {
  Counts platforms;
  Counts regions;
  Counts groups;
  Counts ways;
  for (const Host& host : hosts) {
    ++platforms[host.platform.empty() ? "auto" : host.platform.str()];
    if (!host.region.empty()) ++regions[host.region.str()];
    for (const std::string& group : host.groups) ++groups[group];
    if (!host.jump.empty() && host.jump != kNoJump) ++ways[shown_route(host.jump)];
  }
  report += fmt::format("{:>8}  {}\n", hosts.size(), hosts.size() == 1 ? "host" : "hosts");
  report_counts("platform", platforms, report);
  report_counts("region", regions, report);
  report_counts("group", groups, report);
  report_counts("behind", ways, report);
  return platforms;
}

void check_platforms_of(const std::vector<Host>& hosts, const Counts& platforms,
                        const CheckOptions& options, const WorkerSide& worker_side,
                        CheckFindings& findings) {
  for (const auto& [name, count] : platforms) {
    const auto known = worker_side.check_platforms(options.platform_dir, {name});
    if (known) continue;
    const auto first = std::ranges::find_if(
        hosts, [&wanted = name](const Host& host) { return host.platform == wanted; });
    findings.problems.push_back(fmt::format(
        "host {}{}: {}", to_utf8(first->name.view()),
        count == 1 ? "" : fmt::format(" and {} more", count - 1), known.error().message));
  }
}

void check_commands(const CheckOptions& options, CheckFindings& findings) {
  RunOptions run;
  run.commands_file = options.commands_file;
  const auto commands = read_commands(run);
  if (!take(commands, findings)) return;
  findings.report +=
      fmt::format("{:>8}  {}\n", commands->size(), commands->size() == 1 ? "command" : "commands");
}

// As a run would send it to these hosts.
void check_configuration(const CheckOptions& options, const std::vector<Host>& hosts,
                         CheckFindings& findings) {
  for (const std::string& path : options.config_files) {
    JobSpec job;
    std::vector<TaskSpec> tasks(hosts.size());
    for (std::size_t i = 0; i < hosts.size(); ++i) tasks[i].host = hosts[i].name;
    const auto added = add_configuration({{true, path}}, hosts, job, tasks, findings.warnings);
    if (!take(added, findings)) continue;
    findings.report += fmt::format("{:>8}  configuration {}\n", "ok", to_utf8(path));
  }
}

}  // namespace

void add_check(CLI::App& check, CheckOptions& options) {
  check.footer(kExamples);
  check.add_option("JOB", options.job, "A job file (YAML): and what it would do to whom");
  add_list(check, "-i,--inventory", "FILE|DIR|-", "Hosts, as for 'netfleet run' (repeatable)",
           options.inventories);
  add_list(check, "-l,--limit", "EXPRESSION", "Only the hosts of this expression (repeatable)",
           options.limits);
  add_text(check, "--commands-file", "FILE", "Commands, one a line", options.commands_file);
  add_list(check, "--config-file", "FILE", "Configuration for these hosts (repeatable)",
           options.config_files);
  add_text(check, "--platform-dir", "DIR", "Platform files", options.platform_dir);
}

Expected<void> settle_check(const CheckOptions& options) {
  if (!options.job.empty()) {
    if (options.inventories.empty() && options.limits.empty() && options.config_files.empty() &&
        options.commands_file.empty() && options.platform_dir.empty()) {
      return {};
    }
    return fail("a job file says all of it: it and options exclude each other");
  }
  if (options.inventories.empty() && options.config_files.empty() &&
      options.commands_file.empty() && options.platform_dir.empty()) {
    return fail("nothing to check: give -i FILE, --platform-dir DIR, or other files of a run");
  }
  if (options.inventories.empty() && !options.limits.empty()) return fail("--limit needs -i FILE");
  if (std::ranges::count(options.inventories, "-") > 1) {
    return fail("--inventory: standard input can be read only once");
  }
  return {};
}

std::vector<Host> check_hosts(const CheckOptions& options, const WorkerSide& worker_side,
                              CheckFindings& findings) {
  const bool platforms_are_read =
      take(worker_side.check_platforms(options.platform_dir, {}), findings);
  if (options.inventories.empty() && options.hosts.empty()) return {};
  const std::size_t before = findings.problems.size();
  std::vector<Host> hosts = gather(options, findings).hosts;
  if (hosts.empty() && findings.problems.size() != before) return hosts;
  const Counts platforms = count_hosts(hosts, findings.report);
  if (platforms_are_read) check_platforms_of(hosts, platforms, options, worker_side, findings);
  return hosts;
}

CheckFindings check_files(const CheckOptions& options, const WorkerSide& worker_side) {
  CheckFindings findings;
  const std::vector<Host> hosts = check_hosts(options, worker_side, findings);
  if (!options.commands_file.empty()) check_commands(options, findings);
  check_configuration(options, hosts, findings);
  if (findings.problems.empty()) findings.report += "nothing is wrong\n";
  return findings;
}

int check_verb(const CheckOptions& options, const WorkerSide& worker_side) {
  return print_findings(check_files(options, worker_side));
}

int print_findings(const CheckFindings& findings) {
  for (const std::string& warning : findings.warnings) print_error("warning: " + warning + "\n");
  for (const std::string& problem : findings.problems) print_error(problem + "\n");
  if (const auto printed = print_output(findings.report); !printed) {
    print_error("netfleet: " + printed.error().message + "\n");
    return kExitUsage;
  }
  return findings.problems.empty() ? kExitOk : kExitUsage;
}

}  // namespace netfleet
