// SPDX-License-Identifier: Apache-2.0
// The one bounds-checked reader for binary headers. It never reads outside its bytes; a read past the end is
// an Error malformed that names the field and its offset.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/error.hpp"

namespace ferry {

class ByteReader {
 public:
  // `place` is what errors name; `base` is the offset of bytes[0] in that file.
  ByteReader(std::span<const std::uint8_t> bytes, Place place, std::uint64_t base = 0)
      : bytes_(bytes), place_(std::move(place)), base_(base) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  template <class Integer>
  [[nodiscard]] Integer little(std::size_t offset, std::string_view field) const {
    return integer<Integer>(offset, field, true);
  }
  template <class Integer>
  [[nodiscard]] Integer big(std::size_t offset, std::string_view field) const {
    return integer<Integer>(offset, field, false);
  }
  // All bytes as integers of one width, for tables of millions of entries; a rest that fills none is left out.
  template <class Integer>
  void little_table(std::vector<Integer> &into) const {
    into.resize(bytes_.size() / sizeof(Integer));
    if constexpr (std::endian::native == std::endian::little) {
      if (!into.empty()) std::memcpy(into.data(), bytes_.data(), into.size() * sizeof(Integer));
    } else {
      for (std::size_t i = 0; i < into.size(); ++i)
        into[i] = integer<Integer>(i * sizeof(Integer), "table entry", true);
    }
  }
  template <class Integer>
  void big_table(std::vector<Integer> &into) const {
    into.resize(bytes_.size() / sizeof(Integer));
    for (std::size_t i = 0; i < into.size(); ++i) {
      const std::uint8_t *raw = bytes_.data() + i * sizeof(Integer);
      Integer value = 0;
      for (std::size_t byte = 0; byte < sizeof(Integer); ++byte)
        value = static_cast<Integer>((value << 8U) | raw[byte]);
      into[i] = value;
    }
  }
  [[nodiscard]] std::span<const std::uint8_t> bytes(std::size_t offset, std::size_t length,
                                                    std::string_view field) const;
  [[nodiscard]] std::array<std::uint8_t, 16> guid(std::size_t offset, std::string_view field) const;
  // `length` bytes as text, cut at the first NUL.
  [[nodiscard]] std::string text(std::size_t offset, std::size_t length, std::string_view field) const;

  // The Place of a field: "offset 0x170 (block size)".
  [[nodiscard]] Place at(std::size_t offset, std::string_view field) const;

 private:
  template <class Integer>
  [[nodiscard]] Integer integer(std::size_t offset, std::string_view field, bool little_endian) const {
    const auto raw = bytes(offset, sizeof(Integer), field);
    Integer value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      const std::size_t shift = 8 * (little_endian ? i : sizeof(Integer) - 1 - i);
      value = static_cast<Integer>(value | static_cast<Integer>(static_cast<Integer>(raw[i]) << shift));
    }
    return value;
  }

  std::span<const std::uint8_t> bytes_;
  Place place_;
  std::uint64_t base_;
};

}  // namespace ferry
