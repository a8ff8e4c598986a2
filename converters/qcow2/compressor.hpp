// SPDX-License-Identifier: Apache-2.0
// qcow2's two compressions of a cluster.
//   zlib: a raw deflate stream (RFC 1951) with a window of 4 KiB, the only one that readers must accept;
//   zstd: one Zstandard frame (RFC 8878).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "converters/qcow2/writer.hpp"

namespace ferry::qcow2 {

// Used by one thread.
class Compressor {
 public:
  virtual ~Compressor() = default;
  // Compresses `cluster` into `into`. Returns the length, or 0 when it does not fit: then it is not worth it.
  [[nodiscard]] virtual std::size_t compress(std::span<const std::uint8_t> cluster, std::span<std::uint8_t> into) = 0;
};

[[nodiscard]] std::unique_ptr<Compressor> make_compressor(Compression compression);

}  // namespace ferry::qcow2
