// SPDX-License-Identifier: Apache-2.0
#include "converters/firmware/private_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <stdio.h>   // renameat2
#include <stdlib.h>  // mkostemp
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ferry::firmware {

namespace {

[[noreturn]] void fail(const std::filesystem::path &file, const std::string &what, int code, ErrorKind kind) {
  throw Error(kind, {.where = {.file = file, .line = std::nullopt, .path = {}},
                     .message = what + ": " + std::generic_category().message(code),
                     .advice = "Check that the file or folder is there and that you may use it."});
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

class Temporary {
 public:
  explicit Temporary(std::string name) : name_(std::move(name)) {}
  ~Temporary() {
    if (!name_.empty()) unlink(name_.c_str());
  }
  Temporary(const Temporary &) = delete;
  Temporary &operator=(const Temporary &) = delete;
  void keep() { name_.clear(); }

 private:
  std::string name_;
};

void write_all(int file, std::span<const std::uint8_t> bytes, const std::filesystem::path &shown) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      fail(shown, "the file cannot be written", errno, errno == ENOSPC ? ErrorKind::no_space : ErrorKind::io);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  if (fsync(file) != 0) fail(shown, "the file cannot be flushed to the disk", errno, ErrorKind::io);
}

// Renames without replacing; where the file system cannot say that (EINVAL), a link can.
int rename_new(const std::string &from, const std::string &to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (link(from.c_str(), to.c_str()) != 0) return errno;
  unlink(from.c_str());
  return 0;
}

}  // namespace

std::vector<std::uint8_t> read_range(const FileRange &range, std::uint64_t limit) {
  const Descriptor file(open(range.file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.get() < 0) {
    fail(range.file, "the file cannot be read", errno, errno == ENOENT ? ErrorKind::missing : ErrorKind::io);
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fail(range.file, "the file cannot be read", errno, ErrorKind::io);
  if (!S_ISREG(status.st_mode)) fail(range.file, "this is not a regular file", EINVAL, ErrorKind::io);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::uint64_t rest = range.offset > size ? 0 : size - range.offset;
  const std::uint64_t length = range.length.value_or(rest);
  if (length > rest || length > limit) {
    throw Error(ErrorKind::malformed,
                {.where = {.file = range.file, .line = std::nullopt, .path = {}},
                 .message = length > limit ? "the file is too large" : "the file ends before its content does",
                 .found = std::to_string(length > limit ? length : rest) + " bytes",
                 .expected = length > limit ? "at most " + std::to_string(limit) : std::to_string(length)});
  }
  std::vector<std::uint8_t> out(static_cast<std::size_t>(length));
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count =
        pread(file.get(), out.data() + done, out.size() - done, static_cast<off_t>(range.offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(range.file, "the file cannot be read", errno, ErrorKind::io);
    if (count == 0) break;  // truncated while it was read
    done += static_cast<std::size_t>(count);
  }
  out.resize(done);
  return out;
}

void publish_private(const std::filesystem::path &target, std::span<const std::uint8_t> bytes) {
  std::string name = target.string() + ".ferry-XXXXXX";
  const Descriptor file(mkostemp(name.data(), O_CLOEXEC));  // created with mode 0600
  if (file.get() < 0) fail(target, "no file can be made there", errno, ErrorKind::io);
  Temporary temporary(name);
  write_all(file.get(), bytes, target);
  if (const int code = rename_new(name, target.string()); code != 0) {
    fail(target, "the file cannot get its name", code, code == EEXIST ? ErrorKind::conflict : ErrorKind::io);
  }
  temporary.keep();
}

}  // namespace ferry::firmware
