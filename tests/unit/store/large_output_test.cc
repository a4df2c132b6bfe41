// Outputs that memory is not to hold: stored in pieces, once a content, and read back into a spool.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "dispatcher/store/store.h"
#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

class LargeOutputs : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(store_.add_sweep(sweep_, some_tasks(4))); }

  OutputText spooled(const std::string& text) {
    OutputText output;
    for (std::size_t at = 0; at < text.size(); at += 100'000) {
      EXPECT_TRUE(output.append(text.substr(at, 100'000), *spool_));
    }
    EXPECT_TRUE(output.is_spooled());
    return output;
  }
  void save(std::uint32_t index, OutputText output) {
    TaskResult result = ok_result(index, "show tech", "");
    result.commands[0].output = std::move(output);
    const auto saved = store_.save_results(sweep_.number, std::vector{result});
    ASSERT_TRUE(saved) << saved.error().message;
  }
  Expected<std::optional<TaskResult>> read(std::uint32_t index) {
    return store_.result(sweep_.number, index);
  }
  // Runs `sql` beside the store; the number in the first row's first column.
  std::int64_t ask(const std::string& sql) {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    std::int64_t number = -1;
    const auto take = [](void* to, int, char** values, char**) {
      *static_cast<std::int64_t*>(to) = values[0] == nullptr ? 0 : std::stoll(values[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), take, &number, nullptr), SQLITE_OK) << sql;
    sqlite3_close(database);
    return number;
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_ / "store.db";
  std::shared_ptr<Spool> spool_ = Spool::make(directory_ / "");
  SweepRecord sweep_ = some_sweep("20261122-000000-0001", {"show tech"}, 4);
  Store store_ = Store::open(path_).value();
};

TEST_F(LargeOutputs, ComeBackAsTheyWereWithLittleInMemory) {
  const std::string text = noise(3'000'000, 5);
  save(0, spooled(text));
  const auto back = read(0);
  ASSERT_TRUE(back) << back.error().message;
  const OutputText& output = (*back)->commands.at(0).output;
  EXPECT_LE(output.memory().size(), OutputText::kMostInMemory);
  EXPECT_EQ(output.whole().value(), text);
}

TEST_F(LargeOutputs, AreStoredOnceInMemoryOrNot) {
  const std::string text = noise(3'000'000, 5);
  save(0, spooled(text));
  save(1, text);
  save(2, text.substr(0, 1'000'000));
  EXPECT_EQ(ask("SELECT count(*) FROM bodies"), 2);
  EXPECT_EQ(ask("SELECT sum(size) FROM pieces"), 4'000'000);
  EXPECT_EQ((*read(1))->commands.at(0).output.whole().value(), text);
  EXPECT_EQ((*read(2))->commands.at(0).output.whole().value(), text.substr(0, 1'000'000));
}

TEST_F(LargeOutputs, PiecesGoWithTheirBody) {
  save(0, spooled(noise(3'000'000, 5)));
  save(1, spooled(noise(1'000'000, 6)));
  ask("DELETE FROM bodies WHERE size = 3000000");
  EXPECT_EQ(ask("SELECT sum(size) FROM pieces"), 1'000'000);
}

TEST_F(LargeOutputs, AMissingOrDamagedPieceIsSaid) {
  save(0, spooled(noise(3'000'000, 5)));
  save(1, spooled(std::string(3'000'000, 'a')));
  ask("DELETE FROM pieces WHERE key & 0xfffff = 3 AND compressed = 0");
  ask("UPDATE pieces SET content = x'00' WHERE key & 0xfffff = 3 AND compressed = 1");
  for (const std::uint32_t index : {0u, 1u}) {
    const auto back = read(index);
    ASSERT_FALSE(back);
    EXPECT_NE(back.error().message.find("is damaged"), std::string::npos) << back.error().message;
  }
}

}  // namespace
}  // namespace netfleet
