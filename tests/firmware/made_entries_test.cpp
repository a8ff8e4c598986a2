// SPDX-License-Identifier: Apache-2.0
#include "converters/firmware/made_entries.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "converters/firmware/boot_option.hpp"

namespace ferry::firmware {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SeenLoader on_disk(const std::string &file) {
  return {.partition = 1,
          .start = 2048,
          .length = 204800,
          .partition_id = "11111111-2222-3333-4444-555555555555",
          .file = file};
}

std::vector<std::string> made(const std::vector<std::string> &files, const std::string &architecture = "x86_64") {
  std::vector<SeenLoader> loaders;
  for (const std::string &file : files) loaders.push_back(on_disk(file));
  std::vector<std::string> out;
  for (const KeptEntry &one : entries_for(loaders, architecture, {}).kept)
    out.push_back(one.description + " " + one.file);
  return out;
}

TEST(MadeEntries, AreThoseOfTheGuestsOwnInstaller) {
  EXPECT_THAT(made({"\\EFI\\debian\\fbx64.efi", "\\EFI\\debian\\grubx64.efi", "\\EFI\\debian\\mmx64.efi",
                    "\\EFI\\debian\\shimx64.efi"}),
              ElementsAre("debian \\EFI\\debian\\shimx64.efi"));
  EXPECT_THAT(made({"\\EFI\\arch\\grubx64.efi"}), ElementsAre("arch \\EFI\\arch\\grubx64.efi"));
  EXPECT_THAT(made({"\\EFI\\opensuse\\grub.efi", "\\EFI\\opensuse\\shim.efi"}),
              ElementsAre("opensuse \\EFI\\opensuse\\shim.efi"));
  EXPECT_THAT(made({"\\EFI\\systemd\\systemd-bootx64.efi", "\\EFI\\BOOT\\BOOTX64.EFI"}),
              ElementsAre("Linux Boot Manager \\EFI\\systemd\\systemd-bootx64.efi"));
  EXPECT_THAT(
      made({"\\EFI\\Microsoft\\Boot\\bootmgfw.efi", "\\EFI\\Microsoft\\Boot\\memtest.efi",
            "\\EFI\\ubuntu\\shimx64.efi"}),
      ElementsAre("ubuntu \\EFI\\ubuntu\\shimx64.efi", "Windows Boot Manager \\EFI\\Microsoft\\Boot\\bootmgfw.efi"));
  EXPECT_THAT(made({"\\EFI\\fedora\\shimx64.efi", "\\EFI\\fedora\\shimaa64.efi"}, "aarch64"),
              ElementsAre("fedora \\EFI\\fedora\\shimaa64.efi"));
}

TEST(MadeEntries, WhatFirmwareFindsByItselfNeedsNone) {
  EXPECT_THAT(made({"\\EFI\\BOOT\\BOOTX64.EFI", "\\EFI\\BOOT\\grubx64.efi", "\\EFI\\tools\\shell.efi"}), IsEmpty());
  EXPECT_THAT(entries_for({}, "x86_64", {}).findings, IsEmpty());
}

TEST(MadeEntries, AreReadBackAsThosePathsOfThatPartition) {
  const Selection selection = entries_for({on_disk("\\EFI\\debian\\shimx64.efi")}, "x86_64", {});
  ASSERT_EQ(selection.boot_entries.size(), 1U);
  EXPECT_EQ(selection.boot_entries[0].name, u"Boot0000");
  EXPECT_THAT(selection.order, ElementsAre(0));
  ASSERT_EQ(selection.findings.size(), 1U);
  EXPECT_EQ(selection.findings[0].id, "firmware.boot-entries-made");
  const ParsedOption parsed = parse_boot_option(selection.boot_entries[0].data);
  EXPECT_EQ(parsed.description, u"debian");
  ASSERT_TRUE(std::holds_alternative<BootOption>(parsed.outcome));
  EXPECT_EQ(std::get<BootOption>(parsed.outcome).file, u"\\EFI\\debian\\shimx64.efi");
  // The partition's GUID stands in the path as it does in the table.
  const std::vector<std::uint8_t> &data = selection.boot_entries[0].data;
  const std::vector<std::uint8_t> id{0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
                                     0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55};
  EXPECT_NE(std::search(data.begin(), data.end(), id.begin(), id.end()), data.end());
}

}  // namespace
}  // namespace ferry::firmware
