// SPDX-License-Identifier: Apache-2.0
#include "converters/firmware/boot_option.hpp"

#include <gmock/gmock.h>

#include "tests/firmware/builder.hpp"

namespace ferry::firmware {
namespace {

using namespace testing;  // NOLINT: the builder's

std::optional<Unportable> reason_of(const Bytes &data) {
  const ParsedOption parsed = parse_boot_option(data);
  const auto *reason = std::get_if<Unportable>(&parsed.outcome);
  return reason == nullptr ? std::nullopt : std::optional(*reason);
}

TEST(BootName, TakesFourUpperCaseHexDigits) {
  EXPECT_EQ(boot_number(u"Boot0000"), 0);
  EXPECT_EQ(boot_number(u"Boot00AF"), 0xAF);
  EXPECT_EQ(boot_number(u"BootFFFF"), 0xFFFF);
  for (const char16_t *name : {u"BootOrder", u"Boot000a", u"Boot00", u"Boot00000", u"boot0000", u"BootNext", u""}) {
    EXPECT_EQ(boot_number(name), std::nullopt);
  }
  EXPECT_EQ(boot_name(0x00AF), u"Boot00AF");
}

TEST(BootOption, AFullPathIsCutToThePartition) {
  const ParsedOption parsed = parse_boot_option(load_option(u"debian", full_path(u"\\EFI\\debian\\grubx64.efi")));
  ASSERT_TRUE(std::holds_alternative<BootOption>(parsed.outcome));
  const auto &option = std::get<BootOption>(parsed.outcome);
  EXPECT_EQ(option.file, u"\\EFI\\debian\\grubx64.efi");
  EXPECT_EQ(serialise(option), load_option(u"debian", short_path(u"\\EFI\\debian\\grubx64.efi")));
}

TEST(BootOption, AShortPathStaysAsItIs) {
  const Bytes data = load_option(u"debian", short_path(u"\\EFI\\debian\\shimx64.efi"), {}, 9);
  EXPECT_EQ(serialise(std::get<BootOption>(parse_boot_option(data).outcome)), data);
}

TEST(BootOption, KeepsWhatTheLoaderGets) {
  const Bytes data =
      load_option(u"Windows Boot Manager", full_path(u"\\EFI\\Microsoft\\Boot\\bootmgfw.efi"), bytes("WINDOWS\0more"));
  const BootOption option = std::get<BootOption>(parse_boot_option(data).outcome);
  EXPECT_EQ(option.optional, bytes("WINDOWS\0more"));
  EXPECT_EQ(serialise(option), load_option(u"Windows Boot Manager", short_path(u"\\EFI\\Microsoft\\Boot\\bootmgfw.efi"),
                                           bytes("WINDOWS\0more")));
}

TEST(BootOption, AttributesThatTheSpecificationDoesNotHaveAreLeftOut) {
  const Bytes data = load_option(u"x", short_path(u"\\a.efi"), {}, 0x40000109);
  EXPECT_EQ(std::get<BootOption>(parse_boot_option(data).outcome).attributes, 0x109U);
}

TEST(BootOption, AFileWithoutBackslashAndAFileInPieces) {
  EXPECT_EQ(reason_of(load_option(u"x", short_path(u"EFI\\OC\\OpenCore.efi"))), std::nullopt);
  Bytes path = partition_node(1, 1, 1, kSomePartition);
  put(path, file_node(u"\\EFI"));
  put(path, file_node(u"\\a.efi"));
  put(path, end_node());
  EXPECT_EQ(std::get<BootOption>(parse_boot_option(load_option(u"x", path)).outcome).file, u"\\EFI\\a.efi");
}

TEST(BootOption, AnMbrPartitionHasASignatureToo) {
  Bytes path = partition_node(1, 63, 1000, Guid{0x78, 0x56, 0x34, 0x12}, 1, 1);
  put(path, file_node(u"\\a.efi"));
  put(path, end_node());
  EXPECT_EQ(reason_of(load_option(u"x", path)), std::nullopt);
}

TEST(BootOption, WhatOtherFirmwareCannotFindIsNotPortable) {
  const Bytes mark = {0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d, 0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2};
  EXPECT_EQ(reason_of(load_option(u"UEFI VBOX HARDDISK", drive_path(), mark)), Unportable::made_by_firmware);
  EXPECT_EQ(reason_of(load_option(u"EFI DVD/CDROM", drive_path())), Unportable::no_partition);
  Bytes unsigned_partition = partition_node(1, 1, 1, Guid{}, 0x20, 0);
  put(unsigned_partition, file_node(u"\\a.efi"));
  put(unsigned_partition, end_node());
  EXPECT_EQ(reason_of(load_option(u"mac", unsigned_partition)), Unportable::no_signature);
  Bytes no_file = partition_node(1, 1, 1, kSomePartition);
  put(no_file, end_node());
  EXPECT_EQ(reason_of(load_option(u"x", no_file)), Unportable::no_file);
  Bytes other_node = partition_node(1, 1, 1, kSomePartition);
  put(other_node, node(4, 3, Bytes(16, 1)));
  put(other_node, end_node());
  EXPECT_EQ(reason_of(load_option(u"x", other_node)), Unportable::no_file);
}

TEST(BootOption, EveryTruncationIsMalformed) {
  const Bytes whole = load_option(u"debian", full_path(u"\\EFI\\debian\\grubx64.efi"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(reason_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}), Unportable::malformed)
        << size;
  }
}

TEST(BootOption, MalformedPathsAreNotFollowed) {
  Bytes endless = partition_node(1, 1, 1, kSomePartition);
  put(endless, file_node(u"\\a.efi"));
  EXPECT_EQ(reason_of(load_option(u"x", endless)), Unportable::malformed);
  Bytes zero_length = node(4, 1, {});
  set(zero_length, 2, 0, 2);
  EXPECT_EQ(reason_of(load_option(u"x", zero_length)), Unportable::malformed);
  Bytes short_partition = node(4, 1, Bytes(20, 1));
  put(short_partition, file_node(u"\\a.efi"));
  put(short_partition, end_node());
  EXPECT_EQ(reason_of(load_option(u"x", short_partition)), Unportable::malformed);
}

TEST(BootOption, EveryReasonIsExplained) {
  for (const Unportable reason : {Unportable::made_by_firmware, Unportable::no_partition, Unportable::no_signature,
                                  Unportable::no_file, Unportable::malformed}) {
    EXPECT_FALSE(explain(reason).empty());
  }
}

}  // namespace
}  // namespace ferry::firmware
