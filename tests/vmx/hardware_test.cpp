// SPDX-License-Identifier: Apache-2.0
#include "importers/vmx/findings.hpp"
#include "tests/vmx/support.hpp"

namespace ferry::vmx::test {
namespace {

Hardware hardware_of(std::string_view text) { return import_text(text).machine.hardware; }

ErrorKind refusal_of(std::string_view text) {
  try {
    import_text(text);
  } catch (const Error &error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

TEST(Cpu, CountAndTopology) {
  const Cpu cpu = hardware_of("numvcpus = \"8\"\ncpuid.coresPerSocket = \"4\"\nvhv.enable = \"TRUE\"\n").cpu;
  EXPECT_EQ(cpu.count, 8U);
  EXPECT_EQ(cpu.cores_per_socket, 4U);
  EXPECT_EQ(cpu.nested_virtualization, true);
  EXPECT_EQ(cpu.architecture, Cpu::Architecture::x86_64);
}

TEST(Defaults, SayWhatVmwareShowsByItself) {
  const Hardware bios =
      hardware_of("numvcpus = \"4\"\nuuid.bios = \"56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c\"\n");
  EXPECT_EQ(bios.cpu.cores_per_socket, 1U);
  ASSERT_EQ(bios.boot_order.size(), 4U);
  EXPECT_EQ(bios.boot_order.at(1).kind, BootDevice::Kind::disk);
  EXPECT_EQ(bios.platform.nic_names, NicNames::by_slot);
  EXPECT_EQ(bios.platform.smbios_tools, "VMware");
  EXPECT_EQ(bios.platform.smbios_strings.at("system.product"), "VMware Virtual Platform");
  EXPECT_EQ(bios.platform.smbios_strings.at("system.serial"), "VMware-56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c");
  EXPECT_EQ(bios.platform.drive_models.at("sata.disk"), "VMware Virtual SATA Hard Drive");
  EXPECT_EQ(hardware_of("firmware = \"efi\"\n").platform.smbios_strings.at("system.product"), "VMware7,1");
}

TEST(Defaults, GiveWayToWhatTheFileSays) {
  EXPECT_EQ(hardware_of("bios.bootOrder = \"cdrom\"\n").boot_order.size(), 1U);
  const Hardware hardware = hardware_of(
      "sound.present = \"TRUE\"\nsound.virtualDev = \"hdaudio\"\nethernet0.present = \"TRUE\"\n"
      "ethernet0.connectionType = \"nat\"\n");
  EXPECT_EQ(hardware.sound->model, Sound::Model::hda_vmware);
  EXPECT_FALSE(hardware.sound->pci_slot);
  EXPECT_FALSE(hardware.nics.at(0).nat_cidr);  // the host's VMnet8 says it, not the machine
}

TEST(Display, WhatVmwareToolsHandOn) {
  using Exchange = Display::Exchange;
  const auto of = [](const std::string &copy, const std::string &paste) {
    std::string text;
    if (!copy.empty()) text += "isolation.tools.copy.disable = \"" + copy + "\"\n";
    if (!paste.empty()) text += "isolation.tools.paste.disable = \"" + paste + "\"\n";
    return hardware_of(text).display.clipboard;
  };
  EXPECT_EQ(of("", ""), std::nullopt);
  EXPECT_EQ(of("TRUE", "TRUE"), Exchange::off);
  EXPECT_EQ(of("TRUE", "FALSE"), Exchange::to_guest);
  EXPECT_EQ(of("", "TRUE"), Exchange::to_host);
  EXPECT_EQ(of("FALSE", "FALSE"), Exchange::both);
  EXPECT_EQ(hardware_of("isolation.tools.dnd.disable = \"TRUE\"\n").display.files, Exchange::off);
  EXPECT_EQ(hardware_of("isolation.tools.dnd.disable = \"FALSE\"\n").display.files, Exchange::both);
  EXPECT_EQ(hardware_of("").display.files, std::nullopt);
}

TEST(Identity, GenerationIdIsTwoNumbersOfEightBytes) {
  const auto id = [](const std::string &text) {
    const auto &extra = import_text(text).machine.extra;
    const auto found = extra.find("generation.id");
    return found == extra.end() ? std::string() : found->second;
  };
  // 0x0807060504030201 and -1: the guest reads 01 02 .. 08 ff .. ff.
  EXPECT_EQ(id("vm.genid = \"578437695752307201\"\nvm.genidX = \"-1\"\n"), "04030201-0605-0807-ffff-ffffffffffff");
  EXPECT_EQ(id("vm.genid = \"0\"\nvm.genidX = \"0\"\n"), "");
  EXPECT_EQ(id("vm.genid = \"5\"\n"), "");
}

TEST(Cpu, AnImpossibleCountIsRefused) {
  EXPECT_EQ(refusal_of("numvcpus = \"0\"\n"), ErrorKind::malformed);
  EXPECT_EQ(refusal_of("numvcpus = \"-1\"\n"), ErrorKind::malformed);
  EXPECT_EQ(refusal_of("numvcpus = \"99999999999999999999\"\n"), ErrorKind::malformed);
}

TEST(Cpu, ForcedCpuidBitsBecomeFeatures) {
  const Cpu cpu = hardware_of(
                      "cpuid.1.ecx = \"----:----:----:----:----:----:--0-:----\"\n"
                      "cpuid.80000001.edx = \"--1-:----:----:----:----:----:----:----\"\n"
                      "hypervisor.cpuid.v0 = \"FALSE\"\n")
                      .cpu;
  ASSERT_EQ(cpu.features.size(), 3U);
  EXPECT_EQ(cpu.features.at(0).name, "hypervisor");
  EXPECT_FALSE(cpu.features.at(0).enabled);
  EXPECT_EQ(cpu.features.at(1).name, "vmx");
  EXPECT_FALSE(cpu.features.at(1).enabled);
  EXPECT_EQ(cpu.features.at(2).name, "lm");
  EXPECT_EQ(cpu.long_mode, true);
}

TEST(Cpu, MasksWithoutANameAreDroppedWithAReason) {
  const ImportedMachine machine = import_text("cpuid.0.eax = \"0000:0000:0000:0000:0000:0000:0000:1011\"\n");
  EXPECT_EQ(entry_of(machine.ledger, "cpuid.0.eax")->disposition, Disposition::dropped);
}

TEST(Memory, SizeIsInMebibytes) { EXPECT_EQ(hardware_of("").memory.bytes, 1024ULL << 20U); }

TEST(Memory, WithoutASizeTheTargetChooses) {
  const Folder folder;
  const ImportedMachine machine = import_file(folder.write("m.vmx", "config.version = \"8\"\n"), {});
  EXPECT_EQ(machine.machine.hardware.memory.bytes, 0U);  // as for a .vbox and an OVF that do not say
  EXPECT_EQ(machine.machine.name, "m");
}

TEST(Memory, NoneIsNothingSaid) {
  for (const char *value : {"0", "", " "}) {
    const Folder folder;
    const std::filesystem::path file =
        folder.write("m.vmx", std::string("config.version = \"8\"\nmemsize = \"") + value + "\"\n");
    EXPECT_EQ(import_file(file, {}).machine.hardware.memory.bytes, 0U) << value;
  }
}

TEST(Memory, AnImpossibleSizeIsRefused) {
  EXPECT_EQ(refusal_of("memsize = \"99999999999\"\n"), ErrorKind::malformed);
  EXPECT_EQ(refusal_of("memsize = \"lots\"\n"), ErrorKind::malformed);
}

TEST(Firmware, NvramIsTheNamedFileOrTheOneBeside) {
  const Folder folder;
  folder.write("m.nvram", "x");
  const auto beside = import_text(folder, "firmware = \"efi\"\n").machine.hardware.firmware;
  EXPECT_EQ(beside.type, FirmwareType::efi64);
  EXPECT_EQ(beside.nvram_file, folder.path() / "m.nvram");
  folder.write("other.nvram", "x");
  const auto named = import_text(folder, "firmware = \"efi\"\nnvram = \"other.nvram\"\n").machine.hardware.firmware;
  EXPECT_EQ(named.nvram_file, folder.path() / "other.nvram");
}

TEST(Firmware, AMissingNvramOfAnEfiMachineIsAFinding) {
  EXPECT_EQ(count_findings(import_text("firmware = \"efi\"\n"), "vmx.nvram-missing"), 1U);
  EXPECT_EQ(count_findings(import_text(""), "vmx.nvram-missing"), 0U);
}

TEST(Firmware, BootOrderWithNamedDisksAndCards) {
  const auto order =
      hardware_of("bios.bootOrder = \"ethernet0,hdd,CDROM\"\nbios.hddOrder = \"scsi0:1,scsi0:0\"\n").boot_order;
  ASSERT_EQ(order.size(), 4U);
  EXPECT_EQ(order.at(0).kind, BootDevice::Kind::network);
  EXPECT_EQ(order.at(0).detail, "ethernet0");
  EXPECT_EQ(order.at(1).detail, "scsi0:1");
  EXPECT_EQ(order.at(3).kind, BootDevice::Kind::cdrom);
}

TEST(Firmware, TheOrderOfDisksAloneLeavesTheOthersTheirTurns) {
  const auto order = hardware_of("bios.hddOrder = \"ide1:0, SCSI0:10\"\n").boot_order;
  ASSERT_EQ(order.size(), 5U);
  EXPECT_EQ(order.at(0).kind, BootDevice::Kind::floppy);
  EXPECT_EQ(order.at(1).detail, "ide1:0");
  EXPECT_EQ(order.at(2).detail, "scsi0:10");
  EXPECT_EQ(order.at(3).kind, BootDevice::Kind::cdrom);
  EXPECT_EQ(order.at(4).kind, BootDevice::Kind::network);
}

TEST(Firmware, PartialEncryptionCoversNvramAndTpmOnly) {
  const ImportedMachine machine = import_text(
      "firmware = \"efi\"\nvmx.encryptionType = \"partial\"\nencryption.keySafe = \"topsecret\"\nvtpm.present = "
      "\"TRUE\"\n");
  EXPECT_TRUE(machine.machine.hardware.firmware.nvram_encrypted);
  EXPECT_TRUE(machine.machine.hardware.tpm->state_encrypted);
  EXPECT_FALSE(machine.machine.encrypted);
  EXPECT_EQ(count_findings(machine, "vmx.partly-encrypted"), 1U);
  EXPECT_EQ(entry_of(machine.ledger, "encryption.keySafe")->value, "(secret)");
}

TEST(Network, AddressTypeDecidesWhichAddressCounts) {
  const std::string both =
      "ethernet0.address = \"00:50:56:00:00:01\"\nethernet0.generatedAddress = \"00:0c:29:00:00:02\"\n";
  const auto nic = [&](const std::string &type) {
    return hardware_of("ethernet0.present = \"TRUE\"\n" + both + type).nics.at(0);
  };
  EXPECT_EQ(nic("ethernet0.addressType = \"static\"\n").mac->text(), "00:50:56:00:00:01");
  EXPECT_FALSE(nic("ethernet0.addressType = \"static\"\n").mac_generated);
  EXPECT_EQ(nic("ethernet0.addressType = \"generated\"\n").mac->text(), "00:0c:29:00:00:02");
  EXPECT_EQ(nic("ethernet0.addressType = \"vpx\"\n").mac->text(), "00:0c:29:00:00:02");
  EXPECT_TRUE(nic("ethernet0.addressType = \"vpx\"\n").mac_generated);
}

TEST(Network, AStaticAddressWithoutATypeIsTaken) {
  const Nic nic = hardware_of("ethernet0.present = \"TRUE\"\nethernet0.address = \"00:50:56:00:00:01\"\n").nics.at(0);
  EXPECT_EQ(nic.mac->text(), "00:50:56:00:00:01");
  EXPECT_FALSE(nic.mac_generated);
}

TEST(Network, AnAddressThatIsNoneIsAFinding) {
  const ImportedMachine machine = import_text("ethernet0.present = \"TRUE\"\nethernet0.generatedAddress = \"00:0c\"\n");
  EXPECT_FALSE(machine.machine.hardware.nics.at(0).mac);
  EXPECT_EQ(count_findings(machine, "vmx.bad-value"), 1U);
}

TEST(Network, TheDefaultCardDependsOnTheGuest) {
  EXPECT_EQ(hardware_of("ethernet0.present = \"TRUE\"\n").nics.at(0).model, NicModel::e1000_82545em);
  EXPECT_EQ(hardware_of("guestOS = \"winxppro\"\nethernet0.present = \"TRUE\"\n").nics.at(0).model, NicModel::vlance);
}

TEST(Network, CustomNetworksByNumber) {
  const auto nic = [](const std::string &vnet) {
    return hardware_of("ethernet0.present = \"TRUE\"\nethernet0.connectionType = \"custom\"\nethernet0.vnet = \"" +
                       vnet + "\"\n")
        .nics.at(0);
  };
  EXPECT_EQ(nic("VMnet8").mode, NicMode::nat);
  EXPECT_EQ(nic("/dev/vmnet1").mode, NicMode::host_only);
  EXPECT_EQ(nic("VMnet0").mode, NicMode::bridged);
  EXPECT_EQ(nic("/dev/vmnet5").mode, NicMode::custom);
  EXPECT_EQ(nic("/dev/vmnet5").network, "vmnet5");
}

TEST(Network, AbsentCardsAreIrrelevantToTheLastKey) {
  const ImportedMachine machine = import_text(
      "ethernet0.present = \"FALSE\"\nethernet0.addressType = \"static\"\nethernet0.nobodyKnows = \"x\"\n"
      "ethernet10.present = \"TRUE\"\n");
  EXPECT_EQ(machine.machine.hardware.nics.size(), 1U);
  EXPECT_EQ(machine.machine.hardware.nics.at(0).slot, 10U);
  for (const char *key : {"ethernet0.present", "ethernet0.addressType", "ethernet0.nobodyKnows"}) {
    EXPECT_EQ(entry_of(machine.ledger, key)->disposition, Disposition::irrelevant) << key;
    EXPECT_EQ(entry_of(machine.ledger, key)->note, "the device is not present") << key;
  }
}

TEST(Network, ASlotThatIsNotGivenOutYetIsNone) {
  EXPECT_FALSE(hardware_of("ethernet0.present = \"TRUE\"\nethernet0.pciSlotNumber = \"-1\"\n").nics.at(0).pci_slot);
  EXPECT_EQ(hardware_of("ethernet0.present = \"TRUE\"\nethernet0.pciSlotNumber = \"2240\"\n").nics.at(0).pci_slot,
            2240U);
}

TEST(Smbios, UuidIsPlainBytesAndTheSerialFollows) {
  const Smbios smbios = hardware_of("uuid.bios = \"56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c\"\n").smbios;
  EXPECT_EQ(smbios.uuid->text(), "564db08e-d591-3c27-ed61-e7a8834d0b9c");
  EXPECT_FALSE(smbios.uuid_little_endian);
  EXPECT_EQ(smbios.strings.at("system.serial"), "VMware-56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c");
}

TEST(Smbios, TheTableIsOlderThan26OnOldHardwareWithBios) {
  EXPECT_TRUE(hardware_of("virtualHW.version = \"10\"\n").smbios.older_than_2_6);
  EXPECT_FALSE(hardware_of("virtualHW.version = \"10\"\nfirmware = \"efi\"\n").smbios.older_than_2_6);
  EXPECT_FALSE(hardware_of("virtualHW.version = \"19\"\n").smbios.older_than_2_6);
}

TEST(Smbios, TheHostsStringsAreNotInTheFile) {
  const ImportedMachine machine = import_text(
      "uuid.bios = \"56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c\"\nserialNumber.reflectHost = \"TRUE\"\n");
  EXPECT_EQ(machine.machine.hardware.smbios.strings.count("system.serial"), 0U);
  EXPECT_EQ(count_findings(machine, "vmx.host-identity"), 1U);
}

TEST(Clock, FollowsTheGuestUnlessADifferenceIsSet) {
  EXPECT_EQ(hardware_of("").clock.base, Clock::Base::utc);
  EXPECT_EQ(hardware_of("guestOS = \"windows9-64\"\n").clock.base, Clock::Base::local_time);
  const Clock set = hardware_of("guestOS = \"windows9-64\"\nrtc.diffFromUTC = \"-7200\"\n").clock;
  EXPECT_EQ(set.base, Clock::Base::utc);
  EXPECT_EQ(set.offset_ms, -7'200'000);
}

TEST(Clock, AFixedStartIsDroppedWithAFinding) {
  const ImportedMachine machine = import_text("rtc.startTime = \"1262304000\"\n");
  EXPECT_EQ(count_findings(machine, "vmx.fixed-time"), 1U);
  EXPECT_EQ(entry_of(machine.ledger, "rtc.startTime")->disposition, Disposition::dropped);
}

TEST(Ports, EachKindOfSerialPort) {
  const auto ports = hardware_of(
                         "serial0.present = \"TRUE\"\nserial0.fileType = \"pipe\"\nserial0.fileName = "
                         "\"/tmp/p\"\nserial0.pipe.endPoint = \"client\"\n"
                         "serial1.present = \"TRUE\"\nserial1.fileType = \"network\"\nserial1.fileName = "
                         "\"tcp://10.0.0.1:99\"\nserial1.network.endPoint = \"client\"\n"
                         "serial3.present = \"TRUE\"\nserial3.fileType = \"file\"\nserial3.fileName = \"log\"\n"
                         "serial4.present = \"TRUE\"\nserial4.fileType = \"thinprint\"\n"
                         "serial5.present = \"TRUE\"\nserial5.fileName = \"/dev/ttyS0\"\n")
                         .serial_ports;
  ASSERT_EQ(ports.size(), 5U);
  EXPECT_EQ(ports.at(0).backend, CharPort::Backend::pipe);
  EXPECT_FALSE(ports.at(0).server);
  EXPECT_EQ(ports.at(1).backend, CharPort::Backend::tcp);
  EXPECT_EQ(ports.at(1).path, "10.0.0.1:99");
  EXPECT_FALSE(ports.at(1).server);
  EXPECT_EQ(ports.at(2).slot, 3U);
  EXPECT_EQ(ports.at(3).backend, CharPort::Backend::thin_print);
  EXPECT_EQ(ports.at(4).backend, CharPort::Backend::host_device);
}

TEST(Ports, AConcentratorCannotBeCarried) {
  const ImportedMachine machine =
      import_text("serial0.present = \"TRUE\"\nserial0.fileType = \"network\"\nserial0.fileName = \"telnets://h:1\"\n");
  EXPECT_EQ(machine.machine.hardware.serial_ports.at(0).backend, CharPort::Backend::disconnected);
  EXPECT_EQ(count_findings(machine, "vmx.serial-proxy"), 1U);
}

TEST(Usb, FiltersInBothForms) {
  const auto filters = hardware_of(
                           "usb.autoConnect.device0 = \"0x951:0x1625\"\n"
                           "usb.autoConnect.device1 = \"name:Reader vid:1A86 pid:55d3 path:1/2 autoclean:1\"\n"
                           "usb.autoConnect.device2 = \"\"\n")
                           .usb_filters;
  ASSERT_EQ(filters.size(), 2U);
  EXPECT_EQ(filters.at(0).vendor_id, "0951");
  EXPECT_EQ(filters.at(0).product_id, "1625");
  EXPECT_EQ(filters.at(1).vendor_id, "1a86");
  EXPECT_EQ(filters.at(1).port, "1/2");
}

TEST(Usb, ThePointingDeviceIsATablet) {
  const Hardware hardware =
      hardware_of("usb.present = \"TRUE\"\nusb:0.present = \"TRUE\"\nusb:0.deviceType = \"hid\"\n");
  EXPECT_EQ(hardware.input.pointing, Input::Pointing::usb_tablet);
  EXPECT_EQ(hardware.usb_controllers.at(0).type, UsbController::Type::uhci);
  EXPECT_EQ(hardware_of("").input.pointing, Input::Pointing::ps2_mouse);
}

TEST(Display, ThePasswordOfTheRemoteDisplayIsKeptNowhere) {
  const ImportedMachine machine =
      import_text("RemoteDisplay.vnc.enabled = \"TRUE\"\nRemoteDisplay.vnc.password = \"hunter2\"\n");
  EXPECT_TRUE(machine.machine.hardware.display.remote->enabled);
  EXPECT_EQ(count_findings(machine, "vmx.remote-display-password"), 1U);
  for (const LedgerEntry &entry : machine.ledger.entries()) EXPECT_EQ(entry.value.find("hunter2"), std::string::npos);
}

TEST(SharedFolders, AreIrrelevantWhenSwitchedOff) {
  const std::string folder =
      "sharedFolder0.present = \"TRUE\"\nsharedFolder0.enabled = \"TRUE\"\nsharedFolder0.writeAccess = \"TRUE\"\n"
      "sharedFolder0.hostPath = \"/srv\"\nsharedFolder0.guestName = \"srv\"\n";
  const auto on = hardware_of(folder).shared_folders;
  ASSERT_EQ(on.size(), 1U);
  EXPECT_EQ(on.at(0).name, "srv");
  EXPECT_TRUE(on.at(0).writable);
  EXPECT_TRUE(hardware_of(folder + "isolation.tools.hgfs.disable = \"TRUE\"\n").shared_folders.empty());
}

TEST(Machine, ASuspendedOneSaysSo) {
  const ImportedMachine machine = import_text("checkpoint.vmState = \"m.vmss\"\n");
  EXPECT_TRUE(machine.machine.saved_state);
  EXPECT_EQ(count_findings(machine, "vmx.suspended"), 1U);
  EXPECT_FALSE(import_text("checkpoint.vmState = \"\"\n").machine.saved_state);
}

TEST(Machine, CloudInitDataIsTakenAndHidden) {
  const ImportedMachine machine = import_text("guestinfo.userdata = \"cGFzc3dvcmQ6IHg=\"\nguestinfo.color = \"red\"\n");
  EXPECT_EQ(machine.machine.guest_data->user_data, "cGFzc3dvcmQ6IHg=");
  EXPECT_EQ(entry_of(machine.ledger, "guestinfo.userdata")->value, "(secret)");
  EXPECT_EQ(entry_of(machine.ledger, "guestinfo.userdata")->field, "guest_data.user_data");
  EXPECT_EQ(count_findings(import_text("guestinfo.ignition.config.data = \"{}\"\n"), "vmx.guestinfo"), 1U);
  EXPECT_EQ(count_findings(import_text("guestinfo.userdata = \"!\"\nguestinfo.userdata.encoding = \"base64\"\n"),
                           "vmx.guestinfo"),
            1U);
  EXPECT_EQ(entry_of(machine.ledger, "guestinfo.color")->disposition, Disposition::dropped);
}

TEST(Machine, AFileThatIsNoMachineIsRefused) {
  const Folder folder;
  try {
    static_cast<void>(import_file(folder.write("m.vmx", "some.key = \"v\"\n"), {}));
    FAIL() << "was imported";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
  }
}

TEST(Machine, AKeyThatNobodyKnowsIsUnknown) {
  const ImportedMachine machine = import_text("flux.capacitor = \"1.21\"\n");
  EXPECT_EQ(entry_of(machine.ledger, "flux.capacitor")->disposition, Disposition::unknown);
  EXPECT_EQ(entry_of(machine.ledger, "flux.capacitor")->where.line, 5U);
}

TEST(Machine, AFileInAnotherEncodingThanItSaysIsAFinding) {
  EXPECT_EQ(count_findings(import_text(".encoding = \"windows-1252\"\nannotation = \"é\"\n"), "vmx.encoding-guess"),
            1U);
  EXPECT_EQ(count_findings(import_text(".encoding = \"UTF-8\"\nannotation = \"é\"\n"), "vmx.encoding-guess"), 0U);
  EXPECT_EQ(count_findings(import_text(".encoding = \"UTF-8\"\nannotation = \"\xE9\"\n"), "vmx.undecodable"), 1U);
}

TEST(Recognition, ByTellingKeysOnly) {
  EXPECT_TRUE(looks_like_vmx("#!/usr/bin/vmware\n"));
  EXPECT_TRUE(looks_like_vmx(".encoding = \"UTF-8\"\r\nConfig.version = \"8\"\r\n"));
  EXPECT_TRUE(looks_like_vmx("displayName = \"x\"\nencryption.keySafe = \"y\"\n"));
  EXPECT_FALSE(looks_like_vmx("# Disk DescriptorFile\nversion=1\nCID=fffffffe\n"));
  EXPECT_FALSE(looks_like_vmx(".encoding = \"UTF-8\"\nsnapshot.lastUID = \"1\"\n"));
  EXPECT_FALSE(looks_like_vmx("<?xml version=\"1.0\"?>"));
  EXPECT_FALSE(looks_like_vmx(""));
}

TEST(Machine, DevicesOfTheHostArePointedOut) {
  const ImportedMachine machine = import_text(
      "pciPassthru0.present = \"TRUE\"\npciPassthru0.id = \"00000:003:00.0\"\npciPassthru1.present = \"TRUE\"\n"
      "pciPassthru1.vgpu = \"grid_p40-2q\"\npciPassthru2.present = \"FALSE\"\npciPassthru.use64bitMMIO = \"TRUE\"\n");
  EXPECT_EQ(count_findings(machine, kPassthrough.id), 2U);
  EXPECT_EQ(entry_of(machine.ledger, "pciPassthru0.present")->disposition, Disposition::dropped);
}

TEST(Smbios, TheFileMaySayWhichVersionTheTablesHave) {
  EXPECT_TRUE(import_text("acpi.smbiosVersion2.7 = \"FALSE\"\n").machine.hardware.smbios.older_than_2_6);
  EXPECT_FALSE(import_text("virtualHW.version = \"8\"\nacpi.smbiosVersion2.7 = \"TRUE\"\n")
                   .machine.hardware.smbios.older_than_2_6);
}

}  // namespace
}  // namespace ferry::vmx::test
