// dispatcher/inventory: ssh_config(5), as far as it says how to reach and log in to a host. Pure:
// texts in, values out; read_ssh_config.cc opens the files. Nothing of it is ever executed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/ssh_algorithms.h"

namespace netfleet {

// What is asked: a host as people call it, and what is known of it already; that goes before the
// file and decides what "Match user" means.
struct SshConfigQuery {
  std::string host;
  std::string user;        // empty: not known
  std::uint16_t port = 0;  // 0: not known
  std::string local_user;  // who runs netfleet
  std::string home;        // what ~ and %d stand for
};

// What the file says of a host; empty where it says nothing.
struct SshConfigAnswer {
  std::string hostname;
  std::uint16_t port = 0;
  std::string user;
  std::vector<std::string> identity_files;  // in order, tokens expanded
  std::vector<std::string> certificate_files;
  std::optional<bool> identities_only;
  std::string proxy;      // "ProxyJump a,b" or "ProxyCommand ..."; empty: none
  SshOptions algorithms;  // as written, with + - ^
};

class SshConfig {
 public:
  struct File {
    std::string path;  // for messages
    std::string text;
  };
  // The files that the argument of an Include names, in order; none is no error.
  using ReadIncluded = std::function<Expected<std::vector<File>>(const std::string& pattern)>;

  // The error has a line for each thing that is wrong ("file:line: ...").
  static Expected<SshConfig> parse(File file, const ReadIncluded& read_included);
  SshConfig(SshConfig&&) noexcept;
  SshConfig& operator=(SshConfig&&) noexcept;
  ~SshConfig();

  // The first value of each keyword counts. Keywords that hold for this host, but that netfleet
  // does not act on though they may matter, are added to `ignored`.
  SshConfigAnswer find(const SshConfigQuery& query, std::set<std::string>& ignored) const;

 private:
  struct Entry;
  struct Evaluation;
  friend class SshConfigParser;
  SshConfig();

  // Of all files, in the order in which they are read.
  std::vector<Entry> entries_;
};

}  // namespace netfleet
