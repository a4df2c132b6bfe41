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
// What one large body may leave behind in the buffer.
constexpr std::size_t kBufferKept = 4u << 20;
// Of a larger one, so much is compressed at once.
constexpr std::size_t kPiece = 1u << 20;
}  // namespace

BodyCodec::BodyCodec()
    : sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      digest_(EVP_MD_CTX_new()),
      compress_(ZSTD_createCCtx()),
      decompress_(ZSTD_createDCtx()) {
  CHECK(sha256_ && digest_ && compress_ && decompress_);
}

BodyHash BodyCodec::hash(std::string_view body) {
  BodyHash hash{};
  CHECK(EVP_DigestInit_ex2(digest_.get(), sha256_.get(), nullptr) == 1);
  CHECK(EVP_DigestUpdate(digest_.get(), body.data(), body.size()) == 1);
  CHECK(EVP_DigestFinal_ex(digest_.get(), hash.data(), nullptr) == 1);
  return hash;
}

PackedBody BodyCodec::pack(std::string_view body) {
  if (body.size() < kWorthCompressing) return {.bytes = body};
  const std::size_t bound = ZSTD_compressBound(body.size());
  if (bound > kBufferKept) return pack_in_pieces(body);
  if (buffer_.size() > kBufferKept) buffer_ = {};
  if (buffer_.size() < bound) buffer_.resize(bound);
  const std::size_t size = ZSTD_compressCCtx(compress_.get(), buffer_.data(), buffer_.size(),
                                             body.data(), body.size(), kLevel);
  if (ZSTD_isError(size) != 0 || size >= body.size()) return {.bytes = body};
  return {.bytes = std::string_view(buffer_.data(), size), .compressed = true};
}

// The buffer grows with what comes out, not with what could.
PackedBody BodyCodec::pack_in_pieces(std::string_view body) {
  ZSTD_CCtx_reset(compress_.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(compress_.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setPledgedSrcSize(compress_.get(), body.size());
  buffer_.clear();
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  for (std::size_t left = 1; left != 0;) {
    const std::size_t before = buffer_.size();
    if (before + kPiece > body.size()) return {.bytes = body};
    buffer_.resize(before + kPiece);
    ZSTD_outBuffer out{buffer_.data() + before, kPiece, 0};
    left = ZSTD_compressStream2(compress_.get(), &out, &in, ZSTD_e_end);
    if (ZSTD_isError(left) != 0) return {.bytes = body};
    buffer_.resize(before + out.pos);
  }
  return {.bytes = buffer_, .compressed = true};
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
