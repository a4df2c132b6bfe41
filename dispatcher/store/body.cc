#include "dispatcher/store/body.h"

#include "common/check.h"

namespace netfleet {
namespace {
// Below this a frame's own bytes eat the gain.
constexpr std::size_t kWorthCompressing = 128;
// Level 1: four times the speed of the default level on configurations, for a tenth more bytes.
constexpr int kLevel = 1;
// More than any output may have; a size above it can only come from a damaged row.
constexpr std::uint64_t kLargestBody = std::uint64_t{4} << 30;
}  // namespace

BodyCodec::BodyCodec()
    : sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      digest_(EVP_MD_CTX_new()),
      compress_(ZSTD_createCCtx()),
      decompress_(ZSTD_createDCtx()) {
  CHECK(sha256_ && digest_ && compress_ && decompress_);
}

BodyHash BodyCodec::hash(std::string_view body) {
  begin_hash();
  add_to_hash(body);
  return end_hash();
}

void BodyCodec::begin_hash() {
  CHECK(EVP_DigestInit_ex2(digest_.get(), sha256_.get(), nullptr) == 1);
}

void BodyCodec::add_to_hash(std::string_view piece) {
  CHECK(EVP_DigestUpdate(digest_.get(), piece.data(), piece.size()) == 1);
}

BodyHash BodyCodec::end_hash() {
  BodyHash hash{};
  CHECK(EVP_DigestFinal_ex(digest_.get(), hash.data(), nullptr) == 1);
  return hash;
}

PackedBody BodyCodec::pack(std::string_view body) {
  if (body.size() < kWorthCompressing) return {.bytes = body};
  const std::size_t bound = ZSTD_compressBound(body.size());
  if (buffer_.size() < bound) buffer_.resize(bound);
  const std::size_t size = ZSTD_compressCCtx(compress_.get(), buffer_.data(), buffer_.size(),
                                             body.data(), body.size(), kLevel);
  if (ZSTD_isError(size) != 0 || size >= body.size()) return {.bytes = body};
  return {.bytes = std::string_view(buffer_.data(), size), .compressed = true};
}

bool BodyCodec::unpack(std::string_view packed, bool compressed, std::uint64_t size,
                       std::string& body) {
  if (!compressed) {
    body.assign(packed);
    return packed.size() == size;
  }
  if (size > kLargestBody) return false;
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != size) return false;
  body.resize(size);
  return ZSTD_decompressDCtx(decompress_.get(), body.data(), body.size(), packed.data(),
                             packed.size()) == size;
}

}  // namespace netfleet
