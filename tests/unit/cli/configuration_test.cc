#include "dispatcher/cli/configuration.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ConfigurationOfARun : public ::testing::Test {
 protected:
  ConfigurationOfARun() {
    std::string pattern = (std::filesystem::temp_directory_path() / "config-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    add_hosts(3);
  }
  ~ConfigurationOfARun() override { std::filesystem::remove_all(directory_); }

  void add_hosts(int count) {
    for (int i = 0; i < count; ++i) {
      Host host;
      host.name = "edge-" + std::to_string(hosts_.size());
      host.data.edit()["site"] = hosts_.size() % 2 == 0 ? "even" : "odd";
      tasks_.emplace_back().index = static_cast<std::uint32_t>(hosts_.size());
      hosts_.push_back(std::move(host));
    }
  }

  ConfigurationSource file(const std::string& name, std::string_view text) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return {true, path};
  }

  std::string add(const std::vector<ConfigurationSource>& sources) {
    const auto added = add_configuration(sources, hosts_, job_, tasks_, warnings_);
    return added ? "" : added.error().message;
  }

  std::vector<std::string> by_task() {
    std::vector<std::string> texts;
    for (const TaskSpec& task : tasks_) texts.push_back(task.configuration.str());
    return texts;
  }

  std::string directory_;
  std::vector<Host> hosts_;
  std::vector<TaskSpec> tasks_;
  JobSpec job_;
  std::vector<std::string> warnings_;
};

TEST_F(ConfigurationOfARun, LinesAndFilesInTheirOrder) {
  EXPECT_EQ(add({{false, "one"},
                 file("a", "\xEF\xBB\xBFtwo\r\n three {{name}}\n\nfour"),
                 {false, "five"}}),
            "");
  EXPECT_THAT(job_.configuration.lines,
              ElementsAre("one", "two", " three {{name}}", "", "four", "five"));
  EXPECT_THAT(by_task(), ElementsAre("", "", ""));
}

TEST_F(ConfigurationOfARun, ATemplateIsRenderedForEachHost) {
  EXPECT_EQ(add({{false, "first"},
                 file("a.mustache", "hostname {{name}}\r\nsite {{data.site}}\n"),
                 {false, "last"}}),
            "");
  EXPECT_THAT(job_.configuration.lines, IsEmpty());
  EXPECT_THAT(by_task(), ElementsAre("first\nhostname edge-0\nsite even\nlast",
                                     "first\nhostname edge-1\nsite odd\nlast",
                                     "first\nhostname edge-2\nsite even\nlast"));
}

TEST_F(ConfigurationOfARun, EqualTextsAreOne) {
  EXPECT_EQ(add({file("a.mustache", "site {{data.site}}")}), "");
  EXPECT_EQ(tasks_[0].configuration.data(), tasks_[2].configuration.data());
  EXPECT_NE(tasks_[0].configuration, tasks_[1].configuration);
}

TEST_F(ConfigurationOfARun, AnUndefinedValueNamesPlaceAndHosts) {
  add_hosts(12);
  hosts_[1].data.edit()["vlan"] = "7";
  const auto source = file("v.mustache", "vlan\n{{data.vlan}}");
  EXPECT_EQ(add({source}),
            source.text +
                ":2: {{data.vlan}} is not defined for edge-0, edge-2, edge-3, "
                "edge-4, edge-5, edge-6, edge-7, edge-8, edge-9, edge-10 and 4 more");
}

TEST_F(ConfigurationOfARun, AHostMayGetNothing) {
  hosts_[1].data.edit()["vlan"] = "7";
  EXPECT_EQ(add({file("v.mustache", "{{#data.vlan}}\nvlan {{data.vlan}}\n{{/data.vlan}}\n")}), "");
  EXPECT_THAT(by_task(), ElementsAre("", "vlan 7", ""));
  EXPECT_THAT(warnings_, ElementsAre(StartsWith("2 of 3 hosts get no configuration")));
  EXPECT_THAT(add({file("w.mustache", "{{#data.vlna}}vlan{{/data.vlna}}")}),
              HasSubstr("w.mustache:1: {{#data.vlna}} is not defined for any host"));
}

TEST_F(ConfigurationOfARun, WhatCannotBeTypedIsRefusedWithItsPlace) {
  EXPECT_THAT(add({file("tab", "ok\n\tb")}), HasSubstr("/tab:2: the line holds a tab"));
  EXPECT_THAT(add({file("nul", std::string_view("a\n\nb\0", 5))}),
              HasSubstr("/nul:3: the line holds a control character"));
  EXPECT_THAT(add({file("blank", " \n\r\n")}), HasSubstr("no configuration in "));
  EXPECT_THAT(add({{true, directory_ + "/missing"}}),
              HasSubstr("/missing: No such file or directory"));
  EXPECT_THAT(add({{true, directory_}}), HasSubstr("Is a directory"));
  EXPECT_THAT(add({file("t.mustache", "a\n{{#x}}")}),
              HasSubstr("t.mustache:2: the section 'x' is never closed"));
  hosts_[2].data.edit()["site"] = "a\tb";
  EXPECT_THAT(add({file("s.mustache", "\n{{data.site}}")}),
              HasSubstr("s.mustache: line 2: the line holds a tab, by which a device completes "
                        "words: use spaces for edge-2"));
}

TEST_F(ConfigurationOfARun, TooMuchIsRefused) {
  std::string line(999, 'x');
  std::string text;
  for (int i = 0; i < 1000; ++i) text += line + "\n";
  const auto most = file("most", text);
  EXPECT_EQ(add({most}), "");
  job_ = {};
  EXPECT_THAT(add({most, {false, "y"}}), StartsWith("more than 1000000 bytes of configuration"));
  EXPECT_THAT(add({file("more", text + "y")}), HasSubstr("more than 1000000 bytes"));
  job_ = {};
  EXPECT_THAT(add({most, file("t.mustache", "{{name}}")}),
              StartsWith("more than 1000000 bytes of configuration for one host for edge-0, "));
}

}  // namespace
}  // namespace netfleet
