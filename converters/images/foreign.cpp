// SPDX-License-Identifier: Apache-2.0
// Facts: QEMU's docs/interop/qcow2.txt, qed_spec.txt and parallels.txt. QCOW is big endian, the others are little
// endian.
#include "converters/images/foreign.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "converters/images/findings.hpp"
#include "converters/images/foreign_names.hpp"
#include "converters/images/format.hpp"

#include "support/text.hpp"

namespace ferry::image {
namespace {

// A named file is never followed.
void refuse_named(const std::vector<NamedFile> &names, const std::filesystem::path &image, const OpenOptions &options) {
  if (names.empty()) return;
  const NamedFile &file = names.front();
  const bool protocol = file.name.find(':') != std::string::npos;
  const bool inside_roots =
      !protocol && resolve_below(image.parent_path() / file.name, allowed_roots(image, options)).has_value();
  throw Error(inside_roots ? ErrorKind::unsupported : ErrorKind::unsafe,
              {.where = file.where,
               .message = inside_roots ? "the image refers to another one, and such a chain is not read"
                                       : "the image refers to a file outside the machine's folders",
               .found = file.what + " '" + text::printable(file.name) + "'",
               .expected = "an image that stands alone",
               .advice = "If you trust it, flatten it with qemu-img convert."});
}

void refuse_encrypted(const SourceFile &source) {
  const auto bytes = read_bytes(source, 0, 40);
  const ByteReader header(bytes, {.file = source.path()});
  const std::size_t at = header.big<std::uint32_t>(4, "version") == 1 ? 36 : 32;
  const auto crypt = header.big<std::uint32_t>(at, "encryption");
  if (crypt == 0) return;
  throw Error(ErrorKind::encrypted, {.where = header.at(at, "encryption"),
                                     .message = "the image is encrypted",
                                     .found = std::to_string(crypt),
                                     .expected = "0",
                                     .advice = "Decrypt it with qemu-img convert first."});
}

// The names of a qcow2's internal snapshots (QEMU's docs/interop/qcow2.txt, "Snapshots"): entries of variable length,
// each aligned to 8 bytes.
std::vector<std::string> snapshot_names(const SourceFile &source, const ByteReader &header) {
  constexpr std::size_t kEntry = 40;          // bytes, before the extra data
  constexpr std::uint32_t kMostExtra = 1024;  // as QEMU's own limit
  constexpr std::uint32_t kMostShown = 64;    // names are for people
  const auto count = header.big<std::uint32_t>(60, "number of snapshots");
  auto at = header.big<std::uint64_t>(64, "snapshot table");
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
      refuse_named(names_in_qcow(*source), source->path(), options);
      refuse_encrypted(*source);
      if (info.format == ImageFormat::qcow2) report_snapshots(*source, info);
      info.virtual_size = header.big<std::uint64_t>(24, "size");
      break;
    case ImageFormat::qed:
      refuse_named(names_in_qed(*source), source->path(), options);
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
