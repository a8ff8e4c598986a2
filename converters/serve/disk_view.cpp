// SPDX-License-Identifier: Apache-2.0
#include "converters/serve/disk_view.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <libdeflate.h>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

#include "support/error.hpp"

namespace ferry::serve {
namespace {

constexpr std::uint64_t kSector = 512;               // bytes
constexpr std::uint64_t kWorthTelling = 4096;        // bytes of zeros; fewer are sent
constexpr std::size_t kMostGrains = 32;              // kept inflated
constexpr std::uint64_t kMapAtOnce = 256ULL << 20U;  // bytes of the disk whose map is in memory

void add(std::vector<Stretch> &out, std::uint64_t length, bool zero) {
  if (length == 0) return;
  if (!out.empty() && out.back().zero == zero) {
    out.back().length += length;
  } else {
    out.push_back({length, zero});
  }
}

bool is_sparse(const image::SourceFile &file) {
  const image::SourceFile::Descriptor descriptor = file.descriptor();
  struct stat status {};
  if (descriptor.fd < 0 || fstat(descriptor.fd, &status) != 0) return false;
  constexpr std::uint64_t kBlock = 512;  // that st_blocks counts
  return static_cast<std::uint64_t>(status.st_blocks) * kBlock < static_cast<std::uint64_t>(status.st_size);
}

[[noreturn]] void damaged(const image::SourceFile &file, std::uint64_t offset) {
  throw Error(ErrorKind::malformed, {.where = {.file = file.path(), .path = "offset " + std::to_string(offset)},
                                     .message = "a compressed grain cannot be inflated",
                                     .advice = std::string(image::kDamagedAdvice)});
}

}  // namespace

DiskView::DiskView(std::shared_ptr<const image::Chain> chain)
    : chain_(std::move(chain)), inflater_(libdeflate_alloc_decompressor(), &libdeflate_free_decompressor) {
  if (!inflater_) throw std::bad_alloc();
  for (const auto &file : chain_->files()) sparse_.push_back(is_sparse(*file));
}

DiskView::~DiskView() = default;

std::uint64_t DiskView::size_of(const image::Chain &chain) {
  return (chain.virtual_size() + kSector - 1) / kSector * kSector;
}

void DiskView::add_plain(const Visible &visible, std::vector<Stretch> &out) const {
  const std::uint64_t length = visible.visible_end - visible.visible_begin;
  const auto number = visible.extent.file;
  const image::SourceFile &file = *chain_->files()[number];
  const image::SourceFile::Descriptor descriptor =
      sparse_[number] ? file.descriptor() : image::SourceFile::Descriptor{};
  if (descriptor.fd < 0) return add(out, length, false);
  const std::uint64_t first =
      descriptor.base + visible.extent.file_offset + (visible.visible_begin - visible.extent.guest_offset);
  std::uint64_t done = 0;
  while (done < length) {
    const off_t data = lseek(descriptor.fd, static_cast<off_t>(first + done), SEEK_DATA);
    // None behind it; but a file that ends before its extent does is damaged, and reading it says so.
    const bool no_more = data < 0 && errno == ENXIO && descriptor.base + file.size() >= first + length;
    if (data < 0) return add(out, length - done, no_more);
    const std::uint64_t hole = std::min(length - done, static_cast<std::uint64_t>(data) - (first + done));
    add(out, hole, true);
    done += hole;
    if (done == length) return;
    const off_t end = lseek(descriptor.fd, data, SEEK_HOLE);
    const std::uint64_t stop = end > data ? static_cast<std::uint64_t>(end) : first + length;
    const std::uint64_t bytes = std::min(length - done, stop - (first + done));
    add(out, bytes, false);
    done += bytes;
  }
}

std::vector<Stretch> DiskView::runs(std::uint64_t offset, std::uint64_t length, std::size_t most) const {
  std::vector<Stretch> out;
  const std::uint64_t end = offset + length, data_end = std::min(end, chain_->virtual_size());
  std::vector<Visible> map;
  for (std::uint64_t at = offset; at < data_end && out.size() <= most;) {
    const std::uint64_t next = std::min(data_end, at + kMapAtOnce);
    map.clear();
    chain_->map(at, next, map);
    for (const Visible &visible : map) {
      switch (visible.extent.kind) {
        case image::ExtentKind::plain: add_plain(visible, out); break;
        case image::ExtentKind::deflated: add(out, visible.visible_end - visible.visible_begin, false); break;
        default: add(out, visible.visible_end - visible.visible_begin, true);
      }
      if (out.size() > most) break;
    }
    at = next;
  }
  if (out.size() > most) {
    out.resize(most);
  } else if (end > data_end) {
    add(out, end - std::max(offset, data_end), true);
  }
  return out;
}

const DiskView::Grain &DiskView::inflated(const image::Extent &extent) {
  const auto known = std::find_if(grains_.begin(), grains_.end(), [&](const Grain &grain) {
    return grain.file == extent.file && grain.file_offset == extent.file_offset && grain.bytes.size() == extent.length;
  });
  if (known != grains_.end()) {
    grains_.splice(grains_.begin(), grains_, known);
    return grains_.front();
  }
  const image::SourceFile &file = *chain_->files()[extent.file];
  if (extent.file_offset >= file.size()) damaged(file, extent.file_offset);
  const std::uint64_t stored = std::min<std::uint64_t>(extent.stored_length, file.size() - extent.file_offset);
  stored_.resize(stored);
  file.read(extent.file_offset, stored_.data(), stored_.size());
  Grain grain{extent.file, extent.file_offset, std::vector<std::uint8_t>(extent.length)};
  std::size_t used = 0;
  if (libdeflate_zlib_decompress_ex(inflater_.get(), stored_.data(), stored_.size(), grain.bytes.data(),
                                    grain.bytes.size(), &used, nullptr) != LIBDEFLATE_SUCCESS)
    damaged(file, extent.file_offset);
  if (grains_.size() >= kMostGrains) grains_.pop_back();
  grains_.push_front(std::move(grain));
  return grains_.front();
}

void DiskView::copy(const Visible &visible, std::uint64_t begin, std::uint64_t end, std::uint8_t *into) {
  const image::Extent &extent = visible.extent;
  const std::uint64_t skip = begin - extent.guest_offset;
  const auto length = static_cast<std::size_t>(end - begin);
  if (extent.kind == image::ExtentKind::plain) {
    chain_->files()[extent.file]->read(extent.file_offset + skip, into, length);
  } else {
    std::memcpy(into, inflated(extent).bytes.data() + skip, length);
  }
}

std::vector<Stretch> DiskView::read(std::uint64_t offset, std::uint32_t length, std::uint8_t *into) {
  std::vector<Stretch> found = runs(offset, length, length), out;
  const std::uint64_t data_end = std::min(offset + length, chain_->virtual_size());
  std::vector<Visible> map;
  chain_->map(offset, data_end, map);
  auto extent = map.begin();
  std::uint64_t at = offset;
  for (const Stretch &run : found) {
    const std::uint64_t end = at + run.length;
    if (run.zero && run.length >= kWorthTelling) {
      add(out, run.length, true);
    } else {
      add(out, run.length, false);
      if (run.zero) std::memset(into + (at - offset), 0, run.length);
    }
    while (!run.zero && at < end) {
      while (extent != map.end() && extent->visible_end <= at) ++extent;
      if (extent == map.end()) break;  // the map has no gaps
      const std::uint64_t stop = std::min(end, extent->visible_end);
      copy(*extent, at, stop, into + (at - offset));
      at = stop;
    }
    at = end;
  }
  return out;
}

}  // namespace ferry::serve
