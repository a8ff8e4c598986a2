// SPDX-License-Identifier: Apache-2.0
#include "support/file.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <stdio.h>   // renameat2
#include <stdlib.h>  // mkostemp
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cut_off.hpp"
#include "support/on_host.hpp"

namespace ferry::file {

namespace {

[[noreturn]] void fail(const std::filesystem::path &file, const std::string &what, int code, ErrorKind kind) {
  throw Error(
      kind,
      {.where = {.file = file},
       .message = what + ": " + std::generic_category().message(code),
       .advice = code == EFBIG ? "Choose a folder whose file system takes larger files, or raise 'ulimit -f'."
                 : kind == ErrorKind::no_space ? "Free some space there, or choose another folder."
                                               : "Check that the file or folder exists and that you may use it."});
}

[[noreturn]] void cannot_be_read(const std::filesystem::path &file, int code) {
  throw Error(ErrorKind::io, {.where = {.file = file},
                              .message = "the file cannot be read: " + std::generic_category().message(code),
                              .advice = code == EACCES || code == EPERM ? "Check its permissions and its owner."
                                                                        : "Check the disk that it is on."});
}

ErrorKind kind_of_write(int code) {
  return code == ENOSPC || code == EDQUOT || code == EFBIG ? ErrorKind::no_space : ErrorKind::io;
}

// A file that is removed unless it is kept.
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

std::error_code last_error() { return {errno, std::generic_category()}; }

std::int64_t nanoseconds(const timespec &time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

Status from_stat(const struct stat &raw) {
  return {.device = raw.st_dev,
          .inode = raw.st_ino,
          .size = static_cast<std::uint64_t>(raw.st_size),
          .modified = nanoseconds(raw.st_mtim),
          .changed = nanoseconds(raw.st_ctim),
          .mode = raw.st_mode,
          .owner = raw.st_uid};
}

// The name is taken by an empty file that only comes into being when there was none; it is ours to replace.
std::error_code rename_over_own(const std::filesystem::path &from, const std::filesystem::path &to) {
  const Descriptor holder(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!holder) return last_error();
  if (rename(from.c_str(), to.c_str()) == 0) return {};
  const std::error_code error = last_error();
  unlink(to.c_str());
  return error;
}

}  // namespace

void Descriptor::reset(int value) {
  if (value_ >= 0) close(value_);
  value_ = value;
}

bool Status::is_regular() const { return S_ISREG(mode); }

bool Status::is_folder() const { return S_ISDIR(mode); }

std::string problem_of_private(const Status &status) {
  if (!status.is_regular() && !status.is_folder()) return "it is neither a file nor a folder";
  if (status.owner != geteuid()) return "it belongs to another user";
  constexpr std::uint32_t kOthersWrite = S_IWGRP | S_IWOTH;
  constexpr std::uint32_t kOthers = S_IRWXG | S_IRWXO;
  if ((status.mode & kOthers) == 0) return "";
  const std::string_view what = (status.mode & kOthersWrite) != 0 ? "others may write to it" : "others may read it";
  std::string octal;
  for (int shift = 9; shift >= 0; shift -= 3) octal += static_cast<char>('0' + (status.mode >> shift & 7U));
  return std::string(what) + " (mode " + octal + ")";
}

std::optional<Status> status_of(const std::filesystem::path &path, Links links) {
  if (on_host::is_remote(path)) return on_host::remote_status(path, links);
  struct stat raw {};
  const int result = links == Links::follow ? stat(path.c_str(), &raw) : lstat(path.c_str(), &raw);
  if (result != 0) return std::nullopt;
  return from_stat(raw);
}

Status status_of(int descriptor, const std::filesystem::path &shown) {
  struct stat raw {};
  if (fstat(descriptor, &raw) != 0) fail(shown, "the file cannot be examined", errno, ErrorKind::io);
  return from_stat(raw);
}

std::string read_start(const std::filesystem::path &file, std::size_t most) {
  constexpr std::size_t kStep = std::size_t{64} << 10U;
  if (on_host::is_remote(file)) {
    const auto far = on_host::open(file);
    std::string out(static_cast<std::size_t>(std::min<std::uint64_t>(most, far->status().size)), '\0');
    far->read(0, out.data(), out.size());
    return out;
  }
  const Descriptor in(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!in) {
    const int code = errno;
    if (code == ENOENT || code == ENOTDIR)
      throw Error(ErrorKind::missing,
                  {.where = {.file = file}, .message = "there is no such file", .advice = "Check the path."});
    cannot_be_read(file, code);
  }
  std::string out;
  while (out.size() < most) {
    const std::size_t before = out.size();
    out.resize(std::min(most, before + std::max(kStep, before)));
    const ssize_t count = read(in.get(), out.data() + before, out.size() - before);
    const int code = errno;
    out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) break;
    if (count < 0 && code != EINTR) cannot_be_read(file, code);
  }
  return out;
}

std::vector<std::uint8_t> read_range(const FileRange &range, std::uint64_t limit) {
  const auto file = on_host::open(range.file);
  const std::uint64_t size = file->status().size;
  const std::uint64_t rest = range.offset > size ? 0 : size - range.offset;
  const std::uint64_t length = range.length.value_or(rest);
  if (length > rest || length > limit) {
    throw Error(ErrorKind::malformed,
                {.where = {.file = range.file},
                 .message = length > limit ? "the file is too large" : "the file is shorter than its content",
                 .found = std::to_string(length > limit ? length : rest) + " bytes",
                 .expected = length > limit ? "at most " + std::to_string(limit) : std::to_string(length)});
  }
  std::vector<std::uint8_t> out(static_cast<std::size_t>(length));
  file->read(range.offset, out.data(), out.size());
  return out;
}

void write_all(int descriptor, std::span<const std::uint8_t> bytes, const std::filesystem::path &shown) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(shown, "the file cannot be written", errno, kind_of_write(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void write_all(int descriptor, std::string_view text, const std::filesystem::path &shown) {
  write_all(descriptor, {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()}, shown);
}

void append_whole(int descriptor, std::string_view text, const std::filesystem::path &shown) {
  const Status before = status_of(descriptor, shown);
  try {
    write_all(descriptor, text, shown);
    sync(descriptor, shown);
  } catch (const Error &) {
    // Best effort: a reader takes no notice of half a line, and the next one to append cuts it off.
    if (ftruncate(descriptor, static_cast<off_t>(before.size)) == 0) fsync(descriptor);
    throw;
  }
}

void sync(int descriptor, const std::filesystem::path &shown) {
  if (fsync(descriptor) != 0) fail(shown, "the file cannot be flushed to the disk", errno, kind_of_write(errno));
}

void sync_folder(const std::filesystem::path &folder) {
  const Descriptor open_folder(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open_folder) {
    if (errno == EACCES || errno == EPERM) return;
    fail(folder, "the folder cannot be flushed to the disk", errno, ErrorKind::io);
  }
  if (fsync(open_folder.get()) == 0 || errno == EINVAL || errno == ENOSYS || errno == EROFS) return;
  fail(folder, "the folder cannot be flushed to the disk", errno, kind_of_write(errno));
}

std::error_code rename_new(const std::filesystem::path &from, const std::filesystem::path &to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return last_error();
  if (link(from.c_str(), to.c_str()) == 0) return unlink(from.c_str()) == 0 ? std::error_code{} : last_error();
  if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) return rename_over_own(from, to);
  return last_error();
}

void write_new(const std::filesystem::path &target, std::string_view text) {
  const Descriptor file(open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file)
    fail(target, "the file cannot be created", errno, errno == EEXIST ? ErrorKind::conflict : kind_of_write(errno));
  Temporary until_whole(target.string());
  write_all(file.get(), text, target);
  sync(file.get(), target);
  until_whole.keep();
}

void publish_private(const std::filesystem::path &target, std::span<const std::uint8_t> bytes) {
  std::string name = target.string() + ".ferry-XXXXXX";
  const Descriptor file(mkostemp(name.data(), O_CLOEXEC));  // created with mode 0600
  if (!file) fail(target, "no file can be created there", errno, kind_of_write(errno));
  Temporary temporary(name);
  write_all(file.get(), bytes, target);
  sync(file.get(), target);
  if (const std::error_code error = rename_new(name, target)) {
    fail(target, "the file cannot be renamed into place", error.value(),
         error == std::errc::file_exists ? ErrorKind::conflict : ErrorKind::io);
  }
  temporary.keep();
  sync_folder(target.parent_path());
}

namespace {

// "." before the name: what a killed process leaves is not taken for a report. The process's id follows.
std::string published_as(const std::filesystem::path &target) {
  return "." + target.filename().string() + ".ferry-report-";
}

bool is_alive(const std::string &process) {
  const long id = std::strtol(process.c_str(), nullptr, 10);
  return id <= 0 || kill(static_cast<pid_t>(id), 0) == 0 || errno != ESRCH;
}

}  // namespace

void remove_cut_off(const std::filesystem::path &target) {
  const std::string begin = published_as(target);
  std::error_code error;
  for (std::filesystem::directory_iterator at(target.parent_path(), error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(begin) && !is_alive(name.substr(begin.size()))) unlink(at->path().c_str());
  }
}

void publish(const std::filesystem::path &target, std::string_view text, Existing existing) {
  const auto before = existing == Existing::replace ? status_of(target, Links::no_follow) : std::nullopt;
  // Not mkostemp(), whose mode is 0600.
  const std::filesystem::path name = target.parent_path() / (published_as(target) + std::to_string(getpid()));
  const Descriptor file(open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file) fail(target, "no file can be created there", errno, kind_of_write(errno));
  Temporary temporary(name.string());
  if (before && fchmod(file.get(), before->mode & 07777U) != 0)
    fail(target, "the file cannot be given its permissions", errno, ErrorKind::io);
  write_all(file.get(), text, target);
  sync(file.get(), target);
  const std::error_code error = existing == Existing::keep                  ? rename_new(name, target)
                                : rename(name.c_str(), target.c_str()) == 0 ? std::error_code{}
                                                                            : last_error();
  if (error) {
    fail(target, "the file cannot be renamed into place", error.value(),
         error == std::errc::file_exists ? ErrorKind::conflict : ErrorKind::io);
  }
  temporary.keep();
}

void make_private_folders(const std::filesystem::path &folder, std::uint32_t mode) {
  if (folder.empty() || std::filesystem::is_directory(folder)) return;
  const std::filesystem::path above = folder.parent_path();
  if (above != folder) make_private_folders(above, mode);
  if (mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST && std::filesystem::is_directory(folder)) return;  // somebody else made it meanwhile
    fail(folder, "the folder cannot be created", errno, kind_of_write(errno));
  }
  // Whatever the umask takes away.
  if (chmod(folder.c_str(), mode) != 0) fail(folder, "the folder's mode cannot be set", errno, ErrorKind::io);
  sync_folder(above);
}

std::vector<std::filesystem::directory_entry> entries_of(const std::filesystem::path &folder) {
  std::error_code error;
  std::vector<std::filesystem::directory_entry> out;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    out.push_back(*at);
  if (error) {
    throw Error(ErrorKind::io, {.where = {.file = folder},
                                .message = "the folder cannot be read: " + error.message(),
                                .advice = "Check its permissions."});
  }
  return out;
}

}  // namespace ferry::file
