// SPDX-License-Identifier: Apache-2.0
// Preloaded into virt-ferry: lets the n-th call of a kind fail. FERRY_FAIL_AT=n, FERRY_FAIL_KIND=write|sync|name|read|
// open|thread|process|libvirt, FERRY_FAIL_WITH=errno. Of calls for files only those below FERRY_FAIL_BELOW count. A
// call that was made to fail is said on FERRY_FAIL_LOG, so that whoever looks on knows when there are no more. The
// program's workers count with it, in FERRY_FAIL_LOG.count, which was mapped before they were forked: they may not open
// it. With FERRY_FAIL_SIGNAL the call does not fail: that signal is sent to the process FERRY_FAIL_PROCESS (0: this
// one), and then it is made.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

std::string_view variable(const char *name) {
  const char *value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

template <class Function>
Function *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  // The program opens libvirt when it is wanted, for itself alone.
  if (found == nullptr) found = dlsym(dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD), name);
  return reinterpret_cast<Function *>(found);
}

bool is_below(const char *path) {
  static const std::string_view kBelow = variable("FERRY_FAIL_BELOW");
  return !kBelow.empty() && std::string_view(path).starts_with(kBelow);
}

bool is_below(int descriptor) {
  char link[64], target[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, target, sizeof target - 1);
  if (length <= 0) return false;
  target[length] = 0;
  return is_below(target);
}

// The log: of the program and its workers.
struct Shared {
  std::atomic<long> count, failed;
};
Shared *shared = nullptr;

__attribute__((constructor)) void share() {
  if (variable("FERRY_FAIL_LOG").empty() || std::string_view(program_invocation_short_name) != "virt-ferry") return;
  static auto *const kOpen = real<int(const char *, int, ...)>("open");
  static auto *const kTruncate = real<int(int, off_t)>("ftruncate");
  const std::string name = std::string(variable("FERRY_FAIL_LOG")) + ".count";
  const int log = kOpen(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (log < 0 || kTruncate(log, sizeof(Shared)) != 0) return;
  void *const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, log, 0);
  if (memory != MAP_FAILED) shared = static_cast<Shared *>(memory);
  close(log);
}

int number_of(const char *digits) { return static_cast<int>(std::strtol(digits, nullptr, 10)); }

// True when this call is to fail, with errno set.
bool fails(std::string_view kind) {
  if (shared == nullptr || variable("FERRY_FAIL_KIND") != kind) return false;
  if (++shared->count != number_of(std::getenv("FERRY_FAIL_AT"))) return false;
  shared->failed = 1;
  static auto *const kOpen = real<int(const char *, int, ...)>("open");
  const int log = kOpen(std::getenv("FERRY_FAIL_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log >= 0) close(log);
  if (const char *number = std::getenv("FERRY_FAIL_SIGNAL"); number != nullptr) {
    const int process = number_of(std::getenv("FERRY_FAIL_PROCESS"));
    kill(process == 0 ? getpid() : process, number_of(number));
    return false;
  }
  errno = number_of(std::getenv("FERRY_FAIL_WITH"));
  return true;
}

bool fails(std::string_view kind, int descriptor) {
  const int before = errno;
  if (variable("FERRY_FAIL_KIND") != kind || !is_below(descriptor)) {
    errno = before;
    return false;
  }
  errno = before;
  return fails(kind);
}

bool fails(std::string_view kind, const char *path) { return is_below(path) && fails(kind); }

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void *bytes, size_t length) {
  static auto *const kNext = real<ssize_t(int, const void *, size_t)>("write");
  return fails("write", descriptor) ? -1 : kNext(descriptor, bytes, length);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
  static auto *const kNext = real<ssize_t(int, const void *, size_t, off_t)>("pwrite");
  return fails("write", descriptor) ? -1 : kNext(descriptor, bytes, length, offset);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
  static auto *const kNext = real<ssize_t(int, const struct iovec *, int, off_t)>("pwritev");
  return fails("write", descriptor) ? -1 : kNext(descriptor, parts, count, offset);
}

int ftruncate(int descriptor, off_t length) noexcept {
  static auto *const kNext = real<int(int, off_t)>("ftruncate");
  return fails("write", descriptor) ? -1 : kNext(descriptor, length);
}

int fallocate(int descriptor, int mode, off_t offset, off_t length) {
  static auto *const kNext = real<int(int, int, off_t, off_t)>("fallocate");
  return fails("write", descriptor) ? -1 : kNext(descriptor, mode, offset, length);
}

int fsync(int descriptor) {
  static auto *const kNext = real<int(int)>("fsync");
  return fails("sync", descriptor) ? -1 : kNext(descriptor);
}

int rename(const char *from, const char *to) noexcept {
  static auto *const kNext = real<int(const char *, const char *)>("rename");
  return fails("name", to) ? -1 : kNext(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) noexcept {
  static auto *const kNext = real<int(int, const char *, int, const char *, unsigned)>("renameat2");
  return fails("name", to) ? -1 : kNext(from_folder, from, to_folder, to, flags);
}

int link(const char *from, const char *to) noexcept {
  static auto *const kNext = real<int(const char *, const char *)>("link");
  return fails("name", to) ? -1 : kNext(from, to);
}

int unlink(const char *file) noexcept {
  static auto *const kNext = real<int(const char *)>("unlink");
  return fails("name", file) ? -1 : kNext(file);
}

int mkdir(const char *folder, mode_t mode) noexcept {
  static auto *const kNext = real<int(const char *, mode_t)>("mkdir");
  return fails("name", folder) ? -1 : kNext(folder, mode);
}

ssize_t read(int descriptor, void *bytes, size_t length) {
  static auto *const kNext = real<ssize_t(int, void *, size_t)>("read");
  return fails("read", descriptor) ? -1 : kNext(descriptor, bytes, length);
}

ssize_t pread(int descriptor, void *bytes, size_t length, off_t offset) {
  static auto *const kNext = real<ssize_t(int, void *, size_t, off_t)>("pread");
  return fails("read", descriptor) ? -1 : kNext(descriptor, bytes, length, offset);
}

int open(const char *file, int flags, ...) {
  static auto *const kNext = real<int(const char *, int, ...)>("open");
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails("open", file) ? -1 : kNext(file, flags, mode);
}

FILE *fopen64(const char *file, const char *mode) {
  static auto *const kNext = real<FILE *(const char *, const char *)>("fopen64");
  return fails("open", file) ? nullptr : kNext(file, mode);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) noexcept {
  static auto *const kNext =
      real<int(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)>("pthread_create");
  return fails("thread") ? errno : kNext(thread, attributes, run, argument);
}

pid_t fork() noexcept {
  static auto *const kNext = real<pid_t()>("fork");
  return fails("process") ? -1 : kNext();
}

// Of libvirt; its handles are opaque here. The daemon does it or not, and nobody is told.
void *virDomainDefineXMLFlags(void *connection, const char *xml, unsigned flags) {
  static auto *const kNext = real<void *(void *, const char *, unsigned)>("virDomainDefineXMLFlags");
  return fails("libvirt") || fails("define") ? nullptr : kNext(connection, xml, flags);
}

int virDomainCreate(void *domain) {
  static auto *const kNext = real<int(void *)>("virDomainCreate");
  return fails("libvirt") || fails("start") ? -1 : kNext(domain);
}

void *virDomainCreateXML(void *connection, const char *xml, unsigned flags) {
  static auto *const kNext = real<void *(void *, const char *, unsigned)>("virDomainCreateXML");
  return fails("libvirt") || fails("start") ? nullptr : kNext(connection, xml, flags);
}

void *virDomainDefineXML(void *connection, const char *xml) {
  static auto *const kNext = real<void *(void *, const char *)>("virDomainDefineXML");
  return fails("libvirt") ? nullptr : kNext(connection, xml);
}

int virDomainUndefineFlags(void *domain, unsigned flags) {
  static auto *const kNext = real<int(void *, unsigned)>("virDomainUndefineFlags");
  return fails("libvirt") ? -1 : kNext(domain, flags);
}

void *virDomainSnapshotCreateXML(void *domain, const char *xml, unsigned flags) {
  static auto *const kNext = real<void *(void *, const char *, unsigned)>("virDomainSnapshotCreateXML");
  return fails("libvirt") ? nullptr : kNext(domain, xml, flags);
}

void *virDomainLookupByUUIDString(void *connection, const char *uuid) {
  static auto *const kNext = real<void *(void *, const char *)>("virDomainLookupByUUIDString");
  return fails("libvirt") ? nullptr : kNext(connection, uuid);
}

void *virDomainLookupByName(void *connection, const char *name) {
  static auto *const kNext = real<void *(void *, const char *)>("virDomainLookupByName");
  return fails("libvirt") ? nullptr : kNext(connection, name);
}

char *virDomainGetXMLDesc(void *domain, unsigned flags) {
  static auto *const kNext = real<char *(void *, unsigned)>("virDomainGetXMLDesc");
  return fails("libvirt") ? nullptr : kNext(domain, flags);
}

int virConnectListAllDomains(void *connection, void ***domains, unsigned flags) {
  static auto *const kNext = real<int(void *, void ***, unsigned)>("virConnectListAllDomains");
  return fails("libvirt") ? -1 : kNext(connection, domains, flags);
}

}  // extern "C"
