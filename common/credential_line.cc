#include "common/credential_line.h"

#include <fmt/format.h>

namespace netfleet {

ssize_t FirstLine::read_from(int fd) {
  if (complete_) {
    std::array<char, 4096> rest;
    const ssize_t got = read(fd, rest.data(), rest.size());
    wipe(rest.data(), rest.size());
    return got;
  }
  const ssize_t got = read(fd, bytes_.data() + used_, bytes_.size() - used_);
  if (got <= 0) return got;
  used_ += static_cast<std::size_t>(got);
  complete_ = text().size() < used_ || used_ == bytes_.size();
  return got;
}

Expected<Secret> FirstLine::secret() const {
  std::string_view line = text();
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return fail("its first line is empty");
  if (line.size() > kMaxSecret) {
    return fail(fmt::format("its first line is longer than {} bytes", kMaxSecret));
  }
  if (line.find('\0') != std::string_view::npos) return fail("its first line holds a NUL byte");
  return Secret(line);
}

}  // namespace netfleet
