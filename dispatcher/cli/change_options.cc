#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string_view>
#include <utility>

#include "common/command_line.h"
#include "common/duration.h"
#include "dispatcher/cli/run_options.h"

namespace netfleet {
namespace {

// What the platforms that have it take between them: seconds from 30 up, at most 16 bits of them.
constexpr Milliseconds kShortestConfirmation = std::chrono::seconds(30);
constexpr Milliseconds kLongestConfirmation = std::chrono::hours(18);
constexpr std::size_t kMaxPattern = 4096;
constexpr std::size_t kMaxModeName = 64;

// 'REGEX=REPLY': the first '=' without a backslash before it parts them.
Expected<ExpectedQuestion> parse_answer(std::string_view given) {
  std::size_t at = 0;
  while (at < given.size() && given[at] != '=') at += given[at] == '\\' ? 2 : 1;
  if (at >= given.size()) {
    return fail(fmt::format("'{}' has no '=' between the question and its answer", given));
  }
  ExpectedQuestion answer{std::string(given.substr(0, at)), std::string(given.substr(at + 1))};
  if (answer.pattern.empty()) return fail("the question is empty");
  if (answer.pattern.size() > kMaxPattern) {
    return fail(fmt::format("the question is longer than {} bytes", kMaxPattern));
  }
  if (!answer.reply.empty()) {
    if (auto typed = check_typed(answer.reply, "the answer"); !typed) {
      return std::unexpected(typed.error());
    }
  }
  return answer;
}

}  // namespace

void add_configuration_options(CLI::App& verb) {
  add_value(verb, "--config-line", "LINE", "A line of configuration to type (repeatable)",
            Times::kMany, check_configuration_line);
  add_value(verb, "--config-file", "FILE",
            "Configuration, typed line by line; FILE.mustache is a template over each host's "
            "inventory values (repeatable, in order with --config-line)",
            Times::kMany, [](const std::string&) { return Expected<void>{}; });
}

std::vector<ConfigurationSource> configuration_of(const CLI::App& verb) {
  const CLI::Option* lines = verb.get_option("--config-line");
  const CLI::Option* files = verb.get_option("--config-file");
  std::vector<ConfigurationSource> sources;
  std::size_t line = 0, file = 0;
  for (const CLI::Option* option : verb.parse_order()) {
    if (option == lines) sources.push_back({false, lines->results()[line++]});
    if (option == files) sources.push_back({true, files->results()[file++]});
  }
  return sources;
}

void add_change_options(CLI::App& run, RunOptions& options) {
  run.option_defaults()->group("Modes, configuration and questions");
  add_value(run, "--mode", "NAME",
            "The mode in which commands run, as the platform calls it (default: that of the login)",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              if (given.size() > kMaxModeName) return fail("the name is too long");
              options.mode = given;
              return {};
            });
  add_configuration_options(run);
  run.add_flag("--save", options.save, "Then make the running configuration last");
  run.add_flag("--commit", options.commit,
               "Commit the configuration (the default on platforms that have it)");
  add_value(run, "--commit-confirmed", "DURATION",
            "Commit so that the device takes it back unless the commit is confirmed, which happens "
            "once the device answers after it",
            Times::kOnce, [&options](const std::string& given) -> Expected<void> {
              const auto within = parse_duration(given);
              if (!within) return std::unexpected(within.error());
              if (*within < kShortestConfirmation || *within > kLongestConfirmation) {
                return fail("expected 30s to 18h");
              }
              options.commit_confirmed = *within;
              return {};
            });
  run.add_flag("--dry-run", options.dry_run,
               "Change nothing: show what would be sent; platforms with a commit check and compare "
               "it, then forget it");
  add_value(run, "--answer", "'REGEX=REPLY'",
            "How to answer a question that a command asks; not for secrets (repeatable)",
            Times::kMany, [&options](const std::string& given) -> Expected<void> {
              auto answer = parse_answer(given);
              if (!answer) return std::unexpected(answer.error());
              if (options.answers.size() == kMaxAnswers) {
                return fail(fmt::format("more than {} of them", kMaxAnswers));
              }
              options.answers.push_back(*std::move(answer));
              return {};
            });
  run.add_flag("--exec", options.exec,
               "Run commands over SSH's exec channel, without a shell, where the platform has it");
  run.add_flag("--changes", options.changes,
               "The commands change the device: what was started is never repeated");
  run.add_flag("--retry-unsafe", options.retry_unsafe,
               "With --changes or configuration: repeat even so what was lost with its worker");
}

Expected<void> settle_change(const CLI::App& run, RunOptions& options) {
  options.configuration = configuration_of(run);
  const bool configures = !options.configuration.empty();
  const bool commands = !options.commands.empty() || !options.commands_file.empty();
  if (options.resume.empty() && !configures && !commands && !options.save) {
    return fail(
        "nothing to run: give -c COMMAND, --commands-file FILE, --config-line LINE, "
        "--config-file FILE or --save");
  }
  if (options.exec) {
    if (configures || options.save) {
      return fail("--exec runs commands only: configuration is typed");
    }
    if (!options.mode.empty()) return fail("--exec has no modes: it and --mode exclude each other");
    if (!options.answers.empty()) {
      return fail("--exec answers no questions: it and --answer exclude each other");
    }
  }
  if (!configures) {
    for (const auto& [given, name] :
         {std::pair{options.dry_run, "--dry-run"}, std::pair{options.commit, "--commit"},
          std::pair{options.commit_confirmed.has_value(), "--commit-confirmed"}}) {
      if (given) return fail(fmt::format("{} needs --config-line or --config-file", name));
    }
  }
  if (options.dry_run && commands) {
    return fail("--dry-run runs no commands: it and commands exclude each other");
  }
  if (options.commit && options.commit_confirmed) {
    return fail("--commit and --commit-confirmed exclude each other");
  }
  if ((configures || options.save) && !options.dry_run) options.changes = true;
  if (options.retry_unsafe && !options.changes) {
    return fail("--retry-unsafe needs --changes, configuration or --save");
  }
  return {};
}

}  // namespace netfleet
