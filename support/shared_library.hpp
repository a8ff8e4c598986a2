// SPDX-License-Identifier: Apache-2.0
// Libraries that are opened when one of their functions is wanted, and not when the program starts: a host that lacks
// one can do everything else.
#pragma once

#include <atomic>
#include <string>

#include "support/error.hpp"

namespace ferry {

// A library of the host's, opened by the name that its ABI has ("libvirt.so.0"). Threads may share it.
class SharedLibrary {
 public:
  // What is thrown when it cannot be opened, or lacks a function; `advice` says how to come by it.
  struct Absence {
    ErrorKind kind;
    const char *message, *advice;
  };
  constexpr SharedLibrary(const char *name, Absence absence) : name_(name), absence_(absence) {}
  SharedLibrary(const SharedLibrary &) = delete;
  SharedLibrary &operator=(const SharedLibrary &) = delete;
  ~SharedLibrary() = default;  // it stays open: what it started may still run

  // Where the symbol lies. Opens the library the first time. Throws Error as Absence says, with the loader's words.
  [[nodiscard]] void *symbol(const char *name) const;

 private:
  const char *name_;
  Absence absence_;
  mutable std::atomic<void *> handle_{nullptr};
};

// A function of such a library, which is called as if it were linked: LibraryFunction<decltype(::function)>.
template <class Signature>
class LibraryFunction;
template <class Result, class... Arguments>
class LibraryFunction<Result(Arguments...)> {
 public:
  constexpr LibraryFunction(const SharedLibrary &library, const char *name) : library_(&library), name_(name) {}
  LibraryFunction(const LibraryFunction &) = delete;
  LibraryFunction &operator=(const LibraryFunction &) = delete;
  ~LibraryFunction() = default;

  // Throws as SharedLibrary::symbol().
  Result operator()(Arguments... arguments) const {
    void *found = address_.load(std::memory_order_acquire);
    if (found == nullptr) {
      found = library_->symbol(name_);
      address_.store(found, std::memory_order_release);
    }
    return reinterpret_cast<Result (*)(Arguments...)>(found)(arguments...);
  }

 private:
  const SharedLibrary *library_;
  const char *name_;
  mutable std::atomic<void *> address_{nullptr};
};

}  // namespace ferry
