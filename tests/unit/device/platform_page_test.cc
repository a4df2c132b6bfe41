// What `netfleet platforms` shows.
#include "worker/device/platform_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "worker/device/platform_reader.h"

namespace netfleet {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Platform box() {
  return parse_platform(R"(
name: box
title: A box
confidence: medium
aliases: [bx, crate]
notes: [It is square.]
detect: {server: '^SSH-2.0-Box', probes: [{command: show box, output: '^Box'}], fallback: true}
modes:
  - {name: config, prompt: '^box\(c\)#$', above: '^\[top'}
  - {name: user, prompt: '^box>$'}
prepare: [{command: page off}, {command: width 511, mode: user}]
moves:
  - {from: user, to: config, command: edit, answers: [{prompt: 'Password:', send: enable_password}]}
  - {from: config, to: user, command: leave}
configure:
  mode: config
  commit: {command: commit, confirmed: 'commit {minutes}', confirm: keep, abort: drop}
  blocks: [{begin: '^banner (.)'}]
save: {command: write, success: '^ok', answers: [{prompt: 'sure', reply: ''}]}
pager: {mark: '^more$', key: ' '}
errors: ['^nope']
login: [{prompt: 'new pass', reply: "\x03", bare: true}]
logout: bye
line_ending: "\r"
exec: true
)",
                        "box.yaml")
      .value();
}

TEST(PlatformPage, HasAll) {
  EXPECT_EQ(platform_page(box()), R"(box: A box
  confidence      medium
  also called     bx, crate
  lines end with  CR
  exec channel    yes

Notes
  * It is square.

Modes, as their prompts are tried
  config          ^box\(c\)#$
                  below ^\[top
  user            ^box>$

Ways between them
  user   --[ edit ]--> config
           asked Password:  answers the enable password
  config --[ leave ]--> user

Sent after the login
  page off
  width 511                               once in mode user

Configuration, typed in mode config
  commit          commit
  confirmed       commit {minutes}
  confirm         keep
  abort           drop
  block           ^banner (.)
    up to         its delimiter again

Saving
  command         write
  success         ^ok
  asked sure  answers Enter

Pages
  mark            ^more$
  key             Space

Refusals
  ^nope

Questions of the login
  asked new pass  answers the key Ctrl-C

Logout
  bye

Recognized by -P auto
  server          ^SSH-2.0-Box
  'show box'  prints ^Box
  where others are named, too, and no command tells: this one
)");
}

// The keys are those of the file: what is shown can be read again.
TEST(PlatformPage, JsonIsTheFileAgain) {
  std::vector<const Platform*> platforms = PlatformSet::builtin().all();
  const Platform mine = box();
  platforms.push_back(&mine);
  for (const Platform* platform : platforms) {
    const std::string json = platform_json(*platform);
    EXPECT_THAT(json, EndsWith("}\n"));
    const auto again = parse_platform(json, platform->name);
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(platform_json(*again), json);
    EXPECT_EQ(platform_page(*again), platform_page(*platform));
  }
}

TEST(PlatformPage, TableHasALineEach) {
  const PlatformSet& set = PlatformSet::builtin();
  const std::string table = platform_table(set);
  EXPECT_THAT(table, StartsWith("NAME "));
  EXPECT_EQ(std::ranges::count(table, '\n'), 1 + std::ssize(set.names()));
  EXPECT_THAT(table, HasSubstr("\ncisco_ios  "));
  EXPECT_EQ(std::ranges::count(platform_table_jsonl(set), '\n'), std::ssize(set.names()));
}

}  // namespace
}  // namespace netfleet
