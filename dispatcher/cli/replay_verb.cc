#include "dispatcher/cli/replay_verb.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "common/command_line.h"
#include "common/standard_streams.h"
#include "common/utf8.h"
#include "dispatcher/cli/verbs.h"

namespace netfleet {
namespace {

constexpr const char* kExamples = R"(Examples:
  netfleet run -H 10.0.0.1 -c "show version" --session-log logs
  netfleet replay logs/10.0.0.1.*.1.log
  What a changed platform file would make of it:
    netfleet replay --platform-dir platforms -P my_os -o jsonl logs/10.0.0.1.*.1.log)";

Expected<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in.is_open() || in.bad()) {
    return fail(fmt::format("read {}: {}", to_utf8(path), std::strerror(errno)));
  }
  return text;
}

int say_error(const std::string& message, int status) {
  print_error("netfleet: " + message + "\n");
  return status;
}

}  // namespace

void add_replay(CLI::App& replay, ReplayOptions& options) {
  replay.footer(kExamples);
  replay.add_option("FILE", options.file, "A session log, as 'run --session-log' writes them")
      ->required();
  add_text(replay, "-P,--platform", "NAME", "The platform (default: the log's)", options.platform);
  add_text(replay, "--platform-dir", "DIR",
           "More platform files; they replace those of the same name", options.platform_dir);
  add_value(replay, "-o,--output", "FORMAT", "text (default) or jsonl", Times::kOnce,
            [&options](const std::string& given) -> Expected<void> {
              if (given != "text" && given != "jsonl") {
                return fail(fmt::format("'{}' is not one of text, jsonl", given));
              }
              options.output = given == "text" ? OutputFormat::kText : OutputFormat::kJsonl;
              return {};
            });
}

int replay_verb(const ReplayOptions& options, const WorkerSide& worker_side) {
  const auto text = read_file(options.file);
  if (!text) return say_error(text.error().message, kExitUsage);
  const auto replayed = worker_side.replay(*text, options.platform_dir, options.platform);
  if (!replayed) {
    return say_error(fmt::format("{}: {}", to_utf8(options.file), replayed.error().message),
                     kExitUsage);
  }
  std::string out;
  const auto renderer = make_renderer(options.output, "replay", isatty(STDOUT_FILENO) != 0);
  renderer->result(replayed->task, replayed->result, out);
  renderer->end({}, out);
  if (const auto printed = print_output(out); !printed) {
    return say_error(printed.error().message, kExitUsage);
  }
  for (const std::string& difference : replayed->differences) {
    print_error(fmt::format("netfleet: {}: {}\n", to_utf8(options.file), to_utf8(difference)));
  }
  if (!replayed->result.error.empty()) {
    print_error(fmt::format("netfleet: {}: {}: {}\n", to_utf8(options.file),
                            outcome_name(replayed->result.outcome), replayed->result.error));
  }
  const bool same = replayed->differences.empty() && replayed->result.outcome == Outcome::kOk;
  return same ? kExitOk : kExitSomeFailed;
}

}  // namespace netfleet
