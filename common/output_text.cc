#include "common/output_text.h"

#include <algorithm>

namespace netfleet {
namespace {

constexpr std::size_t kLongestCharacter = 4;  // bytes of UTF-8

// How many of the first `most` bytes make a piece.
std::size_t piece_size(std::string_view bytes, std::size_t most) {
  if (bytes.size() <= most) return bytes.size();
  const std::size_t line = bytes.substr(0, most).rfind('\n');
  if (line != std::string_view::npos) return line + 1;
  std::size_t end = most;
  const std::size_t least = most - std::min(most - 1, kLongestCharacter);
  while (end > least && (static_cast<unsigned char>(bytes[end]) & 0xC0) == 0x80) --end;
  return end > least ? end : most;
}

}  // namespace

Expected<void> OutputText::append(std::string_view bytes, Spool& spool) {
  memory_ += bytes;
  if (memory_.size() <= kMostInMemory) return {};
  return spill(spool, kPiece);
}

Expected<void> OutputText::spill(Spool& spool, std::size_t most) {
  std::size_t taken = 0;
  Expected<void> done;
  while (memory_.size() - taken > most) {
    const std::string_view rest = std::string_view(memory_).substr(taken);
    const std::size_t size = piece_size(rest, kPiece);
    auto record = spool.write(rest.substr(0, size));
    if (!record) {
      done = std::unexpected(std::move(record.error()));
      break;
    }
    records_.push_back(*std::move(record));
    taken += size;
  }
  if (taken == 0) return done;
  spooled_size_ += taken;
  last_spooled_ = memory_[taken - 1];
  memory_.erase(0, taken);
  if (memory_.capacity() > 2 * kMostInMemory) memory_.shrink_to_fit();
  return done;
}

Expected<std::string_view> OutputText::Reader::next() {
  if (record_ < text_->records_.size()) {
    buffer_.clear();
    const auto read = text_->records_[record_++]->read(buffer_);
    if (!read) return std::unexpected(read.error());
    return buffer_;
  }
  const std::string_view rest = std::string_view(text_->memory_).substr(at_);
  const std::string_view piece = rest.substr(0, piece_size(rest, kPiece));
  at_ += piece.size();
  return piece;
}

Expected<std::string> OutputText::whole() const {
  std::string all;
  all.reserve(size());
  const auto done = read([&all](std::string_view piece) { all += piece; });
  if (!done) return std::unexpected(done.error());
  return all;
}

bool operator==(const OutputText& a, const OutputText& b) {
  if (a.size() != b.size()) return false;
  if (!a.is_spooled() && !b.is_spooled()) return a.memory_ == b.memory_;
  const Expected<std::string> left = a.whole();
  const Expected<std::string> right = b.whole();
  return left && right && *left == *right;
}

}  // namespace netfleet
