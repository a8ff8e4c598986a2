// SPDX-License-Identifier: Apache-2.0
#include "tests/kit/image_parts.hpp"

namespace ferry::test {
namespace {

void put_vhd_checksum(Bytes &bytes, std::size_t begin, std::size_t length, std::size_t at) {
  ByteWriter writer(bytes);
  writer.big(begin + at, 0, 4);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < length; ++i) sum += bytes[begin + i];
  writer.big(begin + at, ~sum, 4);
}

Bytes vhd_footer(std::uint64_t size, std::uint32_t type, const Identity &identity) {
  Bytes footer(512);
  ByteWriter writer(footer);
  writer.text(0, "conectix");
  writer.big(8, 2, 4);
  writer.big(12, 0x10000, 4);
  writer.big(16, type == 2 ? ~std::uint64_t{0} : 512, 8);
  writer.big(24, identity.time_stamp, 4);
  writer.text(28, identity.vhd_creator);
  writer.big(40, size, 8);
  writer.big(48, size, 8);
  writer.big(60, type, 4);
  writer.guid(68, identity.id);
  put_vhd_checksum(footer, 0, 512, 64);
  return footer;
}

}  // namespace

Bytes make_vhd(const Layer &layer, const Identity &identity) {
  const std::uint32_t type = identity.has_parent() ? 4 : 3;
  const Bytes footer = vhd_footer(layer.size, type, identity);
  Bytes out = footer;
  ByteWriter writer(out);
  writer.grow(1536);
  writer.text(512, "cxsparse");
  writer.big(520, ~std::uint64_t{0}, 8);
  const std::uint64_t bat = type == 4 ? 2560 : 1536;
  writer.big(528, bat, 8);
  writer.big(536, 0x10000, 4);
  writer.big(540, layer.blocks.size(), 4);
  writer.big(544, layer.block_size, 4);
  if (type == 4) {
    writer.guid(552, identity.parent);
    writer.big(568, identity.parent_time_stamp, 4);
    writer.utf16(576, identity.parent_name, false);
    writer.text(512 + 576, "W2ru");
    writer.big(512 + 580, 512, 4);
    writer.big(512 + 584, 2 * identity.parent_name.size(), 4);
    writer.big(512 + 592, 1536, 8);
    writer.utf16(1536, identity.parent_name, true);
  }
  put_vhd_checksum(out, 512, 1024, 36);
  std::uint64_t next = round_up(bat + 4 * layer.blocks.size(), kSector);
  writer.grow(next);
  for (std::size_t i = 0; i < layer.blocks.size(); ++i) writer.big(bat + 4 * i, 0xffffffff, 4);
  const std::uint64_t bitmap_size = round_up(layer.block_size / kSector, 8 * kSector) / 8;
  for (const std::size_t block : storage_order(layer)) {
    writer.big(bat + 4 * block, next / kSector, 4);
    Bytes bitmap(static_cast<std::size_t>(bitmap_size));
    for (std::uint64_t i = 0; i < layer.block_size / kSector; ++i) {
      const std::uint64_t guest = block * layer.block_size + i * kSector;
      if (guest < layer.size && here(layer, guest))
        bitmap[static_cast<std::size_t>(i / 8)] |= static_cast<std::uint8_t>(0x80U >> (i % 8));
    }
    put_at(out, next, bitmap);
    put_at(out, next + bitmap_size, block_bytes(layer, block));
    next += bitmap_size + layer.block_size;
  }
  put_at(out, next, footer);
  return out;
}

Bytes make_fixed_vhd(const Bytes &content, const Identity &identity) {
  Bytes out = content;
  put_at(out, out.size(), vhd_footer(content.size(), 2, identity));
  return out;
}

}  // namespace ferry::test
