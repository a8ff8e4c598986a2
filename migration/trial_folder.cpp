// SPDX-License-Identifier: Apache-2.0
#include "migration/trial_folder.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>

#include "migration/host.hpp"
#include "migration/journal.hpp"

#include "support/error.hpp"
#include "support/folders.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// Beside the folder, so that it outlives the folder's content. Its text is the folder elsewhere.
constexpr const char *kLockSuffix = ".lock";

fs::path trials_folder() { return folders::state_home() / "virt-ferry" / "trials"; }

[[noreturn]] void cannot_make(const fs::path &what) {
  throw Error(ErrorKind::io, {.where = {.file = what},
                              .message = std::string("the trial's files cannot be made: ") + std::strerror(errno)});
}

void remove_tree(const fs::path &folder) {
  std::error_code error;
  if (!folder.empty()) fs::remove_all(folder, error);
}

// Only a TPM's folder of the session is ever elsewhere.
bool is_ours_to_remove(const fs::path &folder) { return folder.parent_path() == tpm_folders(); }

void remove_dead() {
  std::error_code error;
  for (fs::directory_iterator at(trials_folder(), error), end; !error && at != end; at.increment(error)) {
    const fs::path lock = at->path();
    if (lock.extension() != kLockSuffix) continue;
    const file::Descriptor held(open(lock.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!held || flock(held.get(), LOCK_EX | LOCK_NB) != 0) continue;  // its process lives
    remove_tree(fs::path(lock).replace_extension());
    try {
      if (const fs::path other = file::read_start(lock, 4096); is_ours_to_remove(other)) remove_tree(other);
    } catch (const Error &) {  // it was removed meanwhile
    }
    std::error_code gone;
    fs::remove(lock, gone);
  }
}

}  // namespace

TrialFolder::TrialFolder() {
  const fs::path above = trials_folder();
  file::make_private_folders(above);
  remove_dead();
  path_ = above / new_run_id();
  const fs::path lock = fs::path(path_) += kLockSuffix;
  lock_.reset(open(lock.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_ || flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) cannot_make(lock);
  if (mkdir(path_.c_str(), 0700) != 0 || chmod(path_.c_str(), 0700) != 0) cannot_make(path_);
}

TrialFolder::~TrialFolder() {
  remove_tree(path_);
  remove_tree(other_);
  std::error_code error;
  fs::remove(fs::path(path_) += kLockSuffix, error);
}

void TrialFolder::also_remove(const fs::path &folder) {
  file::write_all(lock_.get(), folder.string(), path_);
  other_ = folder;
}

void TrialFolder::remove_files() const { remove_tree(path_); }

}  // namespace ferry::migration
