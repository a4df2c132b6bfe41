// What the service and those who ask it need (HTTP, TLS, metrics) costs every start, so `netfleet`
// is two programs of one main(): this file has their verbs in the small one, which goes on as the
// whole one, with the same words.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/standard_streams.h"
#include "dispatcher/cli/service_verbs.h"
#include "dispatcher/cli/verbs.h"
#include "dispatcher/serve/serve_verb.h"

namespace netfleet {
namespace {

std::vector<std::string> own_words() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

// Returns only when it fails: the exit status.
int hand_over() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string whole = (self.parent_path() / NETFLEET_WHOLE_PROGRAM).lexically_normal();
  std::vector<std::string> words = own_words();
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(whole.c_str(), arguments.data());
  print_error(fmt::format("netfleet: start {}: {}\n", whole, std::strerror(errno)));
  return kExitInternal;
}

}  // namespace

int serve_verb(const ServeOptions&, const WorkerSide&) { return hand_over(); }
int service_verb(const ServiceCommand&) { return hand_over(); }
int server_results(const ResultsOptions&) { return hand_over(); }
int server_diff(const DiffOptions&) { return hand_over(); }
int server_workers(const WorkersOptions&) { return hand_over(); }

}  // namespace netfleet
