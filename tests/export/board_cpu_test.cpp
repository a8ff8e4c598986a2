// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/export/builders.hpp"

namespace ferry::test {
namespace {

std::string machine_type(const target::Result &result) {
  return attribute(element(domain(result), "os/type"), "machine");
}

bool has_feature(const xml::Element &root, std::string_view name, std::string_view policy) {
  for (const xml::Element &feature : element(root, "cpu").children) {
    if (feature.name == "feature" && attribute(feature, "name") == name) return attribute(feature, "policy") == policy;
  }
  return false;
}

TEST(Board, Piix3IsPc) {
  Fixture fixture(virtualbox_machine());
  EXPECT_EQ(machine_type(fixture.run()), "pc");
}

TEST(Board, Ich9IsQ35) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.chipset = Chipset::ich9;
  EXPECT_EQ(machine_type(fixture.run()), "q35");
}

TEST(Board, Ich9WithAnIdeDiskIsPcBecauseLibvirtHasIdeOnlyThere) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.chipset = Chipset::ich9;
  fixture.machine.hardware.controllers = {controller(ControllerType::ide_ich6, "IDE", {disk_drive(0)})};
  const auto result = fixture.run();
  EXPECT_EQ(machine_type(result), "pc");
  EXPECT_TRUE(found(result, "board.changed"));
}

TEST(Board, Piix3WithSecureBootIsQ35BecauseItNeedsSmm) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.firmware.type = FirmwareType::efi64;
  fixture.machine.hardware.firmware.secure_boot = true;
  const auto result = fixture.run();
  EXPECT_EQ(machine_type(result), "q35");
  EXPECT_TRUE(found(result, "board.changed"));
  const xml::Element root = domain(result);
  EXPECT_EQ(attribute(element(root, "features/smm"), "state"), "on");
  EXPECT_EQ(attribute(element(root, "os/loader"), "secure"), "yes");
}

TEST(Board, VmwareBiosIsPcAndEfiIsQ35) {
  Fixture bios(vmware_machine());
  EXPECT_EQ(machine_type(bios.run()), "pc");
  Fixture efi(vmware_machine());
  efi.machine.hardware.firmware.type = FirmwareType::efi64;
  EXPECT_EQ(machine_type(efi.run()), "q35");
}

TEST(Board, AnArmMachineIsRefused) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.chipset = Chipset::armv8_virtual;
  try {
    (void)fixture.map();
    FAIL() << "an x86 domain for an ARM machine";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  }
}

TEST(Board, AHostWithoutAnyMachineTypeOfOursIsRefused) {
  Fixture fixture(virtualbox_machine());
  fixture.host.machine_types = {"microvm"};
  EXPECT_THROW((void)fixture.map(), Error);
}

TEST(Board, WithoutKvmTheDomainIsOfTypeQemu) {
  Fixture fixture(virtualbox_machine());
  const auto result = fixture.run();
  EXPECT_EQ(attribute(domain(result), "type"), "qemu");
  EXPECT_TRUE(found(result, "host.no-kvm"));
  std::set<std::string> said;
  for (const auto lack :
       {libvirt::KvmLack::unknown, libvirt::KvmLack::processor, libvirt::KvmLack::module, libvirt::KvmLack::access}) {
    Fixture one(virtualbox_machine());
    one.host.kvm = false;
    one.host.kvm_lack = lack;
    for (const Finding &finding : one.map().findings) {
      if (finding.id == "host.no-kvm") said.insert(finding.message + finding.advice);
    }
  }
  EXPECT_EQ(said.size(), 4U);
  fixture.host = with_kvm(debian12());
  const auto with = fixture.run();
  EXPECT_EQ(attribute(domain(with), "type"), "kvm");
  EXPECT_FALSE(found(with, "host.no-kvm"));
}

TEST(Cpu, TheHostsCpuUnderKvmAndMaximumWithout) {
  Fixture fixture(virtualbox_machine());
  EXPECT_EQ(attribute(element(domain(fixture.run()), "cpu"), "mode"), "maximum");
  fixture.host = with_kvm(debian12());
  EXPECT_EQ(attribute(element(domain(fixture.run()), "cpu"), "mode"), "host-passthrough");
}

TEST(Cpu, VirtualBoxShowsOneSocketVmwareOneCorePerSocket) {
  Fixture virtualbox(virtualbox_machine());
  virtualbox.machine.hardware.cpu.count = 4;
  const xml::Element first = domain(virtualbox.run());
  EXPECT_EQ(attribute(element(first, "cpu/topology"), "sockets"), "1");
  EXPECT_EQ(attribute(element(first, "cpu/topology"), "cores"), "4");
  Fixture vmware(vmware_machine());
  vmware.machine.hardware.cpu.count = 4;
  EXPECT_EQ(attribute(element(domain(vmware.run()), "cpu/topology"), "sockets"), "4");
  vmware.machine.hardware.cpu.cores_per_socket = 2;
  const xml::Element third = domain(vmware.run());
  EXPECT_EQ(attribute(element(third, "cpu/topology"), "sockets"), "2");
  EXPECT_EQ(attribute(element(third, "cpu/topology"), "cores"), "2");
}

TEST(Cpu, OneSocketStaysOneWhereTheHostAllowsFewerCpus) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.cpu.count = 300;
  const auto result = fixture.run();
  EXPECT_FALSE(found(result, "cpu.topology-changed"));
  EXPECT_EQ(attribute(element(domain(result), "cpu/topology"), "cores"), "255");
}

TEST(Cpu, ATopologyThatDoesNotDivideIsReported) {
  Fixture fixture(vmware_machine());
  fixture.machine.hardware.cpu.count = 3;
  fixture.machine.hardware.cpu.cores_per_socket = 2;
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "cpu.topology-changed"));
  EXPECT_EQ(attribute(element(domain(result), "cpu/topology"), "cores"), "3");
}

TEST(Cpu, MoreCpusThanTheHostAllowsAreReduced) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.cpu.count = 300;
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "cpu.count-reduced"));
  EXPECT_EQ(element(domain(result), "vcpu").text, "255");
}

TEST(Cpu, FeaturesAreHiddenAsOnTheSource) {
  Fixture fixture(virtualbox_machine());
  Cpu &cpu = fixture.machine.hardware.cpu;
  cpu.long_mode = false;
  cpu.pae = false;
  cpu.nested_virtualization = false;
  cpu.x2apic = false;
  cpu.features = {{"avx2", false}, {"vmx", false}, {"avx512f", true}, {"made-up", true}};
  const auto result = fixture.run();  // "vmx" twice would be refused
  const xml::Element root = domain(result);
  for (const std::string_view name : {"lm", "pae", "vmx", "svm", "x2apic", "avx2"}) {
    EXPECT_TRUE(has_feature(root, name, "disable")) << name;
  }
  EXPECT_TRUE(found(result, "cpu.feature-dropped"));
  EXPECT_EQ(settlement(result, "hardware.cpu.features.3")->disposition, Disposition::dropped);
}

TEST(Cpu, PaeStaysWithLongMode) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.cpu.pae = false;
  const auto result = fixture.run();
  EXPECT_FALSE(has_feature(domain(result), "pae", "disable"));
  EXPECT_EQ(settlement(result, "hardware.cpu.pae")->disposition, Disposition::translated);
}

TEST(Cpu, AnExecutionCapNeedsControlGroups) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.cpu.execution_cap_percent = 40;
  const auto session = fixture.run();
  EXPECT_TRUE(found(session, "cpu.execution-cap-dropped"));
  EXPECT_EQ(count(domain(session), "cputune"), 0U);
  fixture.host.uri = "qemu:///system";
  const auto system = fixture.map();
  EXPECT_EQ(element(domain(system), "cputune/quota").text, "40000");
  EXPECT_EQ(element(domain(system), "cputune/period").text, "100000");
}

TEST(Cpu, ProfilesAndNestingAreReported) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.cpu.profile = "Intel 80386";
  fixture.machine.hardware.cpu.nested_virtualization = true;
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "cpu.profile-dropped"));
  EXPECT_TRUE(found(result, "cpu.nested"));
}

TEST(Cpu, WindowsHasItsEnlightenmentsUnderKvmOnly) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.guest_os.family = OsFamily::windows;
  fixture.host = with_kvm(debian12());
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(attribute(element(root, "features/hyperv/spinlocks"), "retries"), "8191");
  EXPECT_EQ(count(root, "features/hyperv/stimer"), 1U);
  EXPECT_EQ(attribute(element(root, "clock/timer", 3), "name"), "hypervclock");
  fixture.host = debian12();
  EXPECT_EQ(count(domain(fixture.run()), "features/hyperv"), 0U);
}

TEST(Cpu, SyntheticTimersNeedWhatTheyDependOn) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.paravirtualization = Paravirtualization::hyperv;
  fixture.host = with_kvm(debian12());
  fixture.host.hyperv_features.erase("vpindex");
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(count(root, "features/hyperv/relaxed"), 1U);
  for (const char *name : {"synic", "stimer", "tlbflush", "ipi"}) {
    EXPECT_EQ(count(root, std::string("features/hyperv/") + name), 0U) << name;
  }
}

// What a guest gains only by a Hyper-V of its own, others do not get.
TEST(Cpu, EnlightenmentsAreThoseThatTheHostOffers) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.paravirtualization = Paravirtualization::hyperv;
  fixture.host = with_kvm(debian_sid());
  fixture.host.hyperv_features.insert(
      {"reset", "reenlightenment", "evmcs", "stimer_direct", "tlbflush_direct", "tlbflush_extended"});
  xml::Element root = domain(fixture.run());
  EXPECT_EQ(count(root, "features/hyperv/reset"), 1U);
  EXPECT_EQ(count(root, "features/hyperv/stimer/direct"), 1U);
  EXPECT_EQ(count(root, "features/hyperv/tlbflush/extended"), 1U);
  EXPECT_EQ(count(root, "features/hyperv/tlbflush/direct"), 0U);
  EXPECT_EQ(count(root, "features/hyperv/evmcs"), 0U);
  EXPECT_EQ(count(root, "features/hyperv/reenlightenment"), 0U);
  fixture.machine.hardware.cpu.nested_virtualization = true;
  root = domain(fixture.run());
  EXPECT_EQ(count(root, "features/hyperv/tlbflush/direct"), 1U);
  EXPECT_EQ(count(root, "features/hyperv/evmcs"), 1U);
  EXPECT_EQ(count(root, "features/hyperv/reenlightenment"), 1U);
}

TEST(Cpu, MoreCanBePluggedIn) {
  Fixture fixture(vmware_machine());
  Cpu &cpu = fixture.machine.hardware.cpu;
  cpu.count = 4;
  cpu.cores_per_socket = 2;
  cpu.hotplug = true;
  xml::Element root = domain(fixture.run());
  EXPECT_EQ(element(root, "vcpu").text, "16");
  EXPECT_EQ(attribute(element(root, "vcpu"), "current"), "4");
  EXPECT_EQ(attribute(element(root, "cpu/topology"), "sockets"), "8");
  cpu.most = 6;
  EXPECT_EQ(element(domain(fixture.run()), "vcpu").text, "6");
  cpu.most = 4;
  EXPECT_EQ(attribute(element(domain(fixture.run()), "vcpu"), "current"), "");
  cpu.most.reset();
  fixture.input.options.hot_add = false;
  root = domain(fixture.run());
  EXPECT_EQ(element(root, "vcpu").text, "4");
}

TEST(Memory, MoreCanBePluggedIn) {
  Fixture fixture(vmware_machine());
  fixture.machine.hardware.memory.hot_add = true;
  fixture.machine.hardware.cpu.hotplug = true;
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(element(root, "maxMemory").text, "4194304");
  EXPECT_EQ(attribute(element(root, "maxMemory"), "slots"), "16");
  EXPECT_EQ(attribute(element(root, "cpu/numa/cell"), "memory"), element(root, "memory").text);
  EXPECT_TRUE(found(result, "memory.hot-add"));
  fixture.input.options.hot_add = false;
  EXPECT_EQ(count(domain(fixture.run()), "maxMemory"), 0U);
}

TEST(Memory, BalloonAndLargePages) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.memory.balloon_bytes = std::uint64_t{256} << 20U;
  fixture.machine.hardware.memory.large_pages = true;
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(element(root, "memory").text, "1048576");
  EXPECT_EQ(element(root, "currentMemory").text, "786432");
  EXPECT_EQ(attribute(element(root, "devices/memballoon"), "model"), "virtio");
  EXPECT_TRUE(found(result, "memory.balloon"));
  EXPECT_TRUE(found(result, "memory.large-pages-dropped"));
}

TEST(Memory, NoneSaidIsAssumedAndReported) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.memory.bytes = 0;
  const auto result = fixture.run();
  EXPECT_EQ(element(domain(result), "memory").text, "1048576");
  EXPECT_TRUE(found(result, "memory.assumed"));
}

TEST(Memory, WithoutABalloonTheGuestGetsNone) {
  Fixture fixture(virtualbox_machine());
  EXPECT_EQ(attribute(element(domain(fixture.run()), "devices/memballoon"), "model"), "none");
}

TEST(Clock, BaseAndOffset) {
  Fixture fixture(virtualbox_machine());
  EXPECT_EQ(attribute(element(domain(fixture.run()), "clock"), "offset"), "utc");
  fixture.machine.hardware.clock.base = Clock::Base::local_time;
  EXPECT_EQ(attribute(element(domain(fixture.run()), "clock"), "offset"), "localtime");
  fixture.machine.hardware.clock.offset_ms = -7200499;
  fixture.machine.hardware.clock.hpet = true;
  const xml::Element root = domain(fixture.run());
  const xml::Element &clock = element(root, "clock");
  EXPECT_EQ(attribute(clock, "offset"), "variable");
  EXPECT_EQ(attribute(clock, "adjustment"), "-7200");
  EXPECT_EQ(attribute(clock, "basis"), "localtime");
  EXPECT_EQ(attribute(element(root, "clock/timer", 2), "present"), "yes");
}

}  // namespace
}  // namespace ferry::test
