// SPDX-License-Identifier: Apache-2.0
#include "converters/images/open_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <list>
#include <string>
#include <sys/stat.h>
#include <utility>

#include "support/limits.hpp"

namespace ferry::image {
namespace {

constexpr std::size_t kFewest = 8;   // a process that may open fewer cannot work at all
constexpr std::size_t kMost = 4096;  // more gain nothing

[[noreturn]] void system_failure(const std::filesystem::path &file, const Place &origin, int error,
                                 const std::string &what) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  const bool too_many = error == EMFILE || error == ENFILE;
  Place where = origin;
  if (where.file.empty()) where.file = file;
  throw Error(missing ? ErrorKind::missing : ErrorKind::io,
              {.where = std::move(where),
               .message = missing ? "the image file '" + file.string() + "' does not exist"
                                  : "cannot " + what + " '" + file.string() + "': " + std::strerror(error),
               .found = too_many ? "a limit of " + std::to_string(limits::open_files()) + " open files" : "",
               .expected = too_many ? "room for one more" : "a readable file",
               .advice = missing    ? "Put the file where the source expects it."
                         : too_many ? "Raise the limit on open files (ulimit -n), or run fewer machines at a time."
                                    : "Check the file's permissions and its file system."});
}

void require_regular(std::uint32_t mode, const std::filesystem::path &file, const Place &origin) {
  if (S_ISREG(mode)) return;
  Place where = origin;
  if (where.file.empty()) where.file = file;
  throw Error(ErrorKind::unsafe,
              {.where = std::move(where),
               .message = "'" + file.string() + "' is not a regular file and is not opened as a disk image",
               .found = S_ISDIR(mode)    ? "a folder"
                        : S_ISBLK(mode)  ? "a block device"
                        : S_ISCHR(mode)  ? "a character device"
                        : S_ISFIFO(mode) ? "a FIFO"
                                         : "a special file",
               .expected = "a regular file",
               .advice = "Copy the device's content to an image file first."});
}

}  // namespace

// The open ones, the longest unused (about) first: a file that was used since it was last looked at is passed once.
class OpenFileList {
 public:
  static OpenFileList &get() {
    static OpenFileList list;
    return list;
  }

  void add(const FileOnDemand &file) {
    const std::scoped_lock lock(guard_);
    files_.push_back(&file);
    while (files_.size() > most_) close_one();
  }

  void remove(const FileOnDemand &file) {
    const std::scoped_lock lock(guard_);
    files_.remove(&file);
  }

  // Somebody else's descriptors take more room than was thought. False when there is nothing left to close.
  bool make_room() {
    const std::scoped_lock lock(guard_);
    if (files_.empty()) return false;
    for (std::size_t wanted = files_.size() / 2; files_.size() > wanted;) close_one();
    return true;
  }

 private:
  void close_one() {
    for (std::size_t looks = files_.size(); looks > 1; --looks) {
      const FileOnDemand *first = files_.front();
      const std::scoped_lock lock(first->guard_);
      if (!std::exchange(first->used_, false)) break;
      files_.splice(files_.end(), files_, files_.begin());
    }
    files_.front()->close();
    files_.pop_front();
  }

  const std::size_t most_ = most_open_images();
  std::mutex guard_;  // taken before a file's own
  std::list<const FileOnDemand *> files_;
};

std::size_t most_open_images() { return std::clamp(limits::open_files() / 2, kFewest, kMost); }

FileOnDemand::FileOnDemand(std::filesystem::path file, const Place &origin) : path_(std::move(file)) {
  const auto seen = file::status_of(path_);
  if (!seen) system_failure(path_, origin, errno, "look at");
  require_regular(seen->mode, path_, origin);
  open_ = open_now(origin);
  status_ = file::status_of(open_->get(), path_);
  require_regular(status_.mode, path_, origin);
  OpenFileList::get().add(*this);
}

FileOnDemand::~FileOnDemand() { OpenFileList::get().remove(*this); }

OpenFile FileOnDemand::open_now(const Place &origin) const {
  // O_NONBLOCK: should the file have become a FIFO since, open must not wait for a writer.
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  for (;;) {
    file::Descriptor descriptor(::open(path_.c_str(), kFlags));
    if (descriptor) return std::make_shared<const file::Descriptor>(std::move(descriptor));
    const int error = errno;
    if ((error != EMFILE && error != ENFILE) || !OpenFileList::get().make_room())
      system_failure(path_, origin, error, "open");
  }
}

OpenFile FileOnDemand::open() const {
  {
    const std::scoped_lock lock(guard_);
    used_ = true;
    if (open_) return open_;
  }
  // Without the lock, which the list takes after its own. Should two threads come here at once, one of them is enough.
  OpenFile fresh = open_now({});
  const file::Status now = file::status_of(fresh->get(), path_);
  if (!now.same_file(status_)) {
    throw Error(ErrorKind::malformed, {.where = {.file = path_},
                                       .message = "'" + path_.string() + "' was replaced while it was read",
                                       .found = "another file of the same name",
                                       .expected = "the file as it was at the start",
                                       .advice = "Make sure that nothing changes the source, and try again."});
  }
  {
    const std::scoped_lock lock(guard_);
    if (open_) return open_;
    open_ = fresh;
  }
  OpenFileList::get().add(*this);
  return fresh;
}

void FileOnDemand::close() const {
  const std::scoped_lock lock(guard_);
  open_.reset();
}

}  // namespace ferry::image
