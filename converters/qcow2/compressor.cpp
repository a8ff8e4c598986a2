// SPDX-License-Identifier: Apache-2.0
#include "converters/qcow2/compressor.hpp"

#include <new>
#include <zlib.h>
#include <zstd.h>

#include "support/error.hpp"

namespace ferry::qcow2 {

namespace {

class ZlibCompressor final : public Compressor {
 public:
  ZlibCompressor() {
    constexpr int kRawWindowBits = -12;  // negative: no zlib header; 12: 4 KiB
    constexpr int kMemoryLevel = 9;
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~ZlibCompressor() override { deflateEnd(&stream_); }
  ZlibCompressor(const ZlibCompressor &) = delete;
  ZlibCompressor &operator=(const ZlibCompressor &) = delete;

  std::size_t compress(std::span<const std::uint8_t> cluster, std::span<std::uint8_t> into) override {
    deflateReset(&stream_);
    stream_.next_in = const_cast<Bytef *>(cluster.data());
    stream_.avail_in = static_cast<uInt>(cluster.size());
    stream_.next_out = into.data();
    stream_.avail_out = static_cast<uInt>(into.size());
    return deflate(&stream_, Z_FINISH) == Z_STREAM_END ? into.size() - stream_.avail_out : 0;
  }

 private:
  z_stream stream_{};
};

class ZstdCompressor final : public Compressor {
 public:
  ZstdCompressor() : context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
    if (!context_) throw std::bad_alloc();
  }

  std::size_t compress(std::span<const std::uint8_t> cluster, std::span<std::uint8_t> into) override {
    const std::size_t result = ZSTD_compressCCtx(context_.get(), into.data(), into.size(), cluster.data(),
                                                 cluster.size(), ZSTD_CLEVEL_DEFAULT);
    return ZSTD_isError(result) != 0 ? 0 : result;
  }

 private:
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx *)> context_;
};

}  // namespace

std::unique_ptr<Compressor> make_compressor(Compression compression) {
  switch (compression) {
    case Compression::zlib: return std::make_unique<ZlibCompressor>();
    case Compression::zstd: return std::make_unique<ZstdCompressor>();
    case Compression::none: break;
  }
  throw Error(ErrorKind::internal, {.message = "a compressor was asked for where nothing is to be compressed"});
}

}  // namespace ferry::qcow2
