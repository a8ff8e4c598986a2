// SPDX-License-Identifier: Apache-2.0
// The start of a GPT disk: UEFI specification 5.3. The backup at the end is left out; firmware makes it again.
#pragma once

#include <vector>

#include "tests/firmware/builder.hpp"

namespace ferry::firmware::testing {

struct Partition {
  std::uint64_t start = 0, size = 0;  // sectors
  Guid unique{};
};

inline std::uint32_t crc32(const Bytes &data) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t byte : data) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

// The first 34 sectors of a disk of `sectors`; every partition is an EFI system partition.
inline Bytes gpt_start(std::uint64_t sectors, const std::vector<Partition> &partitions) {
  constexpr Guid kEspType = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                             0xba, 0x4b, 0,    0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
  Bytes entries;
  for (const Partition &partition : partitions) {
    put(entries, kEspType);
    put(entries, partition.unique);
    put(entries, partition.start, 8);
    put(entries, partition.start + partition.size - 1, 8);
    put(entries, 0, 8);
    entries.resize(entries.size() + 72, 0);  // name
  }
  entries.resize(std::size_t{128} * 128, 0);

  Bytes header = bytes("EFI PART");
  put(header, 0x00010000, 4);
  put(header, 92, 4);
  put(header, 0, 8);             // checksum, reserved
  put(header, 1, 8);             // where this header is
  put(header, sectors - 1, 8);   // where its copy is
  put(header, 34, 8);            // first usable sector
  put(header, sectors - 34, 8);  // last usable sector
  put(header, Guid{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x47, 0x48, 0x89, 0xAA, 1, 2, 3, 4, 5, 6});
  put(header, 2, 8);  // where the entries are
  put(header, 128, 4);
  put(header, 128, 4);
  put(header, crc32(entries), 4);
  set(header, 16, crc32(header), 4);

  Bytes out(446, 0);  // protective MBR
  put(out, 0x00020000, 4);
  put(out, 0xFFFFFFEE, 4);
  put(out, 1, 4);
  put(out, sectors - 1, 4);
  out.resize(510, 0);
  put(out, 0xAA55, 2);
  put(out, header);
  out.resize(1024, 0);
  put(out, entries);
  return out;
}

}  // namespace ferry::firmware::testing
