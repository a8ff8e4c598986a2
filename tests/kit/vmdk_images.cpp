// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>
#include <zlib.h>

#include "tests/kit/image_parts.hpp"

#include "support/text.hpp"

namespace ferry::test {
namespace {

Bytes deflated(const Bytes &plain) {
  uLongf size = ::compressBound(static_cast<uLong>(plain.size()));
  Bytes out(size);
  if (::compress2(out.data(), &size, plain.data(), static_cast<uLong>(plain.size()), 6) != Z_OK)
    throw std::runtime_error("compress2");
  out.resize(size);
  return out;
}

}  // namespace

Bytes make_hosted_sparse(const Layer &layer, const SparseOptions &options) {
  const std::uint64_t per_table = options.entries_per_table;
  const std::uint64_t tables = (layer.blocks.size() + per_table - 1) / per_table;
  const std::uint64_t descriptor_sectors =
      options.descriptor.empty() ? 0 : round_up(options.descriptor.size() + 1, kSector) / kSector;
  const std::uint64_t directory_sectors = round_up(4 * tables, kSector) / kSector;
  const std::uint64_t table_sectors = round_up(4 * per_table, kSector) / kSector;
  const std::uint64_t tables_length = directory_sectors + tables * table_sectors;
  Bytes out;
  ByteWriter writer(out);
  std::uint64_t next = 1 + descriptor_sectors;
  std::uint64_t redundant = 0, directory = 0;
  if (!options.footer) {
    if (options.redundant) redundant = std::exchange(next, next + tables_length);
    directory = std::exchange(next, next + tables_length);
  }
  if (!options.descriptor.empty()) writer.text(kSector, options.descriptor);
  writer.grow(next * kSector);

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
      writer.little(next * kSector, block * (layer.block_size / kSector), 8);
      writer.little(next * kSector + 8, stored.size(), 4);
      put_at(out, next * kSector + 12, stored);
      next += round_up(12 + stored.size(), kSector) / kSector;
    } else {
      put_at(out, next * kSector, data);
      next += layer.block_size / kSector;
    }
    writer.grow(next * kSector);
  }
  if (options.footer) directory = std::exchange(next, next + tables_length);
  const auto put_tables = [&](std::uint64_t at) {
    for (std::uint64_t table = 0; table < tables; ++table) {
      const std::uint64_t table_at = at + directory_sectors + table * table_sectors;
      writer.little(at * kSector + 4 * table, table_at, 4);
      for (std::uint64_t i = 0; i < per_table; ++i) {
        const std::uint64_t grain = table * per_table + i;
        writer.little(table_at * kSector + 4 * i, grain < grains.size() ? grains[static_cast<std::size_t>(grain)] : 0,
                      4);
      }
    }
  };
  put_tables(directory);
  if (redundant != 0) put_tables(redundant);
  writer.grow(next * kSector);

  const auto put_header = [&](std::uint64_t at, std::uint64_t directory_sector) {
    writer.text(at, "KDMV");
    writer.little(at + 4, options.compressed ? 3 : 2, 4);
    writer.little(at + 8, 1U | (redundant != 0 ? 2U : 0U) | 4U | (options.compressed ? 0x30000U : 0U), 4);
    writer.little(at + 12, round_up(layer.size, kSector) / kSector, 8);
    writer.little(at + 20, layer.block_size / kSector, 8);
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
    writer.little(next * kSector, 1, 8);
    writer.little(next * kSector + 12, 3, 4);
    put_header((next + 1) * kSector, directory);
    writer.grow((next + 3) * kSector);
  }
  return out;
}

Bytes make_cowd(const Layer &layer) {
  constexpr std::uint64_t kPerTable = 4096;
  const std::uint64_t tables = (layer.blocks.size() + kPerTable - 1) / kPerTable;
  Bytes out;
  ByteWriter writer(out);
  writer.text(0, "COWD");
  writer.little(4, 1, 4);
  writer.little(8, 3, 4);
  writer.little(12, layer.size / kSector, 4);
  writer.little(16, layer.block_size / kSector, 4);
  writer.little(20, 4, 4);
  writer.little(24, tables, 4);
  std::uint64_t next = 4 + round_up(4 * tables, kSector) / kSector;
  for (std::uint64_t table = 0; table < tables; ++table) {
    writer.little(4 * kSector + 4 * table, next, 4);
    next += kPerTable * 4 / kSector;
  }
  const std::uint64_t first_table = 4 + round_up(4 * tables, kSector) / kSector;
  writer.grow(next * kSector);
  for (const std::size_t block : storage_order(layer)) {
    put_at(out, next * kSector, block_bytes(layer, block));
    writer.little(first_table * kSector + 4 * block, next, 4);
    next += layer.block_size / kSector;
  }
  return out;
}

Bytes make_sesparse(const Layer &layer) {
  constexpr std::uint64_t kPerTable = 4096, kTableSectors = 64;
  const std::uint64_t tables = (layer.blocks.size() + kPerTable - 1) / kPerTable;
  const std::uint64_t directory_sectors = round_up(8 * tables, kSector) / kSector;
  const std::uint64_t directory = 16, first_table = 64, grains = round_up(first_table + tables * kTableSectors, 8);
  Bytes out;
  ByteWriter writer(out);
  const std::uint64_t fields[] = {0xcafebabe,
                                  0x0000000200000001,
                                  layer.size / kSector,
                                  8,
                                  kTableSectors,
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
                                  tables * kTableSectors,
                                  8,
                                  2,
                                  10,
                                  2,
                                  grains,
                                  layer.blocks.size() * 8};
  for (std::size_t i = 0; i < std::size(fields); ++i) writer.little(8 * i, fields[i], 8);
  writer.little(kSector, 0xcafecafe, 8);
  writer.grow(grains * kSector);
  for (std::uint64_t i = 0; i < tables; ++i) writer.little(directory * kSector + 8 * i, 0x1000000000000000ULL | i, 8);
  for (std::size_t i = 0; i < layer.blocks.size(); ++i) {
    if (layer.blocks[i] == Block::zero)
      writer.little(first_table * kSector + 8 * i, (i % 2 == 0 ? 0x2ULL : 0x1ULL) << 60U, 8);
  }
  std::uint64_t position = 0;
  for (const std::size_t block : storage_order(layer)) {
    put_at(out, grains * kSector + position * 4096, block_bytes(layer, block));
    const std::uint64_t entry = (0x3ULL << 60U) | ((position & 0xfffU) << 48U) | (position >> 12U);
    writer.little(first_table * kSector + 8 * block, entry, 8);
    ++position;
  }
  return out;
}

std::string vmdk_descriptor(const std::string &create_type, const std::string &extents, const Identity &identity,
                            bool virtualbox) {
  std::string text = "# Disk DescriptorFile\nversion=1\nCID=" + text::hex(identity.cid, 8) +
                     "\nparentCID=" + text::hex(identity.parent_cid, 8) + "\ncreateType=\"" + create_type + "\"\n";
  if (!identity.parent_name.empty()) text += "parentFileNameHint=\"" + identity.parent_name + "\"\n";
  text += "\n# Extent description\n" + extents + "\n# The Disk Data Base\n#DDB\nddb.adapterType = \"ide\"\n";
  if (virtualbox) {
    text += "ddb.uuid.image=\"" + identity.id.text() + "\"\nddb.uuid.parent=\"" + identity.parent.text() +
            "\"\nddb.uuid.modification=\"" + identity.modification.text() + "\"\nddb.uuid.parentmodification=\"" +
            identity.parent_modification.text() + "\"\n";
  }
  return text;
}

}  // namespace ferry::test
