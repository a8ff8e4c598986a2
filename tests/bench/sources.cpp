// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/sources.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/disk/vdi_builder.hpp"

namespace ferry::bench {

namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 0x2545f4914f6cdd1dU) {}
  std::uint64_t operator()() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_;
  }

 private:
  std::uint64_t state_;
};

void text(std::uint8_t *into, std::size_t length, Random &random) {
  static constexpr std::array<std::string_view, 32> kWords = {
      "the ",    "machine ", "disk",    " of ",   "and ",     "kernel: ", "error ",  "in ",
      "return ", "if (",     "config",  "/usr/",  "lib",      "share/",   "doc",     "\n",
      ";\n  ",   "0x",       "static ", "const ", "value",    " = ",      "package", "version ",
      "2.",      "systemd",  "[info] ", "user",   "service ", "to ",      "a ",      ".\n"};
  std::size_t done = 0;
  while (done < length) {
    const std::uint64_t draw = random();
    // Words are not equally frequent; now and then comes a number.
    const std::string number = (draw & 15U) == 0 ? std::to_string(draw >> 44U) : std::string();
    const std::string_view word =
        number.empty() ? kWords[std::min((draw >> 8U) % 32, (draw >> 16U) % 32)] : std::string_view(number);
    const std::size_t count = std::min(word.size(), length - done);
    std::memcpy(into + done, word.data(), count);
    done += count;
  }
}

void numbers(std::uint8_t *into, std::size_t length, Random &random) {
  auto value = static_cast<std::uint32_t>(random());
  for (std::size_t i = 0; i + 8 <= length; i += 8) {
    value += static_cast<std::uint32_t>(random() % 200);
    const auto second = static_cast<std::uint32_t>(random() % 4096);
    std::memcpy(into + i, &value, 4);
    std::memcpy(into + i + 4, &second, 4);
  }
}

void code(std::uint8_t *into, std::size_t length, Random &random) {
  static constexpr std::array<std::uint32_t, 8> kOperations = {0x48c78948, 0x00008b48, 0x000000e8, 0x24448948,
                                                               0x0f1f4400, 0x5d5bc358, 0x74c08548, 0x00be0fe8};
  for (std::size_t i = 0; i + 4 <= length; i += 4) {
    std::uint32_t word = kOperations[random() % 8];
    if (random() % 3 == 0) word ^= static_cast<std::uint32_t>(random()) & 0xffffU;
    std::memcpy(into + i, &word, 4);
  }
}

void packed(std::uint8_t *into, std::size_t length, Random &random) {
  for (std::size_t i = 0; i + 8 <= length; i += 8) {
    const std::uint64_t word = random();
    std::memcpy(into + i, &word, 8);
  }
}

}  // namespace

std::vector<std::uint8_t> mixed_block(std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint8_t> out(kMib);
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t length = std::min<std::size_t>(out.size() - at, (1 + random() % 64) * 4096);
    const std::uint64_t kind = random() % 100;
    if (kind < 35) {
      text(out.data() + at, length, random);
    } else if (kind < 50) {
      numbers(out.data() + at, length, random);
    } else if (kind < 70) {
      code(out.data() + at, length, random);
    } else if (kind < 90) {
      packed(out.data() + at, length, random);
    }  // else zeros: freed or never written
    at += length;
  }
  return out;
}

void make_vdi(const std::filesystem::path &path, std::uint64_t virtual_size, std::uint64_t data) {
  // The block map, 4 bytes per MiB, ends before the data.
  const std::uint64_t data_offset = (kMib + virtual_size / kMib * 4 + kMib - 1) / kMib * kMib;
  test::VdiBuilder vdi(path, virtual_size, 1, 0, std::max(2 * kMib, data_offset));
  constexpr std::uint64_t kStretch = 64;  // blocks
  const std::uint64_t stretches = std::max<std::uint64_t>(1, data / kMib / kStretch);
  const std::uint64_t step = virtual_size / kMib / stretches;
  for (std::uint64_t i = 0; i < data / kMib; ++i) {
    const std::vector<std::uint8_t> block = mixed_block(i);
    vdi.block(i / kStretch * step + i % kStretch, block.data(), block.size());
  }
  vdi.finish();
}

std::vector<std::filesystem::path> make_chain(const std::filesystem::path &folder, std::uint64_t virtual_size,
                                              std::uint64_t data, unsigned snapshots) {
  std::vector<std::filesystem::path> out;
  const std::uint64_t blocks = virtual_size / kMib, per_image = data / kMib / (snapshots + 1);
  for (unsigned image = 0; image <= snapshots; ++image) {
    out.push_back(folder / ("chain-" + std::to_string(image) + ".vdi"));
    test::VdiBuilder vdi(out.back(), virtual_size, static_cast<std::uint8_t>(image + 1),
                         static_cast<std::uint8_t>(image));
    // Each image has stretches of its own and writes over a part of those of the image below.
    const std::uint64_t first = image * per_image / 2;
    for (std::uint64_t i = 0; i < per_image; ++i) {
      const std::vector<std::uint8_t> block = mixed_block(std::uint64_t{image} * 100000 + i);
      vdi.block((first + i) % blocks, block.data(), block.size());
    }
    vdi.finish();
  }
  return out;
}

}  // namespace ferry::bench
