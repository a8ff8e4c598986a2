// SPDX-License-Identifier: Apache-2.0
// A tar that is read forwards, also one that is gzip'd as a whole. The one wrapper of libarchive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/gzip.hpp"

namespace ferry::ovf {

// All functions throw Error malformed, io and, for names and kinds of members that lead out of the package, unsafe.
class Tar {
 public:
  // `head`: the file's beginning, where somebody has it; may be null.
  explicit Tar(const std::filesystem::path &file, const file::Head *head = nullptr);
  // For a look at its beginning: in small steps, and what is read of the file is added to `head`, which may be null.
  [[nodiscard]] static Tar look(const std::filesystem::path &file, file::Head *head);
  ~Tar();
  Tar(const Tar &) = delete;
  Tar &operator=(const Tar &) = delete;

  [[nodiscard]] bool is_gzip() const;
  [[nodiscard]] std::uint64_t file_size() const;  // bytes, compressed

  struct Member {
    std::string name;          // UTF-8 without a leading "./"; bytes that are none are as they lie in the tar
    std::uint64_t offset = 0;  // bytes: where its data begin in the tar, inflated
    std::uint64_t size = 0;    // bytes
  };
  // Steps to the next regular member; nullopt at the end.
  [[nodiscard]] std::optional<Member> next();
  // Up to `length` of that member's bytes; 0 at its end.
  [[nodiscard]] std::size_t read(void *into, std::size_t length);
  // Of a gzip'd one; what is left is read too.
  [[nodiscard]] gzip::Index index();

 private:
  class Stream;
  explicit Tar(std::unique_ptr<Stream> stream);
  std::unique_ptr<Stream> stream_;
};

// What is wrong with an archive; `found` may be empty.
[[noreturn]] void broken_archive(const std::filesystem::path &file, std::string message, std::string found);
[[noreturn]] void unsafe_archive(const std::filesystem::path &file, std::string message, const std::string &name);

}  // namespace ferry::ovf
