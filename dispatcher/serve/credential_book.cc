#include "dispatcher/serve/credential_book.h"

#include <fmt/format.h>

#include <algorithm>

namespace netfleet {
namespace {

bool same(const Secret& a, const Secret& b) { return a.reveal() == b.reveal(); }

bool same(const Credential& a, const Credential& b) {
  const auto same_key = [](const Credential::Key& one, const Credential::Key& other) {
    return one.path == other.path && one.certificate == other.certificate &&
           same(one.passphrase, other.passphrase);
  };
  return same(a.password, b.password) && same(a.enable_password, b.enable_password) &&
         a.otp_command == b.otp_command && a.use_agent == b.use_agent &&
         std::ranges::equal(a.keys, b.keys, same_key);
}

}  // namespace

std::string CredentialBook::name_for(const std::string& wanted,
                                     const std::shared_ptr<const Credential>& one) {
  for (const auto& [name, known] : known_) {
    if (same(*known, *one)) return name;
  }
  std::string name = wanted;
  for (int i = 2; known_.contains(name); ++i) name = fmt::format("{}#{}", wanted, i);
  known_.emplace(name, one);
  return name;
}

CredentialStore CredentialBook::adopt(const std::string& job, const CredentialStore& own,
                                      std::vector<TaskSpec>& tasks, JobSpec& spec) {
  const std::lock_guard lock(mutex_);
  CredentialStore adopted;
  std::map<std::string, SharedText, std::less<>> names;  // by the job's own
  for (const auto& [name, credential] : own) {
    const std::string here = name_for(fmt::format("{}/{}", job, name), credential);
    adopted[here] = known_.at(here);
    names.emplace(name, here);
  }
  for (TaskSpec& task : tasks) {
    const auto renamed = names.find(task.credential.view());
    if (renamed != names.end()) task.credential = renamed->second;
  }
  for (JumpHost& jump : spec.jumps) {
    const auto renamed = names.find(jump.credential);
    if (renamed != names.end()) jump.credential = renamed->second.str();
  }
  return adopted;
}

std::shared_ptr<const Credential> CredentialBook::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(name);
  return known == known_.end() ? nullptr : known->second;
}

}  // namespace netfleet
