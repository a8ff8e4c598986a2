// SPDX-License-Identifier: Apache-2.0
// What VirtualBox and VMware add to a package of theirs, and what they do when it is silent.
#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {

// A VirtualBox package with the machine's own description and a file of EFI variables.
std::string virtualbox_package(const std::string &references, const std::string &items, const std::string &nvram) {
  std::string out = descriptor({.references = references, .items = kMemory + items, .type = "virtualbox-2.2"});
  const std::string machine =
      R"(<vbox:Machine xmlns:vbox="http://www.virtualbox.org/ovf/machine" version="1.19-linux" name="aio" OSType="Debian_64")"
      R"( uuid="{d7e1a1f4-5d1e-4a3c-9f35-7f0d1f2a3b4c}"><Hardware><Memory RAMSize="512"/><Firmware type="EFI"/>)"
      R"(<BIOS><NVRAM path=")" +
      nvram + R"("/></BIOS></Hardware></vbox:Machine>)";
  return out.insert(out.find("</VirtualSystem>"), machine);
}

TEST(BootOrder, ADeviceThatIsNamedIsTheOneThatBoots) {
  const auto order =
      import_one({.system =
                      R"(<vmw:BootOrderSection vmw:type="disk" vmw:instanceId="50"><Info/></vmw:BootOrderSection>)"
                      R"(<vmw:BootOrderSection vmw:type="net" vmw:instanceId="9"><Info/></vmw:BootOrderSection>)",
                  .items = kMemory + item(6, "InstanceID", "3", "Address", "1") + disk_on("3", "2", "50") +
                           item(10, "InstanceID", "8") + item(10, "InstanceID", "9")})
          .machine.hardware.boot_order;
  ASSERT_EQ(order.size(), 2U);
  EXPECT_EQ(order[0].detail, "scsi1:2");
  EXPECT_EQ(order[1].detail, "ethernet1");
}

TEST(VirtualBoxNvram, IsFoundByItemByNameOrAsTheOnlyOne) {
  const TempFolder folder;
  for (const char *name : {"aio.nvram", "other.nvram"}) write_file(folder.path() / name, "variables");
  const auto found = [&](const std::string &references, const std::string &items, const std::string &nvram) {
    write_file(folder.path() / "m.ovf", virtualbox_package(references, items, nvram));
    const ImportedMachine imported = import_file(folder.path() / "m.ovf", {}).at(0);
    const auto &file = imported.machine.hardware.firmware.nvram_file;
    return (file ? file->filename().string() : "") + (has_finding(imported, "vbox.nvram-missing") ? "!" : "");
  };
  const std::string own = R"(<File ovf:id="a" ovf:href="aio.nvram"/>)",
                    other = R"(<File ovf:id="b" ovf:href="other.nvram"/>)";
  const std::string path = "C:/Users/someone/VirtualBox VMs/aio/aio.nvram";
  EXPECT_EQ(found(other + own, item(1, "HostResource", "/file/b"), path), "other.nvram");
  EXPECT_EQ(found(other + own, "", path), "aio.nvram");
  EXPECT_EQ(found(other + own, "", "x\\elsewhere.nvram"), "aio.nvram");  // by the machine's name
  EXPECT_EQ(found(other, "", "elsewhere.nvram"), "other.nvram");
  EXPECT_EQ(found("", "", "aio.nvram"), "aio.nvram");
  EXPECT_EQ(found("", "", "C:/lost/elsewhere.nvram"), "!");
  EXPECT_EQ(found(R"(<File ovf:id="l" ovf:href="lost.nvram"/>)", "", "lost.nvram"), "!");
}

TEST(VirtualBoxNvram, IsReadInPlaceInsideAnArchive) {
  const TempFolder folder;
  write_tar(
      folder.path() / "m.ova",
      {{.name = "m.ovf", .text = virtualbox_package(R"(<File ovf:id="a" ovf:href="aio.nvram"/>)", "", "aio.nvram")},
       {.name = "aio.nvram", .text = "variables"}});
  const ImportedMachine imported = import_file(folder.path() / "m.ova", {}).at(0);
  ASSERT_TRUE(imported.machine.hardware.firmware.nvram_inside);
  EXPECT_EQ(read_range(*imported.machine.hardware.firmware.nvram_inside), "variables");
}

TEST(ExtraConfig, TheBiosOrderOfDisksIsTaken) {
  const auto order =
      import_one({.items = kMemory + R"(<vmw:ExtraConfig vmw:key="bios.hddOrder" vmw:value="scsi0:1,ide0:0"/>)" +
                           R"(<vmw:ExtraConfig vmw:key="bios.bootOrder" vmw:value="cdrom,hdd"/>)"})
          .machine.hardware.boot_order;
  ASSERT_EQ(order.size(), 3U);
  EXPECT_EQ(order[0].kind, BootDevice::Kind::cdrom);
  EXPECT_EQ(order[1].detail, "scsi0:1");
  EXPECT_EQ(order[2].detail, "ide0:0");
}

TEST(ExtraConfig, WhatTheGuestCanSeeIsMapped) {
  const auto imported = import_one(
      {.items = kMemory + R"(<vmw:ExtraConfig vmw:key="hypervisor.cpuid.v0" vmw:value="FALSE"/>)"
                          R"(<vmw:ExtraConfig vmw:key="rtc.diffFromUTC" vmw:value="-3600"/>)"
                          R"(<vmw:ExtraConfig vmw:key="SMBIOS.assetTag" vmw:value="K7"/>)"
                          R"(<vmw:ExtraConfig vmw:key="disk.EnableUUID" vmw:value="TRUE" vmw:note="by hand"/>)"});
  const Hardware &hardware = imported.machine.hardware;
  ASSERT_EQ(hardware.cpu.features.size(), 1U);
  EXPECT_EQ(hardware.cpu.features.at(0).name, "hypervisor");
  EXPECT_FALSE(hardware.cpu.features.at(0).enabled);
  EXPECT_EQ(hardware.clock.offset_ms, -3600000);
  EXPECT_EQ(hardware.smbios.strings.at("chassis.asset"), "K7");
  EXPECT_EQ(imported.machine.extra.at("disk.enable_uuid"), "true");
  EXPECT_EQ(count_unknown(imported), 0U);
}

// The name and the content decide whose defaults hold; a package of nobody we know has none.
TEST(Defaults, AreThoseOfThePlatformThatThePackageNames) {
  const std::string items = kMemory + item(3, "VirtualQuantity", "4") + item(10, "ResourceSubType", "E1000") +
                            item(35, "ResourceSubType", "ac97");
  const auto from = [&](const std::string &type, const std::string &system = {}, const std::string &more = {}) {
    return import_one({.system = system, .items = items + more, .type = type}).machine.hardware;
  };
  const Hardware virtualbox = from("virtualbox-2.2");
  EXPECT_EQ(virtualbox.platform.nic_names, NicNames::by_path);
  EXPECT_EQ(virtualbox.nics.at(0).pci_slot, 3U);
  EXPECT_EQ(virtualbox.nics.at(0).nat_cidr, "10.0.2.0/24");
  EXPECT_EQ(virtualbox.sound->pci_slot, 5U);
  EXPECT_EQ(virtualbox.cpu.cores_per_socket, 4U);
  EXPECT_EQ(virtualbox.boot_order.at(1).kind, BootDevice::Kind::cdrom);
  const Hardware vmware = from("vmx-19");
  EXPECT_EQ(vmware.platform.nic_names, NicNames::by_slot);
  EXPECT_FALSE(vmware.nics.at(0).pci_slot);
  EXPECT_EQ(vmware.cpu.cores_per_socket, 1U);
  EXPECT_EQ(vmware.boot_order.size(), 4U);
  for (const char *type : {"xen-3.0-x86_64", "hvm-3.0-unknown", "kvm", "DMTF:ovf:something", ""}) {
    const Hardware other = from(type);
    EXPECT_EQ(other.platform.nic_names, NicNames::unknown) << type;
    EXPECT_TRUE(other.platform.smbios_strings.empty() && other.platform.drive_models.empty()) << type;
    EXPECT_FALSE(other.nics.at(0).pci_slot || other.nics.at(0).nat_cidr || other.sound->pci_slot) << type;
    EXPECT_FALSE(other.cpu.cores_per_socket) << type;
    EXPECT_TRUE(other.boot_order.empty()) << type;
  }
}

TEST(Defaults, WithoutANameTheExtensionsDecide) {
  const auto names = [](const std::string &type, const std::string &system, const std::string &item = {}) {
    return import_one({.system = system, .items = kMemory + item, .type = type}).machine.hardware.platform.nic_names;
  };
  const std::string vmware =
      R"(<OperatingSystemSection ovf:id="101" vmw:osType="otherLinux64Guest"><Info/></OperatingSystemSection>)";
  const std::string virtualbox =
      R"(<OperatingSystemSection ovf:id="101"><Info/><vbox:OSType ovf:required="false">Linux_64</vbox:OSType></OperatingSystemSection>)";
  EXPECT_EQ(names("", vmware), NicNames::by_slot);
  EXPECT_EQ(names("", virtualbox), NicNames::by_path);
  EXPECT_EQ(names("", "", R"(<vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="bios"/>)"),
            NicNames::by_slot);
  EXPECT_EQ(names("hvm-3.0-unknown", vmware), NicNames::unknown);  // a name is a name
}

TEST(ExtraConfig, FirmwareVariablesByTheirFilesIdGoToTheirOwnField) {
  const auto imported =
      import_one({.references = R"(<File ovf:id="nv" ovf:href="m.nvram"/>)",
                  .items = kMemory + R"(<vmw:ExtraConfig vmw:key="nvram" vmw:value="ovf:/file/nv"/>)"});
  EXPECT_TRUE(has_finding(imported, "ovf.file-missing"));
  EXPECT_EQ(entry(imported, "/File/@href").field, "hardware.firmware.nvram_file");
}

TEST(ExtraConfig, FirmwareVariablesWithoutANameAreNone) {
  const auto imported = import_one({.items = kMemory + R"(<vmw:ExtraConfig ovf:required="false" vmw:key="nvram"/>)" +
                                             R"(<vmw:ExtraConfig vmw:key="vmware.pbm://x/y" vmw:value="{}"/>)"});
  EXPECT_FALSE(imported.machine.hardware.firmware.nvram_file);
  EXPECT_EQ(count_unknown(imported), 0U);
}

}  // namespace
}  // namespace ferry::ovf::test
