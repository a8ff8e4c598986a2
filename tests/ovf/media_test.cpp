// SPDX-License-Identifier: Apache-2.0
// The files behind the drives.
#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {

// Whoever refers to the id means one of the two.
TEST(Media, TwoDisksOfOneIdAreRefusedWithBothNames) {
  const ErrorDetail disks = expect_error(ErrorKind::malformed, [] {
    (void)import_one(
        {.references = R"(<File ovf:id="a" ovf:href="system.vmdk"/><File ovf:id="b" ovf:href="data.vmdk"/>)",
         .disks = R"(<Disk ovf:diskId="d" ovf:fileRef="a"/><Disk ovf:diskId="d" ovf:fileRef="b"/>)",
         .items = kMemory});
  });
  EXPECT_NE(disks.found.find("system.vmdk"), std::string::npos);
  EXPECT_NE(disks.found.find("data.vmdk"), std::string::npos);
  const ErrorDetail blank = expect_error(ErrorKind::malformed, [] {
    (void)import_one({.disks = R"(<Disk ovf:diskId="d" ovf:capacity="10"/><Disk ovf:diskId="d" ovf:capacity="20"/>)",
                      .items = kMemory});
  });
  EXPECT_NE(blank.found.find("of 10 bytes and one without a file, of 20"), std::string::npos) << blank.found;
  const ErrorDetail files = expect_error(ErrorKind::malformed, [] {
    (void)import_one({.references = R"(<File ovf:id="a" ovf:href="one.vmdk"/><File ovf:id="a" ovf:href="two.vmdk"/>)",
                      .items = kMemory});
  });
  EXPECT_NE(files.found.find("two.vmdk"), std::string::npos);
}

// An exporter's estimate, and a file that was packed anew, are no doubt; a file that ends early is.
TEST(Media, OnlyAFileThatEndsEarlyIsTold) {
  const TempFolder folder;
  write_file(folder.path() / "d.vmdk", "0123456789");
  for (const auto &[size, told] : std::vector<std::pair<std::string, bool>>{
           {"0", false}, {"5", false}, {"-1", false}, {"10", false}, {"11", true}}) {
    write_file(folder.path() / "m.ovf",
               descriptor({.references = R"(<File ovf:id="f" ovf:href="d.vmdk" ovf:size=")" + size + R"("/>)",
                           .disks = R"(<Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="1"/>)",
                           .items = kMemory + item(6, "InstanceID", "3") + disk_on("3", "0")}));
    EXPECT_EQ(has_finding(import_file(folder.path() / "m.ovf", {}).at(0), "ovf.file-size"), told) << size;
  }
}

TEST(Media, ADiskThatNoDriveHoldsIsTold) {
  const std::string disks = R"(<Disk ovf:diskId="d" ovf:capacity="1"/><Disk ovf:diskId="forgotten" ovf:capacity="1"/>)";
  const ImportedMachine imported =
      import_one({.disks = disks, .items = kMemory + item(6, "InstanceID", "3") + disk_on("3", "0")});
  std::string told;
  for (const Finding &finding : imported.findings) told += finding.id == "ovf.disk-unused" ? finding.message : "";
  EXPECT_NE(told.find("\"forgotten\""), std::string::npos);
  EXPECT_EQ(told.find("\"d\""), std::string::npos);
}

TEST(Media, EveryFormOfHostResource) {
  for (const char *form : {"ovf:/disk/d", "/disk/d", "ovf://disk/d", "d", " ovf:/disk/d\n"}) {
    const ImportedMachine imported = import_one(
        {.disks = R"(<Disk ovf:diskId="d" ovf:capacity="4096"/>)", .items = kMemory + item(17, "HostResource", form)});
    const ImageFile &image = imported.machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0);
    EXPECT_EQ(image.declared_capacity, 4096U) << form;
    EXPECT_TRUE(image.blank);
  }
}

TEST(Media, AnUndeclaredDiskIsAFinding) {
  const ImportedMachine imported = import_one({.items = kMemory + item(17, "HostResource", "ovf:/disk/lost")});
  const ImageFile &image = imported.machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0);
  EXPECT_TRUE(image.pieces.empty());
  EXPECT_FALSE(image.blank);
  EXPECT_TRUE(has_finding(imported, "ovf.reference-broken"));
}

TEST(Media, ALoopOfParentsIsRefused) {
  (void)expect_error(ErrorKind::malformed, [] {
    (void)import_one({.disks = R"(<Disk ovf:diskId="a" ovf:parentRef="b"/><Disk ovf:diskId="b" ovf:parentRef="a"/>)",
                      .items = kMemory + item(17, "HostResource", "ovf:/disk/a")});
  });
}

TEST(Media, AnUnusedFileOutsideIsNobodysBusiness) {
  const ImportedMachine imported =
      import_one({.references = R"(<File ovf:id="f" ovf:href="../../x"/>)", .items = kMemory});
  EXPECT_EQ(entry(imported, "/File/@href").disposition, Disposition::irrelevant);
}

TEST(Media, AUsedFileOutsideIsLookedForAndJudgedBeforeItIsOpened) {
  const Parts parts{.references = R"(<File ovf:id="f" ovf:href="../x"/>)",
                    .items = kMemory + item(15, "HostResource", "ovf:/file/f")};
  EXPECT_TRUE(has_finding(import_one(parts), "ovf.file-missing"));
}

TEST(Media, UnknownCompressionIsRefused) {
  (void)expect_error(ErrorKind::unsupported, [] {
    (void)import_one({.references = R"(<File ovf:id="f" ovf:href="x" ovf:compression="bzip2"/>)",
                      .items = kMemory + item(15, "HostResource", "ovf:/file/f")});
  });
}

TEST(Media, TooManyChunksAreRefused) {
  (void)expect_error(ErrorKind::malformed, [] {
    (void)import_one(
        {.references = R"(<File ovf:id="f" ovf:href="x" ovf:size="18446744073709551615" ovf:chunkSize="1"/>)",
         .items = kMemory + item(15, "HostResource", "ovf:/file/f")});
  });
}

}  // namespace
}  // namespace ferry::ovf::test
