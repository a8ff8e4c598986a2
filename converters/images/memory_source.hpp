// SPDX-License-Identifier: Apache-2.0
// A file whose bytes are in memory: the head of something compressed, or what is changed in a copy.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "converters/images/format.hpp"

namespace ferry::image {

class MemorySource final : public SourceFile {
 public:
  // `path`: the file that the bytes are of, for messages; `what`: what they are of it ("header").
  MemorySource(std::vector<std::uint8_t> bytes, std::filesystem::path path, std::string what)
      : bytes_(std::move(bytes)), path_(std::move(path)), what_(std::move(what)) {}
  // Throws Error malformed for what is beyond the bytes.
  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    require(inside(offset, length, bytes_.size()), place_in(*this, offset, what_),
            "the file ends before the end of its data", bytes_.size(), std::to_string(offset + length) + " bytes");
    std::memcpy(into, bytes_.data() + offset, length);
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::filesystem::path path_;
  std::string what_;
};

}  // namespace ferry::image
