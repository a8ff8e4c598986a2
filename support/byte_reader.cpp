// SPDX-License-Identifier: Apache-2.0
#include "support/byte_reader.hpp"

#include <algorithm>
#include <cstdio>

namespace ferry {

Place ByteReader::at(std::size_t offset, std::string_view field) const {
  Place place = place_;
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "offset 0x%llx", static_cast<unsigned long long>(base_) + offset);
  place.path = std::string(buffer.data()) + " (" + std::string(field) + ")";
  return place;
}

std::span<const std::uint8_t> ByteReader::bytes(std::size_t offset, std::size_t length, std::string_view field) const {
  if (offset > bytes_.size() || length > bytes_.size() - offset) {
    throw Error(ErrorKind::malformed, {.where = at(offset, field),
                                       .message = "the file ends inside a structure",
                                       .found = std::to_string(bytes_.size()) + " bytes",
                                       .expected = "at least " + std::to_string(offset + length),
                                       .advice = "Copy the file again from the source: it is truncated or damaged."});
  }
  return bytes_.subspan(offset, length);
}

std::array<std::uint8_t, 16> ByteReader::guid(std::size_t offset, std::string_view field) const {
  std::array<std::uint8_t, 16> out{};
  std::ranges::copy(bytes(offset, 16, field), out.begin());
  return out;
}

std::string ByteReader::text(std::size_t offset, std::size_t length, std::string_view field) const {
  const auto raw = bytes(offset, length, field);
  return {raw.begin(), std::ranges::find(raw, std::uint8_t{0})};
}

}  // namespace ferry
