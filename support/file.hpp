// SPDX-License-Identifier: Apache-2.0
// Files of the operating system: read a part, write a whole one, make it durable, give it its name without ever
// replacing another. The one place that knows rename without replacing and what file systems lack of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "support/error.hpp"

namespace ferry {

// Where bytes are in a file. Usually a whole file; inside an OVA a part of the tar.
struct FileRange {
  std::filesystem::path file;           // absolute
  std::uint64_t offset = 0;             // bytes
  std::optional<std::uint64_t> length;  // bytes; to the end of the file when absent
  friend bool operator==(const FileRange &, const FileRange &) = default;
};

}  // namespace ferry

namespace ferry::file {

// An open file descriptor, closed with the object; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor &&other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor &operator=(Descriptor &&other) noexcept {
    if (this != &other) reset(std::exchange(other.value_, -1));
    return *this;
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] explicit operator bool() const { return value_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(value_, -1); }
  void reset(int value = -1);

 private:
  int value_;
};

// What the file system says of a file: enough to know it again and to see that it was changed.
struct Status {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;     // bytes
  std::int64_t modified = 0;  // mtime: nanoseconds since 1970
  std::int64_t changed = 0;   // ctime: nanoseconds since 1970
  std::uint32_t mode = 0;     // st_mode: type and permissions
  std::uint32_t owner = 0;    // user id

  [[nodiscard]] bool is_regular() const;
  [[nodiscard]] bool is_folder() const;
  [[nodiscard]] bool same_file(const Status &other) const { return device == other.device && inode == other.inode; }
  friend bool operator==(const Status &, const Status &) = default;
};

// Why a regular file or a folder is not this user's alone: "it belongs to another user", "others may write to it
// (mode 0666)"; "" when it belongs to this process's user and nobody else has any right to it.
[[nodiscard]] std::string problem_of_private(const Status &status);

enum class Links { follow, no_follow };

// nullopt when there is no such file or it cannot be looked at (errno says which).
[[nodiscard]] std::optional<Status> status_of(const std::filesystem::path &path, Links links = Links::follow);
// Throws Error io, naming `shown`.
[[nodiscard]] Status status_of(int descriptor, const std::filesystem::path &shown);

// A file's first bytes, kept from the look at what it is: whoever reads it then need not read them again.
struct Head {
  Status status;  // of the file at that time: they are of no use when it is another one now
  std::vector<std::uint8_t> bytes;
};

// What is in a folder, in no order. Throws Error io: one that cannot be listed is never taken for an empty one.
[[nodiscard]] std::vector<std::filesystem::directory_entry> entries_of(const std::filesystem::path &folder);

// The first `most` bytes of a file, or all of a shorter one, whatever size the system says (files below /proc have
// none). Never waits for a FIFO's writer. Throws Error missing where there is no such file, and io with the system's
// reason where it cannot be opened or read: what could be read of it is not taken for the whole.
[[nodiscard]] std::string read_start(const std::filesystem::path &file, std::size_t most);

// Reads a part of a regular file, at most `limit` bytes. Throws Error malformed when it is longer, and what
// on_host::open() and on_host::File::read() throw.
[[nodiscard]] std::vector<std::uint8_t> read_range(const FileRange &range, std::uint64_t limit);

// Writes all of `bytes` at the descriptor's position, however often write() stops short. Throws Error no_space or io.
void write_all(int descriptor, std::span<const std::uint8_t> bytes, const std::filesystem::path &shown);
void write_all(int descriptor, std::string_view text, const std::filesystem::path &shown);

// Appends `text` to a file and flushes it to the disk: whole, or not at all. Where either fails, the file is cut back
// to the length that it had. Throws Error no_space or io.
void append_whole(int descriptor, std::string_view text, const std::filesystem::path &shown);

// Flushes a file to the disk. Throws Error io, or no_space where the file system only now finds the room missing.
void sync(int descriptor, const std::filesystem::path &shown);
// Flushes a folder's entries: what was made, renamed or removed in it. A folder that may be written but not read cannot
// be flushed, nor one on a file system without the notion; neither is an error. Throws Error io for any other.
void sync_folder(const std::filesystem::path &folder);

// Renames `from` to `to` in one file system and never replaces: file_exists when `to` is there, the system's code for
// any other failure, no code when done. Where the file system cannot rename without replacing (NFS, FUSE), a hard link
// gives the name; where it has no links either, an empty file of our own takes the name first.
[[nodiscard]] std::error_code rename_new(const std::filesystem::path &from, const std::filesystem::path &to);

// Writes a new file of mode 0600 under its final name, flushed to the disk.
// Throws Error conflict when `target` exists, no_space or io otherwise.
void write_new(const std::filesystem::path &target, std::string_view text);

// Writes a new file with mode 0600 under a temporary name beside it, flushes it to the disk and gives it its name.
// Throws Error conflict when `target` exists, no_space or io otherwise; in all cases nothing is left behind.
void publish_private(const std::filesystem::path &target, std::span<const std::uint8_t> bytes);

enum class Existing { keep, replace };
// Writes a whole file under a temporary name beside it and gives it its name: with Existing::replace in the place of
// what is there, which keeps its permissions. A new one has those that the umask leaves. Throws Error conflict when
// `target` exists and is to be kept, no_space or io otherwise; in all cases nothing is left behind.
void publish(const std::filesystem::path &target, std::string_view text, Existing existing);

// The folder and those above it that are not there yet, for this user alone (0700), whatever the umask; each is flushed
// into the one above it. `mode`: another one, where
// others must be able to pass through. Throws Error io.
void make_private_folders(const std::filesystem::path &folder, std::uint32_t mode = 0700);

}  // namespace ferry::file
