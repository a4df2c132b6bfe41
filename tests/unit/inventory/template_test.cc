#include "dispatcher/inventory/template.h"

#include <gmock/gmock.h>

#include "dispatcher/inventory/parsers.h"

namespace netfleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Host edge() {
  const auto inventory = parse_yaml_inventory({"f", R"(
hosts:
  edge-1:
    hostname: 10.0.0.1
    groups: [core, eu]
    data:
      site: {name: Paris, code: 75}
      ntp: [192.0.2.1, 192.0.2.2]
      ports:
        - {name: Gi0/1, description: up & "down"}
        - {name: Gi0/2}
      shut: false
      none: []
      nothing:
      motd: |
        one
        two
groups:
  core: {data: {domain: example.net}}
  eu: {}
)"});
  EXPECT_TRUE(inventory) << inventory.error().message;
  return inventory->hosts.at(0);
}

TaskSpec task() {
  TaskSpec task;
  task.address = "10.0.0.1";
  task.user = "ann";
  task.platform = "eos";
  return task;
}

struct Rendered {
  std::string text;
  std::vector<std::string> problems;
  std::vector<std::string> unknown;
};

Rendered rendered(std::string_view text) {
  auto parsed = Template::parse(text, "t");
  EXPECT_TRUE(parsed) << parsed.error().message;
  Rendered result;
  result.text = parsed->render(edge(), task(), result.problems);
  result.unknown = parsed->unknown_sections();
  return result;
}

std::string text_of(std::string_view text) {
  const Rendered result = rendered(text);
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.unknown, IsEmpty());
  return result.text;
}

std::string error_of(std::string_view text) {
  const auto parsed = Template::parse(text, "dir/t.mustache");
  return parsed ? "no error" : parsed.error().message;
}

TEST(Template, PrintsWhatTheInventorySays) {
  EXPECT_EQ(text_of("{{name}} {{host}} {{address}} {{port}} {{ user }} {{platform}} {{region}}."),
            "edge-1 edge-1 10.0.0.1 22 ann eos .");
  EXPECT_EQ(text_of("{{data.site.name}}, {{data.domain}}, {{data.ntp.1}}\n"),
            "Paris, example.net, 192.0.2.2\n");
  EXPECT_EQ(text_of("{{data.nothing}}|{{data.motd}}"), "|one\ntwo\n");
  EXPECT_EQ(text_of("no tags, } and { and }}\n\n x"), "no tags, } and { and }}\n\n x");
}

TEST(Template, NothingIsEscaped) {
  constexpr const char* kEach = "{{#data.ports}}{{name}}: {{description}};{{/data.ports}}";
  EXPECT_EQ(rendered(kEach).text, "Gi0/1: up & \"down\";Gi0/2: ;");
  EXPECT_EQ(text_of("{{{data.site.name}}} {{&name}}"), "Paris edge-1");
}

TEST(Template, SectionsOfListsMapsAndValues) {
  EXPECT_EQ(text_of("{{#data.ntp}}\nntp server {{.}}\n{{/data.ntp}}\nend"),
            "ntp server 192.0.2.1\nntp server 192.0.2.2\nend");
  EXPECT_EQ(text_of("{{#data.site}}{{name}}-{{code}} {{address}}{{/data.site}}"),
            "Paris-75 10.0.0.1")
      << "the innermost value counts, then the host's";
  EXPECT_EQ(text_of("{{#groups}}[{{.}}]{{/groups}}"), "[core][eu]");
  EXPECT_EQ(text_of("{{#data}}{{domain}}{{/data}}"), "example.net");
  EXPECT_EQ(text_of("{{#data.shut}}shutdown{{/data.shut}}{{^data.shut}}no shutdown{{/data.shut}}"),
            "no shutdown");
  EXPECT_EQ(text_of("{{#data.none}}a{{/data.none}}{{^data.none}}b{{/data.none}}"), "b");
  EXPECT_EQ(text_of("{{#data.nothing}}a{{/data.nothing}}{{^data.nothing}}b{{/data.nothing}}"), "b");
  EXPECT_EQ(text_of("{{#name}}yes{{/name}}"), "yes");
}

TEST(Template, TagsThatStandAloneTakeTheirLineWithThem) {
  EXPECT_EQ(text_of("a\n  {{! why\nand how }}  \nb {{! here }}c\n"), "a\nb c\n");
  EXPECT_EQ(text_of("a\n{{^data.ntp}}\nno\n{{/data.ntp}}\nb\n\nc"), "a\nb\n\nc");
  EXPECT_EQ(text_of("{{#data.site}}\n{{! x }}\n  {{#data.ntp}}\n\n {{.}}\n  {{/data.ntp}}\n\n"
                    "{{/data.site}}"),
            "\n 192.0.2.1\n\n 192.0.2.2\n\n");
  EXPECT_EQ(text_of("{{#name}}\r\na\r\n{{/name}}\r\n"), "a\n");
}

TEST(Template, AnUndefinedValueIsAProblemWithItsPlace) {
  const Rendered result = rendered("a\n{{data.ntpx}}\n\n {{data.site.x}} {{data.ntpx}}\n{{x}}");
  EXPECT_THAT(
      result.problems,
      ElementsAre("t:2: {{data.ntpx}} is not defined", "t:4: {{data.site.x}} is not defined",
                  "t:4: {{data.ntpx}} is not defined", "t:5: {{x}} is not defined"));
  EXPECT_THAT(rendered("{{#data.ports}}\n{{description}}\n{{/data.ports}}").problems,
              ElementsAre("t:2: {{description}} is not defined"))
      << "the second port has none";
  EXPECT_THAT(rendered("{{data.ntp}}{{data.site}}{{.}}").problems,
              ElementsAre("t:1: {{data.ntp}} is a list: it needs a section",
                          "t:1: {{data.site}} is a map", "t:1: {{.}} is not defined"));
}

TEST(Template, ASectionThatNoHostKnowsIsASlip) {
  const Rendered result = rendered(
      "{{#data.npt}}x{{/data.npt}}\n{{^data.ntp}}\n{{#never}}{{/never}}"
      "{{/data.ntp}}{{^data.nppt}}y{{/data.nppt}}");
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.unknown, ElementsAre("t:1: {{#data.npt}} is not defined for any host",
                                          "t:3: {{^data.nppt}} is not defined for any host"));
}

TEST(Template, WhatIsNoTemplateIsRefusedWithItsLine) {
  EXPECT_EQ(error_of("a\n\n{{name"), "dir/t.mustache:3: a tag is never closed");
  EXPECT_EQ(error_of("\n{{#a}}\n"), "dir/t.mustache:2: the section 'a' is never closed");
  EXPECT_EQ(error_of("{{! \n }}\n{{/a}}"), "dir/t.mustache:3: no section 'a' is open");
  EXPECT_EQ(error_of("{{#a}}\n{{#b}}\n{{/a}}"),
            "dir/t.mustache:3: the section 'b' of line 2 is open, not 'a'");
  EXPECT_THAT(error_of("{{> other}}"), HasSubstr(":1: partials are not supported"));
  EXPECT_THAT(error_of("{{=<% %>=}}"), HasSubstr(":1: the delimiters cannot be changed"));
  EXPECT_THAT(error_of("x\n{{ name | upper }}"), HasSubstr(":2: '{{ name | upper }}' is no tag"));
  EXPECT_THAT(error_of("{{}}"), HasSubstr("is no tag"));
  EXPECT_THAT(error_of("{{{name}} }"), HasSubstr("a tag is never closed"));
  EXPECT_THAT(error_of("a\n\tb"), HasSubstr(":2: a tab"));
  EXPECT_THAT(error_of("a\x01"), HasSubstr(":1: a control character"));
  std::string deep;
  for (int i = 0; i < 33; ++i) deep += "{{#a}}";
  EXPECT_THAT(error_of(deep), HasSubstr("sections nested more than 32 deep"));
  EXPECT_THAT(error_of(std::string(kMaxConfiguration + 1, 'x')), HasSubstr("larger than 1000000"));
}

TEST(Template, WhatItMakesIsBounded) {
  Host host = edge();
  for (int i = 0; i < 1000; ++i) host.data.edit()["many." + std::to_string(i)] = "x";
  for (const char* text :
       {"{{#data.many}}{{#data.many}}{{#data.many}}{{/data.many}}{{/data.many}}{{/data.many}}",
        "{{#data.many}}{{#data.many}}0123456789{{/data.many}}{{/data.many}}",
        "{{#data.many}}{{#data.many}}{{.}}{{.}}{{/data.many}}{{/data.many}}"}) {
    auto parsed = Template::parse(text, "t");
    std::vector<std::string> problems;
    parsed->render(host, task(), problems);
    EXPECT_THAT(problems, ElementsAre(StartsWith("t: it makes more than 1000000 bytes"))) << text;
  }
}

TEST(Template, KeysThatAreNumbersMakeAListInTheirOrder) {
  Host host;
  for (int i = 0; i < 12; ++i) host.data.edit()["list." + std::to_string(i)] = std::to_string(i);
  host.data.edit()["map.1"] = "a";
  host.data.edit()["both"] = "value";
  host.data.edit()["both.x"] = "inside";
  auto parsed = Template::parse(
      "{{#data.list}}{{.}} {{/data.list}}{{#data.map}}{{1}}{{/data.map}} {{data.both}} "
      "{{data.both.x}}",
      "t");
  std::vector<std::string> problems;
  EXPECT_EQ(parsed->render(host, task(), problems), "0 1 2 3 4 5 6 7 8 9 10 11 a value inside");
  EXPECT_THAT(problems, IsEmpty());
}

}  // namespace
}  // namespace netfleet
