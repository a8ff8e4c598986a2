// SPDX-License-Identifier: Apache-2.0
// Chains: what shows through, how parents are found, and which links are refused.
#include <functional>
#include <gtest/gtest.h>

#include "converters/images/image.hpp"
#include "tests/kit/disk_images.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;
using image::OpenOptions;

constexpr std::uint64_t kGrain = 4096;

Layer layer_of(unsigned tag, std::size_t blocks, std::uint64_t block_size, bool partial, bool zeros) {
  Layer layer{.size = blocks * block_size, .block_size = block_size, .blocks = {}, .tag = tag, .order = {}};
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t what = (i * 5 + tag * 3) % 7;
    Block block = what < 2 ? Block::data : Block::absent;
    if (what == 2 && zeros) block = Block::zero;
    if (what == 3 && partial) block = Block::partial;
    layer.blocks.push_back(block);
    layer.order.push_back(blocks - 1 - i);
  }
  return layer;
}

// The identity of layer `number` (from 1) in a chain: each names the one before.
Identity identity_of(unsigned number, const std::string &parent_name) {
  Identity out;
  out.id = uuid_of(number);
  out.modification = uuid_of(100 + number);
  out.cid = 1000 + number;
  out.time_stamp = 5000 + number;
  if (number > 1) {
    out.parent = uuid_of(number - 1);
    out.parent_modification = uuid_of(100 + number - 1);
    out.parent_time_stamp = 5000 + number - 1;
    out.parent_name = parent_name;
  }
  return out;
}

Identity vmware_identity(unsigned number, const std::string &parent_name) {
  Identity out = identity_of(number, parent_name);
  out.parent = {};
  if (number > 1) out.parent_cid = 1000 + number - 1;
  return out;
}

std::string sparse_line(const Layer &layer, const std::string &type, const std::string &name) {
  return "RW " + std::to_string(layer.size / 512) + " " + type + " \"" + name + "\"\n";
}

struct Kind {
  const char *name;
  std::uint64_t block_size;
  bool partial, zeros;
  std::function<std::string(const Layer &, unsigned number, const std::string &parent, const fs::path &folder)> write;
};

std::string write_virtualbox_vmdk(const Layer &l, unsigned n, const fs::path &f) {
  std::string name = std::to_string(n) + ".vmdk";
  SparseOptions options;
  options.descriptor = vmdk_descriptor("monolithicSparse", sparse_line(l, "SPARSE", name), identity_of(n, ""), true);
  write_file(f / name, make_hosted_sparse(l, options));
  return name;
}

std::string write_vdi(const Layer &l, unsigned n, const fs::path &f) {
  write_file(f / (std::to_string(n) + ".vdi"), make_vdi(l, identity_of(n, "")));
  return std::to_string(n) + ".vdi";
}

std::string write_vhd(const Layer &l, unsigned n, const std::string &parent, const fs::path &f) {
  write_file(f / (std::to_string(n) + ".vhd"), make_vhd(l, identity_of(n, parent)));
  return std::to_string(n) + ".vhd";
}

std::string write_esx_delta(const Layer &l, unsigned n, const std::string &parent, const fs::path &f, bool sesparse) {
  std::string name = std::to_string(n) + ".vmdk";
  const std::string data = std::to_string(n) + "-delta.vmdk";
  write_file(f / data, sesparse ? make_sesparse(l) : make_cowd(l));
  write_file(f / name,
             vmdk_descriptor(sesparse ? "seSparse" : "vmfsSparse",
                             sparse_line(l, sesparse ? "SESPARSE" : "VMFSSPARSE", data), vmware_identity(n, parent)));
  return name;
}

std::vector<Kind> kinds() {
  return {
      {"vdi", kGrain, false, true, [](auto &l, auto n, auto &, auto &f) { return write_vdi(l, n, f); }},
      {"virtualbox_vmdk", kGrain, false, true,
       [](auto &l, auto n, auto &, auto &f) { return write_virtualbox_vmdk(l, n, f); }},
      {"vmware_sparse", kGrain, false, true,
       [](auto &l, auto n, auto &parent, auto &f) {
         std::string name = std::to_string(n) + ".vmdk";
         SparseOptions options;
         options.descriptor =
             vmdk_descriptor("monolithicSparse", sparse_line(l, "SPARSE", name), vmware_identity(n, parent));
         write_file(f / name, make_hosted_sparse(l, options));
         return name;
       }},
      {"cowd", kGrain, false, false,
       [](auto &l, auto n, auto &p, auto &f) { return write_esx_delta(l, n, p, f, false); }},
      {"sesparse", kGrain, false, true,
       [](auto &l, auto n, auto &p, auto &f) { return write_esx_delta(l, n, p, f, true); }},
      {"vhd", kGrain, true, false, [](auto &l, auto n, auto &p, auto &f) { return write_vhd(l, n, p, f); }},
      {"vhdx", 1U << 20U, true, true,
       [](auto &l, auto n, auto &p, auto &f) {
         write_file(f / (std::to_string(n) + ".vhdx"), make_vhdx(l, identity_of(n, p)));
         return std::to_string(n) + ".vhdx";
       }},
      // VirtualBox lets every format continue every other one by UUID.
      {"mixed", kGrain, false, false,
       [](auto &l, auto n, auto &, auto &f) {
         if (n % 3 == 0) return write_virtualbox_vmdk(l, n, f);
         return n % 3 == 1 ? write_vdi(l, n, f) : write_vhd(l, n, "no hint", f);
       }},
  };
}

class Chains : public testing::TestWithParam<Kind> {};

TEST_P(Chains, OfOneToTenImagesFoundFromTheLeafAlone) {
  const Kind &kind = GetParam();
  const unsigned longest = kind.block_size > kGrain ? 4 : 10;
  for (unsigned length = 1; length <= longest; ++length) {
    SCOPED_TRACE(length);
    const TempFolder folder;
    std::vector<Layer> layers;
    std::vector<fs::path> files;
    std::string parent;
    for (unsigned number = 1; number <= length; ++number) {
      layers.push_back(
          layer_of(number, kind.block_size > kGrain ? 5 : 23, kind.block_size, kind.partial && number > 1, kind.zeros));
      parent = kind.write(layers.back(), number, parent, folder.path());
      files.push_back(folder / parent);
    }
    const Bytes expected = expected_content(layers);
    const auto found = image::open_chain(medium({files.back()}), {});
    ASSERT_EQ(found.images().size(), length);
    EXPECT_TRUE(content(found) == expected) << "parents found by the images' own links";
    const auto listed = image::open_chain(medium(files), {});
    EXPECT_TRUE(content(listed, 1000) == expected) << "chain as listed";
    std::vector<image::Chain::VisibleExtent> extents;
    listed.map(0, listed.virtual_size(), extents);
    std::uint64_t at = 0;
    for (const auto &visible : extents) {
      ASSERT_EQ(visible.visible_begin, at);
      at = visible.visible_end;
    }
    EXPECT_EQ(at, listed.virtual_size());
  }
}

INSTANTIATE_TEST_SUITE_P(All, Chains, testing::ValuesIn(kinds()),
                         [](const auto &tested) { return std::string(tested.param.name); });

// The message of the refusal, or "" when there is none.
std::string refusal(const Medium &medium, const OpenOptions &options = {},
                    std::optional<ErrorKind> kind = ErrorKind::malformed) {
  try {
    static_cast<void>(image::open_chain(medium, options));
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "";
}

Layer small(unsigned tag, std::size_t blocks = 3) { return layer_of(tag, blocks, kGrain, false, false); }

void expect_names_both_ends(const std::string &message, const TempFolder &folder, const std::string &child,
                            const std::string &parent) {
  EXPECT_NE(message.find((folder / child).string()), std::string::npos) << message;
  EXPECT_NE(message.find((folder / parent).string()), std::string::npos) << message;
}

TEST(ChainLinks, VdiOfAnotherParentIsRefused) {
  const TempFolder folder;
  write_file(folder / "a.vdi", make_vdi(small(1), identity_of(7, "")));
  write_file(folder / "b.vdi", make_vdi(small(2), identity_of(2, "")));
  expect_names_both_ends(refusal(medium({folder / "a.vdi", folder / "b.vdi"})), folder, "b.vdi", "a.vdi");
}

TEST(ChainLinks, ChangedParentIsRefusedUnlessTheUserVouchesForIt) {
  const TempFolder folder;
  Identity changed = identity_of(1, "");
  changed.modification = uuid_of(55);
  write_file(folder / "a.vdi", make_vdi(small(1), changed));
  write_file(folder / "b.vdi", make_vdi(small(2), identity_of(2, "")));
  const auto both = medium({folder / "a.vdi", folder / "b.vdi"});
  expect_names_both_ends(refusal(both), folder, "b.vdi", "a.vdi");
  const auto chain =
      image::open_chain(both, {.allowed_folders = {}, .known_images = {}, .allow_modified_parent = true});
  EXPECT_EQ(chain.images().back()->info().findings.at(0).id, "image.modified-parent");
}

TEST(ChainLinks, VmdkWithAnotherContentIdIsRefusedUnlessTheUserVouchesForIt) {
  const TempFolder folder;
  for (const unsigned n : {1U, 2U}) {
    SparseOptions options;
    Identity identity = vmware_identity(n, "1.vmdk");
    if (n == 1) identity.cid = 4711;
    options.descriptor = vmdk_descriptor("monolithicSparse", sparse_line(small(n), "SPARSE", "x"), identity);
    write_file(folder / (std::to_string(n) + ".vmdk"), make_hosted_sparse(small(n), options));
  }
  expect_names_both_ends(refusal(medium({folder / "1.vmdk", folder / "2.vmdk"})), folder, "2.vmdk", "1.vmdk");
  // Found by its name: VMware's content id changes with the parent's first write.
  const std::string message = refusal(medium({folder / "2.vmdk"}));
  expect_names_both_ends(message, folder, "2.vmdk", "1.vmdk");
  EXPECT_NE(message.find("CID 000003e9"), std::string::npos) << message;
  EXPECT_NE(message.find("--allow-modified-parent"), std::string::npos) << message;
  const auto chain = image::open_chain(medium({folder / "2.vmdk"}),
                                       {.allowed_folders = {}, .known_images = {}, .allow_modified_parent = true});
  EXPECT_TRUE(content(chain) == expected_content({small(1), small(2)}));
  EXPECT_EQ(chain.images().back()->info().findings.at(0).id, "image.modified-parent");
  write_file(folder / "1.vmdk", make_vdi(small(1)));
  EXPECT_NE(refusal(medium({folder / "2.vmdk"}), {}, ErrorKind::missing), "");
}

TEST(ChainLinks, VhdWithAnotherTimeStampIsRefused) {
  const TempFolder folder;
  Identity changed = identity_of(1, "");
  changed.time_stamp = 1;
  write_file(folder / "1.vhd", make_vhd(small(1), changed));
  write_file(folder / "2.vhd", make_vhd(small(2), identity_of(2, "1.vhd")));
  expect_names_both_ends(refusal(medium({folder / "2.vhd"})), folder, "2.vhd", "1.vhd");
}

TEST(ChainLinks, WindowsNotesNoTimeStampOfAVhdsParent) {
  const TempFolder folder;
  for (const std::uint32_t noted : {0U, 77U}) {
    Identity child = identity_of(2, "1.vhd");
    child.vhd_creator = "win ";
    child.parent_time_stamp = noted;
    write_file(folder / "1.vhd", make_vhd(small(1), identity_of(1, "")));
    write_file(folder / "2.vhd", make_vhd(small(2), child));
    EXPECT_TRUE(content(image::open_chain(medium({folder / "2.vhd"}), {})) == expected_content({small(1), small(2)}));
  }
}

TEST(ChainLinks, VhdxFindsItsParentByTheSecondLinkageToo) {
  const TempFolder folder;
  const Layer base = layer_of(1, 3, 1U << 20U, false, true), child = layer_of(2, 3, 1U << 20U, true, true);
  write_file(folder / "1.vhdx", make_vhdx(base, identity_of(1, "")));
  write_file(folder / "2.vhdx", make_vhdx(child, identity_of(2, ".\\1.vhdx")));
  EXPECT_TRUE(content(image::open_chain(medium({folder / "2.vhdx"}), {})) == expected_content({base, child}));
  write_file(folder / "1.vhdx", make_vhdx(base, identity_of(9, "")));
  EXPECT_NE(refusal(medium({folder / "2.vhdx"}), {}, ErrorKind::missing), "");
}

TEST(ChainLinks, ListedParentOfAnImageThatStandsAloneIsRefused) {
  const TempFolder folder;
  write_file(folder / "a.vdi", make_vdi(small(1), identity_of(1, "")));
  write_file(folder / "b.vdi", make_vdi(small(2), identity_of(1, "")));
  expect_names_both_ends(refusal(medium({folder / "a.vdi", folder / "b.vdi"})), folder, "b.vdi", "a.vdi");
}

TEST(ChainLinks, LoopsAreRefused) {
  const TempFolder folder;
  Identity a = identity_of(2, ""), b = identity_of(2, "");
  a.id = uuid_of(1);
  a.parent = uuid_of(2);
  a.parent_modification = b.modification;
  b.parent = uuid_of(1);
  b.parent_modification = a.modification;
  write_file(folder / "a.vdi", make_vdi(small(1), a));
  write_file(folder / "b.vdi", make_vdi(small(2), b));
  EXPECT_NE(refusal(medium({folder / "a.vdi"})).find("loops back"), std::string::npos);
}

TEST(ChainLinks, TwoPossibleParentsAreRefusedUnlessOneIsAsTheChildNotedIt) {
  const TempFolder folder;
  write_file(folder / "b.vdi", make_vdi(small(2), identity_of(2, "")));
  write_file(folder / "one.vdi", make_vdi(small(1), identity_of(1, "")));
  write_file(folder / "two.vdi", make_vdi(small(3), identity_of(1, "")));
  const std::string message = refusal(medium({folder / "b.vdi"}));
  expect_names_both_ends(message, folder, "one.vdi", "two.vdi");
  EXPECT_NE(message.find((folder / "b.vdi").string()), std::string::npos) << message;
  Identity changed = identity_of(1, "");
  changed.modification = uuid_of(55);
  write_file(folder / "one.vdi", make_vdi(small(3), changed));
  write_file(folder / "two.vdi", make_vdi(small(1), identity_of(1, "")));
  EXPECT_TRUE(content(image::open_chain(medium({folder / "b.vdi"}), {})) == expected_content({small(1), small(2)}));
  fs::create_hard_link(folder / "two.vdi", folder / "three.vdi");  // the same file is no other candidate
  EXPECT_TRUE(content(image::open_chain(medium({folder / "b.vdi"}), {})) == expected_content({small(1), small(2)}));
}

TEST(ChainLinks, ParentOfTheSameNameInAnotherFolderIsFound) {
  const TempFolder folder;
  fs::create_directories(folder / "base");
  fs::create_directories(folder / "clone");
  write_file(folder / "base/disk.vdi", make_vdi(small(1), identity_of(1, "")));
  write_file(folder / "clone/disk.vdi", make_vdi(small(2), identity_of(2, "")));
  const auto chain = image::open_chain(medium({folder / "clone/disk.vdi"}), {.allowed_folders = {folder / "base"}});
  EXPECT_TRUE(content(chain) == expected_content({small(1), small(2)}));
}

TEST(ChainLinks, StrangersInTheFolderAreNoPartOfTheComplaint) {
  const TempFolder folder;
  write_file(folder / "another.vdi", make_vdi(small(3), identity_of(9, "")));
  write_file(folder / "b.vdi", make_vdi(small(2), identity_of(2, "")));
  EXPECT_EQ(refusal(medium({folder / "b.vdi"}), {}, ErrorKind::missing).find("another.vdi"), std::string::npos);
}

TEST(ChainLinks, MissingParentSaysWhatWasLookedForAndWhere) {
  const TempFolder folder;
  write_file(folder / "b.vdi", make_vdi(small(2), identity_of(2, "")));
  const auto message = refusal(medium({folder / "b.vdi"}), {}, ErrorKind::missing);
  EXPECT_NE(message.find(uuid_of(1).text()), std::string::npos) << message;
  EXPECT_NE(message.find(folder.path().string()), std::string::npos) << message;
}

TEST(ChainLinks, ParentOutsideOfTheFoldersNeedsToBeAllowedOrKnown) {
  const TempFolder folder, elsewhere;
  write_file(elsewhere / "1.vhd", make_vhd(small(1), identity_of(1, "")));
  const std::string hint = "../" + elsewhere.path().filename().string() + "/1.vhd";
  write_file(folder / "2.vhd", make_vhd(small(2), identity_of(2, hint)));
  const auto child = medium({folder / "2.vhd"});
  EXPECT_NE(refusal(child, {}, ErrorKind::unsafe), "");
  EXPECT_EQ(image::open_chain(child, {.allowed_folders = {elsewhere.path()}, .known_images = {}}).images().size(), 2U);
  ImageFile known = image_file(elsewhere / "1.vhd");
  known.uuid = uuid_of(1);
  EXPECT_EQ(image::open_chain(child, {.allowed_folders = {}, .known_images = {known}}).images().size(), 2U);
}

TEST(ChainLinks, RawParentIsTakenByTheRegistrysUuidOnly) {
  const TempFolder folder;
  const Layer base{
      .size = 3 * kGrain, .block_size = kGrain, .blocks = {Block::data, Block::data, Block::data}, .order = {}};
  write_file(folder / "base.img", expected_content({base}));
  write_file(folder / "b.vdi", make_vdi(small(2), identity_of(2, "")));
  Medium both = medium({folder / "base.img", folder / "b.vdi"});
  both.chain[0].declared_format = ImageFormat::raw;
  EXPECT_NE(refusal(both).find("nothing proves"), std::string::npos);
  both.chain[0].uuid = uuid_of(1);
  EXPECT_TRUE(content(image::open_chain(both, {})) == expected_content({base, small(2)}));
}

TEST(ChainLinks, RegistryAndImageMustAgreeOnTheUuid) {
  const TempFolder folder;
  write_file(folder / "a.vdi", make_vdi(small(1), identity_of(1, "")));
  Medium one = medium({folder / "a.vdi"});
  one.chain[0].uuid = uuid_of(2);
  EXPECT_NE(refusal(one).find(uuid_of(2).text()), std::string::npos);
}

TEST(ChainSizes, BeyondASmallerParentTheGuestReadsZeros) {
  const TempFolder folder;
  const Layer base = small(1, 3), child = small(2, 9);
  write_file(folder / "a.vdi", make_vdi(base, identity_of(1, "")));
  write_file(folder / "b.vdi", make_vdi(child, identity_of(2, "")));
  const auto chain = image::open_chain(medium({folder / "b.vdi"}), {});
  EXPECT_TRUE(content(chain, 999) == expected_content({base, child}));
  EXPECT_EQ(chain.images().back()->info().findings.at(0).id, "image.size-differs");
}

TEST(ChainSizes, ASmallerChildHidesTheParentsEnd) {
  const TempFolder folder;
  const Layer base = small(1, 9), child = small(2, 3);
  write_file(folder / "a.vdi", make_vdi(base, identity_of(1, "")));
  write_file(folder / "b.vdi", make_vdi(child, identity_of(2, "")));
  EXPECT_TRUE(content(image::open_chain(medium({folder / "b.vdi"}), {})) == expected_content({base, child}));
}

TEST(ChainMap, ShowsTheVisiblePartOfADeflatedGrain) {
  const TempFolder folder;
  const Layer base{.size = 65536, .block_size = 65536, .blocks = {Block::data}, .tag = 1, .order = {}};
  Layer child{
      .size = 65536, .block_size = kGrain, .blocks = std::vector<Block>(16, Block::absent), .tag = 2, .order = {}};
  child.blocks[3] = Block::data;
  SparseOptions options{
      .descriptor = vmdk_descriptor("streamOptimized", sparse_line(base, "SPARSE", "x"), identity_of(1, ""), true),
      .compressed = true,
      .footer = true};
  write_file(folder / "1.vmdk", make_hosted_sparse(base, options));
  write_file(folder / "2.vdi", make_vdi(child, identity_of(2, "")));
  const auto chain = image::open_chain(medium({folder / "2.vdi"}), {});
  std::vector<image::Chain::VisibleExtent> extents;
  chain.map(0, 65536, extents);
  ASSERT_EQ(extents.size(), 3U);
  EXPECT_EQ(extents[0].extent.length, 65536U);
  EXPECT_EQ(extents[0].visible_end, 3 * kGrain);
  EXPECT_EQ(extents[1].extent.file, 1U);
  EXPECT_EQ(extents[2].visible_begin, 4 * kGrain);
  EXPECT_TRUE(content(chain, 5000) == expected_content({base, child}));
}

}  // namespace
}  // namespace ferry::test
