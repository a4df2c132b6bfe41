#include "worker/device/session_log.h"

#include <gtest/gtest.h>

#include "worker/device/secret_mask.h"
#include "worker/device/session_log_writer.h"
#include "worker/device/session_replay.h"

namespace netfleet {
namespace {

using namespace std::string_view_literals;

Milliseconds ms(int count) { return Milliseconds(count); }

std::string masked(std::initializer_list<std::string_view> secrets, std::string_view text) {
  SecretMask mask;
  for (const std::string_view secret : secrets) mask.add(Secret(secret));
  return mask.mask(text, false).text;
}

TEST(SecretMask, HidesEverySecretEverywhere) {
  EXPECT_EQ(masked({"hunter2"}, "a hunter2 hunter2b"), "a _masked_ _masked_b");
  EXPECT_EQ(masked({"abc", "abcd", ""}, "xabcdabcx"), "x_masked__masked_x");
  EXPECT_EQ(masked({"abcd", "bc"}, "abce abcd"), "a_masked_e _masked_");
  EXPECT_EQ(masked({}, "abc"), "abc");
}

TEST(SecretMask, HoldsWhatMayBecomeASecret) {
  SecretMask mask;
  mask.add(Secret("hunter2"));
  mask.add(Secret("unt"));
  EXPECT_EQ(mask.mask("say hunter", true).text, "say ");
  EXPECT_EQ(mask.mask("say hunter", true).held, 6u);
  EXPECT_EQ(mask.mask("say hunted", true).text, "say h_masked_ed");
  EXPECT_EQ(mask.mask("hunter2", true).held, 0u);
}

// A log with a secret in it, the device's bytes cut to pieces.
std::string log_of(std::string_view device, std::size_t chunk) {
  const Secret password("hunter2");
  Dialogue::Options options;
  options.password = &password;
  options.commands = {"show hunter2"};
  SessionLogWriter writer("edge-7", "", "cisco_ios");
  writer.begin(options);
  for (std::size_t at = 0; at < device.size(); at += chunk) {
    writer.received(ms(1), device.substr(at, chunk));
  }
  writer.ended(ms(2), Outcome::kTimedOut, "it said hunter2");
  return writer.take();
}

TEST(SessionLogWriter, LeavesNothingOfASecretHoweverItIsCut) {
  const std::string_view device =
      "R1>enable\r\nPassword: hunter2\r\nhunhunter2hunter2\r\n#hunter"sv;
  for (std::size_t chunk = 1; chunk <= device.size(); ++chunk) {
    const std::string log = log_of(device, chunk);
    const auto parsed = parse_session_log(log);
    ASSERT_TRUE(parsed) << parsed.error().message;
    std::string bytes;
    for (const auto& step : parsed->steps) bytes += step.bytes;
    EXPECT_EQ(bytes, "R1>enable\r\nPassword: _masked_\r\nhun_masked__masked_\r\n#_masked_")
        << chunk;
    EXPECT_EQ(parsed->options.commands.at(0), "show _masked_");
    EXPECT_EQ(parsed->password.reveal(), "_masked_");
    EXPECT_EQ(parsed->ended, "timed_out it said _masked_");
  }
}

TEST(SessionLogWriter, MasksWhatIsTyped) {
  const Secret password("hunter2");
  Dialogue::Options options;
  options.password = &password;
  SessionLogWriter writer("edge-7", "", "cisco_ios");
  writer.begin(options);
  writer.take();
  writer.typed(ms(7), "hunter2\n", true);
  writer.typed(ms(8), "123456\r\n", true);  // a one-time code, say
  writer.typed(ms(9), "show version\n", false);
  EXPECT_EQ(writer.take(),
            "       7 > _masked_\\n\n       8 > _masked_\\r\\n\n       9 > show version\\n\n");
}

TEST(SessionLogWriter, KeepsTheOrderOfWhatWasTypedWhileBytesWereHeld) {
  const Secret password("#abc");
  Dialogue::Options options;
  options.password = &password;
  SessionLogWriter writer("r", "", "cisco_ios");
  writer.begin(options);
  writer.take();
  writer.received(ms(1), "R1#");
  writer.typed(ms(2), "show\n", false);
  EXPECT_EQ(writer.take(), "       1 < R1\n");
  writer.received(ms(3), "show\r\n");
  EXPECT_EQ(writer.take(), "         < #\n       2 > show\\n\n       3 < show\\r\\n\n");
  writer.received(ms(4), "#a");
  writer.typed(ms(5), "x", false);
  writer.received(ms(6), "bc!");
  EXPECT_EQ(writer.take(), "       4 < _masked_!\n       5 > x\n");
}

TEST(SessionLog, EveryByteComesBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  all += "\xc3\xa4\xe2\x82\xac\xc2\x9b[1m\xe2\x82 ";
  SessionLogWriter writer("a\nb", "a title\nof two lines", "generic");
  writer.begin({});
  writer.received(ms(0), all);
  writer.typed(ms(12345678), " \\x\t\n", false);
  writer.closed(ms(12345679));
  const std::string text = writer.take();
  for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  const auto log = parse_session_log(text);
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_EQ(log->host, "a\nb");
  ASSERT_EQ(log->steps.size(), 3u);
  EXPECT_EQ(log->steps[0].bytes, all);
  EXPECT_EQ(log->steps[1].bytes, " \\x\t\n");
  EXPECT_EQ(log->steps[1].at, ms(12345678));
  EXPECT_EQ(log->steps[2].kind, SessionLog::Step::Kind::kClosed);
}

TEST(SessionLog, SaysWhatIsWrongInWhichLine) {
  const auto error = [](std::string_view text) {
    const auto log = parse_session_log(text);
    return log ? "none" : log.error().message;
  };
  EXPECT_EQ(error("platform x\nplatfrom y\n"), "2: unknown word \"platfrom\"");
  EXPECT_EQ(error("platform x\n< a\\q\n"), "2: an escape that there is not");
  EXPECT_EQ(error("platform x\n< a\\x1"), "2: an escape that there is not");
  EXPECT_EQ(error("columns many\n"), "1: \"columns\" does not fit here");
  EXPECT_EQ(error("= text\n"), "1: \"=\" does not fit here");
  EXPECT_EQ(error("# nothing\n"), "no platform is named");
  EXPECT_EQ(error("platform x"), "none");
}

TEST(SessionLog, TheBytesOfOneReadStayTogether) {
  const auto log = parse_session_log("platform x\n 1 < a\\n\n   < b\n 2 < c\n< d\n");
  ASSERT_TRUE(log);
  ASSERT_EQ(log->steps.size(), 2u);
  EXPECT_EQ(log->steps[0].bytes, "a\nb");
  EXPECT_EQ(log->steps[1].bytes, "cd");
}

TEST(SessionReplay, SaysWhereItWouldTypeSomethingElse) {
  const auto log = parse_session_log(
      "platform cisco_ios\ncommand show clock\n"
      " 1 < R1#\n 2 > terminal length 0\\n\n 3 < terminal length 0\\r\\nR1#\n"
      " 4 > show time\\n\n 5 < show clock\\r\\n12:00\\r\\nR1#\n");
  ASSERT_TRUE(log) << log.error().message;
  const Replay replayed = replay(*log, PlatformSet::builtin());
  ASSERT_EQ(replayed.differences.size(), 2u);
  EXPECT_EQ(replayed.differences[0].logged, "show time\n");
  EXPECT_EQ(replayed.differences[0].typed, "show clock\n");
  EXPECT_EQ(replayed.differences[0].line, 6u);
  EXPECT_EQ(replayed.differences[0].at, ms(4));
  EXPECT_EQ(replayed.differences[0].last_line, "R1#");
  EXPECT_EQ(replayed.differences[1].typed, "exit\n");
  EXPECT_TRUE(replayed.done);
  ASSERT_EQ(replayed.outputs.size(), 1u);
  EXPECT_EQ(replayed.outputs[0].text, "12:00\n");
}

TEST(SessionReplay, HasWhatAnUnfinishedCommandPrinted) {
  const auto log = parse_session_log(
      "platform cisco_ios\ncommand show clock\n"
      "< R1#\n> terminal length 0\\n\n< terminal length 0\\r\\nR1#\n"
      "> show clock\\n\n< show clock\\r\\n12:00\\r\\n");
  ASSERT_TRUE(log);
  const Replay replayed = replay(*log, PlatformSet::builtin());
  EXPECT_FALSE(replayed.done);
  EXPECT_TRUE(replayed.unfinished_output);
  ASSERT_EQ(replayed.outputs.size(), 1u);
  EXPECT_EQ(replayed.outputs[0].text, "12:00\n");
}

}  // namespace
}  // namespace netfleet
