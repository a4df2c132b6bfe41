// tests of what writes to disks: directories and small file systems that vanish with the test.
#pragma once

#include <fmt/format.h>
#include <sys/mount.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace netfleet {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "netfleet-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// A file system of a few hundred KiB; needs root.
class SmallDisk {
 public:
  explicit SmallDisk(int kibibytes) {
    mounted_ = mount("tmpfs", (directory_ / "").c_str(), "tmpfs", 0,
                     fmt::format("size={}k", kibibytes).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2((directory_ / "").c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::string operator/(const std::string& name) const { return directory_ / name; }

  // Takes all the room that is left, by a file of this name.
  void fill(const std::string& name) {
    std::ofstream file(*this / name, std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }

 private:
  TemporaryDirectory directory_;
  bool mounted_ = false;
};

}  // namespace netfleet
