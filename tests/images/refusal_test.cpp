// SPDX-License-Identifier: Apache-2.0
// What must not be read: files outside, devices, headers that lie; and that every refusal says where.
#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "converters/images/foreign.hpp"
#include "converters/images/image.hpp"
#include "tests/kit/byte_writer.hpp"
#include "tests/kit/disk_images.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;

std::optional<Error> opening(const fs::path &file, const image::OpenOptions &options = {}) {
  try {
    static_cast<void>(image::open_chain(medium({file}), options));
  } catch (const Error &error) {
    return error;
  }
  return std::nullopt;
}

// Opens `file`; the refusal's kind, and its text holds `words`.
void expect_refused(const fs::path &file, ErrorKind kind, const std::string &words) {
  const auto error = opening(file);
  ASSERT_TRUE(error) << "opened: " << words;
  EXPECT_EQ(to_string(error->kind()), to_string(kind)) << error->what();
  EXPECT_NE(std::string(error->what()).find(words), std::string::npos) << error->what();
}

Layer full(std::size_t blocks = 4, std::uint64_t block_size = 4096) {
  return {.size = blocks * block_size,
          .block_size = block_size,
          .blocks = std::vector<Block>(blocks, Block::data),
          .tag = 1,
          .order = {}};
}

class Descriptor : public testing::Test {
 protected:
  fs::path with(const std::string &extents, const std::string &type = "monolithicFlat") {
    write_file(folder / "disk.vmdk", vmdk_descriptor(type, extents));
    return folder / "disk.vmdk";
  }
  TempFolder folder;
};

TEST_F(Descriptor, ExtentsOutsideOfTheFolderAreUnsafe) {
  const TempFolder elsewhere;
  write_file(elsewhere / "secret", Bytes(512, 1));
  const std::string name = elsewhere.path().filename().string();
  for (const std::string &path : {(elsewhere / "secret").string(), "../" + name + "/secret", std::string("/etc/passwd"),
                                  std::string("\\\\.\\PhysicalDrive0")}) {
    SCOPED_TRACE(path);
    expect_refused(with("RW 1 FLAT \"" + path + "\" 0\n"), ErrorKind::unsafe, "outside the machine's folders");
  }
  fs::create_symlink(elsewhere / "secret", folder / "link");
  expect_refused(with("RW 1 FLAT \"link\" 0\n"), ErrorKind::unsafe, "outside the machine's folders");
  EXPECT_FALSE(opening(with("RW 1 FLAT \"link\" 0\n"), {.allowed_folders = {elsewhere.path()}, .known_images = {}}));
}

// A disk that was copied from Windows, from a host without letter case, or of which an extent was renamed.
TEST_F(Descriptor, ExtentsAreFoundByTheirTailAndByCase) {
  write_file(folder / "disk-S001.VMDK", Bytes(512, 1));
  fs::create_directory(folder / "parts");
  write_file(folder / "parts/b.vmdk", Bytes(512, 1));
  for (const char *name : {"Disk-s001.vmdk", "C:\\VMs\\web\\disk-s001.vmdk", "D:/VMs/web/parts/b.vmdk"})
    EXPECT_FALSE(opening(with("RW 1 FLAT \"" + std::string(name) + "\" 0\n"))) << name;
  expect_refused(with("RW 1 FLAT \"C:\\secret\" 0\n"), ErrorKind::missing, "C:\\secret");
  write_file(folder / "new-flat.vmdk", Bytes(512, 1));
  expect_refused(with("RW 1 FLAT \"old-flat.vmdk\" 0\n"), ErrorKind::missing, "new-flat.vmdk");
}

TEST_F(Descriptor, ExtentsInAMachineBesideAreWorthAWord) {
  fs::create_directories(folder / "vms/web");
  write_file(folder / "vms/base.bin", Bytes(512, 1));
  write_file(folder / "vms/web/disk.vmdk", vmdk_descriptor("monolithicFlat", "RW 1 FLAT \"../base.bin\" 0\n"));
  ImageFile file;
  file.pieces.push_back({folder / "vms/web/disk.vmdk", 0, std::nullopt});
  image::OpenOptions options;
  options.limits.folder = folder / "vms/web";
  const auto image = image::open_image(file, options);
  ASSERT_EQ(image->info().findings.size(), 1U);
  EXPECT_EQ(image->info().findings[0].id, "image.link-outside");
}

TEST_F(Descriptor, ObjectsOfVsanSayWhatToDo) {
  for (const char *name : {"vsan://cb1e6b64-7b3c-9d3a-2f4f-0cc47a1b2c3d", "vvol://rfc4122.11/x"})
    expect_refused(with("RW 1 VMFS \"" + std::string(name) + "\"\n", "vmfs"), ErrorKind::unsupported, "vSphere");
}

TEST_F(Descriptor, FifosAndFoldersAreUnsafe) {
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  fs::create_directory(folder / "dir");
  expect_refused(with("RW 1 FLAT \"fifo\" 0\n"), ErrorKind::unsafe, "a FIFO");
  expect_refused(with("RW 1 FLAT \"dir\" 0\n"), ErrorKind::unsafe, "a folder");
  expect_refused("/dev/zero", ErrorKind::unsafe, "a character device");
}

TEST_F(Descriptor, DeviceTypesAreUnsupportedWithTheReason) {
  for (const char *type :
       {"custom", "fullDevice", "partitionedDevice", "vmfsRaw", "vmfsRawDeviceMap", "vmfsPassthroughRawDeviceMap"}) {
    expect_refused(with("RW 1 FLAT \"x\" 0\n", type), ErrorKind::unsupported, type);
  }
  expect_refused(with("RW 1 VMFSRDM \"x\"\n", "vmfs"), ErrorKind::unsupported, "a device of the host");
}

TEST_F(Descriptor, LiesAboutSizeAreMalformed) {
  write_file(folder / "x", Bytes(512, 1));
  expect_refused(with("RW 2 FLAT \"x\" 0\n"), ErrorKind::malformed, "beyond the end");
  expect_refused(with("RW 1 FLAT \"x\" 1\n"), ErrorKind::malformed, "beyond the end");
  expect_refused(with("RW 99999999999999999999 FLAT \"x\" 0\n"), ErrorKind::malformed, "size is wrong");
  expect_refused(with("RW 18000000000000000 FLAT \"x\" 0\nRW 18000000000000000 FLAT \"x\" 0\n"), ErrorKind::malformed,
                 "");
  write_file(folder / "s.vmdk", make_hosted_sparse(full(), {}));
  expect_refused(with("RW 33 SPARSE \"s.vmdk\"\n"), ErrorKind::malformed, "larger than its file's capacity");
}

TEST_F(Descriptor, MissingAndOrphanedExtentsSaySo) {
  expect_refused(with("RW 1 FLAT \"gone.bin\" 0\n"), ErrorKind::missing, "gone.bin");
  write_file(folder / "s001.vmdk", make_hosted_sparse(full(), {}));
  expect_refused(folder / "s001.vmdk", ErrorKind::unsupported, "one extent");
  write_file(folder / "delta.vmdk", make_cowd(full()));
  expect_refused(folder / "delta.vmdk", ErrorKind::unsupported, "one extent");
}

TEST_F(Descriptor, ErrorsNameTheLine) {
  const auto error = opening(with("RW 1 FLAT name 0\n"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->detail().where.line, 8U);
}

TEST_F(Descriptor, TooLongIsRefusedBeforeItIsRead) {
  std::string text = vmdk_descriptor("monolithicFlat", "");
  text.resize(5U << 20U, '\n');
  write_file(folder / "disk.vmdk", text);
  expect_refused(folder / "disk.vmdk", ErrorKind::malformed, "too long");
}

// Header fields that lie, each with the words of its refusal.
struct Lie {
  const char *name;
  std::function<Bytes()> image;
  std::size_t offset;
  std::uint64_t value;
  std::size_t width;
  bool big_endian;
  const char *words;
};

Bytes sparse_image(SparseOptions options = {}) {
  options.descriptor = vmdk_descriptor("monolithicSparse", "RW 32 SPARSE \"x\"\n");
  return make_hosted_sparse(full(), options);
}

const std::vector<Lie> &lies() {
  const auto vdi = [] { return make_vdi(full()); };
  const auto sparse = [] { return sparse_image(); };
  static const std::vector<Lie> kAll{
      {"vdi_version", vdi, 68, 0x00020000, 4, false, "version"},
      {"vdi_type", vdi, 76, 9, 4, false, "type"},
      {"vdi_block_size", vdi, 376, 4097, 4, false, "block size"},
      {"vdi_block_size_huge", vdi, 376, 0x80000000, 4, false, "block size"},
      {"vdi_blocks", vdi, 384, 0xffffffff, 4, false, "block map"},
      {"vdi_map_offset", vdi, 340, 0xfffffff0, 4, false, "block map"},
      {"vdi_map_over_header", vdi, 340, 0, 4, false, "overlaps the header"},
      {"vdi_data_over_map", vdi, 344, 512, 4, false, "overlaps the block map"},
      {"vdi_disk_size", vdi, 368, ~std::uint64_t{0}, 8, false, "larger than its blocks"},
      {"vdi_entry_outside", vdi, 512, 1000, 4, false, "outside of the file"},
      {"vdi_entry_twice", vdi, 516, 0, 4, false, "same place"},
      {"vdi_base_with_parent", vdi, 424, 1, 4, false, "names a parent"},
      {"vmdk_version", sparse, 4, 9, 4, false, "version"},
      {"vmdk_capacity", sparse, 12, ~std::uint64_t{0}, 8, false, "capacity"},
      {"vmdk_capacity_directory", sparse, 12, std::uint64_t{1} << 50U, 8, false, "grain directory"},
      {"vmdk_grain", sparse, 20, 7, 8, false, "grain size"},
      {"vmdk_grain_zero", sparse, 20, 0, 8, false, "grain size"},
      {"vmdk_grain_huge", sparse, 20, std::uint64_t{1} << 40U, 8, false, "grain size"},
      {"vmdk_entries", sparse, 44, 0, 4, false, "entries"},
      {"vmdk_entries_huge", sparse, 44, 0xffffffff, 4, false, "entries"},
      {"vmdk_directory", sparse, 56, 1U << 30U, 8, false, "grain directory"},
      {"vmdk_directory_overflow", sparse, 56, ~std::uint64_t{0} - 1, 8, false, "too large"},
      {"vmdk_no_footer", sparse, 56, ~std::uint64_t{0}, 8, false, "footer"},
      {"vmdk_descriptor_size", sparse, 36, std::uint64_t{1} << 40U, 8, false, "descriptor"},
      {"vmdk_descriptor_offset", sparse, 28, std::uint64_t{1} << 40U, 8, false, "descriptor"},
      {"vmdk_text_mode", sparse, 73, 0x0a0a200a, 4, false, "line ends"},
      {"vmdk_compression", sparse, 77, 5, 2, false, "compression"},
      {"cowd_grain", [] { return make_cowd(full()); }, 16, 3, 4, false, "grain size"},
      {"vhd_type", [] { return make_vhd(full()); }, 60, 9, 4, true, ""},
      {"vhd_header_checksum", [] { return make_vhd(full()); }, 512 + 28, 1, 4, true, "checksum"},
      {"vhd_bat_outside", [] { return make_vhd(full()); }, 1536, 0x7fffffff, 4, true, "outside of the file"},
      {"vhd_bat_twice", [] { return make_vhd(full()); }, 1540, 4, 4, true, "same place"},
  };
  return kAll;
}

class HeaderLies : public testing::TestWithParam<Lie> {};

TEST_P(HeaderLies, AreRefusedWithPlaceAndLimit) {
  const Lie &lie = GetParam();
  const TempFolder folder;
  Bytes bytes = lie.image();
  ByteWriter writer(bytes);
  if (lie.big_endian) {
    writer.big(lie.offset, lie.value, lie.width);
    // The VHD footer at the end is the one that counts.
    if (lie.offset < 512) writer.big(bytes.size() - 512 + lie.offset, lie.value, lie.width);
  } else {
    writer.little(lie.offset, lie.value, lie.width);
  }
  write_file(folder / "image", bytes);
  const auto error = opening(folder / "image");
  ASSERT_TRUE(error);
  EXPECT_TRUE(error->kind() == ErrorKind::malformed || error->kind() == ErrorKind::unsupported) << error->what();
  EXPECT_NE(std::string(error->what()).find(lie.words), std::string::npos) << error->what();
  EXPECT_FALSE(error->detail().where.file.empty());
}

INSTANTIATE_TEST_SUITE_P(All, HeaderLies, testing::ValuesIn(lies()),
                         [](const auto &tested) { return std::string(tested.param.name); });

// Every prefix and many single-byte changes of every format: an Error or an image, nothing else, and never a read
// outside.
void survive(const Bytes &bytes, const TempFolder &folder) {
  write_file(folder / "image", bytes);
  try {
    const auto chain = image::open_chain(medium({folder / "image"}), {});
    std::vector<image::Chain::VisibleExtent> extents;
    chain.map(0, std::min<std::uint64_t>(chain.virtual_size(), 1U << 20U), extents);
    Bytes some(static_cast<std::size_t>(std::min<std::uint64_t>(chain.virtual_size(), 65536)));
    chain.read(0, some.data(), some.size());
  } catch (const Error &error) {
    EXPECT_NE(error.kind(), ErrorKind::internal) << error.what();
  }
}

TEST(Damage, TruncatedAndChangedImagesGiveErrorsOnly) {
  const TempFolder folder;
  SparseOptions stream{
      .descriptor = vmdk_descriptor("streamOptimized", "RDONLY 32 SPARSE \"x\"\n"), .compressed = true, .footer = true};
  for (const Bytes &image :
       {make_vdi(full()), sparse_image({.redundant = true}), make_hosted_sparse(full(), stream), make_vhd(full())}) {
    for (std::size_t length = 0; length < image.size(); length += 97) {
      survive(Bytes(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(length)), folder);
    }
    for (std::size_t at = 0; at < std::min<std::size_t>(image.size(), 2048); at += 3) {
      Bytes changed = image;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ (at % 2 == 0 ? 0xffU : 0x80U));
      survive(changed, folder);
    }
  }
}

TEST(Damage, GrainsThatInflateToAnotherSizeAreMalformed) {
  const TempFolder folder;
  SparseOptions options{.descriptor = vmdk_descriptor("streamOptimized", "RDONLY 32 SPARSE \"x\"\n"),
                        .compressed = true};
  Bytes bytes = make_hosted_sparse(full(), options);
  // A larger grain size in the header: each stored grain now inflates to too little.
  ByteWriter(bytes).little(20, 16, 8);
  write_file(folder / "image", bytes);
  EXPECT_THROW(static_cast<void>(content(image::open_chain(medium({folder / "image"}), {}))), Error);
}

TEST(Damage, EncryptedAndForeignMediaAreRefusedByName) {
  const TempFolder folder;
  write_file(folder / "d.vdi", make_vdi(full()));
  Medium disk = medium({folder / "d.vdi"});
  disk.chain[0].encrypted = true;
  try {
    static_cast<void>(image::open_chain(disk, {}));
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::encrypted);
  }
}

Bytes qcow2_header(const std::string &backing, std::uint32_t version = 3, std::uint64_t features = 0) {
  Bytes out(1024);
  ByteWriter writer(out);
  writer.big(0, 0x514649fb, 4);
  writer.big(4, version, 4);
  writer.big(20, 16, 4);
  writer.big(24, 12345 * 512, 8);
  writer.big(72, features, 8);
  writer.big(100, 104, 4);
  if (!backing.empty()) {
    writer.big(8, 512, 8);
    writer.big(16, backing.size(), 4);
    writer.text(512, backing);
  }
  return out;
}

TEST(ForeignFormats, AreRoutedToQemuImg) {
  const TempFolder folder;
  write_file(folder / "d.qcow2", qcow2_header(""));
  EXPECT_EQ(image::detect_format(image_file(folder / "d.qcow2")), ImageFormat::qcow2);
  EXPECT_TRUE(image::needs_qemu_img(ImageFormat::qcow2));
  EXPECT_FALSE(image::needs_qemu_img(ImageFormat::vdi));
  expect_refused(folder / "d.qcow2", ErrorKind::unsupported, "qemu-img");
  EXPECT_EQ(image::check_qcow2_header(image_file(folder / "d.qcow2"), {}).virtual_size, 12345U * 512);
}

// QEMU's snapshot table: two entries of different lengths, each aligned to 8 bytes.
TEST(ForeignFormats, SnapshotsInsideAQcow2AreNamed) {
  const TempFolder folder;
  Bytes bytes = qcow2_header("");
  const auto put = [&bytes](std::uint64_t at, std::uint64_t value, unsigned width) {
    if (bytes.size() < at + width) bytes.resize(at + width);
    for (unsigned i = 0; i < width; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
  };
  const auto text = [&bytes](std::uint64_t at, std::string_view value) {
    if (bytes.size() < at + value.size()) bytes.resize(at + value.size());
    std::copy(value.begin(), value.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  };
  constexpr std::uint64_t kTable = 0x10000;
  put(60, 2, 4);
  put(64, kTable, 8);
  put(kTable + 12, 1, 2);
  put(kTable + 14, 6, 2);
  put(kTable + 36, 16, 4);
  text(kTable + 40 + 16, "1before");
  const std::uint64_t second = kTable + 64;  // 40 + 16 + 7, rounded up
  put(second + 12, 1, 2);
  put(second + 14, 5, 2);
  put(second + 36, 0, 4);
  text(second + 40, "2after");
  write_file(folder / "d.qcow2", bytes);
  const auto findings = image::check_qcow2_header(image_file(folder / "d.qcow2"), {}).findings;
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].id, "image.internal-snapshots");
  EXPECT_NE(findings[0].message.find("\"before\", \"after\""), std::string::npos) << findings[0].message;
}

TEST(ForeignFormats, BackingAndDataFilesAreRefused) {
  const TempFolder folder;
  const auto kind_of = [&](const Bytes &bytes) -> std::optional<ErrorKind> {
    write_file(folder / "d.qcow2", bytes);
    try {
      static_cast<void>(image::check_qcow2_header(image_file(folder / "d.qcow2"), {}));
    } catch (const Error &error) {
      return error.kind();
    }
    return std::nullopt;
  };
  EXPECT_EQ(kind_of(qcow2_header("/etc/passwd")), ErrorKind::unsafe);
  EXPECT_EQ(kind_of(qcow2_header("../../etc/passwd")), ErrorKind::unsafe);
  EXPECT_EQ(kind_of(qcow2_header("json:{\"driver\":\"nbd\"}")), ErrorKind::unsafe);
  EXPECT_EQ(kind_of(qcow2_header("base.img")), ErrorKind::unsupported);
  EXPECT_EQ(kind_of(qcow2_header("", 3, 4)), ErrorKind::unsupported);
  Bytes data = qcow2_header("", 3, 4);
  ByteWriter writer(data);
  writer.big(104, 0x44415441, 4);
  writer.big(108, 9, 4);
  writer.text(112, "/dev/zero");
  EXPECT_EQ(kind_of(data), ErrorKind::unsafe);
  Bytes encrypted = qcow2_header("");
  ByteWriter(encrypted).big(32, 2, 4);
  EXPECT_EQ(kind_of(encrypted), ErrorKind::encrypted);
  EXPECT_EQ(kind_of(qcow2_header("")), std::nullopt);
}

}  // namespace
}  // namespace ferry::test
