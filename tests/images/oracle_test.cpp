// SPDX-License-Identifier: Apache-2.0
// qemu-img as the oracle where it is right: what it writes we read, and what the builder kit writes it reads as we do.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

#include "converters/images/image.hpp"
#include "tests/kit/corpus.hpp"
#include "tests/kit/disk_images.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;

class QemuImg : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_program("qemu-img")) GTEST_SKIP() << "no qemu-img";
  }
  // A raw image with data, holes and text that compresses.
  [[nodiscard]] Bytes raw_image() const {
    Bytes out(6U << 20U);
    std::minstd_rand random(3);
    for (std::size_t at = 0; at < out.size(); at += 65536) {
      if (random() % 3 == 0) continue;
      for (std::size_t i = 0; i < 40000; ++i) out[at + i] = static_cast<std::uint8_t>(random() % 31);
    }
    return out;
  }
  TempFolder folder;
};

TEST_F(QemuImg, ImagesItWritesAreReadAsTheyAre) {
  const Bytes raw = raw_image();
  write_file(folder / "raw", raw);
  const std::pair<std::string, std::string> kinds[] = {{"vdi", "static=off"},
                                                       {"vdi", "static=on"},
                                                       {"vmdk", "subformat=monolithicSparse"},
                                                       {"vmdk", "subformat=monolithicFlat"},
                                                       {"vmdk", "subformat=twoGbMaxExtentSparse"},
                                                       {"vmdk", "subformat=twoGbMaxExtentFlat"},
                                                       {"vmdk", "subformat=streamOptimized"},
                                                       {"vpc", "subformat=dynamic,force_size"},
                                                       {"vpc", "subformat=fixed,force_size"},
                                                       {"vhdx", "subformat=dynamic"},
                                                       {"vhdx", "subformat=fixed"}};
  for (const auto &[format, options] : kinds) {
    SCOPED_TRACE(format + " " + options);
    const auto file = folder / "out.img";
    ASSERT_EQ(run({"qemu-img", "convert", "-f", "raw", "-O", format, "-o", options, (folder / "raw").string(),
                   file.string()}),
              0);
    EXPECT_TRUE(content(image::open_chain(medium({file}), {})) == raw);
    for (const auto &entry : fs::directory_iterator(folder.path())) {
      if (entry.path().filename() != "raw") fs::remove(entry.path());
    }
  }
}

TEST_F(QemuImg, ReadsTheBuilderKitsImagesAsWeDo) {
  Layer layer{.size = 50 * 65536, .block_size = 65536, .blocks = {}, .tag = 1, .order = {}};
  for (std::size_t i = 0; i < 50; ++i) {
    layer.blocks.push_back(i % 3 == 0 ? Block::absent : Block::data);
    layer.order.push_back(49 - i);
  }
  Layer small = layer, large = layer;
  small.block_size = 4096;
  small.size = 50 * 4096;
  large.block_size = 1U << 20U;
  large.size = 50U << 20U;
  const std::string line = "RW " + std::to_string(layer.size / 512) + " SPARSE \"d.vmdk\"\n";
  SparseOptions sparse{.descriptor = vmdk_descriptor("monolithicSparse", line), .redundant = true};
  SparseOptions stream{.descriptor = vmdk_descriptor("streamOptimized", line), .compressed = true, .footer = true};
  const auto compare = [&](const std::string &format, const Bytes &image, const Layer &expected) {
    SCOPED_TRACE(format);
    write_file(folder / "d.vmdk", image);
    write_file(folder / "raw", expected_content({expected}));
    EXPECT_EQ(run({"qemu-img", "compare", "-f", format, "-F", "raw", (folder / "d.vmdk").string(),
                   (folder / "raw").string()}),
              0);
  };
  compare("vmdk", make_hosted_sparse(layer, sparse), layer);
  compare("vmdk", make_hosted_sparse(layer, stream), layer);
  compare("vdi", make_vdi(large), large);
  compare("vhdx", make_vhdx(large), large);
  write_file(folder / "s.vmdk", make_sesparse(small));
  const std::string small_line = "RW " + std::to_string(small.size / 512);
  const std::string sesparse = vmdk_descriptor("seSparse", small_line + " SESPARSE \"s.vmdk\"\n");
  compare("vmdk", Bytes(sesparse.begin(), sesparse.end()), small);
  write_file(folder / "s.vmdk", make_cowd(small));
  const std::string cowd = vmdk_descriptor("vmfsSparse", small_line + " VMFSSPARSE \"s.vmdk\"\n");
  compare("vmdk", Bytes(cowd.begin(), cowd.end()), small);
}

// Where `raw` has data by its file system's account, in bytes: everything else in it is a hole.
std::vector<std::pair<std::uint64_t, std::uint64_t>> data_ranges(const fs::path &raw) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  const int fd = ::open(raw.c_str(), O_RDONLY | O_CLOEXEC);
  for (off_t at = 0; (at = ::lseek(fd, at, SEEK_DATA)) >= 0;) {
    const off_t end = ::lseek(fd, at, SEEK_HOLE);
    out.emplace_back(static_cast<std::uint64_t>(at), static_cast<std::uint64_t>(end));
    at = end;
  }
  ::close(fd);
  return out;
}

// Compares the disk with `raw` wherever one of them stores something; the rest is a hole in both.
void expect_same(const image::Chain &ours, const fs::path &raw) {
  ASSERT_EQ(ours.virtual_size(), fs::file_size(raw));
  Medium flat;
  flat.chain = {image_file(raw, ImageFormat::raw)};
  const auto theirs = image::open_chain(flat, {});
  auto ranges = data_ranges(raw);
  std::vector<image::Chain::VisibleExtent> extents;
  ours.map(0, ours.virtual_size(), extents);
  for (const auto &visible : extents) {
    if (visible.extent.kind != image::ExtentKind::zero) ranges.emplace_back(visible.visible_begin, visible.visible_end);
  }
  for (const auto &[begin, end] : ranges) {
    for (std::uint64_t at = begin; at < end; at += 1U << 20U) {
      const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(1U << 20U, end - at));
      Bytes a(now), b(now);
      ours.read(at, a.data(), now);
      theirs.read(at, b.data(), now);
      ASSERT_TRUE(a == b) << at;
    }
  }
}

// Images of QEMU's own test suite and of other projects, as found.
class RealDisks : public QemuImg {
 protected:
  void SetUp() override {
    QemuImg::SetUp();
    if (corpus().empty()) GTEST_SKIP() << "no corpus";
    if (!has_program("bzip2")) GTEST_SKIP() << "no bzip2";
  }
  // The file's copy here, decompressed.
  fs::path fetched(const std::string &name) {
    const auto from = corpus() / "real/disks" / name;
    fs::copy_file(from, folder / name, fs::copy_options::overwrite_existing);
    fs::permissions(folder / name, fs::perms::owner_all);
    if (from.extension() != ".bz2") return folder / name;
    EXPECT_EQ(run({"bzip2", "-d", "-f", (folder / name).string()}), 0);
    return folder.path() / from.stem();
  }
};

TEST_F(RealDisks, EqualToQemuImgWhereThatIsRight) {
  const std::pair<std::string, std::string> disks[] = {{"glennmatthews__cot__blank.vmdk", "vmdk"},
                                                       {"glennmatthews__cot__input.vmdk", "vmdk"},
                                                       {"proxmox__qemu-server__Win10-Liz-disk1.vmdk", "vmdk"},
                                                       {"proxmox__qemu-server__disk1.vmdk", "vmdk"},
                                                       {"proxmox__qemu-server__disk2.vmdk", "vmdk"},
                                                       {"qemu__qemu__d2v-zerofilled.vhd.bz2", "vpc"},
                                                       {"qemu__qemu__iotest-dynamic-1G.vhdx.bz2", "vhdx"},
                                                       {"qemu__qemu__test-disk2vhd.vhdx.bz2", "vhdx"}};
  for (const auto &[name, format] : disks) {
    SCOPED_TRACE(name);
    const auto file = fetched(name);
    const auto raw = folder / "raw";
    const std::string size_rule = format == "vpc" ? ",force_size_calc=current_size" : "";
    ASSERT_EQ(run({"qemu-img", "convert", "--image-opts",
                   "driver=" + format + size_rule + ",file.driver=file,file.filename=" + file.string(), "-O", "raw",
                   raw.string()}),
              0);
    expect_same(image::open_chain(medium({file}), {}), raw);
  }
}

TEST_F(RealDisks, DirtyVhdxLogIsReplayedInMemory) {
  const auto file = fetched("qemu__qemu__iotest-dirtylog-10G-4M.vhdx.bz2");
  const Bytes before = read_file(file);
  const auto ours = image::open_chain(medium({file}), {});
  EXPECT_EQ(ours.images()[0]->info().findings.at(0).id, "image.log-replayed");
  const auto repaired = folder / "repaired.vhdx", raw = folder / "raw";
  fs::copy_file(file, repaired);
  ASSERT_EQ(run({"qemu-img", "check", "-f", "vhdx", "-r", "all", repaired.string()}), 0);
  ASSERT_EQ(run({"qemu-img", "convert", "-f", "vhdx", "-O", "raw", repaired.string(), raw.string()}), 0);
  expect_same(ours, raw);
  EXPECT_TRUE(read_file(file) == before) << "the source was changed";
}

TEST_F(RealDisks, VmdkVersion3) {
  const auto file = fetched("qemu__qemu__iotest-version3.vmdk.bz2");
  ASSERT_EQ(run({"qemu-img", "convert", "-f", "vmdk", "-O", "raw", file.string(), (folder / "raw").string()}), 0);
  expect_same(image::open_chain(medium({file}), {}), folder / "raw");
}

TEST_F(RealDisks, SizesAreWhatTheGuestSees) {
  const auto size_of = [&](const std::string &name) {
    return image::open_chain(medium({fetched(name)}), {}).virtual_size();
  };
  EXPECT_EQ(size_of("qemu__qemu__hyperv2012r2-dynamic.vhd.bz2"), 136365211648U);
  EXPECT_EQ(size_of("qemu__qemu__virtualpc-dynamic.vhd.bz2"), 136365211648U);
  EXPECT_EQ(size_of("glennmatthews__cot__ubuntu.2.0-disk1.vmdk"), std::uint64_t{8} << 30U);
  EXPECT_EQ(size_of("glennmatthews__cot__blank~a1a8531.vmdk"), std::uint64_t{8} << 30U);
}

TEST_F(RealDisks, HostileAndForeignOnesAreRefused) {
  const std::pair<std::string, ErrorKind> disks[] = {{"qemu__qemu__afl5.img.bz2", ErrorKind::malformed},
                                                     {"qemu__qemu__afl9.vmdk.bz2", ErrorKind::malformed},
                                                     {"qemu__qemu__empty.bochs.bz2", ErrorKind::unsupported},
                                                     {"qemu__qemu__grub_mbr.raw.bz2", ErrorKind::unsupported},
                                                     {"qemu__qemu__parallels-v1.bz2", ErrorKind::unsupported},
                                                     {"qemu__qemu__parallels-v2.bz2", ErrorKind::unsupported},
                                                     {"qemu__qemu__simple-dmg.dmg.bz2", ErrorKind::unsupported},
                                                     {"qemu__qemu__simple-pattern.cloop.bz2", ErrorKind::unsupported}};
  for (const auto &[name, kind] : disks) {
    SCOPED_TRACE(name);
    try {
      static_cast<void>(image::open_chain(medium({fetched(name)}), {}));
      ADD_FAILURE() << "opened";
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
    }
  }
}

TEST(RealDescriptors, AreRefusedForWhatIsMissingOrForbidden) {
  if (corpus().empty()) GTEST_SKIP() << "no corpus";
  int seen = 0;
  for (const auto &entry : fs::directory_iterator(corpus() / "real/vmdk-descriptor")) {
    SCOPED_TRACE(entry.path().string());
    ++seen;
    try {
      static_cast<void>(image::open_chain(medium({entry.path()}), {}));
      ADD_FAILURE() << "opened without its extents";
    } catch (const Error &error) {
      const bool device = error.detail().found == "fullDevice";
      EXPECT_EQ(error.kind(), device ? ErrorKind::unsupported : ErrorKind::missing) << error.what();
    }
  }
  EXPECT_GT(seen, 10);
}

}  // namespace
}  // namespace ferry::test
