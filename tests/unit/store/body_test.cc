#include "dispatcher/store/body.h"

#include <gtest/gtest.h>

#include "tests/unit/store/test_support.h"

namespace netfleet {
namespace {

std::string round_trip(BodyCodec& codec, const std::string& body) {
  const PackedBody packed = codec.pack(body);
  std::string out;
  EXPECT_TRUE(codec.unpack(packed.bytes, packed.compressed, body.size(), out));
  return out;
}

TEST(BodyCodec, BringsBackWhatItPacked) {
  BodyCodec codec;
  for (const std::size_t size : {0u, 1u, 127u, 128u, 5000u, 6u << 20}) {
    const std::string text(size, 'a');
    EXPECT_EQ(round_trip(codec, text), text);
    const std::string bytes = noise(size, 7);
    EXPECT_EQ(round_trip(codec, bytes), bytes);
  }
}

TEST(BodyCodec, CompressesTextAndLeavesShortAndRandomBytesAlone) {
  BodyCodec codec;
  std::string text;
  for (int i = 0; i < 100; ++i) text += fmt::format("interface GigabitEthernet0/{}\n", i);
  const PackedBody packed = codec.pack(text);
  EXPECT_TRUE(packed.compressed);
  EXPECT_LT(packed.bytes.size(), text.size() / 4);
  EXPECT_FALSE(codec.pack(noise(5000, 1)).compressed);
  EXPECT_FALSE(codec.pack(std::string(100, 'a')).compressed);
}

TEST(BodyCodec, HashIsSha256) {
  BodyCodec codec;
  const BodyHash hash = codec.hash("abc");  // FIPS 180-4, B.1
  EXPECT_EQ(hash[0], 0xba);
  EXPECT_EQ(hash[1], 0x78);
  EXPECT_EQ(hash[31], 0xad);
  EXPECT_EQ(codec.hash("abc"), hash);
  EXPECT_NE(codec.hash("abd"), hash);
}

TEST(BodyCodec, NoticesDamage) {
  BodyCodec codec;
  const std::string text(5000, 'a');
  std::string packed(codec.pack(text).bytes);
  std::string out;
  EXPECT_FALSE(codec.unpack(packed, true, text.size() + 1, out));
  EXPECT_FALSE(
      codec.unpack(std::string_view(packed).substr(0, packed.size() - 3), true, text.size(), out));
  EXPECT_FALSE(codec.unpack("not a frame", true, 11, out));
  EXPECT_FALSE(codec.unpack("", true, 0, out));
  EXPECT_FALSE(codec.unpack("abc", false, 4, out));
  EXPECT_FALSE(codec.unpack(packed, true, std::uint64_t{1} << 50, out));
}

}  // namespace
}  // namespace netfleet
