// SPDX-License-Identifier: Apache-2.0
// Processor, memory, chipset, and where the schema puts them.
#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

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

// As in the other formats: the target chooses then, and says so.
TEST(Memory, NoneIsNothingSaid) {
  Text text;
  for (const char *element : {"", "<Memory/>", "<Memory RAMSize='0'/>", "<Memory RAMSize=''/>"}) {
    text.memory = element;
    EXPECT_EQ(import_text(text).machine.hardware.memory.bytes, 0U) << element;
  }
  text.memory = "<Memory RAMSize='much'/>";
  EXPECT_EQ(error_of(text).kind(), ErrorKind::malformed);
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
