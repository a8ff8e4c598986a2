// SPDX-License-Identifier: Apache-2.0
// Hosted sparse VMDK ("KDMV"): monolithicSparse, the parts of twoGbMaxExtentSparse, and streamOptimized, whose
// grains are zlib streams. Little endian, packed, sizes in sectors of 512 bytes. A streamOptimized file written in
// one pass gives its grain directory's offset as all ones; the real header then is the footer, before the last
// sector. Facts: VMware's "Virtual Disk Format 5.0" and images of VirtualBox, VMware and QEMU.
// Known deviants: streams padded with zeros after their end; VirtualBox grows the descriptor to 200 sectors for
// split images; writers that leave the redundant directory out though version 1 has it.
#include <algorithm>

#include "converters/images/vmdk_descriptor.hpp"
#include "converters/images/vmdk_parts.hpp"

namespace ferry::image {
namespace {

constexpr std::uint32_t kMagic = 0x564d444b;  // "KDMV" in the file
constexpr std::uint64_t kAtEnd = ~std::uint64_t{0};
constexpr std::uint32_t kFlagNewlineTest = 1U << 0U;
constexpr std::uint32_t kFlagRedundant = 1U << 1U;
constexpr std::uint32_t kFlagZeroGrains = 1U << 2U;
constexpr std::uint32_t kFlagCompressed = 1U << 16U;
constexpr std::uint32_t kFlagMarkers = 1U << 17U;
constexpr std::uint64_t kMostGrain = 0x200000;         // sectors: 1 GiB; plain grains are never held in memory
constexpr std::uint64_t kMostCompressedGrain = 32768;  // sectors: 16 MiB; these are, once per thread
constexpr std::uint64_t kMostTableEntries = 65536;     // the format's own number is 512
constexpr std::uint64_t kMostCapacity = std::uint64_t{1} << 54U;   // sectors: file offsets are signed 64-bit bytes
constexpr std::uint64_t kFooterSearch = std::uint64_t{64} << 10U;  // bytes of padding accepted after a stream's end
constexpr std::uint32_t kFooterMarker = 3;

// The offset of the footer, which stands one sector after its marker: a sector of value 1, size 0, type 3.
std::uint64_t find_footer(const SourceFile &source) {
  const std::uint64_t size = source.size() / kSectorSize * kSectorSize;
  const std::uint64_t first = size > kFooterSearch ? size - kFooterSearch : 0;
  const auto bytes = read_bytes(source, first, static_cast<std::size_t>(size - first));
  const ByteReader reader(bytes, {.file = source.path()}, first);
  for (std::size_t at = bytes.size(); at >= 2 * kSectorSize; at -= kSectorSize) {
    const std::size_t footer = at - kSectorSize;
    if (reader.little<std::uint32_t>(footer, "footer") != kMagic) continue;
    if (reader.little<std::uint32_t>(footer - kSectorSize + 8, "marker") == 0 &&
        reader.little<std::uint32_t>(footer - kSectorSize + 12, "marker") == kFooterMarker) {
      return first + footer;
    }
  }
  throw Error(ErrorKind::malformed,
              {.where = place_in(source, source.size(), "footer"),
               .message = "this streamOptimized VMDK has no footer, so the place of its grains is not known",
               .found = std::to_string(source.size()) + " bytes without one at the end",
               .expected = "a footer in the last 64 KiB",
               .advice = "Download or export the file again: it is truncated."});
}

struct Header {
  std::uint32_t flags = 0;
  std::uint64_t descriptor_offset = 0, descriptor_size = 0;  // sectors
  GrainLayout layout;
};

void check_newlines(const ByteReader &header) {
  const auto bytes = header.bytes(73, 4, "newline test");
  if (bytes[0] == '\n' && bytes[1] == ' ' && bytes[2] == '\r' && bytes[3] == '\n') return;
  throw Error(ErrorKind::malformed, {.where = header.at(73, "newline test"),
                                     .message = "the file was changed in transfer: its line ends were converted",
                                     .found = {},
                                     .expected = "the bytes 0a 20 0d 0a",
                                     .advice = "Transfer the file again in binary mode."});
}

void check_header(const ByteReader &header, const Header &h, std::uint64_t grain, std::uint64_t capacity) {
  const auto version = header.little<std::uint32_t>(4, "version");
  const auto algorithm = header.little<std::uint16_t>(77, "compression");
  require(version >= 1 && version <= 3, header.at(4, "version"), "the format version is not known", version, "1 to 3");
  require(capacity <= kMostCapacity, header.at(12, "capacity"), "the capacity is too large", capacity,
          "at most " + std::to_string(kMostCapacity) + " sectors");
  const std::uint64_t most = h.layout.compressed ? kMostCompressedGrain : kMostGrain;
  require(grain <= most && is_power_of_two(grain), header.at(20, "grain size"), "the grain size is wrong", grain,
          "a power of two up to " + std::to_string(most) + " sectors");
  require(h.layout.entries_per_table >= 1 && h.layout.entries_per_table <= kMostTableEntries,
          header.at(44, "entries per grain table"), "the number of entries in a grain table is wrong",
          h.layout.entries_per_table, "1 to " + std::to_string(kMostTableEntries));
  require(algorithm == (h.layout.compressed ? 1 : 0), header.at(77, "compression"), "the compression is not known",
          algorithm, "0 (none) or 1 (deflate), as the flags say");
  require(h.descriptor_size <= kLongestDescriptor / kSectorSize, header.at(36, "descriptor size"),
          "the embedded descriptor is too long", h.descriptor_size, "at most 8192 sectors");
  if ((h.flags & kFlagNewlineTest) != 0) check_newlines(header);
}

// Offsets are checked before they are turned into bytes.
std::uint64_t bytes_of(const ByteReader &header, std::size_t at, const char *field) {
  const auto sectors = header.little<std::uint64_t>(at, field);
  require(sectors <= kMostCapacity, header.at(at, field), "an offset is too large", sectors,
          "at most " + std::to_string(kMostCapacity) + " sectors");
  return sectors * kSectorSize;
}

Header read_header(const SourceFile &source, std::uint64_t offset) {
  const auto bytes = read_bytes(source, offset, kSectorSize);
  const ByteReader header(bytes, {.file = source.path()}, offset);
  Header out;
  out.flags = header.little<std::uint32_t>(8, "flags");
  out.layout.compressed = (out.flags & kFlagCompressed) != 0;
  out.layout.markers = (out.flags & kFlagMarkers) != 0;
  out.layout.zero_grains = (out.flags & kFlagZeroGrains) != 0;
  out.layout.unclean = header.little<std::uint8_t>(72, "unclean shutdown") == 1;
  const auto capacity = header.little<std::uint64_t>(12, "capacity");
  const auto grain = header.little<std::uint64_t>(20, "grain size");
  out.descriptor_offset = header.little<std::uint64_t>(28, "descriptor offset");
  out.descriptor_size = header.little<std::uint64_t>(36, "descriptor size");
  out.layout.entries_per_table = header.little<std::uint32_t>(44, "entries per grain table");
  check_header(header, out, grain, capacity);
  out.layout.capacity = capacity * kSectorSize;
  out.layout.grain = grain * kSectorSize;
  if (header.little<std::uint64_t>(56, "grain directory offset") != kAtEnd) {
    out.layout.directory_offset = bytes_of(header, 56, "grain directory offset");
    if ((out.flags & kFlagRedundant) != 0)
      out.layout.redundant_offset = bytes_of(header, 48, "redundant directory offset");
  } else {
    out.layout.directory_offset = kAtEnd;
  }
  return out;
}

}  // namespace

SparseKind sparse_kind(const SourceFile &source) {
  if (source.size() < kSectorSize) return SparseKind::none;
  const auto bytes = read_bytes(source, 0, kSectorSize);
  const ByteReader start(bytes, {.file = source.path()});
  if (start.little<std::uint32_t>(0, "magic") == kMagic) return SparseKind::hosted;
  if (start.little<std::uint32_t>(0, "magic") == 0x44574f43) return SparseKind::cowd;  // "COWD"
  if (start.little<std::uint64_t>(0, "magic") == 0xcafebabe) return SparseKind::sesparse;
  return SparseKind::none;
}

HostedSparse hosted_sparse_part(std::shared_ptr<const SourceFile> source) {
  Header header = read_header(*source, 0);
  HostedSparse out;
  if (header.descriptor_offset != 0 && header.descriptor_size != 0) {
    require(header.descriptor_offset <= kMostCapacity &&
                inside(header.descriptor_offset * kSectorSize, header.descriptor_size * kSectorSize, source->size()),
            place_in(*source, 28, "descriptor offset"), "the embedded descriptor does not lie in the file",
            header.descriptor_offset, "an end of at most " + std::to_string(source->size() / kSectorSize) + " sectors");
    const auto text = read_bytes(*source, header.descriptor_offset * kSectorSize,
                                 static_cast<std::size_t>(header.descriptor_size * kSectorSize));
    out.descriptor.assign(text.begin(), std::ranges::find(text, std::uint8_t{0}));
  }
  if (header.layout.directory_offset == kAtEnd) {
    const std::uint64_t capacity = header.layout.capacity;
    const std::uint64_t footer = find_footer(*source);
    header = read_header(*source, footer);
    require(header.layout.directory_offset != kAtEnd, place_in(*source, footer + 56, "grain directory offset"),
            "the footer does not say where the grain directory is", header.layout.directory_offset,
            "an offset in the file");
    // The header was written first, and by some writers before the capacity was known.
    require(capacity == 0 || capacity == header.layout.capacity, place_in(*source, footer + 12, "capacity"),
            "header and footer give different capacities", header.layout.capacity / kSectorSize,
            std::to_string(capacity / kSectorSize) + " sectors");
  }
  out.part = grain_part(std::move(source), header.layout);
  return out;
}

}  // namespace ferry::image
