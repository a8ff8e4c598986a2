// SPDX-License-Identifier: Apache-2.0
#include "tests/kit/disk_images.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <zlib.h>

#include "tests/kit/image_parts.hpp"

namespace ferry::test {
namespace {

// What layer `tag` stores at [offset, offset + length): lines of 16 bytes that tell both.
void put_data(unsigned tag, std::uint64_t offset, std::uint64_t length, std::uint8_t *into) {
  for (std::uint64_t i = 0; i < length; ++i) {
    const std::uint64_t at = offset + i;
    const std::uint64_t mixed = (at / 16 + 1) * 0x9e3779b97f4a7c15ULL + tag * 0x632be59bd9b4e019ULL + at % 16;
    into[i] = static_cast<std::uint8_t>((mixed >> 56U) | 1U);
  }
}

}  // namespace

bool here(const Layer &layer, std::uint64_t offset) {
  const Block block = layer.blocks[static_cast<std::size_t>(offset / layer.block_size)];
  return block == Block::data || (block == Block::partial && offset / kSector % 2 == 0);
}

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

Bytes block_bytes(const Layer &layer, std::size_t block) {
  Bytes out(static_cast<std::size_t>(layer.block_size), 0xee);
  for (std::uint64_t i = 0; i < layer.block_size; i += kSector) {
    const std::uint64_t offset = block * layer.block_size + i;
    if (offset >= layer.size) break;
    const std::uint64_t length = std::min(kSector, layer.size - offset);
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(i), length, std::uint8_t{0});
    if (here(layer, offset)) put_data(layer.tag, offset, length, out.data() + i);
  }
  return out;
}

void put_at(Bytes &bytes, std::uint64_t at, const Bytes &data) {
  if (bytes.size() < at + data.size()) bytes.resize(static_cast<std::size_t>(at + data.size()));
  std::ranges::copy(data, bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

std::uint8_t byte_at(unsigned tag, std::uint64_t offset) {
  std::uint8_t out = 0;
  put_data(tag, offset, 1, &out);
  return out;
}

Bytes expected_content(const std::vector<Layer> &layers) {
  Bytes out(static_cast<std::size_t>(layers.back().size));
  for (std::uint64_t at = 0; at < out.size(); at += kSector) {
    const std::uint64_t end = std::min<std::uint64_t>(at + kSector, out.size());
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
