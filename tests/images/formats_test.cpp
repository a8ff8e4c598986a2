// SPDX-License-Identifier: Apache-2.0
// The matrix: every format x (in order, backwards, mixed) x (full, holes, zeros, empty, short tail) x (small and whole
// reads), compared with what the guest must see; and the rules that every map keeps.
#include <algorithm>
#include <functional>
#include <gtest/gtest.h>

#include "converters/images/image.hpp"
#include "converters/images/vhdx_log.hpp"
#include "tests/kit/disk_images.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;
using image::Extent;
using image::ExtentKind;

struct Format {
  const char *name;
  std::uint64_t block_size;
  bool zeros;        // can say that a block is zero
  bool partial;      // has sector bitmaps
  bool odd_sectors;  // the size may be cut inside a sector
  // Writes the layer into `folder` and gives the file to open.
  std::function<fs::path(const Layer &, const fs::path &folder)> write;
};

fs::path put(const fs::path &file, const Bytes &bytes) {
  write_file(file, bytes);
  return file;
}

fs::path put_described(const fs::path &folder, const std::string &type, const std::string &extents) {
  write_file(folder / "disk.vmdk", vmdk_descriptor(type, extents));
  return folder / "disk.vmdk";
}

std::string sectors(std::uint64_t bytes) { return std::to_string(bytes / 512); }

fs::path write_monolithic(const Layer &layer, const fs::path &folder, SparseOptions options, const std::string &type) {
  options.descriptor = vmdk_descriptor(type, "RW " + sectors(layer.size) + " SPARSE \"disk.vmdk\"\n");
  return put(folder / "disk.vmdk", make_hosted_sparse(layer, options));
}

std::vector<Format> formats() {
  std::vector<Format> out;
  const auto add = [&](Format format) { out.push_back(std::move(format)); };
  add({"vdi", 4096, true, false, true,
       [](const Layer &l, const fs::path &f) { return put(f / "d.vdi", make_vdi(l)); }});
  add({"vdi_extra", 4096, true, false, true,
       [](const Layer &l, const fs::path &f) { return put(f / "d.vdi", make_vdi(l, {}, {.extra = 512})); }});
  add({"vdi_0", 4096, true, false, true,
       [](const Layer &l, const fs::path &f) { return put(f / "d.vdi", make_vdi(l, {}, {.version = 2})); }});
  add({"vdi_cut", 4096, true, false, true,
       [](const Layer &l, const fs::path &f) { return put(f / "d.vdi", make_vdi(l, {}, {.cut_tail = true})); }});
  add({"monolithicSparse", 4096, true, false, false, [](const Layer &l, const fs::path &f) {
         return write_monolithic(l, f, {.redundant = true}, "monolithicSparse");
       }});
  add({"small_tables", 4096, true, false, false, [](const Layer &l, const fs::path &f) {
         return write_monolithic(l, f, {.entries_per_table = 4}, "monolithicSparse");
       }});
  add({"streamOptimized", 65536, true, false, false, [](const Layer &l, const fs::path &f) {
         return write_monolithic(l, f, {.compressed = true, .footer = true}, "streamOptimized");
       }});
  add({"streamOptimized_header", 65536, true, false, false, [](const Layer &l, const fs::path &f) {
         return write_monolithic(l, f, {.compressed = true, .cut_last_grain = true}, "streamOptimized");
       }});
  add({"vmfsSparse", 4096, false, false, false, [](const Layer &l, const fs::path &f) {
         write_file(f / "d-delta.vmdk", make_cowd(l));
         return put_described(f, "vmfsSparse", "RW " + sectors(l.size) + " VMFSSPARSE \"d-delta.vmdk\"\n");
       }});
  add({"seSparse", 4096, true, false, false, [](const Layer &l, const fs::path &f) {
         write_file(f / "d-sesparse.vmdk", make_sesparse(l));
         return put_described(f, "seSparse", "RW " + sectors(l.size) + " SESPARSE \"d-sesparse.vmdk\"\n");
       }});
  add({"vhd", 4096, false, true, false,
       [](const Layer &l, const fs::path &f) { return put(f / "d.vhd", make_vhd(l)); }});
  add({"vhdx", 1U << 20U, true, false, false,
       [](const Layer &l, const fs::path &f) { return put(f / "d.vhdx", make_vhdx(l)); }});
  return out;
}

struct Shape {
  const char *name;
  std::function<Block(std::size_t)> block;
};

const std::vector<Shape> &shapes() {
  static const std::vector<Shape> kAll{
      {"full", [](std::size_t) { return Block::data; }},
      {"empty", [](std::size_t) { return Block::absent; }},
      {"holes", [](std::size_t i) { return i % 3 == 1 ? Block::absent : Block::data; }},
      {"zeros", [](std::size_t i) { return i % 3 == 0   ? Block::data
                                           : i % 3 == 1 ? Block::zero
                                                        : Block::absent; }},
      {"partial", [](std::size_t i) { return i % 2 == 0 ? Block::partial : Block::data; }},
  };
  return kAll;
}

// No gap, no overlap, exactly the window, nothing that could be merged.
void check_map(const image::Image &image, std::uint64_t begin, std::uint64_t end) {
  std::vector<Extent> extents;
  image.map(begin, end, extents);
  std::uint64_t at = begin;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const Extent &extent = extents[i];
    ASSERT_GT(extent.length, 0U);
    if (extent.kind == ExtentKind::deflated) {
      ASSERT_LE(extent.guest_offset, at);
      ASSERT_GT(extent.stored_length, 0U);
    } else {
      ASSERT_EQ(extent.guest_offset, at);
    }
    at = std::min(end, extent.guest_offset + extent.length);
    if (extent.kind == ExtentKind::plain || extent.kind == ExtentKind::deflated) {
      ASSERT_LT(extent.file, image.files().size());
    }
    if (i > 0 && (extent.kind == ExtentKind::zero || extent.kind == ExtentKind::parent)) {
      ASSERT_NE(extents[i - 1].kind, extent.kind);
    }
  }
  ASSERT_EQ(at, end);
}

void check_layer(const Format &format, const Layer &layer) {
  const TempFolder folder;
  const auto file = format.write(layer, folder.path());
  const auto chain = image::open_chain(medium({file}), {});
  ASSERT_EQ(chain.virtual_size(), layer.size);
  const Bytes expected = expected_content({layer});
  EXPECT_TRUE(content(chain) == expected) << "whole reads";
  if (layer.size < 1U << 20U) {
    EXPECT_TRUE(content(chain, 700) == expected) << "small reads";
  }
  const image::Image &image = *chain.images().front();
  EXPECT_EQ(image.info().allocated, stored_bytes(layer, true));
  check_map(image, 0, layer.size);
  check_map(image, layer.size / 3, layer.size / 3 * 2 + 1);
}

class Formats : public testing::TestWithParam<Format> {};

TEST_P(Formats, MatchesTheGuestsView) {
  const Format &format = GetParam();
  const std::size_t blocks = format.block_size >= 1U << 20U ? 3 : 11;
  for (const Shape &shape : shapes()) {
    for (const char *order : {"in order", "backwards", "mixed"}) {
      for (const bool short_tail : {false, true}) {
        SCOPED_TRACE(std::string(format.name) + ", " + shape.name + ", " + order + (short_tail ? ", short tail" : ""));
        Layer layer;
        layer.block_size = format.block_size;
        layer.size = blocks * format.block_size - (short_tail ? (format.odd_sectors ? 1500 : 1536) : 0);
        for (std::size_t i = 0; i < blocks; ++i) {
          Block block = shape.block(i);
          if (block == Block::zero && !format.zeros) block = Block::absent;
          if (block == Block::partial && !format.partial) block = Block::data;
          layer.blocks.push_back(block);
          if (order[0] != 'i') layer.order.push_back(order[0] == 'b' ? blocks - 1 - i : i * 7 % blocks);
        }
        if (order[0] == 'm' && blocks % 7 == 0) layer.order.clear();
        check_layer(format, layer);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Formats, testing::ValuesIn(formats()),
                         [](const auto &tested) { return std::string(tested.param.name); });

std::string joined_content(const std::vector<Layer> &parts) {
  std::string out;
  for (const Layer &part : parts) {
    const Bytes bytes = expected_content({part});
    out.append(bytes.begin(), bytes.end());
  }
  return out;
}

std::string text_of(const image::Chain &chain) {
  const Bytes bytes = content(chain, 3000);
  return {bytes.begin(), bytes.end()};
}

Layer full_layer(unsigned tag, std::size_t blocks = 5, std::uint64_t block_size = 4096) {
  return {.size = blocks * block_size,
          .block_size = block_size,
          .blocks = std::vector<Block>(blocks, Block::data),
          .tag = tag,
          .order = {}};
}

TEST(VmdkExtents, SeveralSparsePartsFollowEachOther) {
  const TempFolder folder;
  std::vector<Layer> parts;
  std::string extents;
  for (unsigned i = 1; i <= 4; ++i) {
    parts.push_back(full_layer(i, i));
    parts.back().blocks.front() = Block::absent;
    const std::string name = "d-s00" + std::to_string(i) + ".vmdk";
    write_file(folder / name, make_hosted_sparse(parts.back(), {}));
    extents += "RW " + sectors(parts.back().size) + " SPARSE \"" + name + "\"\n";
  }
  put_described(folder.path(), "twoGbMaxExtentSparse", extents);
  EXPECT_TRUE(text_of(image::open_chain(medium({folder / "disk.vmdk"}), {})) == joined_content(parts));
}

TEST(VmdkExtents, ReadOnlyNoAccessAndZeroExtentsKeepTheirPlace) {
  const TempFolder folder;
  const Layer flat = full_layer(1), sparse = full_layer(2);
  Layer gap = full_layer(3, 2);
  gap.blocks = {Block::absent, Block::absent};
  Bytes file(512, 0xaa);  // the extent begins at sector 1
  const Bytes flat_bytes = expected_content({flat});
  file.insert(file.end(), flat_bytes.begin(), flat_bytes.end());
  write_file(folder / "flat.bin", file);
  write_file(folder / "sparse.vmdk", make_hosted_sparse(sparse, {}));
  put_described(folder.path(), "monolithicFlat",
                "RDONLY " + sectors(flat.size) +
                    " FLAT \"flat.bin\" 1\nRW 16 ZERO\nNOACCESS 16 FLAT \"not-there.bin\" 0\nRDONLY " +
                    sectors(sparse.size) + " SPARSE \"sparse.vmdk\"\n");
  const auto chain = image::open_chain(medium({folder / "disk.vmdk"}), {});
  EXPECT_TRUE(text_of(chain) == joined_content({flat, gap, gap, sparse}).substr(0, flat.size + 2 * 8192 + sparse.size));
  ASSERT_EQ(chain.images()[0]->info().findings.size(), 1U);
  EXPECT_EQ(chain.images()[0]->info().findings[0].id, "image.no-access-extent");
}

TEST(VmdkExtents, FlatFilesOfEsxAndSplitFlat) {
  const TempFolder folder;
  const Layer a = full_layer(1), b = full_layer(2);
  write_file(folder / "a.bin", expected_content({a}));
  write_file(folder / "b.bin", expected_content({b}));
  put_described(folder.path(), "vmfs", "RW " + sectors(a.size) + " VMFS \"a.bin\"\n");
  EXPECT_TRUE(text_of(image::open_chain(medium({folder / "disk.vmdk"}), {})) == joined_content({a}));
  put_described(folder.path(), "twoGbMaxExtentFlat",
                "RW " + sectors(a.size) + " FLAT \"a.bin\" 0\nRW " + sectors(b.size) + " FLAT \"b.bin\" 0\n");
  EXPECT_TRUE(text_of(image::open_chain(medium({folder / "disk.vmdk"}), {})) == joined_content({a, b}));
}

TEST(VmdkExtents, TheDescriptorsSizeIsTheDisksSize) {
  const TempFolder folder;
  const Layer layer = full_layer(1);
  SparseOptions options;
  options.descriptor = vmdk_descriptor("monolithicSparse", "RW 33 SPARSE \"whatever.vmdk\"\n");
  write_file(folder / "disk.vmdk", make_hosted_sparse(layer, options));
  EXPECT_EQ(image::open_chain(medium({folder / "disk.vmdk"}), {}).virtual_size(), 33U * 512);
}

TEST(VmdkExtents, NamesAreDecodedAsTheDescriptorSays) {
  const TempFolder folder;
  const Layer layer = full_layer(1);
  write_file(folder / "m\xc3\xbcll.bin", expected_content({layer}));
  const std::string extents = "RW " + sectors(layer.size) + " FLAT \"m\xfcll.bin\" 0\n";
  std::string text = vmdk_descriptor("monolithicFlat", extents);
  text.insert(text.find("CID="), "encoding=\"windows-1252\"\n");
  write_file(folder / "disk.vmdk", text);
  EXPECT_EQ(image::open_chain(medium({folder / "disk.vmdk"}), {}).virtual_size(), layer.size);
}

TEST(VmdkSparse, DamagedDirectoryGivesWayToItsCopy) {
  const TempFolder folder;
  const Layer layer = full_layer(1);
  SparseOptions options{.descriptor = vmdk_descriptor("monolithicSparse", "RW 40 SPARSE \"d\"\n"), .redundant = true};
  Bytes bytes = make_hosted_sparse(layer, options);
  const std::size_t directory = std::size_t{512} * bytes[56];
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(directory), 4, std::uint8_t{0xff});
  write_file(folder / "disk.vmdk", bytes);
  const auto chain = image::open_chain(medium({folder / "disk.vmdk"}), {});
  EXPECT_TRUE(content(chain) == expected_content({layer}));
  ASSERT_EQ(chain.images()[0]->info().findings.size(), 1U);
  EXPECT_EQ(chain.images()[0]->info().findings[0].id, "image.redundant-tables");
}

TEST(VmdkSparse, AnImageThatWasNotClosedSaysSo) {
  const TempFolder folder;
  Bytes bytes =
      make_hosted_sparse(full_layer(1), {.descriptor = vmdk_descriptor("monolithicSparse", "RW 40 SPARSE \"d\"\n")});
  bytes[72] = 1;
  write_file(folder / "disk.vmdk", bytes);
  const auto chain = image::open_chain(medium({folder / "disk.vmdk"}), {});
  EXPECT_TRUE(content(chain) == expected_content({full_layer(1)}));
  EXPECT_EQ(chain.images()[0]->info().findings.at(0).id, "image.unclean");
}

TEST(VmdkExtents, FirstLineInTheSpellingsThatVirtualBoxTakes) {
  const TempFolder folder;
  for (const char *line : {"# Disk DescriptorFile", "# Disk Descriptor File", "#Disk DescriptorFile",
                           "#Disk Descriptor File", "# disk descriptorfile \t\r"}) {
    SCOPED_TRACE(line);
    std::string text = vmdk_descriptor("custom", "RW 3 ZERO\n");
    text.replace(text.find("custom"), 6, "monolithicFlat");
    text.replace(0, text.find('\n'), line);
    write_file(folder / "disk.vmdk", text);
    EXPECT_EQ(image::open_chain(medium({folder / "disk.vmdk"}), {}).virtual_size(), 3U * 512);
  }
}

TEST(VmdkSparse, StreamPaddedWithZerosIsWhole) {
  const TempFolder folder;
  const Layer layer = full_layer(1, 3, 65536);
  SparseOptions options{.descriptor = vmdk_descriptor("streamOptimized", "RDONLY 384 SPARSE \"d\"\n"),
                        .compressed = true,
                        .footer = true};
  Bytes bytes = make_hosted_sparse(layer, options);
  bytes.resize(bytes.size() + 5120);
  write_file(folder / "disk.vmdk", bytes);
  EXPECT_TRUE(content(image::open_chain(medium({folder / "disk.vmdk"}), {})) == expected_content({layer}));
}

TEST(Vhd, FixedIsKnownByItsFooterAndSizedByIt) {
  const TempFolder folder;
  const Layer layer = full_layer(1);
  write_file(folder / "d.vhd", make_fixed_vhd(expected_content({layer})));
  const auto chain = image::open_chain(medium({folder / "d.vhd"}), {});
  EXPECT_EQ(chain.images()[0]->info().variant, "fixed");
  EXPECT_TRUE(content(chain) == expected_content({layer}));
}

TEST(Vhd, DamagedFooterGivesWayToItsCopy) {
  const TempFolder folder;
  Bytes bytes = make_vhd(full_layer(1));
  bytes[bytes.size() - 400] ^= 1U;
  write_file(folder / "d.vhd", bytes);
  const auto chain = image::open_chain(medium({folder / "d.vhd"}), {});
  EXPECT_TRUE(content(chain) == expected_content({full_layer(1)}));
  EXPECT_EQ(chain.images()[0]->info().findings.at(0).id, "image.unclean");
}

TEST(Vhd, SizeFieldBeatsGeometry) {
  const TempFolder folder;
  Bytes bytes = make_fixed_vhd(expected_content({full_layer(1)}));
  const std::size_t footer = bytes.size() - 512;
  const std::string creator = "vpc ";
  std::copy(creator.begin(), creator.end(), bytes.begin() + static_cast<std::ptrdiff_t>(footer + 28));
  bytes[footer + 57] = 1;  // one cylinder, one head, 17 sectors
  bytes[footer + 58] = 1;
  bytes[footer + 59] = 17;
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(footer + 64), 4, std::uint8_t{0});
  std::uint32_t sum = 0;
  for (std::size_t i = footer; i < bytes.size(); ++i) sum += bytes[i];
  for (std::size_t i = 0; i < 4; ++i) bytes[footer + 64 + i] = static_cast<std::uint8_t>(~sum >> (24 - 8 * i));
  write_file(folder / "d.vhd", bytes);
  const auto chain = image::open_chain(medium({folder / "d.vhd"}), {});
  EXPECT_EQ(chain.virtual_size(), full_layer(1).size);
  EXPECT_EQ(chain.images()[0]->info().findings.at(0).id, "image.geometry-size");
}

TEST(Vhdx, DirtyLogIsAppliedInMemory) {
  const TempFolder folder;
  const Layer layer = full_layer(1, 3, 1U << 20U);
  const Bytes bytes = make_vhdx(layer, {}, {.dirty_log = true});
  write_file(folder / "d.vhdx", bytes);
  const auto chain = image::open_chain(medium({folder / "d.vhdx"}), {});
  EXPECT_TRUE(content(chain) == expected_content({layer}));
  EXPECT_EQ(chain.images()[0]->info().findings.at(0).id, "image.log-replayed");
  EXPECT_TRUE(read_file(folder / "d.vhdx") == bytes);
}

TEST(Vhdx, ChecksumIsCastagnolis) {
  const std::string digits = "123456789";
  const Bytes bytes(digits.begin(), digits.end());
  EXPECT_EQ(image::crc32c(bytes, bytes.size()), 0xe3069283U);  // the check value of the polynomial's catalog entry
  Bytes holed(23, 0x5a);
  const auto with = [&](std::uint8_t value) {
    std::fill_n(holed.begin() + 6, 4, value);
    return image::crc32c(holed, 6);
  };
  EXPECT_EQ(with(0), with(0xff));
  EXPECT_EQ(with(0xff), (std::fill_n(holed.begin() + 6, 4, std::uint8_t{0}), image::crc32c(holed, holed.size())));
}

TEST(Vhdx, BlocksUnmappedInTheDraftsWayAreZero) {
  const TempFolder folder;
  const Layer layer = full_layer(1, 3, 1U << 20U);
  Bytes bytes = make_vhdx(layer);
  bytes[3U << 20U] = static_cast<std::uint8_t>((bytes[3U << 20U] & ~7U) | 5U);
  write_file(folder / "d.vhdx", bytes);
  Layer expected = layer;
  expected.blocks[0] = Block::zero;
  EXPECT_TRUE(content(image::open_chain(medium({folder / "d.vhdx"}), {})) == expected_content({expected}));
}

TEST(Vhdx, DamagedLogIsRefused) {
  const TempFolder folder;
  Bytes bytes = make_vhdx(full_layer(1, 3, 1U << 20U), {}, {.dirty_log = true});
  bytes[(1U << 20U) + 100] ^= 1U;  // in the newest entry, and in the one before
  bytes[(2U << 20U) - 12288 + 100] ^= 1U;
  write_file(folder / "d.vhdx", bytes);
  EXPECT_THROW(static_cast<void>(image::open_chain(medium({folder / "d.vhdx"}), {})), Error);
}

TEST(Raw, IsTakenOnlyWhereTheSourceSaysSo) {
  const TempFolder folder;
  write_file(folder / "d.img", make_vdi(full_layer(1)));
  Medium raw;
  raw.chain = {image_file(folder / "d.img", ImageFormat::raw)};
  // A guest can write a VDI header into its raw disk: it stays raw.
  EXPECT_EQ(image::open_chain(raw, {}).images()[0]->info().format, ImageFormat::raw);
  write_file(folder / "noise", Bytes(4096, 7));
  EXPECT_THROW(static_cast<void>(image::open_chain(medium({folder / "noise"}), {})), Error);
}

TEST(Raw, BlankDiskReadsAsZeros) {
  Medium blank;
  blank.chain.resize(1);
  blank.chain[0].blank = true;
  blank.chain[0].declared_capacity = 10000;
  EXPECT_TRUE(content(image::open_chain(blank, {})) == Bytes(10000, 0));
}

TEST(Image, SaysSoWhenTheContentIsOfAnotherFormatThanDeclared) {
  const TempFolder folder;
  write_file(folder / "d.vmdk", make_vdi(full_layer(1)));
  const auto image = image::open_image(image_file(folder / "d.vmdk", ImageFormat::vmdk), {});
  EXPECT_EQ(image->info().format, ImageFormat::vdi);
  EXPECT_EQ(image->info().findings.at(0).id, "image.format-differs");
}

TEST(Image, TwoTebibytesNeedLittleTime) {
  const TempFolder folder;
  Bytes header = make_vdi({.size = 1U << 20U, .block_size = 1U << 20U, .blocks = {Block::absent}, .order = {}});
  const std::uint64_t blocks = 2U << 20U;  // of 1 MiB
  header.resize(512);
  header.resize(512 + 4 * blocks, 0xff);
  for (std::size_t i = 0; i < 8; ++i) header[368 + i] = static_cast<std::uint8_t>((blocks << 20U) >> (8 * i));
  for (std::size_t i = 0; i < 4; ++i) header[384 + i] = static_cast<std::uint8_t>(blocks >> (8 * i));
  const std::uint64_t data = header.size();
  for (std::size_t i = 0; i < 4; ++i) header[344 + i] = static_cast<std::uint8_t>(data >> (8 * i));
  write_file(folder / "d.vdi", header);
  const auto chain = image::open_chain(medium({folder / "d.vdi"}), {});
  EXPECT_EQ(chain.virtual_size(), std::uint64_t{2} << 40U);
  std::vector<image::Chain::VisibleExtent> extents;
  chain.map(0, chain.virtual_size(), extents);
  ASSERT_EQ(extents.size(), 1U);
  EXPECT_EQ(extents[0].extent.kind, ExtentKind::zero);
}

}  // namespace
}  // namespace ferry::test
