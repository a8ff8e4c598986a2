// SPDX-License-Identifier: Apache-2.0
// VDI files for tests and benchmarks, laid out as VirtualBox does: map at 1 MiB, data at 2 MiB, blocks of 1 MiB.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>
#include <vector>

#include "model/medium.hpp"

namespace ferry::test {

class VdiBuilder {
 public:
  static constexpr std::uint64_t kBlockSize = 1U << 20U;
  static constexpr std::uint32_t kFreeBlock = 0xffffffff, kZeroBlock = 0xfffffffe;

  // `identity` makes this image's UUIDs; `parent` is that of the image below, 0 for a base.
  VdiBuilder(const std::filesystem::path &path, std::uint64_t virtual_size, std::uint8_t identity,
             std::uint8_t parent = 0, std::uint64_t data_offset = 2U << 20U)
      : path_(path), size_(virtual_size), identity_(identity), parent_(parent), data_offset_(data_offset) {
    map_.assign((virtual_size + kBlockSize - 1) / kBlockSize, kFreeBlock);
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0) throw std::runtime_error("open " + path.string());
  }
  ~VdiBuilder() {
    if (fd_ >= 0) close(fd_);
  }
  VdiBuilder(const VdiBuilder &) = delete;
  VdiBuilder &operator=(const VdiBuilder &) = delete;

  // Allocates the next block of the file for guest block `index`; the rest of the block is zeros.
  void block(std::uint64_t index, const void *bytes, std::size_t length) {
    put(data_offset_ + next_ * kBlockSize, bytes, length);
    map_.at(index) = next_++;
  }
  void zero(std::uint64_t index) { map_.at(index) = kZeroBlock; }

  void finish() {
    std::array<std::uint8_t, 512> header{};
    const std::string_view text = "<<< Oracle VM VirtualBox Disk Image >>>\n";
    std::memcpy(header.data(), text.data(), text.size());
    const auto u32 = [&](std::size_t at, std::uint64_t value) {
      for (std::size_t i = 0; i < 4; ++i) header[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    };
    u32(64, 0xbeda107f);
    u32(68, 0x00010001);
    u32(72, 400);
    u32(76, parent_ == 0 ? 1 : 4);
    u32(340, 1U << 20U);
    u32(344, data_offset_);
    u32(360, 512);
    u32(368, size_);
    u32(372, size_ >> 32U);
    u32(376, kBlockSize);
    u32(384, map_.size());
    u32(388, next_);
    header[392] = header[408] = identity_;
    header[392 + 8] = header[408 + 8] = 0x80;  // create and modify UUID
    if (parent_ != 0) {
      header[424] = header[440] = parent_;
      header[424 + 8] = header[440 + 8] = 0x80;
    }
    put(0, header.data(), header.size());
    std::vector<std::uint8_t> table;
    for (const std::uint32_t entry : map_) {
      for (unsigned i = 0; i < 4; ++i) table.push_back(static_cast<std::uint8_t>(entry >> (8 * i)));
    }
    put(1U << 20U, table.data(), table.size());
    if (ftruncate(fd_, static_cast<off_t>(data_offset_ + next_ * kBlockSize)) != 0)
      throw std::runtime_error("ftruncate");
    close(fd_);
    fd_ = -1;
  }

  static ImageFile image_file(const std::filesystem::path &path) {
    return {.declared_location = path.string(), .pieces = {{.file = path}}, .declared_format = ImageFormat::vdi};
  }

 private:
  void put(std::uint64_t offset, const void *bytes, std::size_t length) const {
    if (pwrite(fd_, bytes, length, static_cast<off_t>(offset)) != static_cast<ssize_t>(length)) {
      throw std::runtime_error("pwrite");
    }
  }

  std::filesystem::path path_;
  std::uint64_t size_;
  std::uint8_t identity_, parent_;
  std::uint64_t data_offset_;
  std::vector<std::uint32_t> map_;
  std::uint32_t next_ = 0;
  int fd_ = -1;
};

}  // namespace ferry::test
