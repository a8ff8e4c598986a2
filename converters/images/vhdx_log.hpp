// SPDX-License-Identifier: Apache-2.0
// VHDX checksums and the log that must be applied before the tables are read.
#pragma once

#include <memory>
#include <span>

#include "converters/images/format.hpp"

namespace ferry::image {

// CRC-32C (Castagnoli) of `bytes`, those at [skip, skip + 4) taken as zeros.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::size_t skip);

// `source` with the changes of its log applied in memory; the file is not touched. `log_offset` and `log_length`
// (bytes) lie in the file. Throws malformed when the log that `log_guid` announces is not there, unsupported when it is
// larger than 64 MiB.
[[nodiscard]] std::shared_ptr<const SourceFile> apply_vhdx_log(std::shared_ptr<const SourceFile> source,
                                                               std::uint64_t log_offset, std::uint64_t log_length,
                                                               const Uuid &log_guid);

}  // namespace ferry::image
