// tests/bench: runs the benchmarks of the parts (part_*.cc). Fails when one of them says that what
// it measured did not work, or when none was run.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

namespace {

class Reporter final : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    failed |= std::ranges::any_of(runs, &Run::error_occurred);
    ConsoleReporter::ReportRuns(runs);
  }
  bool failed = false;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  Reporter reporter;
  const std::size_t run = benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return run == 0 || reporter.failed ? 1 : 0;
}
