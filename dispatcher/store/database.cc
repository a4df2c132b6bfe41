#include "dispatcher/store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace netfleet {
namespace {

constexpr int kSchemaVersion = 10;
constexpr int kApplicationId =
    0x6e666c74;  // "nflt", so that no other program's file is taken for ours
constexpr int kBusyMilliseconds = 60'000;  // another run may add a million tasks

// `key` is sweep << 32 | index: rows of one sweep lie together and are appended in order.
// Bodies are shared by all sweeps. Times are milliseconds since the epoch.
constexpr const char* kSchema = R"sql(
CREATE TABLE sweeps(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  total INTEGER NOT NULL,
  connect_timeout_ms INTEGER NOT NULL,
  auth_timeout_ms INTEGER NOT NULL,
  command_timeout_ms INTEGER NOT NULL,
  task_timeout_ms INTEGER NOT NULL,
  max_output INTEGER NOT NULL,
  host_key_policy TEXT NOT NULL,
  legacy_algorithms INTEGER NOT NULL,
  changes_device INTEGER NOT NULL,
  retries INTEGER NOT NULL DEFAULT 1,
  max_auth_failures INTEGER NOT NULL DEFAULT 1,
  retry_unsafe INTEGER NOT NULL DEFAULT 0,
  limited INTEGER NOT NULL DEFAULT 0,
  lease_ms INTEGER NOT NULL DEFAULT 10000,
  boot_id TEXT,
  mode TEXT,
  configuration INTEGER,
  dry_run INTEGER NOT NULL DEFAULT 0,
  confirm_within_ms INTEGER,
  save INTEGER NOT NULL DEFAULT 0,
  exec INTEGER NOT NULL DEFAULT 0,
  least_attempt INTEGER NOT NULL DEFAULT 1,
  rollout TEXT,
  job TEXT,
  origin TEXT,
  due INTEGER,
  request TEXT,
  guarded INTEGER NOT NULL DEFAULT 0);
CREATE TABLE sweep_commands(
  sweep INTEGER NOT NULL,
  position INTEGER NOT NULL,
  command TEXT NOT NULL,
  PRIMARY KEY(sweep, position)) WITHOUT ROWID;
CREATE TABLE tasks(
  key INTEGER PRIMARY KEY,
  host TEXT NOT NULL,
  address TEXT NOT NULL,
  port INTEGER NOT NULL,
  user TEXT NOT NULL,
  platform TEXT NOT NULL,
  region TEXT,
  credential TEXT,
  configuration INTEGER,
  ssh_options TEXT,
  jump INTEGER);
CREATE TABLE results(
  key INTEGER PRIMARY KEY,
  attempt INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  error TEXT,
  worker TEXT,
  platform TEXT,
  jump TEXT,
  started_at INTEGER,
  duration_ms INTEGER NOT NULL,
  command_sent INTEGER NOT NULL,
  evidence TEXT);
-- A short output is held in `short`, any other is a body. `command` is only there when it is not
-- the sweep's command at the same position.
CREATE TABLE outputs(
  key INTEGER NOT NULL,
  position INTEGER NOT NULL,
  command TEXT,
  outcome TEXT NOT NULL,
  duration_ms INTEGER NOT NULL,
  truncated INTEGER NOT NULL,
  short BLOB,
  body INTEGER,
  PRIMARY KEY(key, position)) WITHOUT ROWID;
CREATE TABLE bodies(
  number INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  compressed INTEGER NOT NULL,  -- 0 no, 1 by zstd, 2: `content` is empty, the pieces have it
  content BLOB NOT NULL);
)sql";

// What version 2 added.
constexpr const char* kTablesOf2 = R"sql(
-- One row: 64 random bits, by which workers know this store from another.
CREATE TABLE store(identity INTEGER NOT NULL);
INSERT INTO store VALUES(random());
-- Who has the newest attempt at a task, for a dispatcher that starts again. owner NULL: nobody yet.
CREATE TABLE grants(
  key INTEGER PRIMARY KEY,
  attempt INTEGER NOT NULL,
  owner INTEGER,
  deaths INTEGER NOT NULL,
  retries_used INTEGER NOT NULL);
)sql";

// From version 1 on, one step a version.
constexpr const char* kUpgradeTo2 = R"sql(
ALTER TABLE sweeps ADD COLUMN retries INTEGER NOT NULL DEFAULT 1;
ALTER TABLE sweeps ADD COLUMN max_auth_failures INTEGER NOT NULL DEFAULT 1;
ALTER TABLE sweeps ADD COLUMN retry_unsafe INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sweeps ADD COLUMN limited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sweeps ADD COLUMN lease_ms INTEGER NOT NULL DEFAULT 10000;
ALTER TABLE sweeps ADD COLUMN boot_id TEXT;
)sql";

// What version 3 added.
constexpr const char* kTablesOf3 = R"sql(
-- Platforms that were found out. host_key: the first 64 bits of its SHA-256.
CREATE TABLE detections(
  address TEXT NOT NULL,
  port INTEGER NOT NULL,
  user TEXT NOT NULL,
  host_key INTEGER NOT NULL,
  platform TEXT NOT NULL,
  found_at INTEGER NOT NULL,
  PRIMARY KEY(address, port, user)) WITHOUT ROWID;
)sql";

constexpr const char* kUpgradeTo3 = R"sql(
ALTER TABLE results ADD COLUMN evidence TEXT;
)sql";

// What version 4 added. A configuration is a body: its lines.
constexpr const char* kTablesOf4 = R"sql(
CREATE TABLE sweep_answers(
  sweep INTEGER NOT NULL,
  position INTEGER NOT NULL,
  pattern TEXT NOT NULL,
  reply TEXT NOT NULL,
  PRIMARY KEY(sweep, position)) WITHOUT ROWID;
)sql";

constexpr const char* kUpgradeTo4 = R"sql(
ALTER TABLE sweeps ADD COLUMN mode TEXT;
ALTER TABLE sweeps ADD COLUMN configuration INTEGER;
ALTER TABLE sweeps ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sweeps ADD COLUMN confirm_within_ms INTEGER;
ALTER TABLE sweeps ADD COLUMN save INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sweeps ADD COLUMN exec INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN configuration INTEGER;
)sql";

// What version 5 added.
constexpr const char* kUpgradeTo5 = R"sql(
ALTER TABLE tasks ADD COLUMN ssh_options TEXT;
ALTER TABLE sweeps ADD COLUMN least_attempt INTEGER NOT NULL DEFAULT 1;
)sql";

// What version 6 added.
constexpr const char* kTablesOf6 = R"sql(
-- What a large body holds. `key` is its number << 20 | position.
CREATE TABLE pieces(
  key INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  compressed INTEGER NOT NULL,
  content BLOB NOT NULL);
CREATE TRIGGER forget_pieces AFTER DELETE ON bodies WHEN old.compressed = 2 BEGIN
  DELETE FROM pieces WHERE key >= old.number << 20 AND key < (old.number + 1) << 20;
END;
)sql";

// What version 7 added. A task's route is a body, as a configuration is.
constexpr const char* kTablesOf7 = R"sql(
CREATE TABLE sweep_jumps(
  sweep INTEGER NOT NULL,
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  port INTEGER NOT NULL,
  user TEXT NOT NULL,
  credential TEXT NOT NULL,
  via TEXT,
  weight INTEGER NOT NULL,
  max_connections INTEGER NOT NULL,
  max_channels INTEGER NOT NULL,
  host_key_policy TEXT NOT NULL,
  legacy_algorithms INTEGER NOT NULL,
  ssh_options TEXT,
  PRIMARY KEY(sweep, name)) WITHOUT ROWID;
)sql";

constexpr const char* kUpgradeTo7 = R"sql(
ALTER TABLE tasks ADD COLUMN jump INTEGER;
)sql";

// What version 8 added.
constexpr const char* kUpgradeTo8 = R"sql(
ALTER TABLE sweeps ADD COLUMN rollout TEXT;
)sql";

// What version 9 added: of a service. A schedule's firings are taken up to `taken`; `paused` says
// why it is, or is null.
constexpr const char* kTablesOf9 = R"sql(
CREATE TABLE schedules(
  job TEXT PRIMARY KEY,
  taken INTEGER NOT NULL,
  paused TEXT) WITHOUT ROWID;
CREATE TABLE firings(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job TEXT NOT NULL,
  due INTEGER NOT NULL,
  what TEXT NOT NULL,
  sweep TEXT,
  why TEXT);
CREATE INDEX firings_of_job ON firings(job, number);
CREATE UNIQUE INDEX sweeps_of_request ON sweeps(origin, request) WHERE request IS NOT NULL;
)sql";

constexpr const char* kUpgradeTo9 = R"sql(
ALTER TABLE sweeps ADD COLUMN job TEXT;
ALTER TABLE sweeps ADD COLUMN origin TEXT;
ALTER TABLE sweeps ADD COLUMN due INTEGER;
ALTER TABLE sweeps ADD COLUMN request TEXT;
)sql";

// What version 10 added.
constexpr const char* kUpgradeTo10 = R"sql(
ALTER TABLE sweeps ADD COLUMN guarded INTEGER NOT NULL DEFAULT 0;
)sql";

// A file that is refused for what it is; the message is complete but for the path.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

int pragma(SQLite::Database& database, const char* name) {
  return database.execAndGet(fmt::format("PRAGMA {}", name)).getInt();
}

bool has_tables(SQLite::Database& database) {
  return database.execAndGet("SELECT count(*) FROM sqlite_master").getInt() > 0;
}

// Whether the tables are there; throws Refused for a file that is not ours or newer than we are.
bool check_version(SQLite::Database& database) {
  const int version = pragma(database, "user_version");
  const int application = pragma(database, "application_id");
  if (application == 0 && version == 0 && !has_tables(database)) return false;
  if (application != kApplicationId) throw Refused("this database is not a netfleet store");
  if (version > kSchemaVersion) {
    throw Refused(
        fmt::format("made by a newer netfleet (store version {}; this one knows up to {})", version,
                    kSchemaVersion));
  }
  return true;
}

void create_tables(SQLite::Database& database) {
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  if (check_version(database)) return;  // another process was faster
  database.exec(kSchema);
  database.exec(kTablesOf2);
  database.exec(kTablesOf3);
  database.exec(kTablesOf4);
  database.exec(kTablesOf6);
  database.exec(kTablesOf7);
  database.exec(kTablesOf9);
  database.exec(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId,
                            kSchemaVersion));
  transaction.commit();
}

void upgrade(SQLite::Database& database) {
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  const int version = pragma(database, "user_version");
  if (version >= kSchemaVersion) return;  // another process was faster
  if (version < 2) {
    database.exec(kUpgradeTo2);
    database.exec(kTablesOf2);
  }
  if (version < 3) {
    database.exec(kUpgradeTo3);
    database.exec(kTablesOf3);
  }
  if (version < 4) {
    database.exec(kUpgradeTo4);
    database.exec(kTablesOf4);
  }
  if (version < 5) database.exec(kUpgradeTo5);
  if (version < 6) database.exec(kTablesOf6);
  if (version < 7) {
    database.exec(kUpgradeTo7);
    database.exec(kTablesOf7);
  }
  if (version < 8) database.exec(kUpgradeTo8);
  if (version < 9) {
    database.exec(kUpgradeTo9);
    database.exec(kTablesOf9);
  }
  database.exec(kUpgradeTo10);
  database.exec(fmt::format("PRAGMA user_version={}", kSchemaVersion));
  transaction.commit();
}

SQLite::Database open_file(const std::string& file) {
  SQLite::Database database(
      file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX, kBusyMilliseconds);
  const bool has_tables = check_version(database);
  // Only now may anything be written: the file is ours, or empty.
  if (file.empty()) {
    database.exec("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF");
  } else {
    database.exec("PRAGMA journal_mode=WAL");
    database.exec("PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=67108864");
  }
  database.exec("PRAGMA cache_size=-16384");
  if (!has_tables) create_tables(database);
  if (pragma(database, "user_version") < kSchemaVersion) upgrade(database);
  return database;
}

void make_directories(const std::filesystem::path& whole) {
  std::filesystem::path directory;
  for (const auto& part : whole) {
    directory /= part;
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      throw std::system_error(errno, std::generic_category(), "create " + directory.string());
    }
  }
}

// Makes the whole store under another name and gives it its own at once: several processes may do
// so at the same time (SQLite does not wait for its turn to switch a file to WAL). The file is for
// its owner only, and SQLite gives those beside it the same permissions.
void create_file(const std::string& file) {
  make_directories(std::filesystem::path(file).parent_path());
  std::string fresh = file + ".new-XXXXXX";
  const int fd = mkostemp(fresh.data(), O_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "create");
  close(fd);
  try {
    open_file(fresh);
  } catch (...) {
    for (const char* suffix : {"", "-wal", "-shm"}) unlink((fresh + suffix).c_str());
    throw;
  }
  if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0) return;
  const int cause = errno;
  unlink(fresh.c_str());
  if (cause != EEXIST) throw std::system_error(cause, std::generic_category(), "create");
}

}  // namespace

Expected<SQLite::Database> open_database(const std::string& path) {
  try {
    if (path.empty()) return open_file(path);
    // Absolute, so that no name means something else to SQLite (":memory:").
    const std::string file = std::filesystem::absolute(path).string();
    if (access(file.c_str(), F_OK) != 0) create_file(file);
    return open_file(file);
  } catch (const Refused& refused) {
    return fail(fmt::format("store {}: {}", path, refused.what()));
  } catch (const std::exception& cause) {
    return std::unexpected(database_error(path, "open", cause));
  }
}

}  // namespace netfleet
