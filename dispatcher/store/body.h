// dispatcher/store: how a command's output lies in the store: named by its SHA-256, compressed with
// zstd when that pays. The only user of zstd and of the hash. Knows nothing of tables.
#pragma once

#include <openssl/evp.h>
#include <zstd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace netfleet {

using BodyHash = std::array<unsigned char, 32>;

struct PackedBody {
  std::string_view bytes;  // good until the next pack(), or as long as what was packed
  bool compressed = false;
};

// Keeps its contexts and its buffer, so that a body costs no allocation. One thread.
class BodyCodec {
 public:
  BodyCodec();

  BodyHash hash(std::string_view body);
  // The same of a body in pieces.
  void begin_hash();
  void add_to_hash(std::string_view piece);
  BodyHash end_hash();
  PackedBody pack(std::string_view body);
  // Whether `packed` really held exactly `size` bytes; then they are in `body`.
  bool unpack(std::string_view packed, bool compressed, std::uint64_t size, std::string& body);

 private:
  template <auto kFree>
  struct Free {
    template <typename T>
    void operator()(T* object) const {
      kFree(object);
    }
  };
  std::unique_ptr<EVP_MD, Free<EVP_MD_free>> sha256_;
  std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> digest_;
  std::unique_ptr<ZSTD_CCtx, Free<ZSTD_freeCCtx>> compress_;
  std::unique_ptr<ZSTD_DCtx, Free<ZSTD_freeDCtx>> decompress_;
  std::string buffer_;
};

}  // namespace netfleet
