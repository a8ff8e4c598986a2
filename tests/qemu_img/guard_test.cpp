// SPDX-License-Identifier: Apache-2.0
// Which sources qemu-img is not given, and how it is told what to open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "converters/qemu_img.hpp"

#include "support/error.hpp"

namespace ferry::qemu_img {
namespace {

using ::testing::HasSubstr;

image::ImageInfo image_of(ImageFormat format, std::string variant, bool has_parent = false) {
  image::ImageInfo out;
  out.format = format;
  out.variant = std::move(variant);
  out.has_parent = has_parent;
  out.virtual_size = 1U << 20U;
  return out;
}

TEST(MisreadReason, IsEmptyForWhatQemuImgReadsRightly) {
  EXPECT_EQ(misread_reason(image_of(ImageFormat::vdi, "dynamic")), "");
  EXPECT_EQ(misread_reason(image_of(ImageFormat::vhd, "dynamic")), "");
  EXPECT_EQ(misread_reason(image_of(ImageFormat::vhd, "fixed")), "");
  EXPECT_EQ(misread_reason(image_of(ImageFormat::vhdx, "dynamic")), "");
  EXPECT_EQ(misread_reason(image_of(ImageFormat::vmdk, "monolithicSparse")), "");
  EXPECT_EQ(misread_reason(image_of(ImageFormat::raw, "")), "");
  EXPECT_EQ(misread_reason(image_of(ImageFormat::qcow2, "")), "");
}

TEST(MisreadReason, NamesEveryKindOfDifferencingImage) {
  for (const auto format : {ImageFormat::vdi, ImageFormat::vmdk, ImageFormat::vhd, ImageFormat::vhdx, ImageFormat::qcow,
                            ImageFormat::qcow2, ImageFormat::qed})
    EXPECT_NE(misread_reason(image_of(format, "", true)), "") << driver_name(format);
}

TEST(MisreadReason, NamesExtentsThatWouldBeLeftOut) {
  const auto image = image_of(ImageFormat::vmdk, "twoGbMaxExtentFlat");
  const auto reason = [&](std::string access, std::string type) {
    const std::vector<DescriptorExtent> extents = {{"RW", "FLAT", "a-f001.vmdk", 8},
                                                   {std::move(access), std::move(type), "a-f002.vmdk", 8}};
    return misread_reason(image, extents);
  };
  EXPECT_EQ(reason("RW", "FLAT"), "");
  EXPECT_EQ(reason("rw", "flat"), "");
  EXPECT_THAT(reason("RDONLY", "FLAT"), HasSubstr("RDONLY"));
  EXPECT_THAT(reason("NOACCESS", "FLAT"), HasSubstr("NOACCESS"));
  EXPECT_THAT(reason("RW", "ZERO"), HasSubstr("ZERO"));
}

TEST(MisreadReason, NamesExtentsThatLeadOut) {
  const auto image = image_of(ImageFormat::vmdk, "monolithicFlat");
  const auto reason = [&](std::string file) {
    const std::vector<DescriptorExtent> extents = {{"RW", "FLAT", std::move(file), 8}};
    return misread_reason(image, extents);
  };
  for (const char *bad :
       {"/etc/shadow", "../other/disk-flat.vmdk", "a/../../b", "C:\\disk-flat.vmdk", "\\\\host\\x", "a\\..\\b", ".."})
    EXPECT_THAT(reason(bad), HasSubstr("out of the image's folder")) << bad;
  for (const char *good : {"disk-flat.vmdk", "..disk.vmdk", "disk..vmdk", "disk (2).vmdk"})
    EXPECT_EQ(reason(good), "") << good;
}

TEST(MisreadReason, NamesSizesThatWouldBeRounded) {
  auto image = image_of(ImageFormat::vmdk, "monolithicSparse");
  image.block_size = 65536;
  image.virtual_size = 3670528;  // VirtualBox's; 3735552 in qemu-img
  EXPECT_THAT(misread_reason(image), HasSubstr("rounds"));
  image.virtual_size = 3735552;
  EXPECT_EQ(misread_reason(image), "");
  const std::vector<DescriptorExtent> extents = {{"RW", "SPARSE", "a-s001.vmdk", 129}};
  EXPECT_THAT(misread_reason(image, extents), HasSubstr("a-s001.vmdk"));
}

TEST(MisreadReason, NamesHostDevices) {
  for (const char *type :
       {"custom", "fullDevice", "partitionedDevice", "vmfsRaw", "vmfsRawDeviceMap", "vmfsPassthroughRawDeviceMap"})
    EXPECT_THAT(misread_reason(image_of(ImageFormat::vmdk, type)), HasSubstr("device")) << type;
  EXPECT_NE(misread_reason(image_of(ImageFormat::host_device, "")), "");
  EXPECT_NE(misread_reason(image_of(ImageFormat::iscsi, "")), "");
  EXPECT_NE(misread_reason(image_of(ImageFormat::unknown, "")), "");
}

TEST(ImageOptions, NameEveryDriver) {
  EXPECT_EQ(image_options({.format = ImageFormat::vmdk, .range = {.file = "/a,b.vmdk", .offset = 0, .length = {}}}),
            "driver=vmdk,file.driver=file,file.filename=/a,,b.vmdk");
  EXPECT_EQ(image_options({.format = ImageFormat::vhd, .range = {.file = "/d.vhd", .offset = 0, .length = {}}}),
            "driver=vpc,force_size_calc=current_size,file.driver=file,file.filename=/d.vhd");
  EXPECT_EQ(
      image_options({.format = ImageFormat::vmdk, .range = {.file = "/x.ova", .offset = 1536, .length = 4096}}),
      "driver=vmdk,file.driver=raw,file.offset=1536,file.size=4096,file.file.driver=file,file.file.filename=/x.ova");
}

TEST(SourceOf, RefusesWhatQemuImgCannotAddress) {
  const auto kind = [](const ImageFile &file, ImageFormat format) {
    try {
      (void)source_of(file, format);
    } catch (const Error &error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  ImageFile file;
  EXPECT_EQ(kind(file, ImageFormat::vdi), ErrorKind::missing);
  file.pieces = {{"/a.vdi", 0, {}}};
  EXPECT_EQ(kind(file, ImageFormat::iscsi), ErrorKind::unsupported);
  EXPECT_EQ(source_of(file, ImageFormat::vdi).range.file, "/a.vdi");
  file.gzip = true;
  EXPECT_EQ(kind(file, ImageFormat::vdi), ErrorKind::unsupported);
  file.gzip = false;
  file.pieces.push_back({"/b.vdi", 0, {}});
  EXPECT_EQ(kind(file, ImageFormat::vdi), ErrorKind::unsupported);
}

}  // namespace
}  // namespace ferry::qemu_img
