// SPDX-License-Identifier: Apache-2.0
#include "tests/support/disk_images.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <zlib.h>

#include "converters/images/vhdx_log.hpp"
#include "tests/support/byte_writer.hpp"

namespace ferry::test {
namespace {

constexpr std::uint64_t sector = 512;

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

bool here(const Layer &layer, std::uint64_t offset) {
  const Block block = layer.blocks[static_cast<std::size_t>(offset / layer.block_size)];
  return block == Block::data || (block == Block::partial && offset / sector % 2 == 0);
}

// The numbers of the blocks that have data, in the order in which they are stored.
std::vector<std::size_t> storage_order(const Layer &layer) {
  std::vector<std::size_t> order = layer.order;
  if (order.empty()) {
    order.resize(layer.blocks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
  }
  std::erase_if(order,
                [&](std::size_t i) { return layer.blocks[i] == Block::absent || layer.blocks[i] == Block::zero; });
  return order;
}

// What layer `tag` stores at [offset, offset + length): lines of 16 bytes that tell both.
void put_data(unsigned tag, std::uint64_t offset, std::uint64_t length, std::uint8_t *into) {
  for (std::uint64_t i = 0; i < length; ++i) {
    const std::uint64_t at = offset + i;
    const std::uint64_t mixed = (at / 16 + 1) * 0x9e3779b97f4a7c15ULL + tag * 0x632be59bd9b4e019ULL + at % 16;
    into[i] = static_cast<std::uint8_t>((mixed >> 56U) | 1U);
  }
}

// A block's bytes; beyond the disk's end rubbish, which no guest may see.
Bytes block_bytes(const Layer &layer, std::size_t block) {
  Bytes out(static_cast<std::size_t>(layer.block_size), 0xee);
  for (std::uint64_t i = 0; i < layer.block_size; i += sector) {
    const std::uint64_t offset = block * layer.block_size + i;
    if (offset >= layer.size) break;
    const std::uint64_t length = std::min(sector, layer.size - offset);
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(i), length, std::uint8_t{0});
    if (here(layer, offset)) put_data(layer.tag, offset, length, out.data() + i);
  }
  return out;
}

void put_at(Bytes &bytes, std::uint64_t at, const Bytes &data) {
  if (bytes.size() < at + data.size()) bytes.resize(static_cast<std::size_t>(at + data.size()));
  std::ranges::copy(data, bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

Bytes deflated(const Bytes &plain) {
  uLongf size = ::compressBound(static_cast<uLong>(plain.size()));
  Bytes out(size);
  if (::compress2(out.data(), &size, plain.data(), static_cast<uLong>(plain.size()), 6) != Z_OK)
    throw std::runtime_error("compress2");
  out.resize(size);
  return out;
}

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
  writer.text(28, "vbox");
  writer.big(40, size, 8);
  writer.big(48, size, 8);
  writer.big(60, type, 4);
  writer.guid(68, identity.id);
  put_vhd_checksum(footer, 0, 512, 64);
  return footer;
}

}  // namespace

std::uint8_t byte_at(unsigned tag, std::uint64_t offset) {
  std::uint8_t out = 0;
  put_data(tag, offset, 1, &out);
  return out;
}

Bytes expected_content(const std::vector<Layer> &layers) {
  Bytes out(static_cast<std::size_t>(layers.back().size));
  for (std::uint64_t at = 0; at < out.size(); at += sector) {
    const std::uint64_t end = std::min<std::uint64_t>(at + sector, out.size());
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
      if (at >= layer->size) break;  // beyond a parent's end the guest reads zeros
      if (here(*layer, at)) put_data(layer->tag, at, std::min(end, layer->size) - at, out.data() + at);
      if (here(*layer, at) || layer->blocks[static_cast<std::size_t>(at / layer->block_size)] == Block::zero) break;
    }
  }
  return out;
}

std::uint64_t stored_bytes(const Layer &layer, bool whole_partial_blocks) {
  std::uint64_t stored = 0;
  for (std::size_t i = 0; i < layer.blocks.size(); ++i) {
    if (layer.blocks[i] == Block::data || (whole_partial_blocks && layer.blocks[i] == Block::partial)) {
      stored += std::min(layer.block_size, layer.size - i * layer.block_size);
    }
  }
  return stored;
}

Uuid uuid_of(unsigned number) {
  Uuid out;
  for (std::size_t i = 0; i < 16; ++i) out.bytes[i] = static_cast<std::uint8_t>(number * 31 + i * 7 + 1);
  return out;
}

Bytes make_vdi(const Layer &layer, const Identity &identity, const VdiOptions &options) {
  const bool old = options.version < 0x10000;
  const std::uint64_t blocks = layer.blocks.size();
  const std::uint64_t map_at = old ? 420 : 512;
  const std::uint64_t data_at = old ? map_at + 4 * blocks : round_up(map_at + 4 * blocks, 512);
  Bytes out;
  ByteWriter writer(out);
  writer.text(0, "<<< test image >>>\n");
  writer.little(64, 0xbeda107f, 4);
  writer.little(68, options.version, 4);
  const std::uint32_t type = options.type != 0 ? options.type : identity.has_parent() ? 4 : 1;
  const std::uint64_t at = old ? 352 : 368;
  writer.little(old ? 72 : 76, type, 4);
  if (!old) {
    writer.little(72, 400, 4);
    writer.little(340, map_at, 4);
    writer.little(344, data_at, 4);
    writer.little(380, options.extra, 4);
  }
  writer.little(old ? 348 : 360, sector, 4);  // QEMU wants the geometry to give the sector size
  writer.little(at, layer.size, 8);
  writer.little(at + 8, layer.block_size, 4);
  writer.little(old ? 364 : 384, blocks, 4);
  const std::uint64_t ids = old ? 372 : 392;
  writer.guid(ids, identity.id);
  writer.guid(ids + 16, identity.modification);
  writer.guid(ids + 32, identity.parent);
  if (!old) writer.guid(ids + 48, identity.parent_modification);
  writer.grow(data_at);
  for (std::size_t i = 0; i < blocks; ++i) {
    writer.little(map_at + 4 * i, layer.blocks[i] == Block::zero ? 0xfffffffe : 0xffffffff, 4);
  }
  std::uint64_t position = 0;
  for (const std::size_t block : storage_order(layer)) {
    Bytes data = block_bytes(layer, block);
    if (options.cut_tail && block + 1 == blocks)
      data.resize(static_cast<std::size_t>(layer.size - block * layer.block_size));
    put_at(out, data_at + position * (layer.block_size + options.extra) + options.extra, data);
    writer.little(map_at + 4 * block, position++, 4);
  }
  return out;
}

Bytes make_hosted_sparse(const Layer &layer, const SparseOptions &options) {
  const std::uint64_t per_table = options.entries_per_table;
  const std::uint64_t tables = (layer.blocks.size() + per_table - 1) / per_table;
  const std::uint64_t descriptor_sectors =
      options.descriptor.empty() ? 0 : round_up(options.descriptor.size() + 1, sector) / sector;
  const std::uint64_t directory_sectors = round_up(4 * tables, sector) / sector;
  const std::uint64_t table_sectors = round_up(4 * per_table, sector) / sector;
  const std::uint64_t tables_length = directory_sectors + tables * table_sectors;
  Bytes out;
  ByteWriter writer(out);
  std::uint64_t next = 1 + descriptor_sectors;
  std::uint64_t redundant = 0, directory = 0;
  if (!options.footer) {
    if (options.redundant) redundant = std::exchange(next, next + tables_length);
    directory = std::exchange(next, next + tables_length);
  }
  if (!options.descriptor.empty()) writer.text(sector, options.descriptor);
  writer.grow(next * sector);

  std::vector<std::uint64_t> grains(layer.blocks.size());
  for (std::size_t i = 0; i < grains.size(); ++i) grains[i] = layer.blocks[i] == Block::zero ? 1 : 0;
  next = round_up(next, 8);
  for (const std::size_t block : storage_order(layer)) {
    Bytes data = block_bytes(layer, block);
    grains[block] = next;
    if (options.compressed) {
      const std::uint64_t visible = std::min(layer.block_size, layer.size - block * layer.block_size);
      if (options.cut_last_grain) data.resize(static_cast<std::size_t>(visible));
      const Bytes stored = deflated(data);
      writer.little(next * sector, block * (layer.block_size / sector), 8);
      writer.little(next * sector + 8, stored.size(), 4);
      put_at(out, next * sector + 12, stored);
      next += round_up(12 + stored.size(), sector) / sector;
    } else {
      put_at(out, next * sector, data);
      next += layer.block_size / sector;
    }
    writer.grow(next * sector);
  }
  if (options.footer) directory = std::exchange(next, next + tables_length);
  const auto put_tables = [&](std::uint64_t at) {
    for (std::uint64_t table = 0; table < tables; ++table) {
      const std::uint64_t table_at = at + directory_sectors + table * table_sectors;
      writer.little(at * sector + 4 * table, table_at, 4);
      for (std::uint64_t i = 0; i < per_table; ++i) {
        const std::uint64_t grain = table * per_table + i;
        writer.little(table_at * sector + 4 * i, grain < grains.size() ? grains[static_cast<std::size_t>(grain)] : 0,
                      4);
      }
    }
  };
  put_tables(directory);
  if (redundant != 0) put_tables(redundant);
  writer.grow(next * sector);

  const auto put_header = [&](std::uint64_t at, std::uint64_t directory_sector) {
    writer.text(at, "KDMV");
    writer.little(at + 4, options.compressed ? 3 : 2, 4);
    writer.little(at + 8, 1U | (redundant != 0 ? 2U : 0U) | 4U | (options.compressed ? 0x30000U : 0U), 4);
    writer.little(at + 12, round_up(layer.size, sector) / sector, 8);
    writer.little(at + 20, layer.block_size / sector, 8);
    writer.little(at + 28, descriptor_sectors != 0 ? 1 : 0, 8);
    writer.little(at + 36, descriptor_sectors, 8);
    writer.little(at + 44, per_table, 4);
    writer.little(at + 48, redundant, 8);
    writer.little(at + 56, directory_sector, 8);
    writer.little(at + 64, 8, 8);
    writer.text(at + 73, "\n \r\n");
    writer.little(at + 77, options.compressed ? 1 : 0, 2);
  };
  put_header(0, options.footer ? ~std::uint64_t{0} : directory);
  if (options.footer) {
    writer.little(next * sector, 1, 8);
    writer.little(next * sector + 12, 3, 4);
    put_header((next + 1) * sector, directory);
    writer.grow((next + 3) * sector);
  }
  return out;
}

Bytes make_cowd(const Layer &layer) {
  constexpr std::uint64_t per_table = 4096;
  const std::uint64_t tables = (layer.blocks.size() + per_table - 1) / per_table;
  Bytes out;
  ByteWriter writer(out);
  writer.text(0, "COWD");
  writer.little(4, 1, 4);
  writer.little(8, 3, 4);
  writer.little(12, layer.size / sector, 4);
  writer.little(16, layer.block_size / sector, 4);
  writer.little(20, 4, 4);
  writer.little(24, tables, 4);
  std::uint64_t next = 4 + round_up(4 * tables, sector) / sector;
  for (std::uint64_t table = 0; table < tables; ++table) {
    writer.little(4 * sector + 4 * table, next, 4);
    next += per_table * 4 / sector;
  }
  const std::uint64_t first_table = 4 + round_up(4 * tables, sector) / sector;
  writer.grow(next * sector);
  for (const std::size_t block : storage_order(layer)) {
    put_at(out, next * sector, block_bytes(layer, block));
    writer.little(first_table * sector + 4 * block, next, 4);
    next += layer.block_size / sector;
  }
  return out;
}

Bytes make_sesparse(const Layer &layer) {
  constexpr std::uint64_t per_table = 4096, table_sectors = 64;
  const std::uint64_t tables = (layer.blocks.size() + per_table - 1) / per_table;
  const std::uint64_t directory_sectors = round_up(8 * tables, sector) / sector;
  const std::uint64_t directory = 16, first_table = 64, grains = round_up(first_table + tables * table_sectors, 8);
  Bytes out;
  ByteWriter writer(out);
  const std::uint64_t fields[] = {0xcafebabe,
                                  0x0000000200000001,
                                  layer.size / sector,
                                  8,
                                  table_sectors,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  1,
                                  1,
                                  2,
                                  2,
                                  4,
                                  4,
                                  directory,
                                  directory_sectors,
                                  first_table,
                                  tables * table_sectors,
                                  8,
                                  2,
                                  10,
                                  2,
                                  grains,
                                  layer.blocks.size() * 8};
  for (std::size_t i = 0; i < std::size(fields); ++i) writer.little(8 * i, fields[i], 8);
  writer.little(sector, 0xcafecafe, 8);
  writer.grow(grains * sector);
  for (std::uint64_t i = 0; i < tables; ++i) writer.little(directory * sector + 8 * i, 0x1000000000000000ULL | i, 8);
  for (std::size_t i = 0; i < layer.blocks.size(); ++i) {
    if (layer.blocks[i] == Block::zero)
      writer.little(first_table * sector + 8 * i, (i % 2 == 0 ? 0x2ULL : 0x1ULL) << 60U, 8);
  }
  std::uint64_t position = 0;
  for (const std::size_t block : storage_order(layer)) {
    put_at(out, grains * sector + position * 4096, block_bytes(layer, block));
    const std::uint64_t entry = (0x3ULL << 60U) | ((position & 0xfffU) << 48U) | (position >> 12U);
    writer.little(first_table * sector + 8 * block, entry, 8);
    ++position;
  }
  return out;
}

std::string vmdk_descriptor(const std::string &create_type, const std::string &extents, const Identity &identity,
                            bool virtualbox) {
  const auto hex = [](std::uint32_t value) {
    std::string out;
    for (int shift = 28; shift >= 0; shift -= 4)
      out += "0123456789abcdef"[(value >> static_cast<unsigned>(shift)) & 15U];
    return out;
  };
  std::string text = "# Disk DescriptorFile\nversion=1\nCID=" + hex(identity.cid) +
                     "\nparentCID=" + hex(identity.parent_cid) + "\ncreateType=\"" + create_type + "\"\n";
  if (!identity.parent_name.empty()) text += "parentFileNameHint=\"" + identity.parent_name + "\"\n";
  text += "\n# Extent description\n" + extents + "\n# The Disk Data Base\n#DDB\nddb.adapterType = \"ide\"\n";
  if (virtualbox) {
    text += "ddb.uuid.image=\"" + identity.id.text() + "\"\nddb.uuid.parent=\"" + identity.parent.text() +
            "\"\nddb.uuid.modification=\"" + identity.modification.text() + "\"\nddb.uuid.parentmodification=\"" +
            identity.parent_modification.text() + "\"\n";
  }
  return text;
}

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
  std::uint64_t next = round_up(bat + 4 * layer.blocks.size(), sector);
  writer.grow(next);
  for (std::size_t i = 0; i < layer.blocks.size(); ++i) writer.big(bat + 4 * i, 0xffffffff, 4);
  const std::uint64_t bitmap_size = round_up(layer.block_size / sector, 8 * sector) / 8;
  for (const std::size_t block : storage_order(layer)) {
    writer.big(bat + 4 * block, next / sector, 4);
    Bytes bitmap(static_cast<std::size_t>(bitmap_size));
    for (std::uint64_t i = 0; i < layer.block_size / sector; ++i) {
      const std::uint64_t guest = block * layer.block_size + i * sector;
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

namespace {

void put_crc(Bytes &bytes, std::size_t begin, std::size_t length) {
  ByteWriter(bytes).little(begin + 4, image::crc32c({bytes.data() + begin, length}, 4), 4);
}

// Metadata table with its items, at 2 MiB.
void put_vhdx_metadata(ByteWriter &writer, const Layer &layer, const Identity &identity, const VhdxOptions &options) {
  constexpr std::uint64_t table = 2U << 20U;
  writer.text(table, "metadata");
  std::uint64_t count = 0, item = 65536;
  const auto add = [&](const char *id, std::uint64_t length) {
    const std::uint64_t at = table + 32 + 32 * count++;
    writer.guid(at, *Uuid::parse(id));
    writer.little(at + 16, item, 4);
    writer.little(at + 20, length, 4);
    writer.little(at + 24, 4, 4);
    return table + std::exchange(item, item + round_up(length, 64));
  };
  const auto parameters = add("caa16737-fa36-4d43-b3b6-33f0aa44e76b", 8);
  writer.little(parameters, layer.block_size, 4);
  writer.little(parameters + 4, identity.has_parent() ? 2 : 0, 4);
  writer.little(add("2fa54224-cd1b-4876-b211-5dbed83bf4b8", 8), layer.size, 8);
  writer.little(add("8141bf1d-a96f-4709-ba47-f233a8faab5f", 4), 512, 4);
  writer.little(add("cda348c7-445d-4471-9cc9-e9885251c556", 4), 512, 4);
  writer.guid(add("beca12ab-b2e6-4523-93ef-c309e000c746", 16), uuid_of(77));
  if (identity.has_parent()) {
    const std::string linkage = "{" + identity.parent.text() + "}";
    const std::pair<std::string, std::string> entries[] = {{options.parent_linkage_key, linkage},
                                                           {"relative_path", identity.parent_name}};
    const auto at = add("a8d35f2d-b30b-454d-abf7-d3d84834ab0c", 1024);
    writer.guid(at, *Uuid::parse("b04aefb7-d19e-4a81-b789-25b8e9445913"));
    writer.little(at + 18, 2, 2);
    std::uint64_t text = 44;
    for (std::uint64_t i = 0; i < 2; ++i) {
      const auto &[key, value] = entries[i];
      writer.little(at + 20 + 12 * i, text, 4);
      writer.utf16(at + text, key, true);
      writer.little(at + 28 + 12 * i, 2 * key.size(), 2);
      text += 2 * key.size();
      writer.little(at + 24 + 12 * i, text, 4);
      writer.utf16(at + text, value, true);
      writer.little(at + 30 + 12 * i, 2 * value.size(), 2);
      text += 2 * value.size();
    }
  }
  writer.little(table + 10, count, 2);
}

}  // namespace

namespace {

// Moves the BAT's first 4 KiB into the log: an entry with rubbish for them, then one with the truth that wraps around.
void put_vhdx_log(Bytes &out) {
  constexpr std::uint64_t mebibyte = 1U << 20U, log = mebibyte, bat = 3 * mebibyte;
  ByteWriter writer(out);
  const Bytes truth(out.begin() + static_cast<std::ptrdiff_t>(bat),
                    out.begin() + static_cast<std::ptrdiff_t>(bat + 4096));
  std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(bat), 4096, std::uint8_t{0x55});
  const Uuid guid = uuid_of(500);
  const auto entry = [&](std::uint64_t sequence, const Bytes &data) {
    Bytes bytes(8192);
    ByteWriter to(bytes);
    to.text(0, "loge");
    to.little(8, 8192, 4);
    to.little(12, mebibyte - 12288, 4);
    to.little(16, sequence, 8);
    to.little(24, 2, 4);
    to.guid(32, guid);
    to.little(48, out.size(), 8);
    to.little(56, out.size(), 8);
    to.text(64, "desc");
    for (std::uint64_t i = 0; i < 4; ++i) to.little(68 + i, data[static_cast<std::size_t>(4092 + i)], 1);
    for (std::uint64_t i = 0; i < 8; ++i) to.little(72 + i, data[static_cast<std::size_t>(i)], 1);
    to.little(80, bat, 8);
    to.little(88, sequence, 8);
    to.text(96, "zero");
    to.little(104, 4096, 8);
    to.little(112, bat + 4096, 8);
    to.little(120, sequence, 8);
    std::copy(data.begin(), data.end(), bytes.begin() + 4096);
    to.text(4096, "data");
    to.little(4100, 0, 4);
    to.little(8188, sequence, 4);
    put_crc(bytes, 0, 8192);
    return bytes;
  };
  put_at(out, log + mebibyte - 12288, entry(7, Bytes(4096, 0x33)));
  const Bytes last = entry(8, truth);
  put_at(out, log + mebibyte - 4096, Bytes(last.begin(), last.begin() + 4096));
  put_at(out, log, Bytes(last.begin() + 4096, last.end()));
  for (const std::uint64_t at : {std::uint64_t{65536}, std::uint64_t{131072}}) {
    writer.guid(at + 48, guid);
    put_crc(out, static_cast<std::size_t>(at), 4096);
  }
}

}  // namespace

Bytes make_vhdx(const Layer &layer, const Identity &identity, const VhdxOptions &options) {
  constexpr std::uint64_t mebibyte = 1U << 20U;
  Bytes out;
  ByteWriter writer(out);
  writer.text(0, "vhdxfile");
  writer.grow(4 * mebibyte);
  for (const std::uint64_t number : {1U, 2U}) {
    const std::uint64_t at = 65536 * number;
    writer.text(at, "head");
    writer.little(at + 8, number, 8);
    writer.guid(at + 16, uuid_of(900));
    writer.guid(at + 32, identity.id);
    writer.little(at + 66, 1, 2);
    writer.little(at + 68, mebibyte, 4);
    writer.little(at + 72, mebibyte, 8);
    put_crc(out, static_cast<std::size_t>(at), 4096);
  }
  for (const std::uint64_t at : {std::uint64_t{196608}, std::uint64_t{262144}}) {
    writer.text(at, "regi");
    writer.little(at + 8, 2, 4);
    const std::pair<const char *, std::uint64_t> regions[] = {{"8b7ca206-4790-4b9a-b8fe-575f050f886e", 2},
                                                              {"2dc27766-f623-4200-9d64-115e9bfd4a08", 3}};
    for (std::uint64_t i = 0; i < 2; ++i) {
      writer.guid(at + 16 + 32 * i, *Uuid::parse(regions[i].first));
      writer.little(at + 32 + 32 * i, regions[i].second * mebibyte, 8);
      writer.little(at + 40 + 32 * i, mebibyte, 4);
      writer.little(at + 44 + 32 * i, 1, 4);
    }
    put_crc(out, static_cast<std::size_t>(at), 65536);
  }
  put_vhdx_metadata(writer, layer, identity, options);

  const std::uint64_t ratio = (std::uint64_t{1} << 23U) * sector / layer.block_size;
  const auto entry_at = [&](std::uint64_t block) { return 3 * mebibyte + 8 * (block + block / ratio); };
  for (std::size_t i = 0; i < layer.blocks.size(); ++i) {
    if (layer.blocks[i] == Block::zero)
      writer.little(entry_at(i), 1 + i % 3, 8);  // undefined, zero, unmapped: all zeros
  }
  std::uint64_t next = 4 * mebibyte;
  for (const std::size_t block : storage_order(layer)) {
    writer.little(entry_at(block), next | (layer.blocks[block] == Block::partial ? 7U : 6U), 8);
    put_at(out, next, block_bytes(layer, block));
    next += layer.block_size;
  }
  for (std::uint64_t chunk = 0; identity.has_parent() && chunk * ratio < layer.blocks.size(); ++chunk) {
    writer.little(3 * mebibyte + 8 * (chunk * (ratio + 1) + ratio), next | 6U, 8);
    Bytes bitmap(static_cast<std::size_t>(mebibyte));
    for (std::uint64_t bit = 0; bit < 8 * mebibyte; ++bit) {  // least significant bit first
      const std::uint64_t guest = (chunk * 8 * mebibyte + bit) * sector;
      if (guest >= layer.size) break;
      if (here(layer, guest)) bitmap[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    put_at(out, next, bitmap);
    next += mebibyte;
  }
  if (options.dirty_log) put_vhdx_log(out);
  return out;
}

Bytes make_gzip(const Bytes &plain, std::size_t member) {
  Bytes out;
  for (std::size_t at = 0; at < plain.size() || at == 0; at += member) {
    const std::size_t length = std::min(member, plain.size() - at);
    z_stream stream{};
    if (::deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::runtime_error("deflateInit2");
    Bytes packed(::deflateBound(&stream, static_cast<uLong>(length)));
    stream.next_in = const_cast<Bytef *>(plain.data() + at);
    stream.avail_in = static_cast<uInt>(length);
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
    packed.resize(packed.size() - stream.avail_out);
    ::deflateEnd(&stream);
    out.insert(out.end(), packed.begin(), packed.end());
  }
  return out;
}

}  // namespace ferry::test
