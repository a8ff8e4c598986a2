// SPDX-License-Identifier: Apache-2.0
// QCOW, QCOW2 and QED headers as far as they name other files. Facts: QEMU's docs/interop/qcow2.txt and
// qed_spec.txt. QCOW is big endian, QED little endian.
#include "converters/images/foreign.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "converters/images/findings.hpp"
#include "converters/images/format.hpp"

#include "support/text.hpp"

namespace ferry::image {
namespace {

constexpr std::uint32_t kLongestName = 1023;               // bytes, QCOW2's own limit
constexpr std::uint64_t kIncompatibleDataFile = 1U << 2U;  // the guest's data are in another file
constexpr std::uint32_t kExtensionDataFile = 0x44415441;   // its name
constexpr std::uint64_t kQedBacking = 1U << 0U;

// Throws: a named file is never followed.
[[noreturn]] void refuse(const Place &where, const std::string &what, const std::string &name,
                         const std::filesystem::path &image, const OpenOptions &options) {
  const bool protocol = name.find(':') != std::string::npos;
  const bool inside_roots =
      !protocol && resolve_below(image.parent_path() / name, allowed_roots(image, options)).has_value();
  throw Error(inside_roots ? ErrorKind::unsupported : ErrorKind::unsafe,
              {.where = where,
               .message = inside_roots ? "the image refers to another one, and such a chain is not read"
                                       : "the image refers to a file outside the machine's folders",
               .found = what + " '" + text::printable(name) + "'",
               .expected = "an image that stands alone",
               .advice = "If you trust it, flatten it with qemu-img convert."});
}

std::string name_at(const SourceFile &source, std::uint64_t offset, std::uint64_t length, const Place &where) {
  require(length <= kLongestName, where, "a file name in the header is too long", length, "at most 1023 bytes");
  const auto bytes = read_bytes(source, offset, static_cast<std::size_t>(length));
  return {bytes.begin(), bytes.end()};
}

void check_qcow(const SourceFile &source, const OpenOptions &options) {
  const auto bytes = read_bytes(source, 0, static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), 1U << 16U)));
  const ByteReader header(bytes, {.file = source.path()});
  const auto version = header.big<std::uint32_t>(4, "version");
  const auto backing = header.big<std::uint64_t>(8, "backing file offset");
  const auto backing_length = header.big<std::uint32_t>(16, "backing file length");
  if (backing != 0 && backing_length != 0) {
    refuse(header.at(8, "backing file"), "a backing file",
           name_at(source, backing, backing_length, header.at(16, "backing file length")), source.path(), options);
  }
  const auto crypt = header.big<std::uint32_t>(version == 1 ? 36 : 32, "encryption");
  if (crypt != 0) {
    throw Error(ErrorKind::encrypted, {.where = header.at(version == 1 ? 36 : 32, "encryption"),
                                       .message = "the image is encrypted",
                                       .found = std::to_string(crypt),
                                       .expected = "0",
                                       .advice = "Decrypt it with qemu-img convert first."});
  }
  if (version < 3) return;
  const auto features = header.big<std::uint64_t>(72, "incompatible features");
  if ((features & kIncompatibleDataFile) == 0) return;
  std::string name = "(not named)";
  for (std::size_t at = header.big<std::uint32_t>(100, "header length"); at + 8 <= bytes.size();) {
    const auto type = header.big<std::uint32_t>(at, "header extension");
    const std::size_t length = header.big<std::uint32_t>(at + 4, "header extension's length");
    if (type == 0) break;
    if (type == kExtensionDataFile) name = name_at(source, at + 8, length, header.at(at, "data file name"));
    at += 8 + (length + 7) / 8 * 8;
  }
  refuse(header.at(72, "incompatible features"), "an external data file", name, source.path(), options);
}

// The names of a qcow2's internal snapshots (QEMU's docs/interop/qcow2.txt, "Snapshots"): entries of variable length,
// each aligned to 8 bytes.
std::vector<std::string> snapshot_names(const SourceFile &source, const ByteReader &header) {
  constexpr std::size_t kEntry = 40;          // bytes, before the extra data
  constexpr std::uint32_t kMostExtra = 1024;  // as QEMU's own limit
  constexpr std::uint32_t kMostShown = 64;    // names are for people
  const auto count = header.big<std::uint32_t>(60, "number of snapshots");
  std::uint64_t at = header.big<std::uint64_t>(64, "snapshot table");
  std::vector<std::string> out;
  for (std::uint32_t i = 0; i < std::min(count, kMostShown); ++i) {
    if (!inside(at, kEntry, source.size())) break;
    const auto bytes = read_bytes(source, at, kEntry);
    const ByteReader entry(bytes, {.file = source.path()});
    const std::uint64_t id_length = entry.big<std::uint16_t>(12, "length of a snapshot's id");
    const std::uint64_t name_length = entry.big<std::uint16_t>(14, "length of a snapshot's name");
    const std::uint64_t extra = entry.big<std::uint32_t>(36, "a snapshot's extra data");
    const std::uint64_t name = at + kEntry + extra + id_length;
    if (extra > kMostExtra || !inside(name, name_length, source.size())) break;
    const auto text = read_bytes(source, name, static_cast<std::size_t>(name_length));
    out.emplace_back(text.begin(), text.end());
    at += (kEntry + extra + id_length + name_length + 7) / 8 * 8;
  }
  return out;
}

void report_snapshots(const SourceFile &source, ImageInfo &info) {
  const auto bytes = read_bytes(source, 0, static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), 72)));
  const ByteReader header(bytes, {.file = source.path()});
  const auto count = header.big<std::uint32_t>(60, "number of snapshots");
  if (count == 0) return;
  std::string names;
  for (const std::string &name : snapshot_names(source, header)) {
    names += (names.empty() ? "" : ", ") + ("\"" + text::printable(name) + "\"");
  }
  info.findings.push_back(raise(kInternalSnapshots, {.file = source.path()},
                                "The image contains " + std::to_string(count) +
                                    (count == 1 ? " snapshot" : " snapshots") + " of its own: " + names + "."));
}

void check_qed(const SourceFile &source, const OpenOptions &options) {
  const auto bytes = read_bytes(source, 0, 64);
  const ByteReader header(bytes, {.file = source.path()});
  if ((header.little<std::uint64_t>(16, "features") & kQedBacking) == 0) return;
  refuse(header.at(56, "backing file"), "a backing file",
         name_at(source, header.little<std::uint32_t>(56, "backing file offset"),
                 header.little<std::uint32_t>(60, "backing file length"), header.at(60, "backing file length")),
         source.path(), options);
}

}  // namespace

bool needs_qemu_img(ImageFormat format) {
  return format == ImageFormat::qcow || format == ImageFormat::qcow2 || format == ImageFormat::qed ||
         format == ImageFormat::parallels;
}

ImageInfo check_qcow2_header(const ImageFile &file, const OpenOptions &options) {
  const auto source = open_source(file, options.cache.get());
  const auto bytes = read_bytes(*source, 0, static_cast<std::size_t>(std::min<std::uint64_t>(source->size(), 64)));
  const ByteReader header(bytes, {.file = source->path()});
  ImageInfo info;
  info.file = source->path();
  info.file_size = info.allocated = source->size();
  info.format = detect_format(file, options);
  switch (info.format) {
    case ImageFormat::qcow:
    case ImageFormat::qcow2:
      check_qcow(*source, options);
      if (info.format == ImageFormat::qcow2) report_snapshots(*source, info);
      info.virtual_size = header.big<std::uint64_t>(24, "size");
      break;
    case ImageFormat::qed:
      check_qed(*source, options);
      info.virtual_size = header.little<std::uint64_t>(48, "image size");
      break;
    case ImageFormat::parallels: {
      const auto sectors = header.little<std::uint64_t>(36, "sectors");
      // The first version has 32 bits there and rubbish above.
      info.virtual_size =
          kSectorSize * (header.text(0, 16, "magic") == "WithoutFreeSpace" ? sectors & 0xffffffffU : sectors);
      break;
    }
    default:
      throw Error(ErrorKind::unsupported, {.where = {.file = source->path()},
                                           .message = "this is not a format that qemu-img reads for us",
                                           .found = {},
                                           .expected = "QCOW, QCOW2, QED or Parallels",
                                           .advice = "Name the image's format."});
  }
  require(info.virtual_size <= kLargestDisk, {.file = info.file}, "the disk is larger than any platform's",
          info.virtual_size, "at most " + std::to_string(kLargestDisk) + " bytes (64 TiB)");
  info.allocated = std::min(info.allocated, info.virtual_size);
  return info;
}

}  // namespace ferry::image
