// SPDX-License-Identifier: Apache-2.0
// Puts integers and text into a growing buffer.
#pragma once

#include <cstdint>
#include <string_view>

#include "tests/kit/files.hpp"

#include "support/identity.hpp"

namespace ferry::test {

class ByteWriter {
 public:
  explicit ByteWriter(Bytes &bytes) : bytes_(bytes) {}
  void little(std::uint64_t at, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) put(at + i, static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void big(std::uint64_t at, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) put(at + width - 1 - i, static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void text(std::uint64_t at, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) put(at + i, static_cast<std::uint8_t>(text[i]));
  }
  void guid(std::uint64_t at, const Uuid &uuid) {
    const Uuid raw = uuid.swapped();
    for (std::size_t i = 0; i < 16; ++i) put(at + i, raw.bytes[i]);
  }
  void utf16(std::uint64_t at, std::string_view ascii, bool little_endian) {
    for (std::size_t i = 0; i < ascii.size(); ++i)
      put(at + 2 * i + (little_endian ? 0 : 1), static_cast<std::uint8_t>(ascii[i]));
    if (!ascii.empty() && little_endian) put(at + 2 * ascii.size() - 1, 0);
  }
  void grow(std::uint64_t size) {
    if (bytes_.size() < size) bytes_.resize(static_cast<std::size_t>(size));
  }

 private:
  void put(std::uint64_t at, std::uint8_t value) {
    grow(at + 1);
    bytes_[static_cast<std::size_t>(at)] = value;
  }
  Bytes &bytes_;
};

}  // namespace ferry::test
