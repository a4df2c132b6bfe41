// The store's file: where it is, who may read it, and which files are refused untouched.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "dispatcher/store/store.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

using ::testing::HasSubstr;

constexpr std::ptrdiff_t kPage = 4096;

int permissions(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return static_cast<int>(status.st_mode & 0777);
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// A closed store with one sweep in it.
void make_store(const std::string& path) {
  auto store = Store::open(path);
  ASSERT_TRUE(store) << store.error().message;
  SweepRecord sweep = some_sweep("20261122-191548-3fa9", {"show clock"}, 200);
  ASSERT_TRUE(store->add_sweep(sweep, some_tasks(200)));
}

TEST(StoreFile, DefaultPathFollowsXdg) {
  EXPECT_EQ(Store::default_path("/state", "/home/a"), "/state/netfleet/store.db");
  EXPECT_EQ(Store::default_path("", "/home/a"), "/home/a/.local/state/netfleet/store.db");
  EXPECT_EQ(Store::default_path("relative", "/home/a"), "/home/a/.local/state/netfleet/store.db");
  EXPECT_EQ(Store::default_path("", ""), "");
}

TEST(StoreFile, IsForItsOwnerOnly) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a/b/store.db";
  const mode_t before = umask(0);
  auto store = Store::open(path);
  umask(before);
  ASSERT_TRUE(store) << store.error().message;
  SweepRecord sweep = some_sweep("s", {}, 0);
  ASSERT_TRUE(store->add_sweep(sweep, {}));
  EXPECT_EQ(permissions(directory / "a"), 0700);
  EXPECT_EQ(permissions(directory / "a/b"), 0700);
  EXPECT_EQ(permissions(path), 0600);
  EXPECT_EQ(permissions(path + "-wal"), 0600);
  EXPECT_EQ(permissions(path + "-shm"), 0600);
}

TEST(StoreFile, NameWithAMeaningToSqliteIsAFile) {
  const TemporaryDirectory directory;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory / "");
  make_store(":memory:");
  std::filesystem::current_path(before);
  auto store = Store::open(directory / ":memory:");
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_TRUE(store->find_sweep("last"));
}

TEST(StoreFile, OfANewerVersionIsRefusedUntouched) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  make_store(path);
  std::string content = file_content(path);
  content[63] = 99;  // the lowest byte of user_version
  write_file(path, content);
  const auto store = Store::open(path);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("newer netfleet"));
  EXPECT_THAT(store.error().message, HasSubstr(path));
  EXPECT_EQ(file_content(path), content);
}

TEST(StoreFile, OfAnotherProgramIsRefusedUntouched) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  make_store(path);
  std::string content = file_content(path);
  content[68] = 1;  // the highest byte of application_id
  write_file(path, content);
  const auto store = Store::open(path);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("not a netfleet store"));
  EXPECT_EQ(file_content(path), content);
}

TEST(StoreFile, ThatIsNoDatabaseIsRefusedUntouched) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  const std::string content = "10.0.0.1\n" + std::string(2000, 'x');
  write_file(path, content);
  const auto store = Store::open(path);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("damaged"));
  EXPECT_EQ(file_content(path), content);
}

TEST(StoreFile, WithADamagedSchemaIsRefusedUntouched) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  make_store(path);
  std::string content = file_content(path);
  std::fill(content.begin() + 100, content.begin() + 4096, '\x5a');
  write_file(path, content);
  const auto store = Store::open(path);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("damaged"));
  EXPECT_EQ(file_content(path), content);
}

// Counted from 0.
std::set<std::size_t> pages_of_schema(const std::string& path) {
  std::set<std::size_t> pages;
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  const auto take = [](void* found, int, char** values, char**) {
    static_cast<std::set<std::size_t>*>(found)->insert(std::stoul(values[0]) - 1);
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(database, "SELECT pageno FROM dbstat WHERE name='sqlite_schema'", take,
                         &pages, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  EXPECT_TRUE(pages.contains(0));
  return pages;
}

TEST(StoreFile, DamagedLaterGivesErrorsAndNoCrash) {
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  make_store(path);
  std::string content = file_content(path);
  ASSERT_GT(content.size(), 40960u);
  const auto whole = pages_of_schema(path);
  for (std::size_t page = 0; page * std::size_t{kPage} < content.size(); ++page) {
    if (whole.contains(page)) continue;
    const auto begin = content.begin() + static_cast<std::ptrdiff_t>(page) * kPage;
    std::fill(begin, begin + kPage, '\x5a');
  }
  write_file(path, content);
  auto store = Store::open(path);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_FALSE(store->find_sweep("last"));
  EXPECT_FALSE(store->result(1, 0));
  EXPECT_FALSE(store->for_each(1, [](const TaskSpec&, const TaskResult*) { return true; }));
  EXPECT_FALSE(store->save_results(1, std::vector{ok_result(0)}));
}

TEST(StoreFile, InAPlaceThatCannotBeIsAnError) {
  const TemporaryDirectory directory;
  write_file(directory / "file", "x");
  const auto store = Store::open(directory / "file/store.db");
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("file/store.db"));
  EXPECT_FALSE(Store::open(directory / ""));
}

// Several processes that start at once make one store together.
TEST(StoreFile, IsCreatedByManyProcessesAtOnce) {
  const TemporaryDirectory directory;
  constexpr int kProcesses = 6;
  int start[2];
  ASSERT_EQ(pipe(start), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(start[1]);
      char byte = 0;
      if (read(start[0], &byte, 1) != 0) _exit(2);  // ends when all may start
      auto store = Store::open(directory / "store.db");
      if (!store) {
        fmt::print(stderr, "{}\n", store.error().message);
        _exit(3);
      }
      SweepRecord sweep = some_sweep(fmt::format("sweep-{}", i), {}, 0);
      _exit(store->add_sweep(sweep, {}) ? 0 : 4);
    }
    children.push_back(child);
  }
  close(start[0]);
  close(start[1]);
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  auto store = Store::open(directory / "store.db");
  ASSERT_TRUE(store);
  EXPECT_EQ(store->sweeps(100)->size(), static_cast<std::size_t>(kProcesses));
}

}  // namespace
}  // namespace netfleet
