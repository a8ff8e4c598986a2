// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/served_image.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "converters/verify/nbd_client.hpp"

#include "support/error.hpp"

namespace ferry::verify {
namespace {

class ServedFile final : public image::SourceFile {
 public:
  explicit ServedFile(file::Descriptor socket) : client_(std::move(socket)), size_(client_.size()) {}

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    if (offset > size_ || length > size_ - offset)
      throw Error(ErrorKind::malformed, {.message = "a read goes beyond the end of the disk that is served"});
    const std::lock_guard lock(guard_);
    auto *out = static_cast<std::uint8_t *>(into);
    while (length > 0) {
      const auto now = static_cast<std::uint32_t>(std::min<std::size_t>(length, NbdClient::kWindow));
      client_.read(offset, now, [&](std::uint64_t at, const std::uint8_t *data, std::uint64_t count) {
        if (at < offset || count > now || at - offset > now - count)
          throw Error(ErrorKind::subprocess,
                      {.message = "qemu-nbd's answer makes no sense", .found = "bytes that were not asked for"});
        if (data == nullptr) std::memset(out + (at - offset), 0, count);
        if (data != nullptr) std::memcpy(out + (at - offset), data, count);
      });
      offset += now;
      out += now;
      length -= now;
    }
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }

 private:
  mutable std::mutex guard_;
  mutable NbdClient client_;
  std::uint64_t size_;
  std::filesystem::path path_;  // it has none here
};

class ServedImage final : public image::Image {
 public:
  explicit ServedImage(file::Descriptor socket) : files_{std::make_shared<const ServedFile>(std::move(socket))} {
    info_.format = ImageFormat::raw;
    info_.virtual_size = info_.file_size = info_.allocated = files_.front()->size();
  }
  [[nodiscard]] const image::ImageInfo &info() const override { return info_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const image::SourceFile>> &files() const override { return files_; }
  void map(std::uint64_t begin, std::uint64_t end, std::vector<image::Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    if (begin >= end) return;
    out.push_back(
        {.guest_offset = begin, .length = end - begin, .file_offset = begin, .kind = image::ExtentKind::plain});
  }

 private:
  image::ImageInfo info_;
  std::vector<std::shared_ptr<const image::SourceFile>> files_;
};

}  // namespace

std::shared_ptr<const image::Image> served_image(file::Descriptor socket) {
  return std::make_shared<const ServedImage>(std::move(socket));
}

}  // namespace ferry::verify
