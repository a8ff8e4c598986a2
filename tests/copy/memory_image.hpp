// SPDX-License-Identifier: Apache-2.0
// Images for tests of the copy engine: an extent map that the test writes down, over a file that the test fills.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <libdeflate.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include "converters/images/image.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::test {

// A real file, so that descriptors, holes and cloning can be tried.
class DiskFile final : public image::SourceFile {
 public:
  explicit DiskFile(std::filesystem::path path) : path_(std::move(path)) {
    fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) throw std::runtime_error("open " + path_.string());
  }
  ~DiskFile() override { close(fd_); }
  DiskFile(const DiskFile &) = delete;
  DiskFile &operator=(const DiskFile &) = delete;

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    reads += 1;
    bytes_read += length;
    if (pread(fd_, into, length, static_cast<off_t>(offset)) != static_cast<ssize_t>(length)) {
      throw Error(ErrorKind::malformed, {.where = {.file = path_}, .message = "short read"});
    }
  }
  [[nodiscard]] Descriptor descriptor() const override { return {.fd = fd_, .base = 0}; }
  [[nodiscard]] std::uint64_t size() const override { return std::filesystem::file_size(path_); }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }

  // Appends at the next multiple of `alignment`; returns where.
  std::uint64_t append(const std::vector<std::uint8_t> &bytes, std::uint64_t alignment = 1) const {
    const std::uint64_t at = (size() + alignment - 1) / alignment * alignment;
    if (pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("pwrite");
    }
    return at;
  }

  mutable std::atomic<std::uint64_t> reads{0}, bytes_read{0};

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

class MemoryImage final : public image::Image {
 public:
  MemoryImage(std::uint64_t virtual_size, const std::shared_ptr<DiskFile> &file) : file_(file), files_{file} {
    info_.virtual_size = virtual_size;
    info_.file = file->path();
    reference_.resize(virtual_size);
  }

  // Extents must be added in guest order. What is not added falls through to the parent.
  void plain(std::uint64_t guest, const std::vector<std::uint8_t> &bytes, std::uint64_t alignment = 1) {
    plain_at(guest, bytes, file_->append(bytes, alignment));
  }
  void plain_at(std::uint64_t guest, const std::vector<std::uint8_t> &bytes, std::uint64_t file_offset) {
    extents_.push_back(
        {.guest_offset = guest, .length = bytes.size(), .file_offset = file_offset, .kind = image::ExtentKind::plain});
    note(guest, bytes);
  }
  void deflated(std::uint64_t guest, const std::vector<std::uint8_t> &bytes) {
    std::vector<std::uint8_t> stream(bytes.size() + 1024);
    libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    stream.resize(libdeflate_zlib_compress(compressor, bytes.data(), bytes.size(), stream.data(), stream.size()));
    libdeflate_free_compressor(compressor);
    extents_.push_back({.guest_offset = guest,
                        .length = bytes.size(),
                        .file_offset = file_->append(stream),
                        .stored_length = static_cast<std::uint32_t>(stream.size()),
                        .kind = image::ExtentKind::deflated});
    note(guest, bytes);
  }
  void zero(std::uint64_t guest, std::uint64_t length) {
    extents_.push_back({.guest_offset = guest, .length = length, .kind = image::ExtentKind::zero});
    note(guest, std::vector<std::uint8_t>(length));
  }

  [[nodiscard]] const image::ImageInfo &info() const override { return info_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const image::SourceFile>> &files() const override { return files_; }
  void map(std::uint64_t begin, std::uint64_t end, std::vector<image::Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    std::uint64_t at = begin;
    for (const image::Extent &extent : extents_) {
      const std::uint64_t extent_end = extent.guest_offset + extent.length;
      if (extent_end <= begin || extent.guest_offset >= end) continue;
      if (extent.guest_offset > at) gap(at, extent.guest_offset, out);
      image::Extent piece = extent;
      if (extent.kind != image::ExtentKind::deflated) {
        const std::uint64_t from = std::max(begin, extent.guest_offset), to = std::min(end, extent_end);
        piece.guest_offset = from;
        piece.length = to - from;
        if (extent.kind == image::ExtentKind::plain) piece.file_offset += from - extent.guest_offset;
      }
      out.push_back(piece);
      at = extent_end;
    }
    if (at < end) gap(at, end, out);
  }

  // What the guest reads with this image on top of a disk that reads `below`.
  [[nodiscard]] std::vector<std::uint8_t> over(std::vector<std::uint8_t> below) const {
    below.resize(info_.virtual_size);
    for (const image::Extent &extent : extents_) {
      std::memcpy(below.data() + extent.guest_offset, reference_.data() + extent.guest_offset, extent.length);
    }
    return below;
  }

 private:
  static void gap(std::uint64_t from, std::uint64_t to, std::vector<image::Extent> &out) {
    out.push_back({.guest_offset = from, .length = to - from, .kind = image::ExtentKind::parent});
  }
  void note(std::uint64_t guest, const std::vector<std::uint8_t> &bytes) {
    std::copy(bytes.begin(), bytes.end(), reference_.begin() + static_cast<std::ptrdiff_t>(guest));
  }

  image::ImageInfo info_;
  std::shared_ptr<DiskFile> file_;
  std::vector<std::shared_ptr<const image::SourceFile>> files_;
  std::vector<image::Extent> extents_;
  std::vector<std::uint8_t> reference_;
};

// Bytes from a xorshift generator; each 8 bytes are masked with `mask` and given the bits of `set`.
inline std::vector<std::uint8_t> random_bytes(std::size_t length, std::uint64_t seed, std::uint64_t mask,
                                              std::uint64_t set) {
  std::vector<std::uint64_t> words((length + 7) / 8);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15U + 0x2545f4914f6cdd1dU;
  for (std::uint64_t &word : words) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    word = (state & mask) | set;
  }
  std::vector<std::uint8_t> out(length);
  if (length > 0) std::memcpy(out.data(), words.data(), length);
  return out;
}

// Bytes that compress somewhat and are nowhere zero.
inline std::vector<std::uint8_t> some_bytes(std::size_t length, std::uint64_t seed) {
  return random_bytes(length, seed, 0x0f0f0f0f0f0f0f0fU, 0x4040404040404040U);
}

// Bytes that do not compress at all.
inline std::vector<std::uint8_t> dense_bytes(std::size_t length, std::uint64_t seed) {
  return random_bytes(length, seed, ~std::uint64_t{0}, 0);
}

}  // namespace ferry::test
