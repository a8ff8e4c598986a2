// SPDX-License-Identifier: Apache-2.0
// Preloaded into virt-ferry: ends it, as SIGKILL does, before the n-th thing that it does to the world. Counted are
// lines of the journal (before one, and in the middle of one), flushes, renames, links, removals, what changes
// libvirt's definitions and what starts a trial's machine. FERRY_STOP_AT=n; without it, nothing happens. The programs
// that virt-ferry starts are let be.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string_view>
#include <sys/types.h>
#include <unistd.h>

namespace {

// A process that a run leaves behind (virt-ferry serve) has an environment of its run's.
bool is_left_behind() {
  char words[64] = {};
  std::FILE *const file = std::fopen("/proc/self/cmdline", "r");
  if (file == nullptr) return false;
  const std::size_t length = std::fread(words, 1, sizeof words, file);
  std::fclose(file);
  const std::string_view all(words, length);
  const std::size_t first = all.find('\0');
  return first != std::string_view::npos && all.substr(first + 1).starts_with("serve");
}

long stop_at() {
  const char *at = std::getenv("FERRY_STOP_AT");
  static const bool kLet = is_left_behind();
  if (kLet) return 0;
  if (at == nullptr || std::string_view(program_invocation_short_name) != "virt-ferry") return 0;
  return std::strtol(at, nullptr, 10);
}

// True when the program is to end now.
bool is_the_moment() {
  static const long kAt = stop_at();
  static std::atomic<long> count = 0;
  return kAt > 0 && ++count == kAt;
}

void end() {
  kill(getpid(), SIGKILL);
  pause();
}

void step() {
  if (is_the_moment()) end();
}

template <class Function>
Function *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  // The program opens libvirt when it is wanted, for itself alone.
  if (found == nullptr) found = dlsym(dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD), name);
  return reinterpret_cast<Function *>(found);
}

bool is_journal(int descriptor) {
  char link[64], target[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, target, sizeof target);
  return length > 0 && std::string_view(target, static_cast<std::size_t>(length)).ends_with(".jsonl");
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void *bytes, size_t length) {
  static auto *const kNext = real<ssize_t(int, const void *, size_t)>("write");
  if (stop_at() > 0 && is_journal(descriptor)) {
    step();
    if (is_the_moment()) {
      (void)kNext(descriptor, bytes, length / 2);
      end();
    }
  }
  return kNext(descriptor, bytes, length);
}

int fsync(int descriptor) {
  static auto *const kNext = real<int(int)>("fsync");
  step();
  return kNext(descriptor);
}

int rename(const char *from, const char *to) {
  static auto *const kNext = real<int(const char *, const char *)>("rename");
  step();
  return kNext(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  static auto *const kNext = real<int(int, const char *, int, const char *, unsigned)>("renameat2");
  step();
  return kNext(from_folder, from, to_folder, to, flags);
}

int link(const char *from, const char *to) {
  static auto *const kNext = real<int(const char *, const char *)>("link");
  step();
  return kNext(from, to);
}

int unlink(const char *file) {
  static auto *const kNext = real<int(const char *)>("unlink");
  step();
  return kNext(file);
}

int unlinkat(int folder, const char *file, int flags) {
  static auto *const kNext = real<int(int, const char *, int)>("unlinkat");
  step();
  return kNext(folder, file, flags);
}

int mkdir(const char *folder, mode_t mode) {
  static auto *const kNext = real<int(const char *, mode_t)>("mkdir");
  step();
  return kNext(folder, mode);
}

// Of libvirt; its handles are opaque here.
void *virDomainDefineXMLFlags(void *connection, const char *xml, unsigned flags) {
  static auto *const kNext = real<void *(void *, const char *, unsigned)>("virDomainDefineXMLFlags");
  step();
  return kNext(connection, xml, flags);
}

void *virDomainDefineXML(void *connection, const char *xml) {
  static auto *const kNext = real<void *(void *, const char *)>("virDomainDefineXML");
  step();
  return kNext(connection, xml);
}

void *virDomainCreateXML(void *connection, const char *xml, unsigned flags) {
  static auto *const kNext = real<void *(void *, const char *, unsigned)>("virDomainCreateXML");
  step();
  return kNext(connection, xml, flags);
}

int virDomainUndefineFlags(void *domain, unsigned flags) {
  static auto *const kNext = real<int(void *, unsigned)>("virDomainUndefineFlags");
  step();
  return kNext(domain, flags);
}

void *virDomainSnapshotCreateXML(void *domain, const char *xml, unsigned flags) {
  static auto *const kNext = real<void *(void *, const char *, unsigned)>("virDomainSnapshotCreateXML");
  step();
  return kNext(domain, xml, flags);
}

}  // extern "C"
