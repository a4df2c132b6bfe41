// dispatcher/serve: credentials of many jobs under one roof. Each job calls its own "default";
// here a name means one secret, and one secret has one name, so that the authentication guard knows
// it in every sweep.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/credential.h"
#include "common/task.h"

namespace netfleet {

// For any thread. What was adopted stays known: sweeps of before may still run with it.
class CredentialBook {
 public:
  // Gives the credentials their names here, in the tasks and jump hosts that use them too, and
  // returns them by those. Names without a secret stay: workers know them.
  CredentialStore adopt(const std::string& job, const CredentialStore& own,
                        std::vector<TaskSpec>& tasks, JobSpec& spec);
  // Null when there is none.
  std::shared_ptr<const Credential> find(const std::string& name) const;

 private:
  std::string name_for(const std::string& wanted, const std::shared_ptr<const Credential>& one);

  mutable std::mutex mutex_;
  CredentialStore known_;
};

}  // namespace netfleet
