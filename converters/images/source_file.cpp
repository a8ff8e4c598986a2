// SPDX-License-Identifier: Apache-2.0
#include "converters/images/source_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ferry::image {
namespace {

[[noreturn]] void system_failure(const std::filesystem::path &file, const Place &origin, int error,
                                 const std::string &what) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  Place where = origin;
  if (where.file.empty()) where.file = file;
  throw Error(missing ? ErrorKind::missing : ErrorKind::io,
              {.where = std::move(where),
               .message = missing ? "the image file '" + file.string() + "' is not there"
                                  : "cannot " + what + " '" + file.string() + "': " + std::strerror(error),
               .found = {},
               .expected = "a readable file",
               .advice = missing ? "Put the file where the source names it."
                                 : "Check the file's permissions and its file system."});
}

void require_regular(const struct stat &status, const std::filesystem::path &file, const Place &origin) {
  if (S_ISREG(status.st_mode)) return;
  Place where = origin;
  if (where.file.empty()) where.file = file;
  throw Error(ErrorKind::unsafe,
              {.where = std::move(where),
               .message = "'" + file.string() + "' is not a regular file and is not opened as a disk image",
               .found = S_ISDIR(status.st_mode)    ? "a folder"
                        : S_ISBLK(status.st_mode)  ? "a block device"
                        : S_ISCHR(status.st_mode)  ? "a character device"
                        : S_ISFIFO(status.st_mode) ? "a FIFO"
                                                   : "a special file",
               .expected = "a regular file",
               .advice = "Copy the device's content to an image file first."});
}

[[noreturn]] void too_short(const std::filesystem::path &file, std::uint64_t offset, std::uint64_t wanted,
                            std::uint64_t size) {
  throw Error(ErrorKind::malformed,
              {.where = {.file = file, .line = {}, .path = "offset " + std::to_string(offset)},
               .message = "the file ends before data that it should hold",
               .found = std::to_string(size) + " bytes",
               .expected = std::to_string(wanted) + " bytes from offset " + std::to_string(offset),
               .advice = "The file is truncated or damaged; copy it again from the source."});
}

// A disk split into parts of 2 GiB has more files than the usual limit of 1024 descriptors. That limit protects
// programs that use select(), which we do not: it is raised to what the system grants. False: it was there already.
bool allow_more_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return false;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

// A range of one open file.
class PlainFile final : public SourceFile {
 public:
  PlainFile(std::filesystem::path file, const Place &origin, std::uint64_t base, std::optional<std::uint64_t> length)
      : path_(std::move(file)), base_(base) {
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0) system_failure(path_, origin, errno, "look at");
    require_regular(status, path_, origin);
    // O_NONBLOCK: should the file have become a FIFO since, open must not wait for a writer.
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    fd_ = ::open(path_.c_str(), kFlags);
    if (fd_ < 0 && errno == EMFILE && allow_more_files()) fd_ = ::open(path_.c_str(), kFlags);
    if (fd_ < 0) system_failure(path_, origin, errno, "open");
    try {
      if (::fstat(fd_, &status) != 0) system_failure(path_, origin, errno, "look at");
      require_regular(status, path_, origin);
      const auto whole = static_cast<std::uint64_t>(status.st_size);
      if (base > whole || length.value_or(0) > whole - base) too_short(path_, base, length.value_or(0), whole);
      size_ = length.value_or(whole - base);
    } catch (...) {
      ::close(fd_);
      throw;
    }
  }
  PlainFile(const PlainFile &) = delete;
  PlainFile &operator=(const PlainFile &) = delete;
  ~PlainFile() override { ::close(fd_); }

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    if (offset > size_ || length > size_ - offset) too_short(path_, base_ + offset, length, size_);
    auto *to = static_cast<char *>(into);
    while (length > 0) {
      const ssize_t got = ::pread(fd_, to, length, static_cast<off_t>(base_ + offset));
      if (got < 0) {
        if (errno == EINTR) continue;
        system_failure(path_, {}, errno, "read");
      }
      if (got == 0) too_short(path_, base_ + offset, length, size_);  // shrunk since it was opened
      to += got;
      offset += static_cast<std::uint64_t>(got);
      length -= static_cast<std::size_t>(got);
    }
  }
  [[nodiscard]] Descriptor descriptor() const override { return {fd_, base_}; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
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

}  // namespace

std::shared_ptr<const SourceFile> open_file(const std::filesystem::path &file, const Place &origin) {
  return std::make_shared<PlainFile>(file, origin, 0, std::nullopt);
}

std::shared_ptr<const SourceFile> open_source(const ImageFile &file) {
  if (file.pieces.empty()) {
    throw Error(ErrorKind::missing, {.where = file.origin,
                                     .message = "the image file '" + file.declared_location + "' was not found",
                                     .found = {},
                                     .expected = {},
                                     .advice = "Put the file where the source names it."});
  }
  std::vector<std::shared_ptr<const SourceFile>> parts;
  std::shared_ptr<const SourceFile> outer;
  for (const FileRange &piece : file.pieces) {
    if (!file.gzip_outer) {
      parts.push_back(std::make_shared<PlainFile>(piece.file, file.origin, piece.offset, piece.length));
      continue;
    }
    if (!outer || outer->path() != piece.file) outer = open_gzip(open_file(piece.file, file.origin));
    parts.push_back(std::make_shared<RangeOfFile>(outer, piece.offset, piece.length));
  }
  std::shared_ptr<const SourceFile> source =
      parts.size() == 1 ? parts.front() : std::make_shared<JoinedFile>(std::move(parts));
  return file.gzip ? open_gzip(std::move(source)) : source;
}

std::vector<std::uint8_t> read_bytes(const SourceFile &file, std::uint64_t offset, std::size_t length) {
  if (offset > file.size() || length > file.size() - offset) too_short(file.path(), offset, length, file.size());
  std::vector<std::uint8_t> bytes(length);
  file.read(offset, bytes.data(), length);
  return bytes;
}

}  // namespace ferry::image
