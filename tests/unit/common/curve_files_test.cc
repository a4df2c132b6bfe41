#include "common/curve_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace netfleet::curve {
namespace {

using ::testing::HasSubstr;

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

class KeyFiles : public ::testing::Test {
 protected:
  KeyFiles() : root_(::testing::TempDir() + "netfleet-keys-XXXXXX") {
    EXPECT_NE(mkdtemp(root_.data()), nullptr);
    directory_ = root_ + "/keys";
  }
  ~KeyFiles() override { std::filesystem::remove_all(root_); }

  KeyPair make(Role role, const std::string& name, bool replace = false) {
    auto pair = make_key_pair({role, name});
    const auto written = write_key_pair(directory_, *pair, replace);
    EXPECT_TRUE(written) << written.error().message;
    return *std::move(pair);
  }
  void write(const std::string& name, const std::string& text, mode_t mode = 0644) {
    std::ofstream(directory_ + "/" + name, std::ios::trunc) << text;
    ASSERT_EQ(chmod((directory_ + "/" + name).c_str(), mode), 0);
  }
  std::string dispatcher_error() {
    const auto read = read_dispatcher_keys(directory_);
    return read ? "no error" : read.error().message;
  }
  std::string worker_error(const std::string& name = "") {
    const auto read = read_worker_keys(directory_, name);
    return read ? "no error" : read.error().message;
  }

  std::string root_;
  std::string directory_;
};

TEST_F(KeyFiles, ServeBothSides) {
  const KeyPair hub = make(Role::kDispatcher, "dispatcher");
  const KeyPair worker = make(Role::kWorker, "eu-1");
  const KeyPair person = make(Role::kOperator, "anna");

  const auto dispatcher = read_dispatcher_keys(directory_);
  ASSERT_TRUE(dispatcher) << dispatcher.error().message;
  EXPECT_EQ(dispatcher->own.public_key, hub.public_key);
  EXPECT_EQ(dispatcher->own.secret_key.reveal(), hub.secret_key.reveal());
  EXPECT_EQ(dispatcher->own.server_key, "");
  EXPECT_EQ(dispatcher->allowed.size(), 2u);
  EXPECT_EQ(dispatcher->allowed.at(worker.public_key), (Holder{Role::kWorker, "eu-1"}));
  EXPECT_EQ(dispatcher->allowed.at(person.public_key), (Holder{Role::kOperator, "anna"}));

  for (const char* name : {"", "eu-1"}) {
    const auto own = read_worker_keys(directory_, name);
    ASSERT_TRUE(own) << own.error().message;
    EXPECT_EQ(own->name, "eu-1");
    EXPECT_EQ(own->own.public_key, worker.public_key);
    EXPECT_EQ(own->own.server_key, hub.public_key);
  }
}

TEST_F(KeyFiles, SecretsAreClosedAndNothingIsOverwritten) {
  umask(0);
  const KeyPair first = make(Role::kWorker, "eu-1");
  EXPECT_EQ(mode_of(directory_), 0700u);
  EXPECT_EQ(mode_of(directory_ + "/worker-eu-1.secret"), 0600u);
  EXPECT_EQ(mode_of(directory_ + "/workers/eu-1.pub"), 0644u);
  EXPECT_EQ(mode_of(directory_ + "/workers"), 0755u);
  const std::string secret = directory_ + "/worker-eu-1.secret";
  const std::string before = read_all(secret);
  EXPECT_THAT(before, HasSubstr(first.secret_key.reveal()));
  EXPECT_THAT(read_all(directory_ + "/workers/eu-1.pub"),
              ::testing::Not(HasSubstr(first.secret_key.reveal())));

  const auto again = write_key_pair(directory_, *make_key_pair({Role::kWorker, "eu-1"}), false);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("--replace"));
  EXPECT_EQ(read_all(secret), before);
  // The secret half may have gone to its machine: the public one still says that there is a key.
  std::filesystem::remove(secret);
  EXPECT_FALSE(write_key_pair(directory_, *make_key_pair({Role::kWorker, "eu-1"}), false));
  EXPECT_FALSE(std::filesystem::exists(secret));

  const KeyPair second = make(Role::kWorker, "eu-1", true);
  EXPECT_THAT(read_all(secret), HasSubstr(second.secret_key.reveal()));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
    EXPECT_THAT(entry.path().string(), ::testing::Not(HasSubstr("draft")));
  }
}

TEST_F(KeyFiles, ErrorsSayWhatIsMissingAndHowToMakeIt) {
  EXPECT_THAT(dispatcher_error(), HasSubstr("keygen " + directory_ + " dispatcher"));
  EXPECT_THAT(worker_error(), HasSubstr("No such file"));
  make(Role::kDispatcher, "dispatcher");
  EXPECT_THAT(dispatcher_error(), HasSubstr("keygen " + directory_ + " worker NAME"));
  EXPECT_THAT(worker_error(), HasSubstr("keygen " + directory_ + " worker NAME"));
  EXPECT_THAT(worker_error("eu-1"), HasSubstr("keygen " + directory_ + " worker eu-1"));
  make(Role::kOperator, "anna");
  EXPECT_THAT(dispatcher_error(), HasSubstr("no worker may join"));
  make(Role::kWorker, "eu-1");
  EXPECT_EQ(dispatcher_error(), "no error");
  make(Role::kWorker, "eu-2");
  EXPECT_THAT(worker_error(), HasSubstr("say with --name which"));
  EXPECT_EQ(worker_error("eu-2"), "no error");
  std::filesystem::remove(directory_ + "/dispatcher.pub");
  EXPECT_THAT(worker_error("eu-2"), HasSubstr("dispatcher.pub: it is not there"));
}

TEST_F(KeyFiles, RefusesWhatOthersMayReadOrWrite) {
  make(Role::kDispatcher, "dispatcher");
  make(Role::kWorker, "eu-1");
  const std::string secret = directory_ + "/dispatcher.secret";
  for (const mode_t mode : {0640, 0604, 0660, 0644}) {
    ASSERT_EQ(chmod(secret.c_str(), mode), 0);
    EXPECT_THAT(dispatcher_error(), HasSubstr("chmod 600 " + secret)) << mode;
  }
  ASSERT_EQ(chmod(secret.c_str(), 0600), 0);
  const std::string own = directory_ + "/worker-eu-1.secret";
  ASSERT_EQ(chmod(own.c_str(), 0644), 0);
  EXPECT_THAT(worker_error(), HasSubstr("chmod 600 " + own));
  const std::string list = directory_ + "/workers";
  ASSERT_EQ(chmod(list.c_str(), 0777), 0);
  EXPECT_THAT(dispatcher_error(), HasSubstr("chmod go-w " + list));
  ASSERT_EQ(chmod(list.c_str(), 0755), 0);
  ASSERT_EQ(chmod((list + "/eu-1.pub").c_str(), 0666), 0);
  EXPECT_THAT(dispatcher_error(), HasSubstr("others may write it"));
}

TEST_F(KeyFiles, RefusesMalformedKeysAndNeverRepeatsThem) {
  const KeyPair hub = make(Role::kDispatcher, "dispatcher");
  make(Role::kWorker, "eu-1");
  const std::string secret(hub.secret_key.reveal());
  for (const std::string& text :
       {std::string("nonsense\n"), "netfleet-secret dispatcher dispatcher " + secret.substr(1),
        "netfleet-secret dispatcher dispatcher " + secret + "x",
        "netfleet-secret dispatcher dispatcher " + secret + " more",
        "netfleet-secret dispatcher ../up " + secret, "netfleet-secret king a " + secret,
        std::string("netfleet-secret dispatcher dispatcher \0", 39) + secret.substr(1)}) {
    write("dispatcher.secret", text, 0600);
    EXPECT_THAT(dispatcher_error(), HasSubstr("dispatcher.secret:1: expected")) << text;
    EXPECT_THAT(dispatcher_error(), ::testing::Not(HasSubstr(secret.substr(5, 20))));
  }
  for (const std::string& text : {std::string(), std::string("# a remark\n\n")}) {
    write("dispatcher.secret", text, 0600);
    EXPECT_THAT(dispatcher_error(), HasSubstr("it holds no key"));
  }
  write("dispatcher.secret", std::string(70'000, '#'), 0600);
  EXPECT_THAT(dispatcher_error(), HasSubstr("too large"));
  std::filesystem::remove(directory_ + "/dispatcher.secret");
  std::filesystem::create_directory(directory_ + "/dispatcher.secret");
  EXPECT_THAT(dispatcher_error(), HasSubstr("no regular file"));
}

TEST_F(KeyFiles, RefusesTheWrongKindOfKey) {
  make(Role::kDispatcher, "dispatcher");
  make(Role::kWorker, "eu-1");
  const std::string worker_secret = read_all(directory_ + "/worker-eu-1.secret");
  const std::string worker_public = read_all(directory_ + "/workers/eu-1.pub");
  const std::string hub_public = read_all(directory_ + "/dispatcher.pub");
  write("dispatcher.pub", worker_public);
  EXPECT_THAT(worker_error(), HasSubstr("this is the public key of worker eu-1; here belongs a "
                                        "public key of a dispatcher"));
  write("dispatcher.pub", hub_public);
  write("workers/eu-1.pub", worker_secret);
  EXPECT_THAT(dispatcher_error(), HasSubstr("this is the secret key of worker eu-1"));
  write("workers/eu-1.pub", hub_public);
  EXPECT_THAT(dispatcher_error(), HasSubstr("this is the public key of dispatcher dispatcher"));
  write("worker-eu-1.secret", worker_public, 0600);
  EXPECT_THAT(worker_error(), HasSubstr("here belongs a secret key of a worker"));
  write("worker-eu-9.secret", worker_secret, 0600);
  EXPECT_THAT(worker_error("eu-9"), HasSubstr("it was made for worker eu-1"));
}

TEST_F(KeyFiles, AListMayHoldRemarksAndSeveralKeysAFile) {
  make(Role::kDispatcher, "dispatcher");
  const KeyPair one = make(Role::kWorker, "eu-1");
  const std::string before = allow_list_stamp(directory_);
  const KeyPair two = *make_key_pair({Role::kWorker, "eu-2"});
  write("workers/more.pub", "# new ones\r\n\nnetfleet-public worker eu-2 " + two.public_key +
                                "\r\nnetfleet-public worker eu-1 " + one.public_key);
  write("workers/notes.txt", "not a key");
  const auto list = read_allow_list(directory_);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->size(), 2u);
  EXPECT_EQ(list->at(two.public_key).name, "eu-2");
  EXPECT_NE(allow_list_stamp(directory_), before);
  write("workers/twice.pub", "netfleet-public worker eu-3 " + two.public_key + "\n");
  EXPECT_THAT(dispatcher_error(), HasSubstr("is listed as that of worker eu-2 too"));
}

}  // namespace
}  // namespace netfleet::curve
