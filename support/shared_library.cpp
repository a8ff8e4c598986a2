// SPDX-License-Identifier: Apache-2.0
#include "support/shared_library.hpp"

#include <dlfcn.h>

namespace ferry {
namespace {

std::string loader_message() {
  const char *said = dlerror();
  return said == nullptr ? "the loader says nothing" : said;
}

}  // namespace

void *SharedLibrary::symbol(const char *name) const {
  const auto absent = [this] {
    return Error(absence_.kind, {.message = absence_.message, .found = loader_message(), .advice = absence_.advice});
  };
  void *handle = handle_.load(std::memory_order_acquire);
  if (handle == nullptr) {
    // Two threads that come here at once get the same handle.
    handle = dlopen(name_, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw absent();
    handle_.store(handle, std::memory_order_release);
  }
  // What was preloaded goes first, as it does for a library that is linked.
  void *found = dlsym(RTLD_DEFAULT, name);
  if (found == nullptr) found = dlsym(handle, name);
  if (found == nullptr) throw absent();
  return found;
}

}  // namespace ferry
