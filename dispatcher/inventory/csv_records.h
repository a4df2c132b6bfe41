// dispatcher/inventory: RFC 4180 records. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace netfleet {

// Cuts `text` into records one after another. Quoted fields may hold the delimiter, line endings
// and doubled quotes; blank lines and lines that start with '#' are skipped. Blanks around an
// unquoted field are not part of it.
class CsvRecords {
 public:
  CsvRecords(std::string_view text, char delimiter) : rest_(text), delimiter_(delimiter) {}

  // Fills `fields` with the next record. False at the end. After an error the record's line is
  // skipped, so that reading can go on.
  Expected<bool> next(std::vector<std::string>& fields);
  // Where the last record began, from 1.
  std::size_t line() const { return line_; }

 private:
  Expected<std::string> field();
  Expected<std::string> quoted();
  void skip_line();

  std::string_view rest_;
  char delimiter_;
  std::size_t line_ = 0;
  std::size_t next_line_ = 1;
};

}  // namespace netfleet
