// dispatcher/cli: prints what differs between two sweeps, one host after another, whoever compares
// them.
#pragma once

#include <optional>
#include <string>

#include "common/error.h"
#include "dispatcher/history/compare.h"

namespace netfleet {

class DiffPrinter {
 public:
  // `jsonl`: compare_lines.h's lines instead of text.
  DiffPrinter(bool to_terminal, bool jsonl) : to_terminal_(to_terminal), jsonl_(jsonl) {}

  // The ids of both; they stand above each difference, in JSON at the end alone.
  void set_sweeps(std::string before, std::string after);
  // False: nobody reads any more, or something is wrong, which end() says.
  bool visit(const HostComparison& found);
  bool is_open() const { return open_ && !error_; }
  // The exit status, as diff's.
  int end(std::size_t hosts);

 private:
  bool flush();

  void add_text(const HostComparison& found);

  bool to_terminal_;
  bool jsonl_;
  std::string before_;
  std::string after_;
  std::string out_;
  std::size_t changed_ = 0;       // hosts
  std::size_t not_compared_ = 0;  // hosts
  bool open_ = true;
  std::optional<Error> error_;
};

}  // namespace netfleet
