// SPDX-License-Identifier: Apache-2.0
// VMDK files that make QEMU open what they name though our reader sees no such thing. Read in QEMU 7.2's block/vmdk.c:
// a hosted sparse file whose header has no capacity is taken for its embedded descriptor, whose extent lines are
// followed; extent lines are read word by word, so that any white space may part them, line ends too; a name is
// followed by its protocol and cut after 511 bytes; the parent's name is searched for anywhere in the descriptor.
#include <algorithm>
#include <string_view>

#include "converters/images/source_file.hpp"
#include "converters/images/vmdk_descriptor.hpp"
#include "converters/qemu_img.hpp"

#include "support/byte_reader.hpp"
#include "support/text.hpp"

namespace ferry::qemu_img {

namespace {

using image::SourceFile;

constexpr std::uint32_t kHostedMagic = 0x564d444b;  // "KDMV"
constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kEmbedded = 20 * kSector;  // what QEMU reads of an embedded descriptor, from the second sector
constexpr std::size_t kLongestName = 511;
constexpr std::string_view kSpace = " \t\n\v\f\r";  // what sscanf() takes for white space in any locale

std::string_view word(std::string_view &rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpace), rest.size()));
  const std::string_view out = rest.substr(0, rest.find_first_of(kSpace));
  rest.remove_prefix(out.size());
  return out;
}

std::string bytes_of(const SourceFile &file, std::uint64_t offset, std::uint64_t length) {
  offset = std::min(offset, file.size());
  const auto bytes = image::read_bytes(file, offset, static_cast<std::size_t>(std::min(length, file.size() - offset)));
  return {bytes.begin(), bytes.end()};
}

std::string parent_reason(std::string_view text) {
  if (text.find("parentFileNameHint") == std::string_view::npos) return {};
  return "QEMU would follow a parent's name in its descriptor unchecked";
}

std::string name_reason(const std::string &name) {
  if (name.find(':') != std::string::npos)
    return "QEMU could take the extent's name " + text::printable(name) + " for a protocol";
  if (name.size() > kLongestName)
    return "QEMU would cut off an extent's name of " + std::to_string(name.size()) + " bytes";
  const bool control = std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return control ? "an extent's name has control characters" : std::string();
}

std::string text_reason(const std::string &text) {
  if (std::string reason = parent_reason(text); !reason.empty()) return reason;
  std::size_t ours = 0;
  for (const image::VmdkExtentLine &line : image::parse_descriptor(text, {}).extents) {
    ++ours;
    if (std::string reason = name_reason(line.raw_name); !reason.empty()) return reason;
  }
  std::size_t theirs = 0;
  std::string_view rest = std::string_view(text).substr(0, text.find('\0'));
  for (std::string_view next = word(rest); !next.empty(); next = word(rest))
    theirs += static_cast<std::size_t>(next == "RW");
  if (theirs == ours) return {};
  return "QEMU could see " + std::to_string(theirs) + " extents in its descriptor, where " + std::to_string(ours) +
         " are";
}

std::string hosted_reason(const SourceFile &file) {
  const auto head = image::read_bytes(file, 0, kSector);
  const ByteReader header(head, {.file = file.path()});
  if (header.little<std::uint64_t>(12, "capacity") == 0)
    return "its header has no capacity, so that QEMU would follow the names in its descriptor";
  // Where the header says that the descriptor is, and where QEMU looks for it.
  const auto offset = header.little<std::uint64_t>(28, "descriptor offset");
  const auto length = header.little<std::uint64_t>(36, "descriptor size");
  if (std::string reason = parent_reason(bytes_of(file, kSector, kEmbedded)); !reason.empty()) return reason;
  const std::uint64_t most = image::kLongestDescriptor / kSector;
  return parent_reason(
      bytes_of(file, std::min(offset, file.size() / kSector) * kSector, std::min(length, most) * kSector));
}

}  // namespace

std::string names_reason(std::span<const std::shared_ptr<const image::SourceFile>> files,
                         const std::filesystem::path &descriptor) {
  for (const auto &file : files) {
    if (file->size() < kSector) continue;
    const auto head = image::read_bytes(*file, 0, 4);
    if (ByteReader(head, {.file = file->path()}).little<std::uint32_t>(0, "magic") != kHostedMagic) continue;
    if (std::string reason = hosted_reason(*file); !reason.empty()) return reason;
  }
  if (std::ranges::any_of(files, [&](const auto &file) { return file->path() == descriptor; })) {
    // An image in one file, unless it is a descriptor without extents that have files.
    const auto &first = *files.front();
    const std::string start = bytes_of(first, 0, kSector);
    if (!image::is_descriptor(start)) return {};
  }
  const auto file = image::open_file(descriptor, {});
  return text_reason(bytes_of(*file, 0, image::kLongestDescriptor));
}

std::string differing_view(const Info &theirs, const image::ImageInfo &ours,
                           std::span<const std::filesystem::path> files) {
  if (theirs.backing_file) return "QEMU follows it to the backing file " + text::printable(*theirs.backing_file);
  if (theirs.data_file) return "QEMU follows it to the data file " + text::printable(*theirs.data_file);
  if (theirs.virtual_size != (ours.virtual_size + kSector - 1) / kSector * kSector)
    return "QEMU sees " + std::to_string(theirs.virtual_size) + " bytes, where " + std::to_string(ours.virtual_size) +
           " are";
  if (ours.format != ImageFormat::vmdk) return {};
  if (theirs.extents.size() != files.size())
    return "QEMU sees " + std::to_string(theirs.extents.size()) + " extents, where " + std::to_string(files.size()) +
           " are";
  for (std::size_t i = 0; i < files.size(); ++i) {
    // A part of a package has a description for a name.
    if (theirs.extents[i].starts_with("json:")) continue;
    std::error_code failed;
    if (!std::filesystem::equivalent(theirs.extents[i], files[i], failed))
      return "QEMU follows it to " + text::printable(theirs.extents[i]);
  }
  return {};
}

}  // namespace ferry::qemu_img
