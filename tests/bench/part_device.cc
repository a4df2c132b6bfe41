// tests/bench: what a megabyte of device output costs in the terminal and in the whole dialogue,
// and what knowing prompts and platforms costs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "worker/device/detection.h"
#include "worker/device/dialogue.h"
#include "worker/device/embedded_platforms.h"
#include "worker/device/platform_image.h"
#include "worker/device/prompt.h"
#include "worker/device/session_log_writer.h"
#include "worker/device/terminal.h"

namespace netfleet {
namespace {

// Like a configuration: lines of 10 to 70 bytes, "\r\n".
std::string configuration(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) {
    text += "interface GigabitEthernet0/" + std::to_string(i % 48) + "\r\n";
    text += " description uplink number " + std::to_string(i) + " to the core of the campus\r\n";
    text +=
        " ip address 10.0." + std::to_string(i % 256) + ".1 255.255.255.0\r\n no shutdown\r\n!\r\n";
  }
  return text;
}

void BM_Terminal(benchmark::State& state) {
  const std::string text = configuration(1u << 20);
  const auto chunk = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    Terminal terminal;
    std::string lines;
    for (std::size_t at = 0; at < text.size(); at += chunk) {
      terminal.feed(std::string_view(text).substr(at, chunk), lines);
    }
    benchmark::DoNotOptimize(lines.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(BM_Terminal)->Arg(1024)->Arg(16384)->Unit(benchmark::kMicrosecond);

// The same coloured, each line drawn over itself as a progress bar is.
void BM_TerminalDrawnOver(benchmark::State& state) {
  std::string text;
  for (std::size_t i = 0; text.size() < (1u << 20); ++i) {
    text += "\x1b[1;32minterface\x1b[0m GigabitEthernet0/" + std::to_string(i % 48) +
            "  10%\r\x1b[Kinterface done\b\b\b\bup  \r\n";
  }
  for (auto _ : state) {
    Terminal terminal;
    std::string lines;
    terminal.feed(text, lines);
    benchmark::DoNotOptimize(lines.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(BM_TerminalDrawnOver)->Unit(benchmark::kMicrosecond);

void BM_TerminalOneLine(benchmark::State& state) {
  const std::string text(16384, 'x');
  constexpr std::size_t kPieces = 640;  // 10 MiB
  for (auto _ : state) {
    Terminal terminal;
    std::string lines;
    for (std::size_t i = 0; i < kPieces; ++i) terminal.feed(text, lines);
    benchmark::DoNotOptimize(lines.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kPieces * text.size()));
}
BENCHMARK(BM_TerminalOneLine)->Unit(benchmark::kMicrosecond);

// What --session-log adds, without the disk.
void BM_SessionLog(benchmark::State& state) {
  const std::string text = configuration(1u << 20);
  const Secret password("s3cret-of-ours");
  Dialogue::Options options;
  options.password = &password;
  constexpr std::size_t kChunk = 16384;
  for (auto _ : state) {
    SessionLogWriter writer("edge-7", "", "cisco_ios");
    writer.begin(options);
    for (std::size_t at = 0; at < text.size(); at += kChunk) {
      writer.received(Milliseconds(at), std::string_view(text).substr(at, kChunk));
      benchmark::DoNotOptimize(writer.take());
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(BM_SessionLog)->Unit(benchmark::kMicrosecond);

void BM_Dialogue(benchmark::State& state) {
  const std::string text = configuration(static_cast<std::size_t>(state.range(0)));
  constexpr std::size_t kChunk = 16384;
  for (auto _ : state) {
    Dialogue::Options options;
    options.commands = {"show running-config"};
    Dialogue dialogue(PlatformSet::builtin(), "cisco_ios", std::move(options));
    dialogue.receive("R1#");
    dialogue.receive("terminal length 0\r\nR1#");
    dialogue.receive("show running-config\r\n");
    for (std::size_t at = 0; at < text.size(); at += kChunk) {
      dialogue.receive(std::string_view(text).substr(at, kChunk));
    }
    dialogue.receive("R1#");
    if (dialogue.phase() != Dialogue::Phase::kDone) state.SkipWithError("the dialogue did not end");
    benchmark::DoNotOptimize(dialogue.outputs().data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(BM_Dialogue)->Arg(2048)->Arg(1 << 20)->Unit(benchmark::kMicrosecond);

// Whether each line of an output is the prompt, as it is asked when bytes pause there.
void BM_Prompt(benchmark::State& state) {
  PromptFinder finder(*PlatformSet::builtin().find("cisco_ios"));
  finder.learn("edge-7#");
  const std::string text = configuration(1u << 20);
  for (auto _ : state) {
    std::size_t prompts = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find("\r\n", at);
      const std::size_t size = std::min(end, text.size()) - at;
      prompts += finder.is_prompt(std::string_view(text).substr(at, size)) ? 1 : 0;
      at += size + 2;
    }
    if (prompts != 0) state.SkipWithError("a prompt where there is none");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(BM_Prompt)->Unit(benchmark::kMicrosecond);

// Which of all platforms a device is, by what its server says.
void BM_PlatformByServer(benchmark::State& state) {
  const PlatformSet& platforms = PlatformSet::builtin();
  for (auto _ : state) {
    const Detection detection(platforms, {.server = "SSH-2.0-Cisco-1.25", .text = ""}, "edge-7#");
    benchmark::DoNotOptimize(detection.found());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PlatformByServer)->Unit(benchmark::kMicrosecond);

// The same by its prompt alone: what the first probe would be.
void BM_PlatformByPrompt(benchmark::State& state) {
  const PlatformSet& platforms = PlatformSet::builtin();
  for (auto _ : state) {
    Detection detection(platforms, {.server = "SSH-2.0-x", .text = ""}, "edge-7#");
    if (!detection.next_probe()) state.SkipWithError("nothing is asked");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PlatformByPrompt)->Unit(benchmark::kMicrosecond);

// Loading one platform, without compiling its expressions: once a process and platform.
void BM_PlatformLoad(benchmark::State& state) {
  for (const EmbeddedPlatform& embedded : embedded_platforms()) {
    if (embedded.name != "cisco_ios") continue;
    for (auto _ : state) benchmark::DoNotOptimize(platform_of_image(embedded.image));
  }
}
BENCHMARK(BM_PlatformLoad)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace netfleet
