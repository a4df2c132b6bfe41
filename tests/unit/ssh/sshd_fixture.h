// tests: a real OpenSSH server on a loopback port, with its own keys and configuration in a
// temporary directory, and a throw-away user. Needs root, as sshd does for passwords.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace netfleet::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "netfleet-ssh-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
    chmod(pattern.c_str(), 0755);  // the throw-away user's home is in it
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string operator/(std::string_view name) const { return path_ / name; }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline void write_file(const std::string& path, std::string_view text, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary) << text;
  chmod(path.c_str(), mode);
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Runs a program to its end with `input` on its standard input; its output goes nowhere. Returns
// the exit status.
inline int run(std::vector<std::string> words, std::string_view input = "") {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[0]);
  [[maybe_unused]] const auto written = write(ends[1], input.data(), input.size());
  close(ends[1]);
  if (error != 0) throw std::runtime_error("cannot run " + words[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

inline void must_run(std::vector<std::string> words, std::string_view input = "") {
  const std::string name = words[0];
  if (run(std::move(words), input) != 0) throw std::runtime_error(name + " failed");
}

inline void make_key(const std::string& path, const std::string& type,
                     const std::string& passphrase = "", const std::string& bits = "") {
  std::vector<std::string> words = {"ssh-keygen", "-q", "-t", type, "-N", passphrase, "-f", path};
  if (!bits.empty()) words.insert(words.end(), {"-b", bits});
  must_run(std::move(words));
}

// A user of the system that goes again. Others may be changing the user database: tried for a
// while.
class ThrowAwayUser {
 public:
  explicit ThrowAwayUser(const std::string& home) {
    static std::atomic<int> count{0};
    name = "nf" + std::to_string(getpid()) + "x" + std::to_string(count++);
    persist({"useradd", "-M", "-N", "-d", home, "-s", "/bin/bash", name}, "");
    persist({"chpasswd"}, name + ":" + password + "\n");
  }
  ~ThrowAwayUser() { persist({"userdel", "-f", name}, ""); }
  ThrowAwayUser(const ThrowAwayUser&) = delete;
  ThrowAwayUser& operator=(const ThrowAwayUser&) = delete;

  std::string name;
  std::string password = "correct horse";

 private:
  static void persist(const std::vector<std::string>& words, const std::string& input) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (run(words, input) != 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
  }
};

// One sshd. `settings` come before the defaults below, and the first of a kind counts (but the last
// MaxStartups). It listens
// on `wanted_port`, or on one that is free.
class Sshd {
 public:
  Sshd(const TemporaryDirectory& directory, const std::string& settings,
       const std::vector<std::string>& key_types = {"ed25519"}, std::uint16_t wanted_port = 0) {
    static std::atomic<int> count{0};
    const std::string number = std::to_string(count++);
    const std::string config = directory / ("sshd_config" + number);
    std::string keys;
    for (const auto& type : key_types) {
      const std::string path = directory / ("host_" + type + number);
      make_key(path, type);
      keys += "HostKey " + path + "\n";
      host_keys.push_back(path + ".pub");
    }
    mkdir("/run/sshd", 0755);
    for (int attempt = 0; attempt < 5; ++attempt) {
      port = wanted_port != 0 ? wanted_port : free_port();
      const bool limited = settings.find("MaxStartups") != std::string::npos;
      write_file(config, settings + "\n" + (limited ? "" : "MaxStartups 1000\n") + keys +
                             "ListenAddress 127.0.0.1\nPort " + std::to_string(port) +
                             "\nPidFile none\nUsePAM no\nKbdInteractiveAuthentication no\n"
                             "StrictModes no\n"
                             "PrintMotd no\nPrintLastLog no\nUseDNS no\nX11Forwarding no\n");
      if (start(config)) return;
    }
    throw std::runtime_error("sshd does not start: " + log_);
  }
  ~Sshd() {
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
    drain_.join();
    close(errors_);
  }
  Sshd(const Sshd&) = delete;
  Sshd& operator=(const Sshd&) = delete;

  std::uint16_t port = 0;
  std::vector<std::string> host_keys;  // paths of the public keys

  // How often its log says this.
  int logged(std::string_view text) {
    const std::lock_guard lock(mutex_);
    int count = 0;
    for (std::size_t at = 0; (at = log_.find(text, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  // The processes that serve connections, and theirs.
  std::vector<pid_t> children() const { return children_of(process_); }

  static std::uint16_t free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    close(fd);
    return ntohs(address.sin_port);
  }

 private:
  static std::vector<pid_t> children_of(pid_t process) {
    const std::string pid = std::to_string(process);
    std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
    std::vector<pid_t> found{std::istream_iterator<pid_t>(file), {}};
    for (std::size_t i = 0, direct = found.size(); i < direct; ++i) {
      const auto below = children_of(found[i]);
      found.insert(found.end(), below.begin(), below.end());
    }
    return found;
  }

  bool start(const std::string& config) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    std::string words[] = {"/usr/sbin/sshd", "-D", "-e", "-f", config};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                         words[3].data(), words[4].data(), nullptr};
    const int error = posix_spawn(&process_, arguments[0], &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error != 0) throw std::runtime_error("cannot run sshd");
    errors_ = ends[0];
    log_.clear();
    char chunk[512];
    for (;;) {
      pollfd watched{errors_, POLLIN, 0};
      const ssize_t size = poll(&watched, 1, 20'000) > 0 ? read(errors_, chunk, sizeof(chunk)) : 0;
      if (size <= 0) break;
      log_.append(chunk, static_cast<std::size_t>(size));
      if (log_.find("Server listening on") != std::string::npos) {
        drain_ = std::thread([this] {
          char rest[4096];
          for (ssize_t more = 0; (more = read(errors_, rest, sizeof(rest))) > 0;) {
            const std::lock_guard lock(mutex_);
            log_.append(rest, static_cast<std::size_t>(more));
          }
        });
        return true;
      }
    }
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    close(errors_);
    return false;
  }

  pid_t process_ = 0;
  int errors_ = -1;
  std::mutex mutex_;
  std::string log_;  // guarded by mutex_ once drain_ runs
  std::thread drain_;
};

}  // namespace netfleet::testing
