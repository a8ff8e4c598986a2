// SPDX-License-Identifier: Apache-2.0
// Which drivers an EFI image has, by what is in it: images made of a volume's header and a packed section, and that of
// the host where there is one.
#include "converters/firmware/efi_drivers.hpp"

#include <gtest/gtest.h>

#include "tests/kit/byte_writer.hpp"
#include "tests/kit/files.hpp"
#include "tests/kit/folder.hpp"

#include "support/error.hpp"

namespace ferry::firmware {
namespace {

using test::Bytes;
using test::ByteWriter;

constexpr std::uint64_t kVariables = 0x84000;
const Uuid kPvscsi = *Uuid::parse("30346b14-1580-4781-879d-ba0c55ae9bb2");
const Uuid kMptScsi = *Uuid::parse("2b3db5dd-b315-4961-8454-0aff3c811b19");
const Uuid kLzma = *Uuid::parse("ee4e5898-3914-4259-9d6e-dc7bd79403cf");
const Uuid kStore = *Uuid::parse("fff12b8d-7696-4c8b-a985-2747075b4f50");
const Uuid kOther = *Uuid::parse("8c8ce578-8a3d-4f1c-9935-896185c32dd3");

class EfiDrivers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::has_program("xz")) GTEST_SKIP() << "no xz";
  }
  // A volume of code whose one packed section has the driver.
  Bytes code(const Uuid &driver) {
    Bytes plain(300000);
    ByteWriter(plain).guid(123456, driver);
    test::write_file(folder_ / "plain", plain);
    EXPECT_EQ(test::run({"sh", "-c", "xz --format=lzma -c \"$1\" > \"$2\"", "sh", (folder_ / "plain").string(),
                         (folder_ / "packed").string()}),
              0);
    const Bytes packed = test::read_file(folder_ / "packed");
    Bytes out = volume(kOther, 65536);
    ByteWriter writer(out);
    writer.little(144, 24 + packed.size(), 3);
    writer.little(147, 2, 1);
    writer.guid(148, kLzma);
    writer.little(164, 24, 2);
    std::copy(packed.begin(), packed.end(), out.begin() + 168);
    return out;
  }
  static Bytes volume(const Uuid &kind, std::uint64_t size) {
    Bytes out(static_cast<std::size_t>(size));
    ByteWriter writer(out);
    writer.guid(16, kind);
    writer.little(32, size, 8);
    writer.text(40, "_FVH");
    return out;
  }
  EfiImage seen(const Bytes &bytes) {
    test::write_file(folder_ / "image", bytes);
    return examine_efi_image(folder_ / "image");
  }
  test::TempFolder folder_;
};

TEST_F(EfiDrivers, AreFoundInWhatIsPacked) {
  EXPECT_TRUE(seen(code(kPvscsi)).pvscsi);
  EXPECT_FALSE(seen(code(kPvscsi)).fusion_mpt);
  EXPECT_TRUE(seen(code(kMptScsi)).fusion_mpt);
  EXPECT_FALSE(seen(code(kOther)).pvscsi);
  EXPECT_EQ(seen(code(kOther)).variables, 0U);
}

TEST_F(EfiDrivers, AStoreInFrontIsMeasured) {
  Bytes both = volume(kStore, kVariables);
  const Bytes behind = code(kPvscsi);
  both.insert(both.end(), behind.begin(), behind.end());
  EXPECT_EQ(seen(both).variables, kVariables);
  EXPECT_TRUE(seen(both).pvscsi);
}

TEST_F(EfiDrivers, WhatIsNoFirmwareIsRefused) {
  EXPECT_THROW((void)seen(Bytes(100000)), Error);
  EXPECT_THROW((void)seen(volume(kStore, kVariables)), Error);
  Bytes cut = code(kPvscsi);
  cut.resize(180);
  EXPECT_FALSE(seen(cut).pvscsi);
  EXPECT_THROW((void)examine_efi_image(folder_ / "none"), Error);
}

// As Debian's package ovmf-legacy has it.
TEST(EfiDriversOfDebian, AreInTheLegacyImage) {
  const std::filesystem::path file = "/usr/share/ovmf/OVMF.legacy.fd";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  const EfiImage image = examine_efi_image(file);
  EXPECT_EQ(image.variables, 0x84000U);
  EXPECT_TRUE(image.pvscsi);
  EXPECT_TRUE(image.fusion_mpt);
}

}  // namespace
}  // namespace ferry::firmware
