// SPDX-License-Identifier: Apache-2.0
#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

Hardware guest_with(const std::string &hardware, const std::string &os, const std::string &version = "1.16-linux") {
  Text text;
  text.hardware = hardware;
  text.os_type = os;
  text.version = version;
  return import_text(text).machine.hardware;
}

TEST(Cpu, CountCapAndFeatures) {
  const Cpu cpu = hardware_of(
                      "<CPU count='4' hotplug='true' executionCap='75' CpuProfile='Intel 80286'>"
                      "<PAE enabled='false'/><LongMode enabled='true'/><APIC enabled='false'/>"
                      "<X2APIC enabled='true'/><NestedHWVirt enabled='true'/><SpecCtrl enabled='true'/></CPU>")
                      .cpu;
  EXPECT_EQ(cpu.count, 4U);
  EXPECT_EQ(cpu.hotplug, true);
  EXPECT_EQ(cpu.execution_cap_percent, 75U);
  EXPECT_EQ(cpu.profile, "Intel 80286");
  EXPECT_EQ(cpu.pae, false);
  EXPECT_EQ(cpu.long_mode, true);
  EXPECT_EQ(cpu.apic, false);
  EXPECT_EQ(cpu.x2apic, true);
  EXPECT_EQ(cpu.nested_virtualization, true);
  ASSERT_EQ(cpu.features.size(), 1U);
  EXPECT_EQ(cpu.features[0].name, "spec-ctrl");
}

TEST(Cpu, WithHotPluggingTheGuestHasThoseThatArePluggedIn) {
  const auto count = [](const std::string &attributes, const std::string &tree) {
    return hardware_of("<CPU count='8' " + attributes + ">" + tree + "</CPU>").cpu.count;
  };
  const std::string three = "<CpuTree><Cpu id='0'/><Cpu id='1'/><Cpu id='5'/><Cpu id='9'/></CpuTree>";
  EXPECT_EQ(count("hotplug='true'", three), 3U);
  EXPECT_EQ(count("hotplug='false'", three), 8U);
  EXPECT_EQ(count("hotplug='true'", ""), 8U);
  EXPECT_EQ(count("hotplug='true'", "<CpuTree/>"), 8U);
  Text text;
  text.hardware = "<CPU count='8' hotplug='true'>" + three + "</CPU>";
  EXPECT_EQ(entry_of(import_text(text), "CPU/@count")->disposition, Disposition::translated);
}

TEST(Cpu, NoneIsRefusedAndTheOldestSpellingIsRead) {
  Text text;
  text.hardware = "<CPU count='0'/>";
  EXPECT_EQ(error_of(text).kind(), ErrorKind::malformed);
  EXPECT_EQ(hardware_of("<CPU><CPUCount count='2'/></CPU>", "1.3-linux").cpu.count, 2U);
}

TEST(Cpu, PaeWasOffBefore19) {
  EXPECT_EQ(hardware_of("<CPU/>", "1.8-linux").cpu.pae, false);
  EXPECT_FALSE(hardware_of("<CPU/>", "1.9-linux").cpu.pae);
}

TEST(Cpu, LongModeDecidesTheArchitecture) {
  EXPECT_EQ(hardware_of("<CPU><LongMode enabled='false'/></CPU>").cpu.architecture, Cpu::Architecture::x86);
  EXPECT_EQ(guest_with("<CPU/>", "Debian_64").cpu.architecture, Cpu::Architecture::x86_64);
}

TEST(Memory, MebibytesBalloonAndFusion) {
  Text text;
  text.hardware = "<Guest memoryBalloonSize='64'/>";
  const Memory memory = import_text(text).machine.hardware.memory;
  EXPECT_EQ(memory.bytes, std::uint64_t{512} << 20U);
  EXPECT_EQ(memory.balloon_bytes, std::uint64_t{64} << 20U);
  EXPECT_EQ(hardware_of("<Guest MemoryBalloonSize='32'/>", "1.2-linux").memory.balloon_bytes, std::uint64_t{32} << 20U);
}

TEST(Memory, WithoutASizeTheTargetChooses) {
  const Folder folder;
  const auto file = folder.write("m.vbox",
                                 "<VirtualBox xmlns='http://www.virtualbox.org/' version='1.16-linux'><Machine "
                                 "uuid='{aabbccdd-0011-2233-4455-66778899aabb}' name='m' OSType='Other'><Hardware/>"
                                 "</Machine></VirtualBox>");
  EXPECT_EQ(import_file(file, closed()).machine.hardware.memory.bytes, 0U);  // as for a .vmx and an OVF that do not say
}

TEST(Chipset, ClockAndTimer) {
  const Hardware plain = hardware_of("");
  EXPECT_EQ(plain.chipset, Chipset::piix3);
  EXPECT_EQ(plain.clock.base, Clock::Base::local_time);
  EXPECT_EQ(plain.clock.hpet, false);
  const Hardware set = hardware_of(
      "<Chipset type='ICH9'/><HPET enabled='true'/><RTC localOrUTC='UTC'/>"
      "<BIOS><TimeOffset value='-1500'/></BIOS>");
  EXPECT_EQ(set.chipset, Chipset::ich9);
  EXPECT_EQ(set.clock.base, Clock::Base::utc);
  EXPECT_EQ(set.clock.hpet, true);
  EXPECT_EQ(set.clock.offset_ms, -1500);
}

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

TEST(Paravirtualization, DefaultGoesByTheGuestSince116) {
  const auto provider = [](const std::string &os, const std::string &version = "1.16-linux") {
    return guest_with("", os, version).paravirtualization;
  };
  EXPECT_EQ(provider("Windows10_64"), Paravirtualization::hyperv);
  EXPECT_EQ(provider("WindowsXP"), Paravirtualization::none);
  EXPECT_EQ(provider("Windows2003_64"), Paravirtualization::none);
  EXPECT_EQ(provider("MacOS1013_64"), Paravirtualization::minimal);
  EXPECT_EQ(provider("Ubuntu_64"), Paravirtualization::kvm);
  EXPECT_EQ(provider("Linux24"), Paravirtualization::none);
  EXPECT_EQ(provider("DOS"), Paravirtualization::none);
  EXPECT_EQ(provider("Windows10_64", "1.15-linux"), Paravirtualization::legacy);
}

TEST(Paravirtualization, WhatTheUserChose) {
  EXPECT_EQ(hardware_of("<Paravirt provider='None'/>").paravirtualization, Paravirtualization::none);
  EXPECT_EQ(hardware_of("<Paravirt provider='Legacy'/>").paravirtualization, Paravirtualization::legacy);
  EXPECT_EQ(hardware_of("<Paravirt provider='Minimal'/>").paravirtualization, Paravirtualization::minimal);
  EXPECT_EQ(hardware_of("<Paravirt provider='HyperV'/>").paravirtualization, Paravirtualization::hyperv);
  EXPECT_EQ(hardware_of("<Paravirt provider='KVM'/>").paravirtualization, Paravirtualization::kvm);
}

TEST(Display, AdapterMemoryAndMonitors) {
  const Display plain = hardware_of("").display;
  EXPECT_EQ(plain.adapter, Display::Adapter::vboxvga);
  EXPECT_EQ(plain.video_memory_bytes, std::uint64_t{8} << 20U);
  const Display set = hardware_of(
                          "<Display controller='VMSVGA' VRAMSize='128' monitorCount='3' accelerate3D='true' "
                          "accelerate2DVideo='true'/>")
                          .display;
  EXPECT_EQ(set.adapter, Display::Adapter::vmsvga);
  EXPECT_EQ(set.video_memory_bytes, std::uint64_t{128} << 20U);
  EXPECT_EQ(set.monitors, 3U);
  EXPECT_TRUE(set.accelerate_3d);
  EXPECT_TRUE(set.accelerate_2d);
  EXPECT_EQ(hardware_of("<Display MonitorCount='2' Accelerate3D='true'/>", "1.4-linux").display.monitors, 2U);
}

TEST(Display, RemoteDisplayWithoutItsPassword) {
  Text text;
  text.hardware =
      "<RemoteDisplay enabled='true'><VRDEProperties><Property name='TCP/Ports' value='5000'/>"
      "<Property name='TCP/Address' value='::1'/><Property name='VNCPassword' value='topsecret'/>"
      "</VRDEProperties></RemoteDisplay>";
  const ImportedMachine got = import_text(text);
  const auto &remote = got.machine.hardware.display.remote;
  ASSERT_TRUE(remote);
  EXPECT_TRUE(remote->enabled);
  EXPECT_EQ(remote->ports, "5000");
  EXPECT_EQ(remote->address, "::1");
  EXPECT_EQ(entry_of(got, "/Property[3]/@value")->value, "(secret)");
}

TEST(Display, RemoteDisplayWasOnByDefaultBefore116) {
  EXPECT_TRUE(hardware_of("<RemoteDisplay port='3390'/>", "1.15-linux").display.remote->enabled);
  EXPECT_FALSE(hardware_of("<RemoteDisplay port='3390'/>", "1.16-linux").display.remote->enabled);
  EXPECT_EQ(hardware_of("<RemoteDisplay port='3390' netAddress='127.0.0.1'/>", "1.3-linux").display.remote->address,
            "127.0.0.1");
}

TEST(Sound, DefaultsTurnedRoundIn116And117) {
  EXPECT_TRUE(hardware_of("<AudioAdapter driver='Pulse'/>", "1.15-linux").sound);
  EXPECT_FALSE(hardware_of("<AudioAdapter driver='Pulse'/>", "1.16-linux").sound);
  const Sound old = *hardware_of("<AudioAdapter enabled='true'/>", "1.16-linux").sound;
  EXPECT_TRUE(old.input);
  EXPECT_TRUE(old.output);
  const Sound modern = *hardware_of("<AudioAdapter enabled='true' enabledOut='true'/>", "1.17-linux").sound;
  EXPECT_FALSE(modern.input);
  EXPECT_TRUE(modern.output);
}

TEST(Sound, BeforeSettings116AMachineHasACardWithoutAnyElement) {
  ASSERT_TRUE(hardware_of("", "1.15-linux").sound);
  EXPECT_EQ(hardware_of("", "1.15-linux").sound->model, Sound::Model::ac97);
  EXPECT_FALSE(hardware_of("", "1.16-linux").sound);
}

TEST(Sound, Models) {
  const auto model = [](const std::string &text) {
    return hardware_of("<AudioAdapter enabled='true' controller='" + text + "'/>").sound->model;
  };
  EXPECT_EQ(model("AC97"), Sound::Model::ac97);
  EXPECT_EQ(model("SB16"), Sound::Model::sb16);
  EXPECT_EQ(model("HDA"), Sound::Model::hda);
  EXPECT_EQ(model("Virtio-Sound"), Sound::Model::hda);
  const Sound sound = *hardware_of("<AudioAdapter enabled='true' codec='AD1980' driver='ALSA'/>").sound;
  EXPECT_EQ(sound.codec, "AD1980");
  EXPECT_EQ(sound.host_driver, "ALSA");
  EXPECT_EQ(sound.pci_slot, 5U);
  EXPECT_FALSE(hardware_of("<AudioAdapter enabled='true' controller='SB16'/>").sound->pci_slot);  // ISA
}

TEST(Usb, EverySpelling) {
  using Type = UsbController::Type;
  const auto types = [](const std::string &text, const std::string &version) {
    std::vector<Type> out;
    for (const UsbController &controller : hardware_of(text, version).usb_controllers) out.push_back(controller.type);
    return out;
  };
  EXPECT_EQ(types("<USBController enabled='true' enabledEhci='true'/>", "1.12-linux"),
            (std::vector<Type>{Type::ohci, Type::ehci}));
  EXPECT_TRUE(types("<USBController enabled='false' enabledEhci='true'/>", "1.12-linux").empty());
  EXPECT_EQ(types("<USB><Controllers><Controller name='a' type='OHCI'/><Controller name='b' type='EHCI'/>"
                  "<Controller name='c' type='XHCI'/></Controllers></USB>",
                  "1.16-linux"),
            (std::vector<Type>{Type::ohci, Type::ehci, Type::xhci}));
  const auto piix3 = hardware_of("<USBController enabled='true' enabledEhci='true'/>", "1.12-linux").usb_controllers;
  EXPECT_EQ(piix3.at(0).pci_slot, 6U);
  EXPECT_EQ(piix3.at(1).pci_slot, 11U);
  const auto ich9 = hardware_of(
                        "<Chipset type='ICH9'/><USB><Controllers><Controller name='a' type='OHCI'/>"
                        "<Controller name='b' type='EHCI'/><Controller name='c' type='XHCI'/></Controllers></USB>")
                        .usb_controllers;
  EXPECT_EQ(ich9.at(0).pci_slot, 31U);
  EXPECT_EQ(ich9.at(1).pci_slot, 31U);
  EXPECT_EQ(ich9.at(2).pci_slot, 12U);
}

TEST(Defaults, SayWhatVirtualBoxShowsByItself) {
  const Hardware hardware = hardware_of("<CPU count='6'/>");
  EXPECT_EQ(hardware.cpu.cores_per_socket, 6U);
  EXPECT_EQ(hardware.platform.nic_names, NicNames::by_path);
  EXPECT_EQ(hardware.platform.smbios_strings.at("system.product"), "VirtualBox");
  EXPECT_EQ(hardware.platform.drive_models.at("scsi.vendor"), "VBOX");
}

TEST(Defaults, HoldForASnapshotsHardwareToo) {
  Text text;
  text.before_hardware =
      "<Snapshot uuid='{11111111-2222-3333-4444-555555555555}' name='s'><Hardware><CPU count='2'/>"
      "<Memory RAMSize='64'/></Hardware></Snapshot>";
  const Hardware hardware = import_text(text).machine.snapshots.at(0).hardware;
  EXPECT_EQ(hardware.cpu.cores_per_socket, 2U);
  EXPECT_EQ(hardware.platform.nic_names, NicNames::by_path);
  EXPECT_EQ(hardware.boot_order.size(), 3U);
}

TEST(Usb, Filters) {
  const auto filters = hardware_of(
                           "<USB><DeviceFilters><DeviceFilter name='t' active='false' vendorId='096e' productId='0006' "
                           "revision='0100' manufacturer='A' product='P' serialNumber='42' port='1' remote='no' "
                           "maskedInterfaces='2'/></DeviceFilters></USB>")
                           .usb_filters;
  ASSERT_EQ(filters.size(), 1U);
  EXPECT_EQ(filters[0].name, "t");
  EXPECT_FALSE(filters[0].active);
  EXPECT_EQ(filters[0].vendor_id, "096e");
  EXPECT_EQ(filters[0].product_id, "0006");
  EXPECT_EQ(filters[0].revision, "0100");
  EXPECT_EQ(filters[0].manufacturer, "A");
  EXPECT_EQ(filters[0].product, "P");
  EXPECT_EQ(filters[0].serial_number, "42");
  EXPECT_EQ(filters[0].port, "1");
  const auto old = hardware_of(
                       "<USBController enabled='true'><DeviceFilter name='o' active='1' vendorid='0951' "
                       "productid='1603' serialnumber='7'/></USBController>",
                       "1.2-linux")
                       .usb_filters;
  EXPECT_EQ(old.at(0).vendor_id, "0951");
  EXPECT_EQ(old.at(0).serial_number, "7");
}

TEST(Ports, EveryBackend) {
  using Backend = CharPort::Backend;
  const auto port = [](const std::string &attributes) {
    return hardware_of("<UART><Port slot='1' enabled='true' IOBase='0x2f8' IRQ='3' " + attributes + "/></UART>")
        .serial_ports.at(0);
  };
  EXPECT_EQ(port("hostMode='Disconnected'").backend, Backend::disconnected);
  EXPECT_EQ(port("hostMode='HostPipe' path='/tmp/s' server='true'").backend, Backend::unix_socket);
  EXPECT_TRUE(port("hostMode='HostPipe' path='/tmp/s' server='true'").server);
  EXPECT_EQ(port(R"(hostMode='HostPipe' path='\\.\pipe\x')").backend, Backend::pipe);
  EXPECT_EQ(port("hostMode='HostDevice' path='/dev/ttyS0'").backend, Backend::host_device);
  EXPECT_EQ(port("hostMode='RawFile' path='/tmp/log'").backend, Backend::file);
  EXPECT_EQ(port("hostMode='TCP' path='2023' server='true'").path, "0.0.0.0:2023");
  EXPECT_EQ(port("hostMode='TCP' path='host:99'").path, "host:99");
  const CharPort any = port("hostMode='Disconnected' uartType='16750'");
  EXPECT_EQ(any.slot, 1U);
  EXPECT_EQ(any.io_base, 0x2f8U);
  EXPECT_EQ(any.irq, 3U);
  EXPECT_EQ(any.uart, "16750");
}

TEST(Ports, OldSpellingsAndOnesThatAreOff) {
  const Hardware old = hardware_of(
      "<Uart><Port slot='0' enabled='true' IOBase='3f8' IRQ='4' hostMode='Disconnected'/>"
      "</Uart><Lpt><Port slot='0' enabled='true' IOBase='378' IRQ='7' "
      "path='/dev/parport0'/></Lpt>",
      "1.2-linux");
  EXPECT_EQ(old.serial_ports.at(0).io_base, 0x3f8U);
  EXPECT_EQ(old.parallel_ports.at(0).io_base, 0x378U);
  EXPECT_EQ(old.parallel_ports.at(0).backend, CharPort::Backend::host_device);
  EXPECT_TRUE(
      hardware_of("<UART><Port slot='0' enabled='false' IOBase='0x3f8' IRQ='4' hostMode='Disconnected'/></UART>")
          .serial_ports.empty());
  EXPECT_EQ(
      hardware_of("<UART><Port slot='0' enabled='true' IOAddress='0x3f8' IRQ='4' hostMode='Disconnected'/></UART>",
                  "1.20-linux")
          .serial_ports.at(0)
          .io_base,
      0x3f8U);
}

TEST(Devices, InputAndSharedFolders) {
  const Hardware hw = hardware_of(
      "<HID Pointing='USBTablet' Keyboard='USBKeyboard'/><SharedFolders><SharedFolder "
      "name='s' hostPath='C:\\x' writable='true' autoMount='true' autoMountPoint='/m'/>"
      "</SharedFolders>");
  EXPECT_EQ(hw.input.pointing, Input::Pointing::usb_tablet);
  EXPECT_EQ(hw.input.keyboard, Input::Keyboard::usb);
  ASSERT_EQ(hw.shared_folders.size(), 1U);
  EXPECT_EQ(hw.shared_folders[0].host_path, "C:\\x");
  EXPECT_TRUE(hw.shared_folders[0].writable);
  EXPECT_TRUE(hw.shared_folders[0].auto_mount);
  EXPECT_EQ(hw.shared_folders[0].mount_point, "/m");
}

TEST(Devices, PciPassthroughIsSaid) {
  Text text;
  text.hardware = "<HostPci><Devices><Device host='1' guest='2' name='GPU'/></Devices></HostPci>";
  EXPECT_EQ(count_findings(import_text(text), kHostPci), 1U);
}

TEST(Platform, WhatTheSchemaOf120HasElsewhere) {
  Text text;
  text.version = "1.20-linux";
  text.before_hardware =
      "<Platform architecture='x86'><CPU count='1'/><Properties exclusiveHwVirt='true'/>"
      "<x86 exclusiveHwVirt='true'><CPU><HPET enabled='true'/></CPU></x86></Platform>";
  const ImportedMachine machine = import_text(text);
  EXPECT_EQ(machine.machine.hardware.clock.hpet, true);
  EXPECT_TRUE(unknown_settings(machine).empty());
}

TEST(Platform, The120Layout) {
  Text text;
  text.version = "1.20-linux";
  text.before_hardware =
      "<Platform architecture='x86'><CPU count='3' executionCap='50'/><Chipset type='ICH9'/>"
      "<RTC localOrUTC='UTC'/><x86><HPET enabled='true'/><CPU><PAE enabled='true'/>"
      "<LongMode enabled='true'/><NestedHWVirt enabled='true'/></CPU></x86></Platform>";
  text.hardware =
      "<Firmware type='EFI'><IOAPIC enabled='true'/><TimeOffset value='7'/>"
      "<SmbiosUuidLittleEndian enabled='true'/></Firmware>";
  const Hardware hw = import_text(text).machine.hardware;
  EXPECT_EQ(hw.cpu.count, 3U);
  EXPECT_EQ(hw.cpu.execution_cap_percent, 50U);
  EXPECT_EQ(hw.cpu.pae, true);
  EXPECT_EQ(hw.cpu.nested_virtualization, true);
  EXPECT_EQ(hw.chipset, Chipset::ich9);
  EXPECT_EQ(hw.clock.base, Clock::Base::utc);
  EXPECT_EQ(hw.clock.hpet, true);
  EXPECT_EQ(hw.clock.offset_ms, 7);
  EXPECT_TRUE(hw.firmware.ioapic);
  EXPECT_TRUE(hw.smbios.uuid_little_endian);
}

TEST(Platform, WhatIsLeftInHardwareBesidesIsNotRead) {
  Text text;
  text.version = "1.20-linux";
  text.before_hardware = "<Platform architecture='x86'><CPU count='3'/><x86/></Platform>";
  text.hardware =
      "<CPU count='7'><PAE enabled='false'/></CPU><Chipset type='ICH9'/><RTC localOrUTC='UTC'/><HPET enabled='true'/>";
  const ImportedMachine machine = import_text(text);
  EXPECT_EQ(machine.machine.hardware.cpu.count, 3U);
  EXPECT_EQ(machine.machine.hardware.chipset, Chipset::piix3);
  EXPECT_TRUE(unknown_settings(machine).empty()) << unknown_settings(machine).front();
}

TEST(Platform, Arm) {
  Text text;
  text.version = "1.20-macosx";
  text.os_type = "Debian_arm64";
  text.before_hardware =
      "<Platform architecture='ARM'><CPU count='2'/><Chipset type='ARMv8Virtual'/><arm><CPU>"
      "<NestedHWVirt enabled='true'/></CPU></arm></Platform>";
  const Hardware hw = import_text(text).machine.hardware;
  EXPECT_EQ(hw.cpu.architecture, Cpu::Architecture::arm64);
  EXPECT_EQ(hw.chipset, Chipset::armv8_virtual);
  EXPECT_EQ(hw.cpu.nested_virtualization, true);
  EXPECT_EQ(hw.paravirtualization, Paravirtualization::none);
}

}  // namespace
}  // namespace ferry::vbox::test
