// common: the directory that --keys names, on the dispatcher's side and on a worker's.
//
//   dispatcher.secret    dispatcher.pub      the dispatcher's own pair
//   worker-NAME.secret   workers/NAME.pub    a worker's; its .pub file lets it join
//   operator-NAME.secret operators/NAME.pub  of people who ask a dispatcher
//
// A dispatcher needs its own .secret and the .pub files of the others; a worker its own .secret and
// dispatcher.pub. A key is one line: netfleet-secret or netfleet-public, role, name, key. Lines
// that begin with '#' and blank ones are left out. The name is the line's: those of the files are
// for people.
#pragma once

#include <string>
#include <unordered_map>

#include "common/curve.h"
#include "common/error.h"

namespace netfleet::curve {

// Who may connect, by public key.
using AllowList = std::unordered_map<std::string, Holder>;

struct DispatcherKeys {
  std::string directory;
  Keys own;
  AllowList allowed;
};

struct WorkerKeys {
  Keys own;
  std::string name;  // that the key was made for
};

// Errors name the file, and say what is wrong with it and what to do. Secrets that others may read,
// and lists that others may write, are refused. To start with, there must be a worker on the list.
Expected<DispatcherKeys> read_dispatcher_keys(const std::string& directory);
Expected<AllowList> read_allow_list(const std::string& directory);

// `name`: whose key, when the directory holds those of several workers; empty: the only one.
Expected<WorkerKeys> read_worker_keys(const std::string& directory, const std::string& name);

// The same of those who ask a dispatcher; the directory holds one operator's keys.
Expected<WorkerKeys> read_operator_keys(const std::string& directory);

struct Written {
  std::string secret_file;
  std::string public_file;
};

// Makes the directories that are missing, then both files: the secret one 0600, the other 0644.
// What is there stays as it is, and is an error, unless `replace`.
Expected<Written> write_key_pair(const std::string& directory, const KeyPair& pair, bool replace);

// A text that changes when files of the allow-list are added, written or removed.
std::string allow_list_stamp(const std::string& directory);

}  // namespace netfleet::curve
