// dispatcher/store: the database file: its directory and permissions, its settings, its tables and
// their version, and the wording of what goes wrong with it. Not for queries (store.cc).
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet {

// An open database with the tables of this version; `path` empty: a private temporary one. Does not
// write to a file that it refuses.
Expected<SQLite::Database> open_database(const std::string& path);

// Whether the cause may pass by itself: a full disk, an error of it, a lock.
bool may_pass(const std::exception& cause);
// "store PATH: cannot DOING: the disk is full".
Error database_error(const std::string& path, std::string_view doing, const std::exception& cause);

}  // namespace netfleet
