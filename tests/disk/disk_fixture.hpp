// SPDX-License-Identifier: Apache-2.0
// A folder with a VDI of three states in it, and what the guest reads of each.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>

#include "converters/disk.hpp"
#include "tests/disk/vdi_builder.hpp"
#include "tests/qcow2/qcow2_fixture.hpp"

#include "support/digest.hpp"
#include "support/error.hpp"

namespace ferry::test {

inline std::string sha256(const Bytes &bytes) {
  Digest digest("sha256");
  digest.update(bytes.data(), bytes.size());
  return digest.finish();
}

// base <- middle <- top, 8.5 MiB.
struct Disk {
  static constexpr std::uint64_t kMib = 1U << 20U, kSize = 8 * kMib + kMib / 2;
  std::filesystem::path base, middle, top;
  Bytes base_content = Bytes(kSize), middle_content, top_content;

  explicit Disk(const std::filesystem::path &folder, std::uint64_t data_offset = 2 * kMib)
      : base(folder / "base.vdi"), middle(folder / "middle.vdi"), top(folder / "top.vdi") {
    VdiBuilder a(base, kSize, 1, 0, data_offset), b(middle, kSize, 2, 1, data_offset), c(top, kSize, 3, 2, data_offset);
    write(a, base_content, 1, some_bytes(kMib, 1));
    write(a, base_content, 0, some_bytes(kMib, 2));
    write(a, base_content, 5, dense_bytes(kMib, 3));
    write(a, base_content, 8, some_bytes(kMib / 2, 4));
    middle_content = base_content;
    write(b, middle_content, 3, some_bytes(1000, 5));
    zero(b, middle_content, 5);
    top_content = middle_content;
    write(c, top_content, 1, dense_bytes(kMib, 6));
    a.finish();
    b.finish();
    c.finish();
  }

  [[nodiscard]] Medium medium(unsigned images = 3) const {
    Medium out;
    for (const auto *path : {&base, &middle, &top}) {
      if (out.chain.size() < images) out.chain.push_back(VdiBuilder::image_file(*path));
    }
    return out;
  }

 private:
  static void write(VdiBuilder &vdi, Bytes &content, std::uint64_t block, const Bytes &bytes) {
    vdi.block(block, bytes.data(), bytes.size());
    const std::uint64_t begin = block * kMib, end = std::min(kSize, begin + kMib);
    std::fill(content.begin() + static_cast<std::ptrdiff_t>(begin), content.begin() + static_cast<std::ptrdiff_t>(end),
              std::uint8_t{0});
    std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  static void zero(VdiBuilder &vdi, Bytes &content, std::uint64_t block) {
    vdi.zero(block);
    std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(block * kMib), kMib, std::uint8_t{0});
  }
};

inline std::size_t files_in(const std::filesystem::path &folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

inline Bytes guest_content(const std::filesystem::path &image, const std::filesystem::path &folder,
                           const std::string &format = "qcow2") {
  const std::filesystem::path raw = folder / "guest.raw";
  qemu_img({"convert", "-f", format, "-O", "raw", image.string(), raw.string()});
  Bytes out = read_all(raw);
  std::filesystem::remove(raw);
  return out;
}

}  // namespace ferry::test
