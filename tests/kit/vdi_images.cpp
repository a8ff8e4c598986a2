// SPDX-License-Identifier: Apache-2.0
#include "tests/kit/image_parts.hpp"

namespace ferry::test {

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
  writer.little(old ? 348 : 360, kSector, 4);  // QEMU wants the geometry to give the sector size
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

}  // namespace ferry::test
