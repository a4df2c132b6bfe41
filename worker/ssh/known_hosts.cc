#include "worker/ssh/known_hosts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "common/check.h"
#include "worker/ssh/known_hosts_line.h"
#include "worker/ssh/text.h"

namespace netfleet::ssh {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);  // gives the lock back too
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// HMAC-SHA1 of one name under many salts.
class NameHasher {
 public:
  NameHasher() : mac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr)), context_(EVP_MAC_CTX_new(mac_)) {
    CHECK(context_ != nullptr);
    char digest[] = "SHA1";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    CHECK(EVP_MAC_CTX_set_params(context_, parameters) == 1);
  }
  ~NameHasher() {
    EVP_MAC_CTX_free(context_);
    EVP_MAC_free(mac_);
  }
  NameHasher(const NameHasher&) = delete;
  NameHasher& operator=(const NameHasher&) = delete;

  bool matches(const HashedName& hashed, std::string_view name) {
    std::array<unsigned char, 20> hash;
    std::size_t size = 0;
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<const unsigned char*>(text.data());
    };
    CHECK(EVP_MAC_init(context_, bytes(hashed.salt), hashed.salt.size(), nullptr) == 1 &&
          EVP_MAC_update(context_, bytes(name), name.size()) == 1 &&
          EVP_MAC_final(context_, hash.data(), &size, hash.size()) == 1);
    return std::memcmp(hash.data(), hashed.hash.data(), hash.size()) == 0;
  }

 private:
  EVP_MAC* mac_;
  EVP_MAC_CTX* context_;
};

Expected<std::string> read_from(int fd, off_t offset, const std::string& path) {
  std::string text;
  std::array<char, 1 << 16> chunk;
  for (;;) {
    const ssize_t size =
        pread(fd, chunk.data(), chunk.size(), offset + static_cast<off_t>(text.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(fmt::format("{}: {}", path, errno_text(errno)));
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
  }
}

template <typename Take>
void for_each_line(std::string_view text, Take take) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    take(line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

Expected<void> make_directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  std::filesystem::path made;
  for (const auto& part : directory) {
    made /= part;
    if (mkdir(made.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR) {
      return fail(fmt::format("{}: {}", made.string(), errno_text(errno)));
    }
  }
  return {};
}

struct Entry {
  KnownHostsLine::Marker marker;
  std::string key_type;
  std::string key;
  std::uint32_t file;
  std::uint32_t line;
};

class FileKnownHosts final : public KnownHosts {
 public:
  explicit FileKnownHosts(std::string writable) : files_{std::move(writable)} {}

  // A file that does not exist is empty.
  Expected<void> read_writable() { return read_file(kWritable); }
  Expected<void> read_besides(std::string path) {
    files_.push_back(std::move(path));
    return read_file(static_cast<std::uint32_t>(files_.size() - 1));
  }

  Answer check(std::string_view host, std::uint16_t port, std::string_view key_type,
               std::string_view key) const override;
  std::vector<std::string> key_types(std::string_view host, std::uint16_t port) const override;
  Expected<void> add(std::string_view host, std::uint16_t port, std::string_view key_type,
                     std::string_view key) override;

 private:
  static constexpr std::uint32_t kWritable = 0;

  std::vector<const Entry*> find(const std::string& name) const;
  Answer decide(const std::string& name, std::string_view key_type, std::string_view key) const;
  void take_line(std::uint32_t file, std::uint32_t line_number, std::string_view line);
  Expected<void> read_file(std::uint32_t file);
  Expected<void> read_new_lines(int fd);
  Expected<void> append(const std::string& name, std::string_view key_type, std::string_view key);

  mutable std::shared_mutex mutex_;  // guards everything below but cache_
  std::vector<std::string> files_;   // the writable one first; empty: memory only
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> exact_;
  std::vector<std::pair<std::vector<std::string>, std::uint32_t>> patterned_;
  std::vector<std::pair<HashedName, std::uint32_t>> hashed_;
  // How far the writable file was read. A file that was replaced meanwhile is read anew: what it
  // repeats does no harm.
  off_t offset_ = 0;
  ino_t inode_ = 0;
  std::uint32_t lines_ = 0;

  // A name costs an HMAC for every hashed line (1 us each), but only once. Emptied when hashed
  // lines come in addition.
  mutable std::mutex cache_mutex_;
  mutable std::unordered_map<std::string, std::vector<std::uint32_t>> cache_;
};

void FileKnownHosts::take_line(std::uint32_t file, std::uint32_t line_number,
                               std::string_view line) {
  auto parsed = parse_known_hosts_line(line);
  if (!parsed) return;
  const auto index = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back(
      {parsed->marker, std::move(parsed->key_type), std::move(parsed->key), file, line_number});
  if (parsed->patterns.front().starts_with('|')) {
    hashed_.emplace_back(*parse_hashed_name(parsed->patterns.front()), index);
    const std::lock_guard lock(cache_mutex_);
    cache_.clear();
  } else if (std::ranges::any_of(parsed->patterns, has_wildcard)) {
    patterned_.emplace_back(std::move(parsed->patterns), index);
  } else {
    for (auto& name : parsed->patterns) exact_[std::move(name)].push_back(index);
  }
}

std::vector<const Entry*> FileKnownHosts::find(const std::string& name) const {
  std::vector<const Entry*> found;
  if (const auto at = exact_.find(name); at != exact_.end()) {
    for (const auto index : at->second) found.push_back(&entries_[index]);
  }
  for (const auto& [patterns, index] : patterned_) {
    if (patterns_match(patterns, name)) found.push_back(&entries_[index]);
  }
  if (hashed_.empty()) return found;
  std::optional<std::vector<std::uint32_t>> matches;
  {
    const std::lock_guard lock(cache_mutex_);
    if (const auto at = cache_.find(name); at != cache_.end()) matches = at->second;
  }
  if (!matches) {
    matches.emplace();
    NameHasher hasher;
    for (const auto& [hashed, index] : hashed_) {
      if (hasher.matches(hashed, name)) matches->push_back(index);
    }
    const std::lock_guard lock(cache_mutex_);
    cache_.emplace(name, *matches);
  }
  for (const auto index : *matches) found.push_back(&entries_[index]);
  return found;
}

KnownHosts::Answer FileKnownHosts::decide(const std::string& name, std::string_view key_type,
                                          std::string_view key) const {
  const auto where = [&](const Entry& entry) {
    return fmt::format("{}:{}", files_[entry.file].empty() ? "memory" : files_[entry.file],
                       entry.line);
  };
  const Entry* known = nullptr;
  const Entry* other = nullptr;
  for (const Entry* entry : find(name)) {
    const bool same = entry->key_type == key_type && entry->key == key;
    if (entry->marker == KnownHostsLine::Marker::kRevoked) {
      if (same) return {Verdict::kRevoked, where(*entry)};
    } else if (entry->marker == KnownHostsLine::Marker::kNone) {
      if (same && known == nullptr) known = entry;
      // Keys of the types on record are asked for first, so another type in their place is a
      // change as well. Types that libssh cannot use (DSA) do not count.
      const bool usable = entry->key_type != "ssh-dss";
      if (!same && usable && (other == nullptr || other->key_type != key_type)) other = entry;
    }
  }
  if (known != nullptr) return {Verdict::kKnown, where(*known)};
  if (other != nullptr) return {Verdict::kChanged, where(*other)};
  return {Verdict::kUnknown, ""};
}

KnownHosts::Answer FileKnownHosts::check(std::string_view host, std::uint16_t port,
                                         std::string_view key_type, std::string_view key) const {
  const std::shared_lock lock(mutex_);
  auto answer = decide(known_hosts_name(host, port), key_type, key);
  if (answer.verdict == Verdict::kUnknown && port != 22) {
    // As OpenSSH does: the same key under the name alone, or its revocation, counts here too.
    auto without_port = decide(known_hosts_name(host, 22), key_type, key);
    if (without_port.verdict == Verdict::kKnown || without_port.verdict == Verdict::kRevoked) {
      return without_port;
    }
  }
  return answer;
}

std::vector<std::string> FileKnownHosts::key_types(std::string_view host,
                                                   std::uint16_t port) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> types;
  for (const Entry* entry : find(known_hosts_name(host, port))) {
    if (entry->marker == KnownHostsLine::Marker::kNone &&
        std::ranges::find(types, entry->key_type) == types.end()) {
      types.push_back(entry->key_type);
    }
  }
  return types;
}

Expected<void> FileKnownHosts::read_file(std::uint32_t file) {
  const std::string& path = files_[file];
  if (path.empty()) return {};
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return fail(fmt::format("{}: {}", path, errno_text(errno)));
  }
  if (file == kWritable) return read_new_lines(fd.get());
  auto text = read_from(fd.get(), 0, path);
  if (!text) return std::unexpected(std::move(text.error()));
  std::uint32_t number = 0;
  for_each_line(*text, [&](std::string_view line) { take_line(file, ++number, line); });
  return {};
}

Expected<void> FileKnownHosts::read_new_lines(int fd) {
  struct stat status{};
  if (fstat(fd, &status) != 0)
    return fail(fmt::format("{}: {}", files_[kWritable], errno_text(errno)));
  if (status.st_ino != inode_ || status.st_size < offset_) {
    inode_ = status.st_ino;
    offset_ = 0;
    lines_ = 0;
  }
  if (status.st_size == offset_) return {};
  auto text = read_from(fd, offset_, files_[kWritable]);
  if (!text) return std::unexpected(std::move(text.error()));
  for_each_line(*text, [&](std::string_view line) { take_line(kWritable, ++lines_, line); });
  offset_ += static_cast<off_t>(text->size());
  return {};
}

// Under the lock of the file: takes in what others appended, then appends, unless the host has a
// key by now.
Expected<void> FileKnownHosts::append(const std::string& name, std::string_view key_type,
                                      std::string_view key) {
  const std::string& path = files_[kWritable];
  const auto failed = [&] { return fail(fmt::format("{}: {}", path, errno_text(errno))); };
  const auto open_it = [&] {
    return ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  };
  int opened = open_it();
  if (opened < 0 && errno == ENOENT) {
    if (auto made = make_directory_of(path); !made) return made;
    opened = open_it();
  }
  const FileDescriptor fd(opened);
  if (fd.get() < 0 || flock(fd.get(), LOCK_EX) != 0) return failed();
  if (auto read = read_new_lines(fd.get()); !read) return read;
  if (decide(name, key_type, key).verdict != Verdict::kUnknown) return {};

  std::string line = fmt::format("{} {} {}\n", name, key_type, encode_base64(key));
  char last = '\n';
  if (offset_ > 0 && pread(fd.get(), &last, 1, offset_ - 1) != 1) return failed();
  if (last != '\n') line.insert(line.begin(), '\n');
  if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return failed();
  }
  // The line that had no end was counted already.
  if (last != '\n') {
    ++offset_;
  }
  return read_new_lines(fd.get());
}

Expected<void> FileKnownHosts::add(std::string_view host, std::uint16_t port,
                                   std::string_view key_type, std::string_view key) {
  const std::string name = known_hosts_name(host, port);
  if (name.find_first_of(" \t\r\n,*?!|#@") != std::string::npos) {
    return fail(fmt::format("\"{}\" cannot stand in a known_hosts file", printable(name)));
  }
  const std::unique_lock lock(mutex_);
  if (!files_[kWritable].empty()) return append(name, key_type, key);
  if (decide(name, key_type, key).verdict == Verdict::kUnknown) {
    take_line(kWritable, ++lines_, fmt::format("{} {} {}", name, key_type, encode_base64(key)));
  }
  return {};
}

}  // namespace

Expected<std::unique_ptr<KnownHosts>> KnownHosts::load(std::string writable,
                                                       std::vector<std::string> readable) {
  auto known_hosts = std::make_unique<FileKnownHosts>(std::move(writable));
  if (auto read = known_hosts->read_writable(); !read) {
    return std::unexpected(std::move(read.error()));
  }
  for (auto& path : readable) {
    if (auto read = known_hosts->read_besides(std::move(path)); !read) {
      return std::unexpected(std::move(read.error()));
    }
  }
  return known_hosts;
}

}  // namespace netfleet::ssh
