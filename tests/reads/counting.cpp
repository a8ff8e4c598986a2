// SPDX-License-Identifier: Apache-2.0
// The program's own open() and read() come before the C library's, for the libraries that it uses too.
#include "tests/reads/counting.hpp"

#include <cstdarg>
#include <cstdio>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace ferry::test {
namespace {

struct Counter {
  std::mutex guard;
  std::string folder;
  std::map<int, std::string> files;  // by descriptor
  std::map<std::filesystem::path, Reads> reads;
};

Counter &counter() {
  static auto *all = new Counter;  // NOLINT(cppcoreguidelines-owning-memory): outlives what is read at the end
  return *all;
}

void opened(int fd, const char *path) {
  if (fd < 0 || path == nullptr) return;
  Counter &all = counter();
  const std::scoped_lock lock(all.guard);
  all.files.erase(fd);
  std::string name = path;
  if (all.folder.empty() || !name.starts_with(all.folder)) return;
  ++all.reads[name].opens;
  all.files[fd] = std::move(name);
}

void read_of(int fd, ssize_t bytes) {
  if (bytes <= 0) return;
  Counter &all = counter();
  const std::scoped_lock lock(all.guard);
  if (const auto file = all.files.find(fd); file != all.files.end())
    all.reads[file->second].bytes += static_cast<std::uint64_t>(bytes);
}

}  // namespace

void count_reads(const std::filesystem::path &folder) {
  Counter &all = counter();
  const std::scoped_lock lock(all.guard);
  all.folder = folder.string() + "/";
  all.reads.clear();
}

std::map<std::filesystem::path, Reads> counted_reads() {
  Counter &all = counter();
  const std::scoped_lock lock(all.guard);
  return all.reads;
}

}  // namespace ferry::test

namespace {

// The next function of that name: the C library's.
template <class Function>
Function real(const char *name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

mode_t mode_of(int flags, va_list more) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(more, unsigned)) : 0;
}

}  // namespace

#define FERRY_OPEN(name)                                                       \
  extern "C" int name(const char *path, int flags, ...) {                      \
    va_list more;                                                              \
    va_start(more, flags);                                                     \
    const mode_t mode = mode_of(flags, more);                                  \
    va_end(more);                                                              \
    static const auto kNext = real<int (*)(const char *, int, mode_t)>(#name); \
    const int fd = kNext(path, flags, mode);                                   \
    ferry::test::opened(fd, path);                                             \
    return fd;                                                                 \
  }
#define FERRY_OPENAT(name)                                                          \
  extern "C" int name(int folder, const char *path, int flags, ...) {               \
    va_list more;                                                                   \
    va_start(more, flags);                                                          \
    const mode_t mode = mode_of(flags, more);                                       \
    va_end(more);                                                                   \
    static const auto kNext = real<int (*)(int, const char *, int, mode_t)>(#name); \
    const int fd = kNext(folder, path, flags, mode);                                \
    ferry::test::opened(fd, path);                                                  \
    return fd;                                                                      \
  }
#define FERRY_FOPEN(name)                                                         \
  extern "C" FILE *name(const char *path, const char *mode) {                     \
    static const auto kNext = real<FILE *(*)(const char *, const char *)>(#name); \
    FILE *file = kNext(path, mode);                                               \
    if (file != nullptr) ferry::test::opened(fileno(file), path);                 \
    return file;                                                                  \
  }
#define FERRY_PREAD(name, offset_type)                                                    \
  extern "C" ssize_t name(int fd, void *into, size_t length, offset_type offset) {        \
    static const auto kNext = real<ssize_t (*)(int, void *, size_t, offset_type)>(#name); \
    const ssize_t got = kNext(fd, into, length, offset);                                  \
    ferry::test::read_of(fd, got);                                                        \
    return got;                                                                           \
  }

FERRY_OPEN(open)
FERRY_OPEN(open64)
FERRY_OPENAT(openat)
FERRY_OPENAT(openat64)
FERRY_FOPEN(fopen)
FERRY_FOPEN(fopen64)
FERRY_PREAD(pread, off_t)
FERRY_PREAD(pread64, off64_t)

extern "C" ssize_t read(int fd, void *into, size_t length) {
  static const auto kNext = real<ssize_t (*)(int, void *, size_t)>("read");
  const ssize_t got = kNext(fd, into, length);
  ferry::test::read_of(fd, got);
  return got;
}

extern "C" ssize_t readv(int fd, const iovec *pieces, int count) {
  static const auto kNext = real<ssize_t (*)(int, const iovec *, int)>("readv");
  const ssize_t got = kNext(fd, pieces, count);
  ferry::test::read_of(fd, got);
  return got;
}

extern "C" void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
  static const auto kNext = real<void *(*)(void *, size_t, int, int, int, off_t)>("mmap");
  void *mapped = kNext(at, length, protection, flags, fd, offset);
  if (fd >= 0 && mapped != MAP_FAILED) ferry::test::read_of(fd, static_cast<ssize_t>(length));
  return mapped;
}
