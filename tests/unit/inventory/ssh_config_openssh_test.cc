// What netfleet makes of an ssh_config beside what `ssh -G -F file host` says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "dispatcher/inventory/read_ssh_config.h"

namespace netfleet {
namespace {

class Directory {
 public:
  Directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "netfleet-config-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    path = pattern;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return path / name;
  }
  std::filesystem::path path;
};

// The lines of `ssh -G` for `host`, by keyword.
std::multimap<std::string, std::string> ask_ssh(const std::string& config,
                                                const std::string& host) {
  const std::string command = "ssh -G -F '" + config + "' '" + host + "' 2>&1";
  FILE* output = popen(command.c_str(), "r");
  std::string text;
  char chunk[4096];
  for (std::size_t size; (size = fread(chunk, 1, sizeof chunk, output)) > 0;) {
    text.append(chunk, size);
  }
  EXPECT_EQ(pclose(output), 0) << text;
  std::multimap<std::string, std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const auto blank = line.find(' ');
    lines.emplace(line.substr(0, blank), blank == std::string::npos ? "" : line.substr(blank + 1));
  }
  return lines;
}

std::vector<std::string> all_of(const std::multimap<std::string, std::string>& lines,
                                const std::string& keyword) {
  std::vector<std::string> values;
  for (auto [at, end] = lines.equal_range(keyword); at != end; ++at) values.push_back(at->second);
  return values;
}
std::string one_of(const std::multimap<std::string, std::string>& lines,
                   const std::string& keyword) {
  const auto values = all_of(lines, keyword);
  return values.empty() ? "" : values.front();
}

struct Case {
  const char* name;
  const char* text;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

class AsOpenSsh : public ::testing::TestWithParam<Case> {};

// Keys are always named: without any, ssh lists its defaults.
const Case kCases[] = {
    {"wildcards",
     "IdentityFile /k\nHost edge-? !edge-3\n Port 1\nHost *-3\n Port 3\nHost *\n Port 9"},
    {"negation_alone", "IdentityFile /k\nHost !core\n Port 1\nHost * !core\n Port 2"},
    {"several_patterns", "IdentityFile /k\nHost x edge-1 core\n User a\nHost core edge-1\n User b"},
    {"equals_and_quotes",
     "IdentityFile = \"/a b\"\nHost=edge-1\nUser=\"ann\"\nHost \"core\"\n  Port  =  77\nUser\tbob"},
    {"crlf_and_comments",
     "# c\r\nIdentityFile /k # c\r\n\r\nHost edge-1 # c\r\n\tUser a#b\r\n  # Port 5\r\n"},
    {"keyword_case", "identityFILE /k\nhOST CORE core\nUSER Ann\npORT 5"},
    {"host_name_token",
     "IdentityFile /k\nHost edge-*\n HostName %h.net%%x\nHost *\n HostName other"},
    {"identities_add_up",
     "IdentityFile /a\nHost edge-*\n IdentityFile /b\n IdentityFile /a\nHost *\n IdentityFile /c\n"
     " CertificateFile /x\n CertificateFile /y\n IdentitiesOnly yes\n IdentitiesOnly no"},
    {"match_host_after_host_name",
     "IdentityFile /k\nHost edge-1\n HostName real\nMatch host real\n Port 5\nMatch originalhost "
     "edge-1\n User o\nMatch host edge-1\n Port 6"},
    {"match_user",
     "IdentityFile /k\nHost core\n User ann\nMatch user ann,bob\n Port 5\nMatch user !ann,*\n Port "
     "6"},
    {"match_negated",
     "IdentityFile /k\nMatch !host core,edge-3\n Port 5\nMatch host * !originalhost core\n Port 6\n"
     "Match all\n User z"},
    {"match_equals",
     "IdentityFile /k\nMatch host=core user=*\n Port 5\nMatch Host edge-*\n Port 6"},
    {"proxies",
     "IdentityFile /k\nHost edge-1\n ProxyJump a@b:7,c\nHost core\n ProxyCommand nc %h  %p\nHost "
     "edge-3\n ProxyJump none\nHost *\n ProxyJump last"},
    {"algorithms",
     "IdentityFile /k\nHost core\n Ciphers aes256-ctr,3des-cbc\n KexAlgorithms "
     "curve25519-sha256\nHost *\n MACs hmac-sha1\n HostKeyAlgorithms ssh-rsa\n Ciphers aes128-cbc"},
    {"include_in_a_block",
     "IdentityFile /k\nHost core\n Include @/in.conf\nHost *\n User last\nInclude @/glob-*.conf"},
    {"include_before_blocks", "IdentityFile /k\nInclude @/in.conf\nPort 1"},
};

TEST_P(AsOpenSsh, SaysTheSame) {
  const Directory directory;
  std::string text = GetParam().text;
  for (auto at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1)) {
    if (text[at + 1] == '/') text.replace(at, 1, directory.path.string());
  }
  directory.write("in.conf", "User included\nHost edge-1\n Port 11\nMatch all\n HostName inc\n");
  directory.write("glob-1.conf", "Port 21\n");
  directory.write("glob-2.conf", "Port 22\nHost edge-3\nIdentityFile /three\n");
  const std::string file = directory.write("config", text + "\n");
  const passwd* me = getpwuid(getuid());
  ASSERT_NE(me, nullptr);
  auto config = read_ssh_config(file, me->pw_dir);
  ASSERT_TRUE(config) << config.error().message;
  for (const std::string host : {"edge-1", "edge-3", "core", "CORE", "10.0.0.1"}) {
    const auto theirs = ask_ssh(file, host);
    std::set<std::string> ignored;
    const auto ours = (*config)->find(
        {.host = host, .user = "", .port = 0, .local_user = me->pw_name, .home = me->pw_dir},
        ignored);
    // ssh makes names small letters behind the file's rules; DNS does not care.
    std::string hostname = ours.hostname.empty() ? host : ours.hostname;
    for (char& c : hostname) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    EXPECT_EQ(hostname, one_of(theirs, "hostname")) << host;
    EXPECT_EQ(std::to_string(ours.port == 0 ? 22 : ours.port), one_of(theirs, "port")) << host;
    EXPECT_EQ(ours.user.empty() ? me->pw_name : ours.user, one_of(theirs, "user")) << host;
    EXPECT_EQ(ours.identity_files, all_of(theirs, "identityfile")) << host;
    EXPECT_EQ(ours.certificate_files, all_of(theirs, "certificatefile")) << host;
    EXPECT_EQ(ours.identities_only.value_or(false) ? "yes" : "no", one_of(theirs, "identitiesonly"))
        << host;
    std::string proxy;
    if (const auto jump = one_of(theirs, "proxyjump"); !jump.empty()) proxy = "ProxyJump " + jump;
    if (const auto command = one_of(theirs, "proxycommand");
        !command.empty() && command != "none") {
      proxy = "ProxyCommand " + command;
    }
    EXPECT_EQ(ours.proxy, proxy) << host;
    for (const auto& info : algorithm_kinds()) {
      const std::string& list = ours.algorithms[info.kind];
      if (!list.empty()) {
        EXPECT_EQ(list, one_of(theirs, std::string(info.keyword))) << host;
      }
    }
    EXPECT_THAT(ignored, ::testing::IsEmpty()) << host;
  }
}

INSTANTIATE_TEST_SUITE_P(SshConfig, AsOpenSsh, ::testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(ReadSshConfig, TakesTheUsersOwnFileIfItIsThereAndSafe) {
  const Directory home;
  auto none = read_ssh_config("", home.path);
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_FALSE(*none);
  std::filesystem::create_directory(home.path / ".ssh");
  const std::string file = home.write(".ssh/config", "Include more\n");
  home.write(".ssh/more", "User ann\n");
  auto config = read_ssh_config("", home.path);
  ASSERT_TRUE(config && *config);
  std::set<std::string> ignored;
  SshConfigQuery query;
  query.host = "a";
  EXPECT_EQ((*config)->find(query, ignored).user, "ann");
  std::filesystem::permissions(file, std::filesystem::perms(0666));
  EXPECT_THAT(read_ssh_config("", home.path).error().message, ::testing::HasSubstr("may write"));
  EXPECT_TRUE(read_ssh_config(file, home.path));
  EXPECT_THAT(read_ssh_config(home.path / "missing", home.path).error().message,
              ::testing::HasSubstr("missing: No such file"));
}

}  // namespace
}  // namespace netfleet
