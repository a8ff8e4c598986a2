// SPDX-License-Identifier: Apache-2.0
// A chain's map: the images' maps laid over each other.
#include <algorithm>
#include <cstring>
#include <libdeflate.h>

#include "converters/images/format.hpp"

namespace ferry::image {
namespace {

using Visible = Chain::VisibleExtent;

// Appends, merged with the last one where both continue in guest and file.
void append_visible(std::vector<Visible> &out, const Visible &next) {
  if (next.visible_begin >= next.visible_end) return;
  if (!out.empty()) {
    Visible &last = out.back();
    const Extent &a = last.extent;
    const Extent &b = next.extent;
    if (last.visible_end == next.visible_begin && a.kind == b.kind) {
      if (a.kind == ExtentKind::deflated && a == b) {
        last.visible_end = next.visible_end;
        return;
      }
      const bool continues = a.kind == ExtentKind::zero || (a.kind == ExtentKind::plain && a.file == b.file &&
                                                            a.file_offset + a.length == b.file_offset);
      if (continues && a.guest_offset + a.length == b.guest_offset) {
        last.extent.length += b.length;
        last.visible_end = next.visible_end;
        return;
      }
    }
  }
  out.push_back(next);
}

// What shows of the images up to `level` in [begin, end).
class Overlay {
 public:
  Overlay(const std::vector<std::shared_ptr<const Image>> &images, const std::vector<std::uint16_t> &first_file,
          std::vector<Visible> &out)
      : images_(images), first_file_(first_file), out_(out) {}

  void fill(std::size_t level, std::uint64_t begin, std::uint64_t end) {
    const Image &image = *images_[level];
    // A parent may be smaller than its child: beyond its end the guest reads zeros.
    const std::uint64_t stop = std::max(begin, std::min(end, image.info().virtual_size));
    std::vector<Extent> extents;
    image.map(begin, stop, extents);
    for (const Extent &extent : extents) show(level, extent, begin, stop);
    zero(stop, end);
  }

 private:
  void zero(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    append_visible(out_, {{.guest_offset = begin, .length = end - begin, .kind = ExtentKind::zero}, begin, end});
  }

  void show(std::size_t level, Extent extent, std::uint64_t window_begin, std::uint64_t window_end) {
    const std::uint64_t begin = std::max(extent.guest_offset, window_begin);
    const std::uint64_t end = std::min(extent.guest_offset + extent.length, window_end);
    if (begin >= end) return;
    switch (extent.kind) {
      case ExtentKind::zero: zero(begin, end); break;
      case ExtentKind::parent:
        if (level == 0) {
          zero(begin, end);
        } else {
          fill(level - 1, begin, end);
        }
        break;
      case ExtentKind::plain:
      case ExtentKind::deflated:
        extent.file = static_cast<std::uint16_t>(extent.file + first_file_[level]);
        append_visible(out_, {extent, begin, end});
        break;
    }
  }

  const std::vector<std::shared_ptr<const Image>> &images_;
  const std::vector<std::uint16_t> &first_file_;
  std::vector<Visible> &out_;
};

void inflate_part(const SourceFile &file, const Visible &visible, std::uint8_t *into) {
  const Extent &extent = visible.extent;
  const auto stored = read_bytes(file, extent.file_offset, extent.stored_length);
  std::vector<std::uint8_t> plain(static_cast<std::size_t>(extent.length));
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor *)> inflater(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  std::size_t used = 0;
  std::size_t length = 0;
  const auto result = libdeflate_zlib_decompress_ex(inflater.get(), stored.data(), stored.size(), plain.data(),
                                                    plain.size(), &used, &length);
  require(result == LIBDEFLATE_SUCCESS && length == plain.size(),
          place_in(file, extent.file_offset, "compressed grain"), "a compressed grain cannot be inflated", length,
          std::to_string(plain.size()) + " bytes");
  std::memcpy(into, plain.data() + (visible.visible_begin - extent.guest_offset),
              static_cast<std::size_t>(visible.visible_end - visible.visible_begin));
}

}  // namespace

Chain::Chain(std::vector<std::shared_ptr<const Image>> images) : images_(std::move(images)) {
  if (images_.empty()) {
    throw Error(ErrorKind::malformed, {.where = {},
                                       .message = "a disk has no image",
                                       .found = "an empty chain",
                                       .expected = "at least one image",
                                       .advice = "Name the image that the disk is stored in."});
  }
  for (const auto &image : images_) {
    first_file_.push_back(static_cast<std::uint16_t>(files_.size()));
    files_.insert(files_.end(), image->files().begin(), image->files().end());
    require(files_.size() <= UINT16_MAX, {.file = image->info().file}, "the chain has too many files", files_.size(),
            "at most 65535");
  }
}

std::uint64_t Chain::virtual_size() const { return images_.back()->info().virtual_size; }

void Chain::map(std::uint64_t begin, std::uint64_t end, std::vector<VisibleExtent> &out) const {
  end = std::min(end, virtual_size());
  if (begin < end) Overlay(images_, first_file_, out).fill(images_.size() - 1, begin, end);
}

void Chain::read(std::uint64_t offset, void *into, std::size_t length) const {
  require(inside(offset, length, virtual_size()), {.file = images_.back()->info().file},
          "a read reaches beyond the disk's end", offset, "an end of at most " + std::to_string(virtual_size()));
  auto *to = static_cast<std::uint8_t *>(into);
  std::vector<VisibleExtent> extents;
  map(offset, offset + length, extents);
  for (const VisibleExtent &visible : extents) {
    const auto now = static_cast<std::size_t>(visible.visible_end - visible.visible_begin);
    std::uint8_t *target = to + (visible.visible_begin - offset);
    const Extent &extent = visible.extent;
    if (extent.kind == ExtentKind::zero) {
      std::memset(target, 0, now);
    } else if (extent.kind == ExtentKind::plain) {
      files_[extent.file]->read(extent.file_offset + (visible.visible_begin - extent.guest_offset), target, now);
    } else {
      inflate_part(*files_[extent.file], visible, target);
    }
  }
}

}  // namespace ferry::image
