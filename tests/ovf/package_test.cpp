// SPDX-License-Identifier: Apache-2.0
// Packages as folders and archives: where members are, and what is refused.
#include "importers/ovf/package.hpp"

#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {
namespace fs = std::filesystem;

const std::string kWithDisk = descriptor(
    {.references = R"(<File ovf:id="f" ovf:href="disk.vmdk"/>)",
     .disks = R"(<Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="1048576"/>)",
     .items = item(4, "VirtualQuantity", "512", "AllocationUnits", "MB") +
              item(20, "InstanceID", "1", "ResourceSubType", "AHCI") +
              item(17, "InstanceID", "2", "Parent", "1", "AddressOnParent", "0", "HostResource", "ovf:/disk/d")});

const ImageFile &first_image(const ImportedMachine &imported) {
  return imported.machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0);
}

ImportedMachine one(const fs::path &file) { return std::move(import_file(file, {}).at(0)); }

class Formats : public testing::TestWithParam<TarFormat> {};

TEST_P(Formats, ADiskIsReadInPlace) {
  const TempFolder folder;
  const std::string disk(3000, 'x');
  write_tar(folder / "m.ova", {{"m.ovf", kWithDisk}, {"disk.vmdk", disk}}, GetParam());
  const ImageFile image = first_image(one(folder / "m.ova"));
  ASSERT_EQ(image.pieces.size(), 1U);
  EXPECT_EQ(image.pieces[0].file, folder / "m.ova");
  EXPECT_FALSE(image.gzip_outer);
  EXPECT_EQ(read_range(image.pieces[0]), disk);
}
INSTANTIATE_TEST_SUITE_P(Tar, Formats, testing::Values(TarFormat::ustar, TarFormat::pax, TarFormat::gnu));

TEST(Archive, AGzippedTarGivesTheRangeOfWhatItInflatesTo) {
  const TempFolder folder;
  const std::vector<TarMember> members{{"m.ovf", kWithDisk}, {"disk.vmdk", std::string(3000, 'x')}};
  write_tar(folder / "plain.ova", members);
  write_tar(folder / "packed.ova", members, TarFormat::ustar, true);
  EXPECT_TRUE(looks_like_ova(folder / "packed.ova"));
  const ImageFile plain = first_image(one(folder / "plain.ova")), packed = first_image(one(folder / "packed.ova"));
  EXPECT_TRUE(packed.gzip_outer);
  EXPECT_EQ(packed.pieces.at(0).offset, plain.pieces.at(0).offset);
  EXPECT_EQ(packed.pieces.at(0).length, plain.pieces.at(0).length);
}

TEST(Archive, PlacesNameTheMember) {
  const TempFolder folder;
  write_tar(folder / "m.ova", {{"m.ovf", kWithDisk}, {"disk.vmdk", "x"}});
  const ImportedMachine imported = one(folder / "m.ova");
  EXPECT_EQ(imported.machine.origin.file, folder.path().string() + "/m.ova!m.ovf");
  EXPECT_EQ(imported.machine.source.file, folder / "m.ova");
}

TEST(Archive, NamesOutsideOfAsciiWork) {
  const TempFolder folder;
  const std::string text = descriptor(
      {.references = R"(<File ovf:id="f" ovf:href="d%C3%ADsk.vmdk"/>)",
       .disks = R"(<Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="1"/>)",
       .items = item(4, "VirtualQuantity", "512", "AllocationUnits", "MB") + item(17, "HostResource", "ovf:/disk/d")});
  for (const TarFormat format : {TarFormat::ustar, TarFormat::gnu}) {
    write_tar(folder / "m.ova", {{"m.ovf", text}, {"d\xC3\xADsk.vmdk", "content"}}, format);
    EXPECT_EQ(read_range(first_image(one(folder / "m.ova")).pieces.at(0)), "content");
  }
}

TEST(Archive, FoldersAndDotSlashAreFine) {
  const TempFolder folder;
  write_tar(folder / "m.ova",
            {{"./", "", TarMember::Kind::directory}, {"./m.ovf", kWithDisk}, {"./disk.vmdk", "content"}},
            TarFormat::gnu);
  EXPECT_EQ(read_range(first_image(one(folder / "m.ova")).pieces.at(0)), "content");
}

ErrorDetail refused(ErrorKind kind, const TarMember &bad, TarFormat format = TarFormat::pax) {
  const TempFolder folder;
  write_tar(folder / "m.ova", {{"m.ovf", kWithDisk}, bad}, format);
  return expect_error(kind, [&] { (void)import_file(folder / "m.ova", {}); });
}

TEST(Archive, MembersThatLeadOutAreRefused) {
  EXPECT_NE(refused(ErrorKind::unsafe, {"../evil", "x"}).found.find("../evil"), std::string::npos);
  (void)refused(ErrorKind::unsafe, {"a/../../evil", "x"});
  (void)refused(ErrorKind::unsafe, {"/etc/passwd", "x"});
  (void)refused(ErrorKind::unsafe, {"line\nbreak", "x"});
}

TEST(Archive, LinksAndDevicesAreRefused) {
  (void)refused(ErrorKind::unsafe, {"disk.vmdk", "/etc/passwd", TarMember::Kind::symlink});
  (void)refused(ErrorKind::unsafe, {"disk.vmdk", "m.ovf", TarMember::Kind::hardlink});
  (void)refused(ErrorKind::unsafe, {"disk.vmdk", "", TarMember::Kind::device});
}

TEST(Archive, TwoMembersOfOneNameAreRefused) { (void)refused(ErrorKind::unsafe, {"m.ovf", "x"}); }

TEST(Archive, SparseMembersAreRefused) {
  (void)refused(ErrorKind::unsupported, {"disk.vmdk", std::string(8192, 'x'), TarMember::Kind::sparse});
}

TEST(Archive, ATarThatIsCutOffIsRefused) {
  const TempFolder folder;
  write_tar(folder / "m.ova", {{"m.ovf", kWithDisk}, {"disk.vmdk", std::string(100000, 'x')}});
  const std::string whole = read_text(folder / "m.ova");
  for (const std::size_t keep : {whole.size() / 2, std::size_t{700}, std::size_t{512}, std::size_t{100}}) {
    write_file(folder / "cut.ova", std::string_view(whole).substr(0, keep));
    (void)expect_error(ErrorKind::malformed, [&] { (void)import_file(folder / "cut.ova", {}); });
  }
}

TEST(Archive, WhatIsNoTarIsRefused) {
  const TempFolder folder;
  for (const std::string &content : {std::string(), std::string("hello"), std::string(4096, '\0'), gzip("hello")}) {
    write_file(folder / "m.ova", content);
    EXPECT_FALSE(looks_like_ova(folder / "m.ova"));
    (void)expect_error(ErrorKind::malformed, [&] { (void)import_file(folder / "m.ova", {}); });
  }
}

TEST(Archive, TheDescriptorNeedNotBeFirst) {
  const TempFolder folder;
  write_tar(folder / "m.ova", {{"disk.vmdk", "content"}, {"m.ovf", kWithDisk}});
  EXPECT_TRUE(looks_like_ova(folder / "m.ova"));
  EXPECT_EQ(read_range(first_image(one(folder / "m.ova")).pieces.at(0)), "content");
  EXPECT_FALSE(looks_like_ova(folder / "none.ova"));
}

TEST(Archive, WithoutDescriptorItIsRefused) {
  const TempFolder folder;
  write_tar(folder / "m.ova", {{"disk.vmdk", "x"}});
  EXPECT_FALSE(looks_like_ova(folder / "m.ova"));
  (void)expect_error(ErrorKind::malformed, [&] { (void)import_file(folder / "m.ova", {}); });
}

TEST(Archive, FirmwareVariablesLieInTheTar) {
  const TempFolder folder;
  const std::string text = descriptor({.items = item(4, "VirtualQuantity", "512", "AllocationUnits", "MB") +
                                                R"(<vmw:ExtraConfig vmw:key="nvram" vmw:value="m.nvram"/>)"});
  const std::vector<TarMember> members{{"m.ovf", text}, {"m.nvram", "MRVN"}};
  write_tar(folder / "m.ova", members);
  const ImportedMachine plain = one(folder / "m.ova");
  ASSERT_TRUE(plain.machine.hardware.firmware.nvram_inside);
  EXPECT_EQ(read_range(*plain.machine.hardware.firmware.nvram_inside), "MRVN");
  write_tar(folder / "m.ova", members, TarFormat::ustar, true);
  const ImportedMachine packed = one(folder / "m.ova");
  ASSERT_TRUE(packed.machine.hardware.firmware.nvram_inside);
  EXPECT_TRUE(packed.machine.hardware.firmware.nvram_gzip);
  EXPECT_EQ(packed.machine.hardware.firmware.nvram_inside->offset,
            plain.machine.hardware.firmware.nvram_inside->offset);
}

TEST(Archive, ACertificateIsSaidToBeUnchecked) {
  const TempFolder folder;
  write_tar(folder / "m.ova", {{"m.ovf", kWithDisk}, {"disk.vmdk", "x"}, {"m.cert", "x"}});
  EXPECT_TRUE(has_finding(one(folder / "m.ova"), "ovf.signature-not-checked"));
}

TEST(Folder, AMissingDiskIsAFindingOnly) {
  const TempFolder folder;
  write_file(folder / "m.ovf", kWithDisk);
  const ImportedMachine imported = one(folder / "m.ovf");
  EXPECT_TRUE(first_image(imported).pieces.empty());
  EXPECT_FALSE(first_image(imported).blank);
  EXPECT_EQ(first_image(imported).declared_location, "disk.vmdk");
  EXPECT_TRUE(has_finding(imported, "ovf.file-missing"));
}

TEST(Folder, ADiskBesideTheDescriptorIsFound) {
  const TempFolder folder;
  write_file(folder / "m.ovf", kWithDisk);
  write_file(folder / "disk.vmdk", "content");
  const FileRange expected{folder / "disk.vmdk", 0, std::nullopt};
  EXPECT_EQ(first_image(one(folder / "m.ovf")).pieces, std::vector{expected});
}

TEST(Folder, ALinkOutOfTheFolderIsFoundAndJudgedBeforeItIsOpened) {
  const TempFolder folder, other;
  write_file(other / "secret", "x");
  write_file(folder / "m.ovf", kWithDisk);
  fs::create_symlink(other / "secret", folder / "disk.vmdk");
  EXPECT_EQ(first_image(one(folder / "m.ovf")).pieces.at(0).file, folder / "disk.vmdk");
}

TEST(Folder, ADirectoryIsNoDisk) {
  const TempFolder folder;
  write_file(folder / "m.ovf", kWithDisk);
  fs::create_directory(folder / "disk.vmdk");
  EXPECT_TRUE(first_image(one(folder / "m.ovf")).pieces.empty());
}

// 137 packages of the corpus name their disks with "../".
TEST(Folder, ADiskAboveTheDescriptorIsFound) {
  const TempFolder folder;
  std::string text = kWithDisk;
  text.replace(text.find("disk.vmdk"), 9, "../disks/disk.vmdk");
  fs::create_directories(folder / "package");
  fs::create_directories(folder / "disks");
  write_file(folder / "package" / "m.ovf", text);
  write_file(folder / "disks" / "disk.vmdk", "content");
  EXPECT_EQ(first_image(one(folder / "package" / "m.ovf")).pieces.at(0).file, folder / "disks" / "disk.vmdk");
}

TEST(Folder, ADiskOfAnotherLetterCaseIsFound) {
  const TempFolder folder;
  write_file(folder / "m.ovf", kWithDisk);
  write_file(folder / "Disk.VMDK", "content");
  const ImportedMachine imported = one(folder / "m.ovf");
  EXPECT_EQ(first_image(imported).pieces.at(0).file, folder / "Disk.VMDK");
  EXPECT_TRUE(has_finding(imported, "ovf.found-elsewhere"));
}

TEST(Archive, AnHrefThatLeadsOutIsRefused) {
  const TempFolder folder;
  for (const char *href : {"../disk.vmdk", "/etc/passwd", "a/../../disk.vmdk"}) {
    std::string text = kWithDisk;
    text.replace(text.find("disk.vmdk"), 9, href);
    write_tar(folder / "m.ova", {{"m.ovf", text}, {"disk.vmdk", "x"}});
    (void)expect_error(ErrorKind::unsafe, [&] { (void)import_file(folder / "m.ova", {}); });
  }
}

TEST(Folder, AFileThatIsNotThereIsMissing) {
  const TempFolder folder;
  (void)expect_error(ErrorKind::missing, [&] { (void)import_file(folder / "no.ovf", {}); });
}

// Exports whose vbox:Machine names media that DiskSection does not have, by edited or by failed exports.
TEST(VirtualBoxMachine, ADiskThatThePackageDoesNotHaveIsTakenFromTheOvfDescription) {
  const auto package = [](const std::string &disks, const std::string &items) {
    constexpr auto kUnknown = "08062057-2ef2-4d80-b11a-2654a9c3b050";
    return descriptor(
        {.references = R"(<File ovf:id="f1" ovf:href="one.vmdk"/><File ovf:id="f2" ovf:href="two.vmdk"/>)",
         .disks = disks,
         .system =
             std::string(R"(<vbox:Machine xmlns:vbox="http://www.virtualbox.org/ovf/machine" version="1.12-linux" )"
                         R"(uuid="{d7e1a1f4-5d1e-4a3c-9f35-7f0d1f2a3b4c}" name="web" OSType="Ubuntu"><Hardware>)"
                         R"(<Memory RAMSize="512"/></Hardware><StorageControllers><StorageController name="SATA" )"
                         R"(type="AHCI" PortCount="2"><AttachedDevice type="HardDisk" port="0" device="0"><Image )"
                         R"(uuid="{)") +
             kUnknown +
             R"(}"/></AttachedDevice><AttachedDevice type="HardDisk" port="1" device="0"><Image )"
             R"(uuid="{bbbbbbbb-2ef2-4d80-b11a-2654a9c3b050}"/></AttachedDevice></StorageController>)"
             R"(</StorageControllers></vbox:Machine>)",
         .items = item(20, "InstanceID", "3", "ResourceSubType", "AHCI") + items,
         .type = "virtualbox-2.2"});
  };
  const std::string vbox = R"( xmlns:vbox="http://www.virtualbox.org/ovf/machine" vbox:uuid=")";
  const std::string one = R"(<Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="1")" + vbox +
                          R"(aaaaaaaa-2ef2-4d80-b11a-2654a9c3b050"/>)";
  const std::string two = R"(<Disk ovf:diskId="d2" ovf:fileRef="f2" ovf:capacity="1")" + vbox +
                          R"(bbbbbbbb-2ef2-4d80-b11a-2654a9c3b050"/>)";
  const std::string first =
      item(17, "InstanceID", "4", "Parent", "3", "AddressOnParent", "0", "HostResource", "/disk/d1");
  const std::string second =
      item(17, "InstanceID", "5", "Parent", "3", "AddressOnParent", "1", "HostResource", "/disk/d2");
  for (const std::string &disks : {one + two, two + one}) {  // d2 is named by its UUID, wherever it stands
    const ImportedMachine imported = std::move(import_all(package(disks, second + first)).at(0));
    const auto &drives = imported.machine.hardware.controllers.at(0).drives;
    EXPECT_EQ(drives.at(0).medium->chain.at(0).declared_location, "one.vmdk");
    EXPECT_EQ(drives.at(1).medium->chain.at(0).declared_location, "two.vmdk");
    EXPECT_TRUE(has_finding(imported, "ovf.medium-by-place"));
  }
  const ImportedMachine none = std::move(import_all(package(two, second)).at(0));
  EXPECT_TRUE(none.machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0).pieces.empty());
  EXPECT_TRUE(has_finding(none, "ovf.medium-not-exported"));
}

TEST(Href, IsDecodedAndChecked) {
  EXPECT_EQ(member_names("a%20b.vmdk", {}), (std::vector<std::string>{"a b.vmdk", "a%20b.vmdk"}));
  EXPECT_EQ(member_names("./disks/a.vmdk", {}), (std::vector<std::string>{"disks/a.vmdk"}));
  EXPECT_EQ(member_names("100%.vmdk", {}), (std::vector<std::string>{"100%.vmdk"}));
  EXPECT_EQ(member_names("../a", {}), (std::vector<std::string>{"../a"}));
  for (const char *bad : {"file:///etc/passwd", "", "a%00b"}) {
    (void)expect_error(ErrorKind::unsafe, [&] { (void)member_names(bad, {}); });
  }
  for (const char *remote : {"http://example.com/a.vmdk", "HTTPS://example.com/a.vmdk", "ftp://example.com/a"}) {
    EXPECT_FALSE(expect_error(ErrorKind::unsupported, [&] { (void)member_names(remote, {}); }).advice.empty());
  }
}

TEST(Detection, LooksAtTheRootElement) {
  EXPECT_TRUE(looks_like_ovf("<?xml version=\"1.0\"?>\n<Envelope xmlns=\"x\">"));
  EXPECT_TRUE(looks_like_ovf("\xEF\xBB\xBF<ovf:Envelope>"));
  EXPECT_FALSE(looks_like_ovf("<VirtualBox><Envelopes/></VirtualBox>"));
  EXPECT_FALSE(looks_like_ovf("Envelope"));
  EXPECT_FALSE(looks_like_ovf(""));
}

}  // namespace
}  // namespace ferry::ovf::test
