// SPDX-License-Identifier: Apache-2.0
// Manifests: every spelling of a line, every digest, and what a difference says.
#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {

const std::string kMachine = descriptor({.items = item(4, "VirtualQuantity", "512", "AllocationUnits", "MB")});

struct Spelling {
  const char *algorithm;
  const char *before;  // before the digest, with NAME for the member
  const char *after;
};

class Spellings : public testing::TestWithParam<Spelling> {};

TEST_P(Spellings, AreUnderstood) {
  const TempFolder folder;
  const std::string disk = "the content of a disk";
  std::string line = GetParam().before;
  line.replace(line.find("NAME"), 4, "disk (1).vmdk");
  line += hex_digest(GetParam().algorithm, disk) + GetParam().after;
  write_tar(folder / "m.ova", {{"m.ovf", kMachine}, {"disk (1).vmdk", disk}, {"m.mf", line}});
  const auto entries = manifest(Package::open(folder / "m.ova"));
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].member, "disk (1).vmdk");
  EXPECT_EQ(entries[0].algorithm, GetParam().algorithm);
  EXPECT_EQ(read_range(entries[0].range), disk);
  EXPECT_NO_THROW(verify_manifest(folder / "m.ova"));
}
INSTANTIATE_TEST_SUITE_P(Lines, Spellings,
                         testing::Values(Spelling{"SHA1", "SHA1(NAME)= ", "\n"}, Spelling{"SHA1", "sha1 (NAME) = ", ""},
                                         Spelling{"SHA256", "SHA256(NAME)=", "\r\n\r\n"},
                                         Spelling{"SHA256", "\xEF\xBB\xBFSHA-256 ( NAME ) =  ", "\n"},
                                         Spelling{"SHA512", "SHA512(NAME)= ", "\n"},
                                         Spelling{"SHA384", "\nSHA384(NAME)= ", "\n"}));

TEST(Manifest, IsEmptyWithoutOne) {
  const TempFolder folder;
  write_file(folder / "m.ovf", kMachine);
  EXPECT_TRUE(manifest(Package::open(folder / "m.ovf")).empty());
  EXPECT_NO_THROW(verify_manifest(folder / "m.ovf"));
}

TEST(Manifest, OfAFolderLiesBesideTheDescriptor) {
  const TempFolder folder;
  write_file(folder / "m.ovf", kMachine);
  write_file(folder / "m.mf", "SHA256(m.ovf)= " + hex_digest("SHA256", kMachine) + "\n");
  EXPECT_EQ(manifest(Package::open(folder / "m.ovf")).size(), 1U);
  EXPECT_NO_THROW(verify_manifest(folder / "m.ovf"));
  write_file(folder / "m.ovf", kMachine + "\n");
  (void)expect_error(ErrorKind::malformed, [&] { verify_manifest(folder / "m.ovf"); });
}

TEST(Manifest, ComparingIsStopped) {
  for (const bool gzipped : {false, true}) {
    const TempFolder folder;
    const std::string line = "SHA384(d.vmdk)= " + hex_digest("SHA384", "disk") + "\n";  // hashed by nobody before
    write_tar(folder / "m.ova", {{"m.ovf", kMachine}, {"d.vmdk", "disk"}, {"m.mf", line}}, TarFormat::ustar, gzipped);
    const Package package = Package::open(folder / "m.ova");
    std::stop_source stop;
    EXPECT_NO_THROW(verify_members(package, manifest(package), stop.get_token()));
    stop.request_stop();
    (void)expect_error(ErrorKind::cancelled, [&] { verify_members(package, manifest(package), stop.get_token()); });
  }
}

TEST(Manifest, ADifferenceNamesMemberAndBothDigests) {
  for (const bool gzipped : {false, true}) {
    const TempFolder folder;
    const std::string wanted = hex_digest("SHA256", "good");
    write_tar(folder / "m.ova",
              {{"m.ovf", kMachine}, {"disk.vmdk", "evil"}, {"m.mf", "\nSHA256(disk.vmdk)= " + wanted + "\n"}},
              TarFormat::ustar, gzipped);
    const ErrorDetail detail = expect_error(ErrorKind::malformed, [&] { verify_manifest(folder / "m.ova"); });
    EXPECT_NE(detail.message.find("disk.vmdk"), std::string::npos);
    EXPECT_EQ(detail.expected, "SHA256 " + wanted);
    EXPECT_EQ(detail.found, "SHA256 " + hex_digest("SHA256", "evil"));
    EXPECT_EQ(detail.where.line, 2U);
    EXPECT_FALSE(detail.advice.empty());
  }
}

TEST(Manifest, OfAGzippedArchiveIsVerifiedInOnePass) {
  const TempFolder folder;
  const std::string disk(3000000, 'x');
  write_tar(
      folder / "m.ova",
      {{"m.ovf", kMachine},
       {"disk.vmdk", disk},
       {"m.mf", "SHA1(m.ovf)= " + hex_digest("SHA1", kMachine) + "\nSHA1(disk.vmdk)= " + hex_digest("SHA1", disk)}},
      TarFormat::pax, true);
  ASSERT_EQ(manifest(Package::open(folder / "m.ova")).size(), 2U);
  EXPECT_TRUE(manifest(Package::open(folder / "m.ova"))[1].gzip_outer);
  EXPECT_NO_THROW(verify_manifest(folder / "m.ova"));
}

ErrorDetail bad(ErrorKind kind, const std::string &text) {
  const TempFolder folder;
  write_tar(folder / "m.ova", {{"m.ovf", kMachine}, {"m.mf", text}});
  return expect_error(kind, [&] { verify_manifest(folder / "m.ova"); });
}

TEST(Manifest, BadLinesAreRefusedWithTheirNumber) {
  EXPECT_EQ(bad(ErrorKind::malformed, "SHA1(m.ovf)= " + hex_digest("SHA1", kMachine) + "\nhello\n").where.line, 2U);
  (void)bad(ErrorKind::malformed, "SHA1(m.ovf)= 1234\n");
  (void)bad(ErrorKind::malformed, "SHA1(m.ovf)= " + std::string(40, 'g'));
  (void)bad(ErrorKind::unsupported, "MD5(m.ovf)= " + std::string(32, '0'));
  (void)bad(ErrorKind::malformed, "SHA1(lost.vmdk)= " + std::string(40, '0'));
  (void)bad(ErrorKind::unsafe, "SHA1(../m.ovf)= " + std::string(40, '0'));
}

}  // namespace
}  // namespace ferry::ovf::test
