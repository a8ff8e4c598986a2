// SPDX-License-Identifier: Apache-2.0
// A disk as it is served: what of it holds data, and its bytes, for reads of any size at any place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "converters/images/image.hpp"

struct libdeflate_decompressor;

namespace ferry::serve {

// A stretch of the disk that is zeros as far as its images' tables and the holes of their files say, or data.
struct Stretch {
  std::uint64_t length = 0;  // bytes
  bool zero = false;
  friend bool operator==(const Stretch &, const Stretch &) = default;
};

// Used by one thread. Chains may be shared.
class DiskView {
 public:
  explicit DiskView(std::shared_ptr<const image::Chain> chain);
  ~DiskView();
  DiskView(const DiskView &) = delete;
  DiskView &operator=(const DiskView &) = delete;

  // Bytes: whole sectors, as QEMU's disks have them. What the chain has not of the last one is zeros.
  [[nodiscard]] static std::uint64_t size_of(const image::Chain &chain);
  [[nodiscard]] std::uint64_t size() const { return size_of(*chain_); }

  // What is in [offset, offset + length), which is inside the disk, in order; neighbours differ. At most `most` runs,
  // so that the last ones may be left out; at least one. Throws as the images' readers do.
  [[nodiscard]] std::vector<Stretch> runs(std::uint64_t offset, std::uint64_t length, std::size_t most) const;

  // The same, all of it, and the data: those of a run that begins `n` bytes behind `offset` are at into + n. Where it
  // is zero, nothing is written. Runs of zeros that are not worth being told apart are data, and written.
  [[nodiscard]] std::vector<Stretch> read(std::uint64_t offset, std::uint32_t length, std::uint8_t *into);

 private:
  using Visible = image::Chain::VisibleExtent;
  struct Grain {
    std::uint16_t file = 0;
    std::uint64_t file_offset = 0;
    std::vector<std::uint8_t> bytes;
  };

  // Of a plain extent: holes of the file are zeros.
  void add_plain(const Visible &visible, std::vector<Stretch> &out) const;
  void copy(const Visible &visible, std::uint64_t begin, std::uint64_t end, std::uint8_t *into);
  [[nodiscard]] const Grain &inflated(const image::Extent &extent);

  std::shared_ptr<const image::Chain> chain_;
  std::vector<bool> sparse_;  // by file: it takes less room than its size, so that asking for holes pays
  std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor *)> inflater_;
  std::list<Grain> grains_;  // used last, first
  std::vector<std::uint8_t> stored_;
};

}  // namespace ferry::serve
