// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as an image of one format: it is refused with an Error, or its map is whole and can be read.
// FUZZ_FORMAT names the format. No file is written: the readers get the input as a file in memory (spread_file.hpp).
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "converters/images/qcow2_look.hpp"
#include "converters/images/source_file.hpp"
#include "converters/images/vhdx_log.hpp"
#include "converters/images/vmdk_parts.hpp"
#include "tests/fuzz/check_chain.hpp"
#include "tests/fuzz/spread_file.hpp"

namespace {

using namespace ferry;
using namespace ferry::fuzz;
using image::SourceFile;

#define FUZZ_NAME_OF(format) #format
#define FUZZ_NAME(format) FUZZ_NAME_OF(format)
constexpr std::string_view format = FUZZ_NAME(FUZZ_FORMAT);

// Bytes: a table of few bytes may stand for terabytes, which nobody walks through but this.
constexpr std::uint64_t kLargestWalk = format == "qcow2_look" ? std::uint64_t{64} << 20U : ~std::uint64_t{0};

void put_big(std::vector<std::uint8_t> &bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

// VHD's checksum: the complement of the sum of a structure's bytes.
void repair_sum(std::vector<std::uint8_t> &bytes, std::size_t at, std::size_t length, std::size_t checksum) {
  if (at > bytes.size() || length > bytes.size() - at) return;
  put_big(bytes, at + checksum, 0);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < length; ++i) sum += bytes[at + i];
  put_big(bytes, at + checksum, ~sum);
}

// VHDX's, of a structure of `length` bytes that stands at `offset` in the file.
void repair_crc(std::vector<std::uint8_t> &bytes, std::uint64_t offset, std::size_t length) {
  const Spread spread = spread_of(format);
  std::size_t at = 0;  // in the input
  for (const Window &window : spread.windows) {
    if (offset >= window.offset && offset - window.offset < window.length) {
      at += static_cast<std::size_t>(offset - window.offset);
      break;
    }
    at += static_cast<std::size_t>(window.length);
  }
  if (at + 8 > bytes.size()) return;
  const SpreadFile file(spread, bytes, "/nonexistent/input");
  const auto whole = image::read_bytes(file, offset, length);
  const std::uint32_t crc = image::crc32c(whole, 4);
  for (std::size_t i = 0; i < 4; ++i) bytes[at + 4 + i] = static_cast<std::uint8_t>(crc >> (8 * i));
}

// Right checksums and signatures, or the fuzzer would hardly come past them.
void repair(std::vector<std::uint8_t> &bytes) {
  if (format == "vhd") {
    repair_sum(bytes, 512, 1024, 36);
    repair_sum(bytes, 0, 512, 64);
    if (bytes.size() >= 512) repair_sum(bytes, bytes.size() - 512, 512, 64);
  }
  if (format == "vhdx") {
    constexpr std::uint64_t mebibyte = 1U << 20U;
    for (const std::uint64_t at : {65536U, 131072U}) repair_crc(bytes, at, 4096);
    repair_crc(bytes, 196608, 65536);  // its copy is taken as it is, so that the first one can also be the only one
    for (const std::uint64_t at : {mebibyte, mebibyte + 4096, 2 * mebibyte - 12288, 2 * mebibyte - 8192}) {
      repair_crc(bytes, at, 4096);
    }
  }
}

// A VMDK's part as an image by itself.
class PartImage final : public image::Image {
 public:
  PartImage(std::unique_ptr<image::VmdkPart> part, std::shared_ptr<const SourceFile> file)
      : part_(std::move(part)), files_{std::move(file)} {
    info_.virtual_size = part_->size();
    std::vector<Finding> findings;
    demand(part_->check(findings) <= info_.virtual_size);
  }
  [[nodiscard]] const image::ImageInfo &info() const override { return info_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const SourceFile>> &files() const override { return files_; }
  void map(std::uint64_t begin, std::uint64_t end, std::vector<image::Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    if (begin < end) part_->map(begin, end, 0, 0, out);
  }

 private:
  std::unique_ptr<image::VmdkPart> part_;
  image::ImageInfo info_;
  std::vector<std::shared_ptr<const SourceFile>> files_;
};

std::shared_ptr<const image::Image> checked(std::shared_ptr<image::FormatImage> image) {
  image->check_tables();
  demand(image->info().allocated <= image->info().virtual_size);
  return image;
}

std::shared_ptr<const image::Image> open(const std::shared_ptr<const SourceFile> &file) {
  if (format == "vdi") return checked(image::open_vdi(file));
  if (format == "vhd") return checked(image::open_vhd(file));
  if (format == "vhdx") return checked(image::open_vhdx(file));
  if (format == "qcow2_look") return image::qcow2_to_look(file, {});
  if (format == "gzip") return checked(image::open_raw(image::open_gzip(file), ImageFormat::raw));
  if (format == "cowd") return std::make_shared<PartImage>(image::cowd_part(file), file);
  if (format == "sesparse") return std::make_shared<PartImage>(image::sesparse_part(file), file);
  auto hosted = image::hosted_sparse_part(file);
  if (!hosted.descriptor.empty()) {
    try {
      return checked(image::open_vmdk(file, {}));
    } catch (const Error &error) {
      demand(error.kind() != ErrorKind::internal);
    }
  }
  return std::make_shared<PartImage>(std::move(hosted.part), file);
}

std::uint64_t hash_of(const std::vector<std::uint8_t> &bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3U;
  return hash;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static const Spread kSpread = spread_of(format);
  static const std::vector<std::uint8_t> kParentBytes(1000, 'p');
  std::vector<std::uint8_t> bytes(data, data + size);
  repair(bytes);
  try {
    // A parent that is smaller than most inputs' disks, for what a differencing image leaves to it.
    auto parent = image::open_raw(
        std::make_shared<SpreadFile>(Spread{.windows = {{0, 1000}}}, kParentBytes, "/nonexistent/parent"),
        ImageFormat::raw);
    const auto image = open(std::make_shared<SpreadFile>(kSpread, bytes, "/nonexistent/input"));
    if (image->info().virtual_size > kLargestWalk) return 0;
    check_chain(image::Chain({parent, image}), hash_of(bytes));
  } catch (const Error &error) {
    demand(error.kind() != ErrorKind::internal);
  }
  return 0;
}
