// SPDX-License-Identifier: Apache-2.0
// Names, UUIDs, DMI strings, guest OS, firmware, TPM, folders, macOS, snapshots.
#include <gtest/gtest.h>

#include "exporters/libvirt/findings.hpp"
#include "tests/export/builders.hpp"
#include "tests/export/real_libvirt.hpp"

namespace ferry::test {
namespace {

constexpr std::string_view kSwapped = "33221100-5544-7766-8899-aabbccddeeff";

std::string entry(const xml::Element &root, const std::string &group, std::string_view name) {
  for (const xml::Element &child : element(root, "sysinfo/" + group).children) {
    if (attribute(child, "name") == name) return child.text;
  }
  return {};
}

TEST(Uuid, IsTheOneThatWasDecided) {
  Fixture fixture(virtualbox_machine());
  fixture.input.identity.uuid = *Uuid::parse(kSwapped);
  fixture.input.identity.uuid_account = {{raise(libvirt::kDomainTainted, {}, "told")},
                                         {{"hardware.smbios.uuid", Disposition::translated, "decided"}}};
  const auto result = fixture.run();
  EXPECT_EQ(element(domain(result), "uuid").text, kSwapped);
  EXPECT_TRUE(found(result, "domain.tainted"));
  EXPECT_EQ(settlement(result, "hardware.smbios.uuid")->note, "decided");
}

TEST(Smbios, StringsOfTheUserArriveAndBadOnesAreReported) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.smbios.strings = {{"system.manufacturer", "ACME & Söhne"},
                                             {"bios.date", "01/31/2020"},
                                             {"baseBoard.asset", "A1"},
                                             {"chassis.sku", "K"},
                                             {"oemStrings.0", "vboxVer_7"},
                                             {"system.wakeup", "6"}};
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(attribute(element(root, "os/smbios"), "mode"), "sysinfo");
  EXPECT_EQ(entry(root, "system", "manufacturer"), "ACME & Söhne");
  EXPECT_EQ(entry(root, "baseBoard", "asset"), "A1");
  EXPECT_EQ(element(root, "sysinfo/oemStrings/entry").text, "vboxVer_7");
  EXPECT_TRUE(found(result, "smbios.string-dropped"));
  EXPECT_EQ(settlement(result, "hardware.smbios.strings.system.wakeup")->disposition, Disposition::dropped);
  EXPECT_EQ(settlement(result, "hardware.smbios.strings.bios.date")->disposition, Disposition::kept);
}

TEST(Smbios, ADateThatLibvirtRefusesIsDropped) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.smbios.strings = {{"bios.date", "2020-01-31"}};
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "smbios.string-dropped"));
  EXPECT_EQ(count(domain(result), "sysinfo"), 0U);
}

TEST(Smbios, PlatformStringsOnRequest) {
  Fixture virtualbox(virtualbox_machine());
  EXPECT_EQ(count(domain(virtualbox.run()), "sysinfo"), 0U);
  virtualbox.input.options.keep_smbios_strings = true;
  EXPECT_EQ(entry(domain(virtualbox.run()), "system", "product"), "VirtualBox");
  Fixture vmware(vmware_machine());
  vmware.input.options.keep_smbios_strings = true;
  const auto result = vmware.run();
  EXPECT_EQ(entry(domain(result), "system", "manufacturer"), "VMware, Inc.");
  EXPECT_EQ(entry(domain(result), "system", "serial"), "VMware-00 11 22 33 44 55 66 77-88 99 aa bb cc dd ee ff");
  EXPECT_TRUE(found(result, "smbios.platform-kept"));
}

// An OVF of a platform that is not known: nothing of VirtualBox's or VMware's is made up for it.
TEST(Platform, OneThatIsNotKnownHasNothingToKeep) {
  Machine machine = virtualbox_machine();
  machine.source.kind = SourceKind::ovf;
  machine.hardware.nics[0].pci_slot.reset();
  Fixture fixture(std::move(machine));
  fixture.input.options.keep_smbios_strings = true;
  fixture.input.options.keep_disk_models = true;
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(count(root, "sysinfo"), 0U);
  EXPECT_FALSE(found(result, "smbios.platform-kept"));
  EXPECT_FALSE(found(result, "domain.tainted"));  // no drive model either
  EXPECT_EQ(settlement(result, "hardware.controllers.0.drives.0.model")->disposition, Disposition::dropped);
  EXPECT_EQ(count(element(root, "devices/controller"), "target"), 0U);  // ACPI hotplug is as QEMU has it
  EXPECT_NE(slot_of(element(root, "devices/interface")), 3);
  EXPECT_NE(slot_of(element(root, "devices/sound")), 5);
  EXPECT_FALSE(found(result, "nic.name-changes"));
}

TEST(Identity, NamesDescriptionAndOsinfo) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.name = "Büro\nPC";
  fixture.machine.description = "two\nlines & more";
  fixture.machine.groups = {"/work"};
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(element(root, "name").text, "box");
  EXPECT_EQ(element(root, "title").text, "Büro PC");
  EXPECT_EQ(element(root, "description").text, "two\nlines & more");
  EXPECT_EQ(attribute(element(root, "metadata/libosinfo/os"), "id"), "http://debian.org/debian/12");
  EXPECT_TRUE(found(result, "machine.groups-dropped"));
}

TEST(Identity, ATitleIsNothingThatATerminalObeys) {
  Fixture fixture(virtualbox_machine());
  fixture.input.identity.title =
      "gpj.\u202eexe\xC2\x9B"
      "1m\x1b]0;\x7f";
  EXPECT_EQ(element(domain(fixture.run()), "title").text, "gpj. exe 1m ]0;");
}

// GNOME Boxes shows no name for a domain without a title.
TEST(Identity, EveryDomainHasATitle) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.name = "box";
  EXPECT_EQ(element(domain(fixture.run()), "title").text, "box");
  fixture.input.identity.title = "copy";
  EXPECT_EQ(element(domain(fixture.run()), "title").text, "copy");
}

// Programs that read the id know no other than those of the host's osinfo-db.
TEST(Identity, ANewerOsinfoIdIsForHostsThatHaveIt) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.guest_os = guest_os_from_virtualbox("Windows2025_64");
  const auto id = [&](unsigned osinfo_db) {
    fixture.host.osinfo_db = osinfo_db;
    return attribute(element(domain(fixture.run()), "metadata/libosinfo/os"), "id");
  };
  EXPECT_EQ(id(0), "http://microsoft.com/win/2k22");
  EXPECT_EQ(id(20221203), "http://microsoft.com/win/2k22");
  EXPECT_EQ(id(kOsinfoNewerRelease), "http://microsoft.com/win/2k25");
  EXPECT_EQ(id(kOsinfoNewerRelease + 1), "http://microsoft.com/win/2k25");
}

TEST(Identity, AnUnknownGuestSystemIsReported) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.guest_os.osinfo_id.clear();
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "guest.os-unknown"));
  EXPECT_EQ(count(domain(result), "metadata"), 0U);
}

// ---- firmware ----

TEST(Firmware, BiosMachinesHaveNoLoader) {
  Fixture fixture(virtualbox_machine());
  EXPECT_EQ(count(domain(fixture.run()), "os/loader"), 0U);
  EXPECT_FALSE(libvirt::choose_firmware(fixture.machine.hardware, debian12(), false));
}

TEST(Firmware, EfiTakesThePlainPairOnBothBoards) {
  for (const Chipset chipset : {Chipset::piix3, Chipset::ich9}) {
    Fixture fixture(virtualbox_machine());
    fixture.machine.hardware.chipset = chipset;
    fixture.machine.hardware.firmware.type = FirmwareType::efi64;
    const auto chosen = libvirt::choose_firmware(fixture.machine.hardware, debian12(), false);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->loader.filename(), "OVMF_CODE_4M.fd");
    EXPECT_EQ(chosen->nvram_template.filename(), "OVMF_VARS_4M.fd");
  }
}

TEST(Firmware, SecureBootTakesEnrolledKeysUnlessTheSourcesOwnAreCarried) {
  Hardware hardware = virtualbox_machine().hardware;
  hardware.firmware.type = FirmwareType::efi64;
  EXPECT_TRUE(libvirt::choose_firmware(hardware, debian12(), true)->features.contains("enrolled-keys"));
  hardware.firmware.nvram_file = "/home/user/box.nvram";
  hardware.firmware.nvram_keys = true;
  EXPECT_FALSE(libvirt::choose_firmware(hardware, debian12(), true)->features.contains("enrolled-keys"));
  hardware.firmware.nvram_keys = false;  // VMware's cannot be read
  EXPECT_TRUE(libvirt::choose_firmware(hardware, debian12(), true)->features.contains("enrolled-keys"));
}

TEST(Firmware, TheLargerStoreIsPreferred) {
  libvirt::HostProfile host = debian12();
  target::FirmwareImage small = host.firmware.back();
  small.loader = "/usr/share/OVMF/OVMF_CODE.fd";
  small.nvram_template = "/usr/share/OVMF/OVMF_VARS.fd";
  small.vars_size = 131072;
  host.firmware.insert(host.firmware.begin(), small);
  Hardware hardware = virtualbox_machine().hardware;
  hardware.firmware.type = FirmwareType::efi64;
  EXPECT_EQ(libvirt::choose_firmware(hardware, host, false)->vars_size, 540672U);
}

TEST(Firmware, AHostWithoutIsRefusedWithAdvice) {
  libvirt::HostProfile host = debian12();
  host.firmware.clear();
  Hardware hardware = virtualbox_machine().hardware;
  hardware.firmware.type = FirmwareType::efi64;
  try {
    (void)libvirt::choose_firmware(hardware, host, false);
    FAIL() << "firmware from nowhere";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_NE(error.detail().advice.find("ovmf"), std::string::npos);
  }
}

TEST(Firmware, LoaderAndStoreAreNamedAndAcpiIsOn) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.firmware.type = FirmwareType::efi64;
  fixture.machine.hardware.firmware.acpi = false;
  fixture.input.firmware = target::Firmware{*libvirt::choose_firmware(fixture.machine.hardware, fixture.host, false),
                                            "/var/tmp/images/box_VARS.fd", false};
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(element(root, "os/loader").text, "/usr/share/OVMF/OVMF_CODE_4M.fd");
  EXPECT_EQ(element(root, "os/nvram").text, "/var/tmp/images/box_VARS.fd");
  EXPECT_EQ(count(root, "features/acpi"), 1U);
  EXPECT_EQ(settlement(result, "hardware.firmware.acpi")->disposition, Disposition::translated);
}

TEST(Firmware, BootMenuAndIoapic) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.firmware.boot_menu = true;
  fixture.machine.hardware.firmware.boot_menu_timeout_ms = 3000;
  fixture.machine.hardware.firmware.ioapic = false;
  const auto result = fixture.run();
  EXPECT_EQ(attribute(element(domain(result), "os/bootmenu"), "timeout"), "3000");
  EXPECT_TRUE(found(result, "cpu.ioapic-on"));
}

// ---- TPM, folders, macOS ----

TEST(Tpm, IsEmulatedWithAWarningOnSealedKeys) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.tpm = Tpm{};
  const auto result = fixture.run();
  EXPECT_EQ(attribute(element(domain(result), "devices/tpm"), "model"), "tpm-crb");
  EXPECT_TRUE(found(result, "tpm.sealed"));
  fixture.machine.hardware.tpm->version = Tpm::Version::v1_2;
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(attribute(element(root, "devices/tpm"), "model"), "tpm-tis");
  EXPECT_EQ(attribute(element(root, "devices/tpm/backend"), "version"), "1.2");
}

TEST(Tpm, IsDroppedWithoutAnEmulator) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.tpm = Tpm{};
  fixture.host.swtpm_setup = false;
  const auto result = fixture.run();
  EXPECT_EQ(count(domain(result), "devices/tpm"), 0U);
  EXPECT_TRUE(found(result, "tpm.dropped"));
}

std::vector<SharedFolder> folders() {
  return {{.name = "docs", .host_path = "/home/user/docs", .writable = true},
          {.name = "all", .host_path = "/", .writable = true},
          {.name = "home", .host_path = "/home/user", .writable = true},
          {.name = "etc", .host_path = "/home/../etc/ssh", .writable = true},
          {.name = "ro", .host_path = "/home/user/ro", .writable = false}};
}

TEST(Folders, AreLeftOutUnlessAskedFor) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.shared_folders = folders();
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "folder.dropped"));
  EXPECT_EQ(count(domain(result), "devices/filesystem"), 0U);
}

TEST(Folders, VirtiofsTakesNarrowWritableFoldersOnly) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.shared_folders = folders();
  fixture.input.options.shared_folders = true;
  fixture.host = debian13();
  fixture.host.libvirt_version = 10010000;  // read-only virtiofs is of 11.0
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(count(root, "devices/filesystem"), 1U);
  EXPECT_EQ(attribute(element(root, "devices/filesystem/source"), "dir"), "/home/user/docs");
  EXPECT_EQ(attribute(element(root, "memoryBacking/access"), "mode"), "shared");
  EXPECT_TRUE(found(result, "folder.dropped"));
  fixture.host = debian13();
  EXPECT_EQ(count(domain(fixture.run()), "devices/filesystem"), 2U);
}

TEST(Folders, TagsAreWholeCharactersAndUnique) {
  Fixture fixture(virtualbox_machine());
  const std::string name = "twenty bytes, then: \u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4x";  // 37 bytes
  fixture.machine.hardware.shared_folders = {
      {.name = name, .host_path = "/home/user/docs", .writable = true},
      {.name = name + "y", .host_path = "/home/user/music", .writable = true},
  };
  fixture.input.options.shared_folders = true;
  fixture.host = debian13();
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(attribute(*element(root, "devices/filesystem", 0).child("target"), "dir"), name.substr(0, 36));
  EXPECT_EQ(attribute(*element(root, "devices/filesystem", 1).child("target"), "dir"), name.substr(0, 34) + "-2");
}

TEST(Folders, ASessionOfLibvirt9CannotShare) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.shared_folders = folders();
  fixture.input.options.shared_folders = true;
  EXPECT_EQ(count(domain(fixture.run()), "devices/filesystem"), 0U);
}

TEST(Macos, KeyAndCpu) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.guest_os.family = OsFamily::macos;
  fixture.machine.extra["smc.key"] = "not, the key";
  const auto result = fixture.run();
  EXPECT_NE(result.document.find("isa-applesmc,osk=not,, the key"), std::string::npos);
  EXPECT_EQ(element(domain(result), "cpu/model").text, "Penryn");
  EXPECT_TRUE(found(result, "macos.cpu"));
  fixture.machine.extra.clear();
  EXPECT_TRUE(found(fixture.run(), "macos.no-smc-key"));
}

TEST(Macos, WithoutAnSmcAsBeforeIsNoFault) {
  Fixture fixture(vmware_machine());
  fixture.machine.guest_os.family = OsFamily::macos;
  fixture.machine.extra["smc.present"] = "false";
  EXPECT_FALSE(found(fixture.run(), "macos.no-smc-key"));
  fixture.machine.extra["smc.present"] = "true";
  EXPECT_TRUE(found(fixture.run(), "macos.no-smc-key"));
}

TEST(Macos, FromRelease13OnTheCpuHasAvx2) {
  Fixture fixture(vmware_machine());
  fixture.machine.guest_os.family = OsFamily::macos;
  const auto cpu = [&](unsigned darwin, std::set<std::string> models, bool kvm) {
    fixture.machine.guest_os.darwin = darwin;
    fixture.host.cpu_models = std::move(models);
    fixture.host.kvm = kvm;
    fixture.host.cpu_modes.clear();  // not known: nothing is held against the host
    const auto result = fixture.run();
    const xml::Element root = domain(result);
    const xml::Element &chosen = element(root, "cpu");
    const xml::Element *model = chosen.child("model");
    return (model == nullptr ? attribute(chosen, "mode") : model->text) + (found(result, "macos.cpu-too-old") ? "!"
                                                                           : found(result, "macos.cpu")       ? ""
                                                                                                              : "?");
  };
  EXPECT_EQ(cpu(21, {"Penryn", "Haswell-noTSX"}, true), "Penryn");
  EXPECT_EQ(cpu(22, {"Penryn", "Haswell", "Haswell-noTSX"}, true), "Haswell-noTSX");
  EXPECT_EQ(cpu(24, {"Penryn", "Haswell", "Skylake-Client-IBRS"}, false), "Skylake-Client-IBRS");
  EXPECT_EQ(cpu(25, {"Penryn", "EPYC-Rome"}, true), "host-passthrough");
  EXPECT_EQ(cpu(22, {"Penryn", "Nehalem"}, true), "host-passthrough!");
  EXPECT_NE(cpu(22, {"Penryn", "Nehalem"}, false).find('!'), std::string::npos);
}

// A machine of QEMU's own names its CPU and card: they stay where its release can use them.
TEST(Macos, WhatACommandNamesStaysWhereTheReleaseKnowsIt) {
  Fixture fixture(vmware_machine());
  fixture.machine.guest_os.family = OsFamily::macos;
  Hardware &hardware = fixture.machine.hardware;
  hardware.machine_type = "pc";
  hardware.cpu = {};
  hardware.controllers.clear();  // those of the other platform
  hardware.sound.reset();
  hardware.display.adapter = Display::Adapter::none;
  const auto cpu = [&](std::optional<unsigned> darwin, const std::string &named, std::set<std::string> models, bool kvm,
                       bool avx2 = false) {
    fixture.machine.guest_os.darwin = darwin;
    fixture.machine.hardware.cpu.model = named;
    fixture.machine.hardware.cpu.features.clear();
    if (avx2) fixture.machine.hardware.cpu.features.push_back({"avx2", true});
    fixture.host.cpu_models = std::move(models);
    fixture.host.kvm = kvm;
    const auto result = fixture.run();
    const xml::Element root = domain(result);
    const xml::Element &chosen = element(root, "cpu");
    const xml::Element *model = chosen.child("model");
    return (model == nullptr ? attribute(chosen, "mode") : model->text) + (found(result, "macos.cpu-too-old") ? "!"
                                                                           : found(result, "macos.cpu")       ? "*"
                                                                                                              : "");
  };
  const std::set<std::string> modern = {"Penryn", "Haswell-noTSX", "Skylake-Client-IBRS"};
  // Nobody says which release: what the command says.
  EXPECT_EQ(cpu(std::nullopt, "Penryn", modern, true), "Penryn");
  EXPECT_EQ(cpu(std::nullopt, "qemu64", modern, true), "qemu64");
  EXPECT_EQ(cpu(21, "Penryn", modern, true), "Penryn");
  EXPECT_EQ(cpu(21, "qemu64", modern, true), "Penryn*") << "no macOS boots on it";
  EXPECT_EQ(cpu(22, "Skylake-Client-IBRS", modern, true), "Skylake-Client-IBRS");
  EXPECT_EQ(cpu(22, "Penryn", modern, true, true), "Penryn") << "with AVX2, as the command asks";
  EXPECT_EQ(cpu(22, "host", modern, true), "host-passthrough");
  EXPECT_EQ(cpu(22, "Penryn", modern, true), "Haswell-noTSX*");
  EXPECT_EQ(cpu(23, "Haswell", modern, true), "Haswell-noTSX*") << "one that the host can show";
  EXPECT_EQ(cpu(24, "Penryn", {"Penryn", "EPYC"}, true), "host-passthrough*");
  EXPECT_EQ(cpu(24, "Penryn", {"Penryn"}, true, true), "Penryn!");
  EXPECT_EQ(cpu(24, "host", {"Penryn"}, false), "maximum!");
}

TEST(Macos, ACardThatTheReleaseHasNoDriverForIsAnother) {
  Fixture fixture(vmware_machine());
  fixture.machine.guest_os.family = OsFamily::macos;
  fixture.machine.hardware.nics.resize(1);
  const auto card = [&](std::optional<unsigned> darwin, NicModel model) {
    fixture.machine.guest_os.darwin = darwin;
    fixture.machine.hardware.nics[0].model = model;
    const auto result = fixture.run();
    return attribute(element(domain(result), "devices/interface/model"), "type") +
           (found(result, "macos.nic") ? "*" : "");
  };
  EXPECT_EQ(card(std::nullopt, NicModel::virtio), "virtio");
  EXPECT_EQ(card(17, NicModel::virtio), "vmxnet3*");
  EXPECT_EQ(card(13, NicModel::virtio), "e1000-82545em*");
  EXPECT_EQ(card(19, NicModel::virtio), "virtio");
  EXPECT_EQ(card(22, NicModel::e1000_82540em), "vmxnet3*");
  EXPECT_EQ(card(10, NicModel::e1000_82540em), "e1000");
  EXPECT_EQ(card(22, NicModel::e1000_82545em), "e1000-82545em");
  EXPECT_EQ(card(14, NicModel::vmxnet3), "vmxnet3");
  EXPECT_EQ(card(14, NicModel::am79c970a), "e1000-82545em*");
}

// ---- snapshots ----

TEST(SnapshotXml, IsTakenByARealLibvirt) {
  Fixture fixture(virtualbox_machine());
  const auto result = fixture.run();
  target::SnapshotRequest input;
  input.name = "before <update>";
  input.description = "a & b";
  input.created = 1700000000;
  input.machine_document = result.document;
  for (const target::Disk &disk : result.disks) {
    (fixture.machine.hardware.controllers[disk.controller].drives[disk.drive].medium ? input.disk_targets
                                                                                     : input.other_targets)
        .push_back(disk.target);
  }
  const std::string text = libvirt::snapshot_xml(input);
  const xml::Element root = xml::parse(text, "snapshot.xml");
  EXPECT_EQ(element(root, "name").text, "before <update>");
  EXPECT_EQ(element(root, "creationTime").text, "1700000000");
  EXPECT_EQ(element(root, "domain/uuid").text, element(domain(result), "uuid").text);
  bool skipped = false;
  const auto message = define_snapshot_in_real_libvirt(result.document, text, skipped);
  EXPECT_FALSE(message.has_value()) << *message << "\n" << text;
}

// GNOME Boxes lists snapshots by their descriptions.
TEST(SnapshotXml, WithoutADescriptionHasItsNameAsOne) {
  Fixture fixture(virtualbox_machine());
  target::SnapshotRequest input;
  input.name = "before the update";
  input.machine_document = fixture.map().document;
  EXPECT_EQ(element(xml::parse(libvirt::snapshot_xml(input), "s.xml"), "description").text, "before the update");
  input.description = "what the user wrote";
  EXPECT_EQ(element(xml::parse(libvirt::snapshot_xml(input), "s.xml"), "description").text, "what the user wrote");
}

// libvirt counts every writable disk in, and a floppy's raw image takes no internal snapshot.
TEST(SnapshotXml, AFloppyDriveStaysOutWithAndWithoutAnImage) {
  for (const bool inserted : {false, true}) {
    Machine machine = virtualbox_machine();
    Drive floppy = disk_drive(0);
    floppy.kind = DriveKind::floppy;
    if (!inserted) floppy.medium.reset();
    machine.hardware.controllers.push_back(controller(ControllerType::floppy, "floppy", {floppy}));
    Fixture fixture(machine);
    fixture.make_media("/var/tmp", "qcow2");
    const auto result = fixture.map();
    target::SnapshotRequest input;
    input.name = "s";
    input.machine_document = result.document;
    for (const target::Disk &disk : result.disks) {
      const Drive &drive = fixture.machine.hardware.controllers[disk.controller].drives[disk.drive];
      (drive.kind == DriveKind::disk ? input.disk_targets : input.other_targets).push_back(disk.target);
    }
    EXPECT_EQ(input.other_targets.back(), "fda");
    bool skipped = false;
    const auto message = define_snapshot_in_real_libvirt(result.document, libvirt::snapshot_xml(input), skipped);
    EXPECT_FALSE(message.has_value()) << *message << "\n" << result.document;
  }
}

}  // namespace
}  // namespace ferry::test
