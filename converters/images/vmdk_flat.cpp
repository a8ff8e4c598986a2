// SPDX-License-Identifier: Apache-2.0
// Flat and zero extents: monolithicFlat, twoGbMaxExtentFlat and ESX's vmfs files hold the guest's bytes as they are.
#include "converters/images/vmdk_parts.hpp"

namespace ferry::image {
namespace {

class FlatPart final : public VmdkPart {
 public:
  FlatPart(std::uint64_t offset, std::uint64_t length) : offset_(offset), length_(length) {}
  void map(std::uint64_t begin, std::uint64_t end, std::uint64_t guest_base, std::uint16_t file,
           std::vector<Extent> &out) const override {
    append(out, {.guest_offset = guest_base + begin,
                 .length = end - begin,
                 .file_offset = offset_ + begin,
                 .file = file,
                 .kind = ExtentKind::plain});
  }
  std::uint64_t check(std::vector<Finding> & /*findings*/) override { return length_; }
  [[nodiscard]] std::uint64_t size() const override { return length_; }
  [[nodiscard]] std::uint64_t block_size() const override { return 0; }

 private:
  std::uint64_t offset_;
  std::uint64_t length_;
};

class ZeroPart final : public VmdkPart {
 public:
  explicit ZeroPart(std::uint64_t length) : length_(length) {}
  void map(std::uint64_t begin, std::uint64_t end, std::uint64_t guest_base, std::uint16_t /*file*/,
           std::vector<Extent> &out) const override {
    append(out, {.guest_offset = guest_base + begin, .length = end - begin, .kind = ExtentKind::zero});
  }
  std::uint64_t check(std::vector<Finding> & /*findings*/) override { return 0; }
  [[nodiscard]] std::uint64_t size() const override { return length_; }
  [[nodiscard]] std::uint64_t block_size() const override { return 0; }

 private:
  std::uint64_t length_;
};

}  // namespace

std::unique_ptr<VmdkPart> flat_part(const SourceFile &source, std::uint64_t offset, std::uint64_t length,
                                    const Place &origin) {
  require(inside(offset, length, source.size()), origin, "a flat extent reaches beyond the end of its file",
          source.size(),
          "at least " + std::to_string(offset) + " + " + std::to_string(length) + " bytes in '" +
              source.path().string() + "'");
  return std::make_unique<FlatPart>(offset, length);
}

std::unique_ptr<VmdkPart> zero_part(std::uint64_t length) { return std::make_unique<ZeroPart>(length); }

}  // namespace ferry::image
