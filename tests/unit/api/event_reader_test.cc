#include "dispatcher/api/event_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "dispatcher/api/line_reader.h"

namespace netfleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// "name=data" of each event, read in pieces of this size.
std::vector<std::string> events(std::string_view bytes, std::size_t piece) {
  std::vector<std::string> all;
  EventReader reader;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto read = reader.read(bytes.substr(at, piece), [&](const ServerEvent& event) {
      all.push_back(event.name + "=" + event.data);
    });
    EXPECT_TRUE(read) << read.error().message;
  }
  return all;
}

TEST(EventReader, ReadsTheSameHoweverItIsCut) {
  const std::string bytes =
      "\xEF\xBB\xBF: a comment\nevent: progress\ndata: {\"a\": 1}\n\n"
      "event:progress\r\ndata:one\r\ndata: two\r\nid: 7\r\nretry: 10\r\n\r\n"
      ":\n\n"
      "data\rdata\r\r"
      "event: end\ndata: last\nunknown: x\n\n"
      "event: never\ndata: it is cut";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    EXPECT_THAT(events(bytes, piece),
                ElementsAre("progress={\"a\": 1}", "progress=one\ntwo", "=\n", "end=last"))
        << "in pieces of " << piece;
  }
}

TEST(EventReader, AnEventWithoutDataIsNone) {
  EXPECT_THAT(events("event: progress\n\nevent: x\nid: 1\n\n", 3), IsEmpty());
  EXPECT_THAT(events("event: a\n\ndata: b\n\n", 3), ElementsAre("=b")) << "nothing is carried over";
}

TEST(EventReader, BoundsAnEvent) {
  const std::string piece(1u << 20, 'x');
  for (const std::string line : {"data: ", "data: \ndata: "}) {
    EventReader reader;
    std::size_t read = 0;
    while (read <= EventReader::kLargest) {
      if (!reader.read(line + piece, [](const ServerEvent&) {})) break;
      read += piece.size();
    }
    EXPECT_LE(read, EventReader::kLargest);
  }
  EventReader lines;
  std::string many;
  Expected<void> read;
  for (int i = 0; read && i < 10'000; ++i) {
    read = lines.read("data: " + std::string(1000, 'y') + "\n", [](const ServerEvent&) {});
  }
  EXPECT_FALSE(read) << "many lines of one event";
}

std::vector<std::string> lines(std::string_view bytes, std::size_t piece) {
  std::vector<std::string> all;
  LineReader reader(100);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    EXPECT_EQ(reader.read(bytes.substr(at, piece),
                          [&](std::string_view line) {
                            all.emplace_back(line);
                            return true;
                          }),
              true);
  }
  return all;
}

TEST(LineReader, ReadsTheSameHoweverItIsCut) {
  const std::string bytes = "one\n\n\ntwo and more\nthree\ncut";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    EXPECT_THAT(lines(bytes, piece), ElementsAre("one", "two and more", "three"));
  }
}

TEST(LineReader, StopsWhereItIsTold) {
  LineReader reader(100);
  int seen = 0;
  EXPECT_EQ(reader.read("a\nb\nc\n", [&](std::string_view) { return ++seen < 2; }), false);
  EXPECT_EQ(seen, 2);
}

TEST(LineReader, BoundsALine) {
  LineReader reader(10);
  EXPECT_TRUE(reader.read("0123456", [](std::string_view) { return true; }));
  const auto read = reader.read("789a\n", [](std::string_view) { return true; });
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("longer than 10 bytes"));
}

}  // namespace
}  // namespace netfleet
