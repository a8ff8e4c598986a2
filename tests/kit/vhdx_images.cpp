// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "converters/images/vhdx_log.hpp"
#include "tests/kit/image_parts.hpp"

namespace ferry::test {
namespace {

void put_crc(Bytes &bytes, std::size_t begin, std::size_t length) {
  ByteWriter(bytes).little(begin + 4, image::crc32c({bytes.data() + begin, length}, 4), 4);
}

// Metadata table with its items, at 2 MiB.
void put_vhdx_metadata(ByteWriter &writer, const Layer &layer, const Identity &identity, const VhdxOptions &options) {
  constexpr std::uint64_t kTable = 2U << 20U;
  writer.text(kTable, "metadata");
  std::uint64_t count = 0, item = 65536;
  const auto add = [&](const char *id, std::uint64_t length) {
    const std::uint64_t at = kTable + 32 + 32 * count++;
    writer.guid(at, *Uuid::parse(id));
    writer.little(at + 16, item, 4);
    writer.little(at + 20, length, 4);
    writer.little(at + 24, 4, 4);
    return kTable + std::exchange(item, item + round_up(length, 64));
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
  writer.little(kTable + 10, count, 2);
}

// Moves the BAT's first 4 KiB into the log: an entry with rubbish for them, then one with the truth that wraps around.
void put_vhdx_log(Bytes &out) {
  constexpr std::uint64_t kMebibyte = 1U << 20U, kLog = kMebibyte, kBat = 3 * kMebibyte;
  ByteWriter writer(out);
  const Bytes truth(out.begin() + static_cast<std::ptrdiff_t>(kBat),
                    out.begin() + static_cast<std::ptrdiff_t>(kBat + 4096));
  std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(kBat), 4096, std::uint8_t{0x55});
  const Uuid guid = uuid_of(500);
  const auto entry = [&](std::uint64_t sequence, const Bytes &data) {
    Bytes bytes(8192);
    ByteWriter to(bytes);
    to.text(0, "loge");
    to.little(8, 8192, 4);
    to.little(12, kMebibyte - 12288, 4);
    to.little(16, sequence, 8);
    to.little(24, 2, 4);
    to.guid(32, guid);
    to.little(48, out.size(), 8);
    to.little(56, out.size(), 8);
    to.text(64, "desc");
    for (std::uint64_t i = 0; i < 4; ++i) to.little(68 + i, data[static_cast<std::size_t>(4092 + i)], 1);
    for (std::uint64_t i = 0; i < 8; ++i) to.little(72 + i, data[static_cast<std::size_t>(i)], 1);
    to.little(80, kBat, 8);
    to.little(88, sequence, 8);
    to.text(96, "zero");
    to.little(104, 4096, 8);
    to.little(112, kBat + 4096, 8);
    to.little(120, sequence, 8);
    std::copy(data.begin(), data.end(), bytes.begin() + 4096);
    to.text(4096, "data");
    to.little(4100, 0, 4);
    to.little(8188, sequence, 4);
    put_crc(bytes, 0, 8192);
    return bytes;
  };
  put_at(out, kLog + kMebibyte - 12288, entry(7, Bytes(4096, 0x33)));
  const Bytes last = entry(8, truth);
  put_at(out, kLog + kMebibyte - 4096, Bytes(last.begin(), last.begin() + 4096));
  put_at(out, kLog, Bytes(last.begin() + 4096, last.end()));
  for (const std::uint64_t at : {std::uint64_t{65536}, std::uint64_t{131072}}) {
    writer.guid(at + 48, guid);
    put_crc(out, static_cast<std::size_t>(at), 4096);
  }
}

}  // namespace

Bytes make_vhdx(const Layer &layer, const Identity &identity, const VhdxOptions &options) {
  constexpr std::uint64_t kMebibyte = 1U << 20U;
  Bytes out;
  ByteWriter writer(out);
  writer.text(0, "vhdxfile");
  writer.grow(4 * kMebibyte);
  for (const std::uint64_t number : {1U, 2U}) {
    const std::uint64_t at = 65536 * number;
    writer.text(at, "head");
    writer.little(at + 8, number, 8);
    writer.guid(at + 16, uuid_of(900));
    writer.guid(at + 32, identity.id);
    writer.little(at + 66, 1, 2);
    writer.little(at + 68, kMebibyte, 4);
    writer.little(at + 72, kMebibyte, 8);
    put_crc(out, static_cast<std::size_t>(at), 4096);
  }
  for (const std::uint64_t at : {std::uint64_t{196608}, std::uint64_t{262144}}) {
    writer.text(at, "regi");
    writer.little(at + 8, 2, 4);
    const std::pair<const char *, std::uint64_t> regions[] = {{"8b7ca206-4790-4b9a-b8fe-575f050f886e", 2},
                                                              {"2dc27766-f623-4200-9d64-115e9bfd4a08", 3}};
    for (std::uint64_t i = 0; i < 2; ++i) {
      writer.guid(at + 16 + 32 * i, *Uuid::parse(regions[i].first));
      writer.little(at + 32 + 32 * i, regions[i].second * kMebibyte, 8);
      writer.little(at + 40 + 32 * i, kMebibyte, 4);
      writer.little(at + 44 + 32 * i, 1, 4);
    }
    put_crc(out, static_cast<std::size_t>(at), 65536);
  }
  put_vhdx_metadata(writer, layer, identity, options);

  const std::uint64_t ratio = (std::uint64_t{1} << 23U) * kSector / layer.block_size;
  const auto entry_at = [&](std::uint64_t block) { return 3 * kMebibyte + 8 * (block + block / ratio); };
  for (std::size_t i = 0; i < layer.blocks.size(); ++i) {
    if (layer.blocks[i] == Block::zero)
      writer.little(entry_at(i), 1 + i % 3, 8);  // undefined, zero, unmapped: all zeros
  }
  std::uint64_t next = 4 * kMebibyte;
  for (const std::size_t block : storage_order(layer)) {
    writer.little(entry_at(block), next | (layer.blocks[block] == Block::partial ? 7U : 6U), 8);
    put_at(out, next, block_bytes(layer, block));
    next += layer.block_size;
  }
  for (std::uint64_t chunk = 0; identity.has_parent() && chunk * ratio < layer.blocks.size(); ++chunk) {
    writer.little(3 * kMebibyte + 8 * (chunk * (ratio + 1) + ratio), next | 6U, 8);
    Bytes bitmap(static_cast<std::size_t>(kMebibyte));
    for (std::uint64_t bit = 0; bit < 8 * kMebibyte; ++bit) {  // least significant bit first
      const std::uint64_t guest = (chunk * 8 * kMebibyte + bit) * kSector;
      if (guest >= layer.size) break;
      if (here(layer, guest)) bitmap[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    put_at(out, next, bitmap);
    next += kMebibyte;
  }
  if (options.dirty_log) put_vhdx_log(out);
  return out;
}

}  // namespace ferry::test
