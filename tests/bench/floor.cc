// The floor of the benchmarks: the least that a program needs to run `show version` on many
// devices. A pool of threads with blocking libssh; no queue, no parsing, no host keys, no retries.
//   floor INVENTORY THREADS [hold]     FLOOR_USER, FLOOR_PASSWORD (both: admin)
// INVENTORY has "address:port" first on each line. "hold" keeps every session at its prompt until
// all devices have got there or failed (THREADS must be as many as the devices then).
#include <libssh/libssh.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <latch>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr const char* kKeyExchanges =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group14-sha256,diffie-hellman-group-exchange-sha256,"
    "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512";
constexpr const char* kCiphers =
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr";

const char* env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "admin" : value;
}

// Until the bytes end with a prompt.
bool read_prompt(ssh_channel channel, std::string& output) {
  output.clear();
  char buffer[16384];
  do {
    const int size = ssh_channel_read_timeout(channel, buffer, sizeof(buffer), 0, 60'000);
    if (size <= 0) return false;
    output.append(buffer, static_cast<std::size_t>(size));
  } while (output.back() != '#');
  return true;
}

bool command(ssh_channel channel, std::string_view line, std::string& output) {
  return ssh_channel_write(channel, line.data(), static_cast<std::uint32_t>(line.size())) > 0 &&
         read_prompt(channel, output);
}

// Null: something failed; the session knows what. The channel is freed with the session.
ssh_channel open_shell(ssh_session session, const std::string& endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  const unsigned port = static_cast<unsigned>(std::atoi(endpoint.c_str() + colon + 1));
  const long timeout = 60;
  const int on = 1;
  const bool off = false;
  ssh_options_set(session, SSH_OPTIONS_HOST, endpoint.substr(0, colon).c_str());
  ssh_options_set(session, SSH_OPTIONS_PORT, &port);
  ssh_options_set(session, SSH_OPTIONS_USER, env("FLOOR_USER"));
  ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &timeout);
  ssh_options_set(session, SSH_OPTIONS_NODELAY, &on);
  ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &off);
  ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
  ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  ssh_options_set(session, SSH_OPTIONS_KEY_EXCHANGE, kKeyExchanges);
  ssh_options_set(session, SSH_OPTIONS_CIPHERS_C_S, kCiphers);
  ssh_options_set(session, SSH_OPTIONS_CIPHERS_S_C, kCiphers);
  if (ssh_connect(session) != SSH_OK ||
      ssh_userauth_password(session, nullptr, env("FLOOR_PASSWORD")) != SSH_AUTH_SUCCESS) {
    return nullptr;
  }
  ssh_channel channel = ssh_channel_new(session);
  const bool open = channel != nullptr && ssh_channel_open_session(channel) == SSH_OK &&
                    ssh_channel_request_pty(channel) == SSH_OK &&
                    ssh_channel_request_shell(channel) == SSH_OK;
  return open ? channel : nullptr;
}

bool visit(const std::string& endpoint, std::latch* all_there) {
  ssh_session session = ssh_new();
  ssh_channel channel = open_shell(session, endpoint);
  std::string output;
  bool ok = channel != nullptr && read_prompt(channel, output);
  if (all_there != nullptr) {
    if (ok)
      all_there->arrive_and_wait();
    else
      all_there->count_down();
  }
  ok = ok && command(channel, "terminal length 0\n", output) &&
       command(channel, "show version\n", output) &&
       output.find("Cisco IOS") != std::string::npos &&
       ssh_channel_write(channel, "exit\n", 5) == 5;
  if (!ok) std::fprintf(stderr, "%s: %s\n", endpoint.c_str(), ssh_get_error(session));
  ssh_disconnect(session);
  ssh_free(session);
  return ok;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: floor INVENTORY THREADS [hold]\n");
    return 2;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  std::vector<std::string> endpoints;
  std::ifstream inventory(argv[1]);
  for (std::string line; std::getline(inventory, line);)
    endpoints.push_back(line.substr(0, line.find(' ')));
  std::latch all_there(static_cast<std::ptrdiff_t>(endpoints.size()));
  std::latch* const hold = argc > 3 ? &all_there : nullptr;

  const auto begin = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> good{0};
  {
    std::vector<std::jthread> threads;
    for (int count = std::atoi(argv[2]); count > 0; --count) {
      threads.emplace_back([&] {
        for (std::size_t at = next++; at < endpoints.size(); at = next++) {
          if (visit(endpoints[at], hold)) ++good;
        }
      });
    }
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  const std::size_t failed = endpoints.size() - good;
  std::printf("ok=%zu failed=%zu wall_s=%.3f cpu_s=%.3f cpu_ms_per_session=%.3f max_rss_kb=%ld\n",
              good.load(), failed, wall.count(), cpu,
              cpu * 1e3 / static_cast<double>(endpoints.size()), usage.ru_maxrss);
  return failed == 0 && !endpoints.empty() ? 0 : 1;
}
