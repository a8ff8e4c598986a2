// SPDX-License-Identifier: Apache-2.0
// Raw: the file is the disk, byte for byte. Taken only where the source says so, because a guest can write any
// other format's header into its own disk; ISO 9660 is raw too, and is known by its volume descriptor.
#include <algorithm>

#include "converters/images/format.hpp"

namespace ferry::image {
namespace {

class RawImage final : public FormatImage {
 public:
  RawImage(std::shared_ptr<const SourceFile> source, ImageFormat format) {
    info_.format = format;
    info_.variant = "flat";
    info_.virtual_size = source->size();
    info_.allocated = source->size();
    add_file(std::move(source));
  }
  void check_tables() override {}
  void map(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    if (begin >= end) return;
    append(out, {.guest_offset = begin, .length = end - begin, .file_offset = begin, .kind = ExtentKind::plain});
  }
};

// A new disk that no file stands behind: zeros.
class BlankImage final : public FormatImage {
 public:
  explicit BlankImage(const ImageFile &file) {
    info_.file = file.display_path();
    info_.format = ImageFormat::raw;
    info_.variant = "blank";
    info_.virtual_size = file.declared_capacity.value_or(0);
    require(info_.virtual_size > 0, file.origin, "a disk without a file has no capacity",
            file.declared_capacity ? "0 bytes" : "nothing", "at least 1 byte");
  }
  void check_tables() override {}
  void map(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    if (begin < end) append(out, {.guest_offset = begin, .length = end - begin, .kind = ExtentKind::zero});
  }
};

}  // namespace

std::shared_ptr<FormatImage> open_blank(const ImageFile &file) { return std::make_shared<BlankImage>(file); }

std::shared_ptr<FormatImage> open_raw(std::shared_ptr<const SourceFile> source, ImageFormat format) {
  return std::make_shared<RawImage>(std::move(source), format);
}

}  // namespace ferry::image
