// SPDX-License-Identifier: Apache-2.0
// What a conversion reads: the states of a disk and their files. Survey, copying, cloning and reading back work on one
// such object, so that a file has the same number everywhere.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "converters/images/image.hpp"

namespace ferry::copy {

// A state of the disk. `files` are the numbers of the chain's files.
struct State {
  const image::Chain *chain = nullptr;
  std::vector<std::uint32_t> files;
};

// Is told what is read of a file.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void saw(std::uint64_t offset, const std::uint8_t *bytes, std::size_t length) = 0;
};

class Sources {
 public:
  Sources() = default;
  // The chains must outlive it. Throws Error io when a file cannot be examined.
  explicit Sources(std::span<const image::Chain *const> chains);

  // A file that several states hold has one number (device, inode, offset).
  std::uint32_t add(const std::shared_ptr<const image::SourceFile> &file);

  [[nodiscard]] std::span<const State> states() const { return states_; }
  [[nodiscard]] std::size_t file_count() const { return files_.size(); }
  [[nodiscard]] const image::SourceFile &file(std::uint32_t number) const { return *files_[number].file; }
  [[nodiscard]] std::shared_ptr<const image::SourceFile> shared_file(std::uint32_t number) const {
    return files_[number].file;
  }
  // Where the file begins in its descriptor, in bytes; nullopt: it has none.
  [[nodiscard]] std::optional<std::uint64_t> base(std::uint32_t number) const { return files_[number].base; }
  // The file system holds less than the file's size: asking for holes pays.
  [[nodiscard]] bool is_sparse(std::uint32_t number) const { return files_[number].sparse; }
  // Reads of a file, and tells its listener.
  void read(std::uint32_t number, std::uint64_t offset, std::uint8_t *into, std::size_t length) const;
  // `listener` must live as long as anything is read; nullptr: none. Not while anything is read.
  void listen(std::uint32_t number, Listener *listener) { files_[number].listener = listener; }
  // Somebody listens, or a file is inflated from its front: readers had better stay near each other.
  [[nodiscard]] bool in_order() const;
  [[nodiscard]] std::uint64_t longest() const;         // the size of the largest state in bytes
  [[nodiscard]] std::uint64_t physical_bytes() const;  // that the files occupy on their disks, each once

 private:
  struct File {
    std::shared_ptr<const image::SourceFile> file;
    std::optional<std::uint64_t> base;
    std::uint64_t occupied = 0;  // bytes on the disk of the file that it is a part of
    bool sparse = false;
    Listener *listener = nullptr;
  };
  std::vector<State> states_;
  std::vector<File> files_;
  std::map<image::SourceFile::Identity, std::uint32_t> by_identity_;
  std::map<const image::SourceFile *, std::uint32_t> by_object_;
};

}  // namespace ferry::copy
