// dispatcher/inventory: the shell around the parsers: opens files, directories and standard input,
// and tells which parser is meant. The only file of this room that does.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/problems.h"
#include "common/secret.h"
#include "dispatcher/inventory/ansible_reader.h"
#include "dispatcher/inventory/inventory.h"
#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

constexpr std::size_t kMaxFile = 512u << 20;
constexpr std::size_t kFirstRead = 64 * 1024;

// The bytes of a file, wiped in the end: an inventory may hold passwords.
struct FileText {
  std::string bytes;
  bool is_program = false;
  FileText() = default;
  FileText(FileText&&) = default;
  FileText& operator=(FileText&&) = default;
  ~FileText() { wipe(bytes.data(), bytes.size()); }
};

// Closes on the way out; 0 is standard input and stays open.
struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd > 0) close(fd);
  }
};

Error cannot_read(const std::string& path, std::string_view why) {
  return Error{fmt::format("read inventory {}: {}", shown(path), why)};
}

Error too_large(const std::string& path) {
  return cannot_read(path, fmt::format("it is larger than {} MiB", kMaxFile >> 20));
}

// Reads all of `fd`. `expected` bytes are there, if it is a regular file. No copy of the bytes is
// left behind: a growing buffer is replaced by hand.
Expected<void> read_all(int fd, const std::string& path, std::size_t expected, FileText& text) {
  std::size_t used = 0;
  text.bytes.resize(expected > 0 ? expected + 1 : kFirstRead);
  while (true) {
    if (used == text.bytes.size()) {
      FileText larger;
      larger.bytes.resize(std::min(kMaxFile + 1, used * 4));
      std::memcpy(larger.bytes.data(), text.bytes.data(), used);
      std::swap(larger.bytes, text.bytes);
    }
    const ssize_t got = read(fd, text.bytes.data() + used, text.bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(cannot_read(path, std::strerror(errno)));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > kMaxFile) return std::unexpected(too_large(path));
  }
  text.bytes.resize(used);
  return {};
}

Expected<FileText> read_file(const std::string& path) {
  const bool is_stdin = path == "-";
  const Descriptor file(is_stdin ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) return std::unexpected(cannot_read(path, std::strerror(errno)));
  struct stat status{};
  if (fstat(file.fd, &status) != 0) {
    return std::unexpected(cannot_read(path, std::strerror(errno)));
  }
  std::size_t expected = 0;
  FileText text;
  if (S_ISREG(status.st_mode)) {
    if (static_cast<std::uint64_t>(status.st_size) > kMaxFile) {
      return std::unexpected(too_large(path));
    }
    expected = static_cast<std::size_t>(status.st_size);
    text.is_program = !is_stdin && (status.st_mode & 0111) != 0;
  }
  if (const auto read = read_all(file.fd, path, expected, text); !read) {
    return std::unexpected(read.error());
  }
  text.is_program =
      text.is_program && (text.bytes.starts_with("#!") || text.bytes.starts_with("\x7f"
                                                                                 "ELF"));
  return text;
}

bool exists(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0;
}

// DIR/stem.yaml or DIR/stem.yml; empty when neither is there.
std::string yaml_in(const std::string& directory, std::string_view stem) {
  for (const std::string_view extension : {".yaml", ".yml"}) {
    std::string path =
        fmt::format("{}{}{}{}", directory, directory.ends_with('/') ? "" : "/", stem, extension);
    if (exists(path)) return path;
  }
  return {};
}

Expected<Inventory> read_directory(const std::string& directory) {
  const std::string paths[] = {yaml_in(directory, "hosts"), yaml_in(directory, "groups"),
                               yaml_in(directory, "defaults"), yaml_in(directory, "limits"),
                               yaml_in(directory, "jumps")};
  if (paths[0].empty()) {
    return std::unexpected(cannot_read(directory, "the directory holds no hosts.yaml"));
  }
  FileText files[std::size(paths)];
  for (std::size_t i = 0; i < std::size(paths); ++i) {
    if (paths[i].empty()) continue;
    auto text = read_file(paths[i]);
    if (!text) return std::unexpected(text.error());
    files[i] = *std::move(text);
  }
  const auto named = [&](std::size_t i) -> std::optional<NamedText> {
    if (paths[i].empty()) return std::nullopt;
    return NamedText{paths[i], files[i].bytes};
  };
  return parse_yaml_inventory(*named(0), {named(1), named(2), named(3), named(4)});
}

InventoryFormat format_of(const std::string& path, std::string_view text) {
  if (path.ends_with(".yaml") || path.ends_with(".yml")) return InventoryFormat::kYaml;
  if (path.ends_with(".csv")) return InventoryFormat::kCsv;
  return sniff_format(text);
}

Expected<Inventory> read_one(const std::string& path) {
  struct stat status{};
  if (path != "-" && stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return read_directory(path);
  }
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  if (text->is_program) return read_ansible_inventory(path);
  const std::string source = path == "-" ? "standard input" : path;
  if (path.ends_with(".netmiko.yml")) return parse_netmiko_inventory(text->bytes, source);
  switch (format_of(path, text->bytes)) {
    case InventoryFormat::kText:
      return parse_text_inventory(text->bytes, source);
    case InventoryFormat::kCsv:
      return parse_csv_inventory(text->bytes, source);
    case InventoryFormat::kYaml:
      return parse_yaml_inventory({source, text->bytes});
  }
  return fail("unreachable");
}

}  // namespace

Expected<Inventory> read_inventory(const std::string& path) {
  auto inventory = read_one(path);
  if (inventory && inventory->hosts.empty() && inventory->limits.empty() &&
      inventory->jumps.empty()) {
    return fail(fmt::format("no hosts in {}", path == "-" ? "standard input" : shown(path)));
  }
  return inventory;
}

}  // namespace netfleet
