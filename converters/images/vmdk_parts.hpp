// SPDX-License-Identifier: Apache-2.0
// The parts that a VMDK's extent lines name: each maps its own bytes, and knows nothing of the descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "converters/images/format.hpp"

namespace ferry::image {

class VmdkPart {
 public:
  virtual ~VmdkPart() = default;
  // Appends the extents of [begin, end), counted in bytes of this part, moved up by `guest_base`; plain and
  // deflated ones carry file index `file`. `end` is at most size().
  virtual void map(std::uint64_t begin, std::uint64_t end, std::uint64_t guest_base, std::uint16_t file,
                   std::vector<Extent> &out) const = 0;
  // Goes through the tables; returns the bytes that are stored. Throws malformed.
  virtual std::uint64_t check(std::vector<Finding> &findings) = 0;
  [[nodiscard]] virtual std::uint64_t size() const = 0;        // bytes
  [[nodiscard]] virtual std::uint64_t block_size() const = 0;  // bytes; 0: flat
};

// A range of a flat file, from byte `offset`.
[[nodiscard]] std::unique_ptr<VmdkPart> flat_part(const SourceFile &source, std::uint64_t offset, std::uint64_t length,
                                                  const Place &origin);
// `length` bytes of zeros.
[[nodiscard]] std::unique_ptr<VmdkPart> zero_part(std::uint64_t length);

// Hosted sparse: "KDMV", with or without compression.
struct HostedSparse {
  std::unique_ptr<VmdkPart> part;
  std::string descriptor;  // the embedded text; empty when there is none
};
[[nodiscard]] HostedSparse hosted_sparse_part(std::shared_ptr<const SourceFile> source);
[[nodiscard]] std::unique_ptr<VmdkPart> cowd_part(std::shared_ptr<const SourceFile> source);
[[nodiscard]] std::unique_ptr<VmdkPart> sesparse_part(std::shared_ptr<const SourceFile> source);

// Which of the three a file is, by its first bytes.
enum class SparseKind { none, hosted, cowd, sesparse };
[[nodiscard]] SparseKind sparse_kind(const SourceFile &source);

// The two-level tables of 32-bit sector numbers that hosted sparse files and COWD share.
struct GrainLayout {
  std::uint64_t capacity = 0;           // bytes
  std::uint64_t grain = 0;              // bytes
  std::uint64_t entries_per_table = 0;  // grains that one table covers
  std::uint64_t directory_offset = 0;   // bytes
  std::uint64_t redundant_offset = 0;   // bytes; 0: none
  bool zero_grains = false;             // entry 1 means zeros
  bool compressed = false;              // grains are zlib streams
  bool unclean = false;                 // not closed properly when it was last written to
  bool markers = false;                 // each compressed grain is led by its sector (64 bits) and length (32 bits)
};
[[nodiscard]] std::unique_ptr<VmdkPart> grain_part(std::shared_ptr<const SourceFile> source, const GrainLayout &layout);

}  // namespace ferry::image
