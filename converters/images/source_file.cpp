// SPDX-License-Identifier: Apache-2.0
#include "converters/images/source_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <unistd.h>
#include <utility>

#include "converters/images/cache.hpp"

#include "support/on_host.hpp"

namespace ferry::image {
namespace {

[[noreturn]] void cannot_be_read(const std::filesystem::path &file, int error) {
  throw Error(ErrorKind::io, {.where = {.file = file},
                              .message = "cannot read '" + file.string() + "': " + std::strerror(error),
                              .found = {},
                              .expected = "a readable file",
                              .advice = "Check the file's permissions and its file system."});
}

[[noreturn]] void too_short(const std::filesystem::path &file, std::uint64_t offset, std::uint64_t wanted,
                            std::uint64_t size) {
  throw Error(ErrorKind::malformed,
              {.where = {.file = file, .line = {}, .path = "offset " + std::to_string(offset)},
               .message = "the file ends before the end of its data",
               .found = std::to_string(size) + " bytes",
               .expected = std::to_string(wanted) + " bytes from offset " + std::to_string(offset),
               .advice = "Copy the file again from the source: it is truncated or damaged."});
}

// A range of one file.
class PlainFile final : public SourceFile {
 public:
  PlainFile(std::shared_ptr<const FileOnDemand> file, std::uint64_t base, std::optional<std::uint64_t> length)
      : file_(std::move(file)), base_(base) {
    const std::uint64_t whole = file_->status().size;
    if (base > whole || length.value_or(0) > whole - base) too_short(path(), base, length.value_or(0), whole);
    size_ = length.value_or(whole - base);
  }

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    if (offset > size_ || length > size_ - offset) too_short(path(), base_ + offset, length, size_);
    const OpenFile open = file_->open();
    auto *to = static_cast<char *>(into);
    while (length > 0) {
      const ssize_t got = ::pread(open->get(), to, length, static_cast<off_t>(base_ + offset));
      if (got < 0) {
        if (errno == EINTR) continue;
        cannot_be_read(path(), errno);
      }
      if (got == 0) too_short(path(), base_ + offset, length, size_);  // shrunk since it was opened
      to += got;
      offset += static_cast<std::uint64_t>(got);
      length -= static_cast<std::size_t>(got);
    }
  }
  [[nodiscard]] Descriptor descriptor() const override {
    OpenFile open = file_->open();
    const int fd = open->get();
    return {.fd = fd, .base = base_, .keeps = std::move(open)};
  }
  [[nodiscard]] std::optional<Identity> identity() const override {
    return Identity{.device = file_->status().device, .inode = file_->status().inode, .base = base_};
  }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return file_->path(); }

 private:
  std::shared_ptr<const FileOnDemand> file_;
  std::uint64_t base_ = 0;
  std::uint64_t size_ = 0;
};

// A range of a file of another host.
class RemotePiece final : public SourceFile {
 public:
  RemotePiece(std::filesystem::path path, std::shared_ptr<const on_host::File> file, std::uint64_t base,
              std::optional<std::uint64_t> length)
      : path_(std::move(path)), file_(std::move(file)), base_(base) {
    const std::uint64_t whole = file_->status().size;
    if (base > whole || length.value_or(0) > whole - base) too_short(path_, base, length.value_or(0), whole);
    size_ = length.value_or(whole - base);
  }
  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    if (offset > size_ || length > size_ - offset) too_short(path_, base_ + offset, length, size_);
    file_->read(base_ + offset, into, length);
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::optional<Identity> identity() const override {
    return Identity{.device = file_->status().device, .inode = file_->status().inode, .base = base_};
  }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }

 private:
  std::filesystem::path path_;
  std::shared_ptr<const on_host::File> file_;
  std::uint64_t base_ = 0;
  std::uint64_t size_ = 0;
};

// A range of another source.
class RangeOfFile final : public SourceFile {
 public:
  RangeOfFile(std::shared_ptr<const SourceFile> whole, std::uint64_t base, std::optional<std::uint64_t> length)
      : whole_(std::move(whole)), base_(base) {
    if (base > whole_->size() || length.value_or(0) > whole_->size() - base) {
      too_short(whole_->path(), base, length.value_or(0), whole_->size());
    }
    size_ = length.value_or(whole_->size() - base);
  }
  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    if (offset > size_ || length > size_ - offset) too_short(path(), offset, length, size_);
    whole_->read(base_ + offset, into, length);
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return whole_->path(); }

 private:
  std::shared_ptr<const SourceFile> whole_;
  std::uint64_t base_;
  std::uint64_t size_ = 0;
};

// Several files one after the other.
class JoinedFile final : public SourceFile {
 public:
  explicit JoinedFile(std::vector<std::shared_ptr<const SourceFile>> parts) : parts_(std::move(parts)) {
    for (const auto &part : parts_) {
      if (size_ > UINT64_MAX - part->size()) too_short(part->path(), 0, part->size(), size_);
      starts_.push_back(size_);
      size_ += part->size();
    }
  }
  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    if (offset > size_ || length > size_ - offset) too_short(path(), offset, length, size_);
    auto *to = static_cast<char *>(into);
    auto index = static_cast<std::size_t>(std::ranges::upper_bound(starts_, offset) - starts_.begin()) - 1;
    for (; length > 0; ++index) {
      const std::uint64_t inside = offset - starts_[index];
      const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(length, parts_[index]->size() - inside));
      parts_[index]->read(inside, to, now);
      to += now;
      offset += now;
      length -= now;
    }
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return parts_.front()->path(); }

 private:
  std::vector<std::shared_ptr<const SourceFile>> parts_;
  std::vector<std::uint64_t> starts_;
  std::uint64_t size_ = 0;
};

std::shared_ptr<const FileOnDemand> file_of(const std::filesystem::path &file, const Place &origin, Cache *cache) {
  if (cache != nullptr) return cache->file(file, origin);
  return std::make_shared<const FileOnDemand>(file, origin);
}

// Throws as open_file().
std::shared_ptr<const SourceFile> open_piece(const FileRange &piece, const Place &origin, Cache *cache) {
  if (!on_host::is_remote(piece.file))
    return std::make_shared<PlainFile>(file_of(piece.file, origin, cache), piece.offset, piece.length);
  try {
    return std::make_shared<RemotePiece>(piece.file, on_host::open(piece.file), piece.offset, piece.length);
  } catch (const Error &error) {
    if (origin.file.empty() || error.kind() == ErrorKind::unreachable) throw;
    ErrorDetail detail = error.detail();
    detail.message = "cannot open '" + piece.file.string() + "': " + detail.message;
    detail.where = origin;
    throw Error(error.kind(), std::move(detail));
  }
}

std::shared_ptr<const SourceFile> inflated(const std::filesystem::path &file, const Place &origin, Cache *cache) {
  if (cache == nullptr) return open_gzip(open_file(file, origin));
  return cache->inflated(file, [&] {
    auto compressed = open_file(file, origin, cache);
    auto index = cache->index(file);
    return index ? open_gzip(std::move(compressed), std::move(index)) : open_gzip(std::move(compressed));
  });
}

std::shared_ptr<const SourceFile> put_together(const ImageFile &file, Cache *cache) {
  std::vector<std::shared_ptr<const SourceFile>> parts;
  std::shared_ptr<const SourceFile> outer;
  for (const FileRange &piece : file.pieces) {
    if (!file.gzip_outer) {
      parts.push_back(open_piece(piece, file.origin, cache));
      continue;
    }
    if (!outer || outer->path() != piece.file) outer = inflated(piece.file, file.origin, cache);
    parts.push_back(std::make_shared<RangeOfFile>(outer, piece.offset, piece.length));
  }
  std::shared_ptr<const SourceFile> source =
      parts.size() == 1 ? parts.front() : std::make_shared<JoinedFile>(std::move(parts));
  return file.gzip ? open_gzip(std::move(source)) : source;
}

}  // namespace

std::shared_ptr<const SourceFile> open_file(const std::filesystem::path &file, const Place &origin, Cache *cache) {
  return open_piece({file, 0, std::nullopt}, origin, cache);
}

std::shared_ptr<const SourceFile> open_source(const ImageFile &file, Cache *cache) {
  if (file.pieces.empty()) {
    throw Error(ErrorKind::missing, {.where = file.origin,
                                     .message = "the image file '" + file.display_path().string() + "' does not exist",
                                     .found = {},
                                     .expected = {},
                                     .advice = "Put the file where the source expects it."});
  }
  if (cache == nullptr) return put_together(file, cache);
  return cache->source(file, [&] { return put_together(file, cache); });
}

std::vector<std::uint8_t> read_bytes(const SourceFile &file, std::uint64_t offset, std::size_t length) {
  if (offset > file.size() || length > file.size() - offset) too_short(file.path(), offset, length, file.size());
  std::vector<std::uint8_t> bytes(length);
  file.read(offset, bytes.data(), length);
  return bytes;
}

}  // namespace ferry::image
