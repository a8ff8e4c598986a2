// SPDX-License-Identifier: Apache-2.0
// Firmware, its variables, what it boots and what it says of the machine.
#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

TEST(Firmware, TypesAndDefaults) {
  const Firmware bios = hardware_of("").firmware;
  EXPECT_EQ(bios.type, FirmwareType::bios);
  EXPECT_TRUE(bios.acpi);
  EXPECT_FALSE(bios.ioapic);
  EXPECT_EQ(hardware_of("<Firmware type='EFI32'/>").firmware.type, FirmwareType::efi32);
  EXPECT_EQ(hardware_of("<Firmware type='EFI64'/>").firmware.type, FirmwareType::efi64);
  EXPECT_EQ(guest_with("<Firmware type='EFI'/>", "Debian_64").firmware.type, FirmwareType::efi64);
  EXPECT_EQ(guest_with("<CPU><LongMode enabled='false'/></CPU><Firmware type='EFI'/>", "Debian").firmware.type,
            FirmwareType::efi32);
  EXPECT_EQ(hardware_of("<Firmware type='2'/>").firmware.type, FirmwareType::efi64);  // development builds
}

TEST(Firmware, EfiHasTheWidthOfTheCpu) {
  const auto type = [](const std::string &word, const std::string &cpu, const std::string &version) {
    Text text;
    text.version = version;
    text.os_type = "Windows7";
    text.hardware = "<CPU>" + cpu + "</CPU><Firmware type='" + word + "'/>";
    return import_text(text).machine.hardware.firmware.type;
  };
  for (const char *word : {"EFI", "EFIDUAL"}) {
    EXPECT_EQ(type(word, "<LongMode enabled='true'/>", "1.19-linux"), FirmwareType::efi64);
    EXPECT_EQ(type(word, "<LongMode enabled='false'/>", "1.19-linux"), FirmwareType::efi32);
    EXPECT_EQ(type(word, "", "1.14-linux"), FirmwareType::efi64);  // the host's
    EXPECT_EQ(type(word, "", "1.12-linux"), FirmwareType::efi32);  // the guest type's
  }
}

TEST(Firmware, OfTwoElementsWithSwitchesTheVersionChooses) {
  const std::string both =
      "<Firmware type='BIOS'><IOAPIC enabled='true'/></Firmware><BIOS><IOAPIC enabled='false'/></BIOS>";
  EXPECT_TRUE(hardware_of(both, "1.20-linux").firmware.ioapic);
  EXPECT_FALSE(hardware_of(both, "1.19-linux").firmware.ioapic);
  EXPECT_TRUE(hardware_of("<BIOS><IOAPIC enabled='true'/></BIOS>", "1.20-linux").firmware.ioapic);
  Text text;
  for (const char *version : {"1.19-linux", "1.20-linux"}) {
    text.version = version;
    text.hardware = both;
    EXPECT_TRUE(unknown_settings(import_text(text)).empty()) << version;
  }
}

TEST(Firmware, BootMenuAndSwitches) {
  const Hardware hw = hardware_of(
      "<BIOS><ACPI enabled='false'/><IOAPIC enabled='true'/><APIC mode='Disabled'/>"
      "<Logo displayTime='1500'/><BootMenu mode='disabled'/></BIOS>");
  EXPECT_FALSE(hw.firmware.acpi);
  EXPECT_TRUE(hw.firmware.ioapic);
  EXPECT_EQ(hw.cpu.apic, false);
  EXPECT_EQ(hw.firmware.boot_menu, false);
  EXPECT_EQ(hw.firmware.boot_menu_timeout_ms, 1500U);
}

TEST(Firmware, NvramBesideTheMachineIsUsedWithoutAnElement) {
  const Folder folder;
  const auto file = folder.write("m.nvram");
  Text text;
  text.hardware = "<Firmware type='EFI64'/>";
  const Firmware firmware = import_in(folder, text).machine.hardware.firmware;
  EXPECT_EQ(firmware.nvram_file, file);
  EXPECT_TRUE(firmware.nvram_keys);
  text.hardware = "";  // a BIOS machine has no variables
  EXPECT_FALSE(import_in(folder, text).machine.hardware.firmware.nvram_file);
  text.hardware = "<TrustedPlatformModule type='v2_0'/>";  // but a TPM keeps its state there
  EXPECT_EQ(import_in(folder, text).machine.hardware.firmware.nvram_file, file);
}

TEST(Firmware, NvramThatIsNamedAndNotThere) {
  Text text;
  text.hardware = "<Firmware type='EFI64'/><BIOS><NVRAM path='x.nvram'/></BIOS>";
  EXPECT_EQ(count_findings(import_text(text), kNvramMissing), 1U);
  const Folder folder;
  const auto file = folder.write("x.nvram");
  EXPECT_EQ(import_in(folder, text).machine.hardware.firmware.nvram_file, file);
}

TEST(Firmware, EncryptedNvramIsSaidAndItsKeyHidden) {
  Text text;
  text.version = "1.19-linux";
  text.hardware = "<Firmware type='EFI64'/><BIOS><NVRAM path='x.nvram' keyId='k' keyStore='topsecret'/></BIOS>";
  const ImportedMachine got = import_text(text);
  EXPECT_TRUE(got.machine.hardware.firmware.nvram_encrypted);
  EXPECT_EQ(count_findings(got, kNvramEncrypted), 1U);
  EXPECT_EQ(entry_of(got, "/NVRAM/@keyStore")->value, "(secret)");
}

TEST(Firmware, TpmKinds) {
  EXPECT_FALSE(hardware_of("<TrustedPlatformModule type='None'/>").tpm);
  EXPECT_EQ(hardware_of("<TrustedPlatformModule type='v1_2'/>").tpm->version, Tpm::Version::v1_2);
  EXPECT_EQ(hardware_of("<TrustedPlatformModule type='v2_0'/>").tpm->version, Tpm::Version::v2_0);
  EXPECT_EQ(hardware_of("<TrustedPlatformModule type='Host'/>").tpm->version, Tpm::Version::host);
  EXPECT_EQ(hardware_of("<TrustedPlatformModule type='Swtpm' location='tcp://x'/>").tpm->version, Tpm::Version::swtpm);
}

TEST(Firmware, BootOrder) {
  using Kind = BootDevice::Kind;
  const auto kinds = [](const std::string &boot) {
    std::vector<Kind> out;
    for (const BootDevice &device : hardware_of(boot).boot_order) out.push_back(device.kind);
    return out;
  };
  EXPECT_EQ(kinds(""), (std::vector<Kind>{Kind::floppy, Kind::cdrom, Kind::disk}));
  EXPECT_EQ(kinds("<Boot><Order position='3' device='HardDisk'/><Order position='1' device='Network'/>"
                  "<Order position='2' device='None'/></Boot>"),
            (std::vector<Kind>{Kind::network, Kind::disk}));
  EXPECT_EQ(kinds("<Boot><Order position='1' device='None'/></Boot>"), std::vector<Kind>{Kind::none});
}

TEST(Smbios, UuidAndByteOrder) {
  Text text;
  Smbios smbios = import_text(text).machine.hardware.smbios;
  EXPECT_EQ(smbios.uuid->text(), "aabbccdd-0011-2233-4455-66778899aabb");
  EXPECT_FALSE(smbios.uuid_little_endian);
  EXPECT_TRUE(smbios.older_than_2_6);
  text.hardware_attributes = "uuid='{11111111-2222-3333-4444-555555555555}'";
  text.hardware = "<BIOS><SmbiosUuidLittleEndian enabled='true'/><AutoSerialNumGen enabled='true'/></BIOS>";
  smbios = import_text(text).machine.hardware.smbios;
  EXPECT_EQ(smbios.uuid->text(), "11111111-2222-3333-4444-555555555555");
  EXPECT_TRUE(smbios.uuid_little_endian);
  EXPECT_EQ(smbios.strings.at("system.serial"), "VirtualBox-11111111-2222-3333-4444-555555555555");
  text.hardware_attributes = "uuid='nonsense'";
  EXPECT_EQ(error_of(text).kind(), ErrorKind::malformed);
}

}  // namespace
}  // namespace ferry::vbox::test
