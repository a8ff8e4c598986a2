// SPDX-License-Identifier: Apache-2.0
// The digest of a source file in the same pass as its conversion: a thread of its own walks through the file, over
// the same descriptor and a little ahead of or behind the converting threads, so that each page is read from the
// disk once.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <thread>

#include "converters/images/image.hpp"
#include "model/medium.hpp"

namespace ferry::verify {

class HashPass {
 public:
  // `length` bytes from `offset` of the descriptor. Starts at once.
  HashPass(std::string_view algorithm, image::SourceFile::Descriptor source, std::uint64_t offset,
           std::uint64_t length);
  // The same of a file that nobody has open. Throws Error io when it cannot be opened.
  HashPass(std::string_view algorithm, const FileRange &range);
  ~HashPass();
  HashPass(const HashPass &) = delete;
  HashPass &operator=(const HashPass &) = delete;
  // Waits for the digest, in lower-case hex. Throws Error io, or malformed when the file is too short.
  [[nodiscard]] std::string finish();

 private:
  void start(std::string_view algorithm, int fd, std::uint64_t offset, std::uint64_t length);

  image::SourceFile::Descriptor source_;
  int own_fd_ = -1;
  std::string result_;
  std::exception_ptr failed_;
  std::jthread thread_;
};

}  // namespace ferry::verify
