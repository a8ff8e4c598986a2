// SPDX-License-Identifier: Apache-2.0
#include "converters/firmware/efi_drivers.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <memory>
#include <string_view>
#include <vector>

#include "converters/firmware/variable.hpp"

#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::firmware {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kLargestImage = std::uint64_t{64} << 20U;  // bytes
constexpr std::size_t kMostPlain = std::size_t{128} << 20U;        // bytes: what OVMF unpacks to is 16 MiB

// As they lie in the file: the first three parts little-endian.
constexpr Guid kVariables{0x8D, 0x2B, 0xF1, 0xFF, 0x96, 0x76, 0x8B, 0x4C,
                          0xA9, 0x85, 0x27, 0x47, 0x07, 0x5B, 0x4F, 0x50};  // EFI_SYSTEM_NV_DATA_FV_GUID
constexpr Guid kLzma{0x98, 0x58, 0x4E, 0xEE, 0x14, 0x39, 0x59, 0x42, 0x9D, 0x6E, 0xDC, 0x7B, 0xD7, 0x94, 0x03, 0xCF};
constexpr Guid kPvscsi{0x14, 0x6B, 0x34, 0x30, 0x80, 0x15, 0x81, 0x47, 0x87, 0x9D, 0xBA, 0x0C, 0x55, 0xAE, 0x9B, 0xB2};
constexpr Guid kMptScsi{0xDD, 0xB5, 0x3D, 0x2B, 0x15, 0xB3, 0x61, 0x49, 0x84, 0x54, 0x0A, 0xFF, 0x3C, 0x81, 0x1B, 0x19};

// A firmware volume's header: 16 bytes, its file system's GUID, its length (8), "_FVH".
constexpr std::size_t kVolumeGuid = 16, kVolumeLength = 32, kVolumeMark = 40;
// A section that is packed: its size (3) and kind (1) before that GUID, and where its data begin (2) after it.
constexpr std::size_t kSectionHeader = 4;

bool holds(const Bytes &bytes, std::size_t at, std::string_view mark) {
  return at + mark.size() <= bytes.size() &&
         std::equal(mark.begin(), mark.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

std::uint64_t number_at(const Bytes &bytes, std::size_t at, std::size_t length) {
  std::uint64_t out = 0;
  for (std::size_t i = length; i > 0; --i) out = out << 8U | bytes.at(at + i - 1);
  return out;
}

std::size_t place_of(const Bytes &bytes, const Guid &guid, std::size_t from = 0) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
  const auto found = std::search(begin, bytes.end(), guid.begin(), guid.end());
  return found == bytes.end() ? Bytes::size_type(-1) : static_cast<std::size_t>(found - bytes.begin());
}

struct Free {
  void operator()(archive *reader) const { archive_read_free(reader); }
};

// As far as it can be unpacked: what is behind the stream is no part of it.
Bytes unpacked(const std::uint8_t *packed, std::size_t length) {
  const std::unique_ptr<archive, Free> reader(archive_read_new());
  archive_read_support_filter_lzma(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_entry *entry = nullptr;
  if (archive_read_open_memory(reader.get(), packed, length) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK)
    return {};
  Bytes out;
  constexpr std::size_t kStep = std::size_t{1} << 20U;
  while (out.size() < kMostPlain) {
    const std::size_t have = out.size();
    out.resize(have + kStep);
    const la_ssize_t got = archive_read_data(reader.get(), out.data() + have, kStep);
    out.resize(have + static_cast<std::size_t>(std::max<la_ssize_t>(got, 0)));
    if (got <= 0) break;
  }
  return out;
}

void look_for_drivers(const Bytes &bytes, EfiImage &out) {
  out.pvscsi = out.pvscsi || place_of(bytes, kPvscsi) < bytes.size();
  out.fusion_mpt = out.fusion_mpt || place_of(bytes, kMptScsi) < bytes.size();
}

}  // namespace

EfiImage examine_efi_image(const std::filesystem::path &file) {
  const Bytes bytes = file::read_range({.file = file, .offset = 0, .length = std::nullopt}, kLargestImage);
  if (!holds(bytes, kVolumeMark, "_FVH"))
    throw Error(ErrorKind::malformed, {.where = {.file = file},
                                       .message = "the file is no EFI firmware",
                                       .found = "no firmware volume at its beginning",
                                       .expected = "an image as OVMF's, raw"});
  EfiImage out;
  const bool variables =
      std::equal(kVariables.begin(), kVariables.end(), bytes.begin() + static_cast<std::ptrdiff_t>(kVolumeGuid));
  if (variables) out.variables = number_at(bytes, kVolumeLength, 8);
  if (out.variables >= bytes.size()) out.variables = 0;
  if (variables && out.variables == 0)
    throw Error(ErrorKind::malformed, {.where = {.file = file},
                                       .message = "the file has EFI variables and no firmware",
                                       .expected = "the firmware's code, or both in one file"});
  look_for_drivers(bytes, out);
  for (std::size_t at = place_of(bytes, kLzma); at < bytes.size(); at = place_of(bytes, kLzma, at + kLzma.size())) {
    if (at < kSectionHeader || at + kLzma.size() + 2 > bytes.size()) continue;
    const std::size_t section = at - kSectionHeader;
    const std::uint64_t begin = section + number_at(bytes, at + kLzma.size(), 2);
    const std::uint64_t end = std::min<std::uint64_t>(section + number_at(bytes, section, 3), bytes.size());
    if (begin >= end) continue;
    look_for_drivers(unpacked(bytes.data() + begin, static_cast<std::size_t>(end - begin)), out);
  }
  return out;
}

}  // namespace ferry::firmware
