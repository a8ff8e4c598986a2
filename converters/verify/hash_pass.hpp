// SPDX-License-Identifier: Apache-2.0
// The digest of a source file in the same pass as its conversion: what the converting threads read of it is handed on,
// in any order, and a thread of its own hashes it in the file's order. What they do not read (tables, padding, holes)
// it reads itself.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "converters/copy/sources.hpp"
#include "converters/images/image.hpp"

namespace ferry {
class Digest;
}

namespace ferry::verify {

class HashPass final : public copy::Listener {
 public:
  // The whole of `file`. Throws Error unsupported for an algorithm that is not known.
  HashPass(std::string_view algorithm, std::shared_ptr<const image::SourceFile> file);
  ~HashPass() override;
  HashPass(const HashPass &) = delete;
  HashPass &operator=(const HashPass &) = delete;

  // Thread-safe. Waits when the readers are far ahead of the hashing.
  void saw(std::uint64_t offset, const std::uint8_t *bytes, std::size_t length) override;

  // Nobody reads any more. Waits for the digest, in lower-case hex. Throws Error io, or malformed when the file is too
  // short.
  [[nodiscard]] std::string finish();

 private:
  using Lock = std::unique_lock<std::mutex>;
  void hash(Digest &digest, const std::stop_token &stop);
  // The next bytes were seen, or are such as no reader will come for.
  [[nodiscard]] bool ready() const;
  // What was seen at position_, or what is read there; empty: nothing yet.
  [[nodiscard]] std::vector<std::uint8_t> next(Lock &lock);

  std::shared_ptr<const image::SourceFile> file_;
  const std::uint64_t end_;
  std::mutex guard_;
  std::condition_variable_any work_, room_;
  std::map<std::uint64_t, std::vector<std::uint8_t>> seen_;  // by offset, behind position_
  std::uint64_t seen_bytes_ = 0;
  std::uint64_t position_ = 0;  // up to which the file is hashed
  bool all_seen_ = false;
  std::string result_;
  std::exception_ptr failed_;
  std::jthread thread_;
};

}  // namespace ferry::verify
