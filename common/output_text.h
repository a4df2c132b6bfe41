// common: what a device printed, which may be far larger than memory should be: its end is in
// memory, what came before it in a spool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/spool.h"

namespace netfleet {

// A value of one thread; copies share what lies in the spool. Up to kMostInMemory bytes nothing
// lies there.
class OutputText {
 public:
  static constexpr std::size_t kPiece = 256u << 10;         // bytes that are handled at once
  static constexpr std::size_t kMostInMemory = 512u << 10;  // more goes to a spool, if it can

  OutputText() = default;
  OutputText(std::string text) : memory_(std::move(text)) {}  // NOLINT: as a text is given
  OutputText(const char* text) : memory_(text) {}             // NOLINT: the same
  OutputText(std::string_view text) : memory_(text) {}        // NOLINT: the same

  std::uint64_t size() const { return spooled_size_ + memory_.size(); }
  bool empty() const { return size() == 0; }
  // Whether it ends in '\n'.
  bool ends_line() const { return (memory_.empty() ? last_spooled_ : memory_.back()) == '\n'; }

  void append(std::string_view bytes) { memory_ += bytes; }
  // The same; of more than kMostInMemory all but less than a piece goes to the spool. After an
  // error, which is the disk's, it is in memory.
  Expected<void> append(std::string_view bytes, Spool& spool);
  // So that no more than `most` bytes are in memory, if the disk takes them.
  Expected<void> spill(Spool& spool, std::size_t most);

  // The part that is in memory; all of it, unless is_spooled().
  const std::string& memory() const { return memory_; }
  std::string take_memory() { return std::exchange(memory_, {}); }
  bool is_spooled() const { return !records_.empty(); }

  // Piece by piece, each at most kPiece bytes (what memory holds of a small text: all at once), cut
  // behind a line where there is one, and not within a UTF-8 character.
  class Reader {
   public:
    explicit Reader(const OutputText& text) : text_(&text) {}
    // Empty: that was all. Good until the next call, and as long as the text.
    Expected<std::string_view> next();

   private:
    const OutputText* text_;
    std::size_t record_ = 0;
    std::size_t at_ = 0;  // in memory
    std::string buffer_;
  };
  // Calls `visit` with each piece.
  template <typename Visit>
  Expected<void> read(Visit visit) const {
    Reader reader(*this);
    while (true) {
      const Expected<std::string_view> piece = reader.next();
      if (!piece) return std::unexpected(piece.error());
      if (piece->empty()) return {};
      visit(*piece);
    }
  }
  // All of it in memory: for what is known to be small.
  Expected<std::string> whole() const;

  // The same bytes; what cannot be read equals nothing.
  friend bool operator==(const OutputText& a, const OutputText& b);

 private:
  std::vector<std::shared_ptr<const Spool::Record>> records_;
  std::uint64_t spooled_size_ = 0;
  char last_spooled_ = 0;
  std::string memory_;
};

}  // namespace netfleet
