// SPDX-License-Identifier: Apache-2.0
#include "support/temporary.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <stdlib.h>  // mkostemps, mkdtemp
#include <string>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "support/error.hpp"

namespace ferry::file {
namespace {

constexpr std::string_view kMark = "ferry-";
constexpr std::size_t kRandom = 6;  // characters that mkostemps() chooses
constexpr std::string_view kPart = ".part";

bool is_temporary_name(std::string_view name) {
  if (name.ends_with(kPart)) name.remove_suffix(kPart.size());
  if (!name.starts_with('.') || name.size() < 1 + kMark.size() + kRandom) return false;
  const std::string_view random = name.substr(name.size() - kRandom);
  name.remove_suffix(kRandom);
  if (!name.ends_with(kMark)) return false;
  name.remove_suffix(kMark.size());
  if (!name.ends_with('.')) return false;
  return std::all_of(random.begin(), random.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

// The file is still the one that has the name: nobody removed it between opening and locking.
bool is_named(int descriptor, const std::filesystem::path &path) {
  const auto named = status_of(path, Links::no_follow);
  return named && named->same_file(status_of(descriptor, path));
}

void remove_if_abandoned(const std::filesystem::path &path) {
  const auto status = status_of(path, Links::no_follow);
  if (!status || !status->is_regular() || status->owner != geteuid()) return;
  const Descriptor file(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file || flock(file.get(), LOCK_EX | LOCK_NB) != 0 || !is_named(file.get(), path)) return;
  unlink((path.string() + ".qemu").c_str());
  unlink(path.c_str());
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "virt-ferry-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorKind::io, {.where = {.file = name},
                                .message = "a temporary folder cannot be made",
                                .found = std::generic_category().message(errno)});
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Made make_temporary(const std::filesystem::path &folder, std::string_view prefix, std::string_view suffix) {
  const std::string pattern =
      (folder / ("." + std::string(prefix) + std::string(kMark) + "XXXXXX" + std::string(suffix))).string();
  for (;;) {
    std::string name = pattern;
    Descriptor made(mkostemps(name.data(), static_cast<int>(suffix.size()), O_CLOEXEC));  // mode 0600 by definition
    if (!made) return {Descriptor(), {}};
    lock_temporary(made.get());
    // Another process may have taken it for abandoned before it was locked.
    if (is_named(made.get(), name)) return {std::move(made), name};
  }
}

void lock_temporary(int descriptor) {
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EINTR) {
  }
}

void remove_abandoned(const std::filesystem::path &folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (is_temporary_name(at->path().filename().string())) remove_if_abandoned(at->path());
  }
}

}  // namespace ferry::file
