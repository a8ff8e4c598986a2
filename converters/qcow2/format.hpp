// SPDX-License-Identifier: Apache-2.0
// qcow2 version 3, as far as fresh images need it. All integers are big-endian. Facts from QEMU's published
// specification, docs/interop/qcow2.txt; limits from what QEMU 7.2 refuses to open.
//
// A guest offset selects an L1 entry, then an L2 entry, which names the host cluster. Every host cluster has a
// 16-bit reference count in a refcount block, found through the refcount table. Internal snapshots are further
// L1 tables; a cluster's reference count is the number of L2 entries, over all L1 tables, that name it. Bit 63
// of an entry (COPIED) says "exactly one reference" and holds for the active tables only.
#pragma once

#include <cstdint>
#include <span>

namespace ferry::qcow2 {

constexpr std::uint32_t kMagic = 0x514649fb;  // "QFI\xfb"
constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kHeaderLength = 112;    // with the compression type, padded to 8
constexpr std::uint32_t kRefcountOrder = 4;     // 2^4 = 16 bits
constexpr std::uint32_t kMaxRefcount = 0xffff;  // of 16 bits
constexpr std::uint64_t kIncompatibleCompressionType = 1U << 3U;
constexpr std::uint32_t kExtensionBackingFormat = 0xe2792aca;
constexpr std::uint64_t kEntryCopied = std::uint64_t{1} << 63U;
constexpr std::uint64_t kEntryCompressed = std::uint64_t{1} << 62U;
constexpr std::uint64_t kEntryZero = 1;  // of an L2 entry: the cluster reads as zeros
constexpr std::uint32_t kSnapshotHeaderLength = 40, kSnapshotExtraLength = 16;

constexpr std::uint32_t kMinClusterSize = 4096, kMaxClusterSize = 2U << 20U;  // bytes; 512 is of no use
constexpr std::uint64_t kMaxL1Bytes = 32U << 20U;                             // QEMU's limit
constexpr std::uint64_t kMaxRefcountTableBytes = 8U << 20U;                   // QEMU's limit
constexpr std::uint64_t kMaxSnapshots = 65534;  // a cluster in all states must not exceed max_refcount

// Writes `value` big-endian at `into`.
template <class Integer>
void put(std::uint8_t *into, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    into[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(Integer) - 1 - i)));
  }
}

}  // namespace ferry::qcow2
