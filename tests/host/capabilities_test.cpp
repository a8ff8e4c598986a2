// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/capabilities.hpp"

#include <cerrno>
#include <gmock/gmock.h>

#include "exporters/libvirt/host/local_host.hpp"
#include "tests/host/support.hpp"
#include "tests/paths.hpp"

#include "support/error.hpp"

namespace ferry::libvirt {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::Pair;
using testing::recorded;

HostProfile from_recording(const std::string &host) {
  HostProfile profile;
  add_capabilities(profile, recorded(host + "-capabilities.xml"));
  for (const char *machine : {"pc", "q35"}) {
    add_domain_capabilities(profile, recorded(host + "-domcapabilities-" + machine + ".xml"), true);
  }
  add_devices(profile, recorded(host + "-devices.txt"));
  return profile;
}

class Recording : public ::testing::TestWithParam<const char *> {};

// The committed profile is what these functions make of the recorded output; nothing was typed in by hand.
TEST_P(Recording, GivesTheCommittedProfile) {
  const HostProfile expected = load_host_profile(std::filesystem::path(FERRY_SOURCE_DIR) / "fixtures" / "hosts" /
                                                 (std::string(GetParam()) + ".json"));
  HostProfile found = from_recording(GetParam());
  found.libvirt_version = expected.libvirt_version;
  found.qemu_version = expected.qemu_version;
  found.swtpm_setup = expected.swtpm_setup;
  found.virtiofsd = expected.virtiofsd;
  found.passt = expected.passt;
  found.osinfo_db = expected.osinfo_db;
  found.uri = expected.uri;
  apply_version_rules(found);
  found.name = expected.name;
  found.firmware = expected.firmware;
  found.image_folder = expected.image_folder;
  EXPECT_EQ(host_profile_json(found), host_profile_json(expected));
}

INSTANTIATE_TEST_SUITE_P(Hosts, Recording, ::testing::Values("debian-12", "debian-13"));

TEST(LocalHost, TellsWhyThereIsNoKvm) {
  EXPECT_EQ(kvm_lack("fpu vme sse2", ENOENT), KvmLack::processor);
  EXPECT_EQ(kvm_lack("fpu vmx sse2", ENOENT), KvmLack::module);
  EXPECT_EQ(kvm_lack("fpu svm", ENOENT), KvmLack::module);
  EXPECT_EQ(kvm_lack("fpu vmx", EACCES), KvmLack::access);
  EXPECT_EQ(kvm_lack("fpu", EACCES), KvmLack::access) << "a container may hide the flags, not the device";
  EXPECT_EQ(kvm_lack("fpu vmx", 0), KvmLack::unknown);
}

TEST(Capabilities, IdeComesFromPcAndSataFromQ35) {
  HostProfile pc;
  add_domain_capabilities(pc, recorded("debian-12-domcapabilities-pc.xml"), true);
  EXPECT_THAT(pc.disk_buses, Contains("ide"));
  HostProfile q35;
  add_domain_capabilities(q35, recorded("debian-12-domcapabilities-q35.xml"), true);
  EXPECT_THAT(q35.disk_buses, Not(Contains("ide")));
}

TEST(Capabilities, OnlyUsableCpuModelsCount) {
  HostProfile profile;
  add_domain_capabilities(profile, recorded("debian-12-domcapabilities-q35.xml"), true);
  EXPECT_THAT(profile.cpu_models, Contains("Westmere"));
  EXPECT_THAT(profile.cpu_models, Not(Contains("Skylake-Client")));
  EXPECT_THAT(profile.cpu_modes, Not(Contains("host-passthrough")));
}

TEST(Capabilities, WithoutCpuTheCpuPartIsLeft) {
  HostProfile profile;
  add_domain_capabilities(profile, recorded("debian-12-domcapabilities-q35.xml"), false);
  EXPECT_THAT(profile.cpu_models, IsEmpty());
  EXPECT_THAT(profile.disk_buses, Contains("sata"));
}

TEST(Capabilities, WhatIsNotSupportedIsNotTaken) {
  HostProfile profile;
  add_domain_capabilities(profile,
                          "<domainCapabilities><devices><graphics supported='no'><enum name='type'>"
                          "<value>spice</value></enum></graphics></devices></domainCapabilities>",
                          true);
  EXPECT_THAT(profile.graphics, IsEmpty());
}

constexpr const char *kVmHost =
    "<capabilities><host/><guest><os_type>hvm</os_type><arch name='i686'><emulator>/x/i386</emulator></arch></guest>"
    "<guest><os_type>hvm</os_type><arch name='x86_64'><emulator>/x/qemu</emulator>"
    "<machine maxCpus='255'>pc</machine><machine maxCpus='4096'>q35</machine><machine maxCpus='1'>isapc</machine>"
    "<domain type='qemu'/><domain type='kvm'><machine maxCpus='64'>pc-only-kvm</machine></domain></arch></guest>"
    "</capabilities>";

TEST(Capabilities, KvmIsADomainTypeOfTheArchitecture) {
  HostProfile profile;
  add_capabilities(profile, kVmHost);
  EXPECT_TRUE(profile.kvm);
  EXPECT_EQ(profile.emulator, "/x/qemu");
  EXPECT_THAT(profile.machine_types, ElementsAre("isapc", "pc", "pc-only-kvm", "q35"));
  HostProfile without;
  add_capabilities(without, recorded("debian-12-capabilities.xml"));
  EXPECT_FALSE(without.kvm);
}

TEST(Capabilities, TheSmallerVcpuLimitOfPcAndQ35Holds) {
  HostProfile profile;
  add_capabilities(profile, kVmHost);
  EXPECT_EQ(profile.max_vcpus, 255U);
}

TEST(Capabilities, NoEmulatorForTheArchitectureIsAnError) {
  HostProfile profile;
  try {
    add_capabilities(profile, "<capabilities><host/></capabilities>");
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::libvirt);
    EXPECT_THAT(error.detail().advice, ::testing::HasSubstr("qemu-system-x86"));
  }
}

TEST(Devices, TakeTheirLibvirtNames) {
  HostProfile profile;
  add_devices(profile,
              "Network devices:\nname \"vmxnet3\", bus PCI, desc \"x\"\nname \"e1000e\", bus PCI\n\nSound devices:\n"
              "name \"AC97\", bus PCI, alias \"ac97\"\nname \"mptsas1068\", bus PCI\nname \"nec-usb-xhci\", bus PCI\n"
              "junk \"sb16\"\nname \"unterminated");
  EXPECT_THAT(profile.nic_models, ElementsAre("e1000e", "vmxnet3"));
  EXPECT_THAT(profile.sound_models, ElementsAre("ac97"));
  EXPECT_THAT(profile.scsi_models, ElementsAre("lsisas1068"));
  EXPECT_THAT(profile.usb_models, ElementsAre("nec-xhci"));
}

TEST(Devices, DebiansEmulatorHasAllUpstreamOnes) {
  HostProfile recorded_host;
  add_devices(recorded_host, recorded("debian-13-devices.txt"));
  HostProfile upstream;
  add_upstream_devices(upstream);
  EXPECT_EQ(recorded_host.nic_models, upstream.nic_models);
  EXPECT_EQ(recorded_host.sound_models, upstream.sound_models);
  EXPECT_EQ(recorded_host.scsi_models, upstream.scsi_models);
  EXPECT_EQ(recorded_host.usb_models, upstream.usb_models);
}

TEST(DomainTable, TakesNameUuidAndEveryMac) {
  HostProfile profile;
  add_domain(
      profile,
      "<domain><name>web</name><uuid>6f2d8b5c-2a57-4d2c-8b6e-2f1f6a8b9c0d</uuid><devices>"
      "<interface type='user'><mac address='52:54:00:AA:00:01'/></interface><disk><mac address='00:00:00:00:"
      "00:09'/></disk><interface type='bridge'><mac address='08:00:27:00:00:02'/></interface></devices></domain>");
  EXPECT_THAT(profile.domain_names, ElementsAre("web"));
  EXPECT_THAT(profile.domain_uuids, ElementsAre(Pair("6f2d8b5c-2a57-4d2c-8b6e-2f1f6a8b9c0d", "web")));
  EXPECT_THAT(profile.mac_addresses, ElementsAre(Pair("08:00:27:00:00:02", "web"), Pair("52:54:00:aa:00:01", "web")));
}

HostProfile session_host(unsigned libvirt_version) {
  HostProfile profile;
  profile.uri = "qemu:///session";
  profile.libvirt_version = libvirt_version;
  profile.swtpm_setup = profile.virtiofsd = profile.passt = true;
  profile.filesystem_drivers = {"path", "virtiofs"};
  profile.tpm_backends = {"emulator", "passthrough"};
  return profile;
}

TEST(VersionRules, PasstNeedsLibvirt92AndTheProgram) {
  HostProfile old = session_host(9001000);
  old.network_backends = {"passt"};
  apply_version_rules(old);
  EXPECT_THAT(old.network_backends, ElementsAre("default"));
  HostProfile recent = session_host(9002000);
  apply_version_rules(recent);
  EXPECT_THAT(recent.network_backends, ElementsAre("default", "passt"));
  HostProfile without = session_host(11000000);
  without.passt = false;
  without.network_backends = {"default", "passt"};
  apply_version_rules(without);
  EXPECT_THAT(without.network_backends, ElementsAre("default"));
}

TEST(VersionRules, SessionVirtiofsNeedsLibvirt10AndTheSystemDaemonDoesNot) {
  HostProfile old = session_host(9010000);
  apply_version_rules(old);
  EXPECT_THAT(old.filesystem_drivers, ElementsAre("path"));
  HostProfile recent = session_host(10000000);
  apply_version_rules(recent);
  EXPECT_THAT(recent.filesystem_drivers, ElementsAre("path", "virtiofs"));
  HostProfile system = session_host(9000000);
  system.uri = "qemu:///system";
  apply_version_rules(system);
  EXPECT_THAT(system.filesystem_drivers, Contains("virtiofs"));
}

TEST(VersionRules, AnEmulatedTpmNeedsSwtpmSetup) {
  HostProfile profile = session_host(9000000);
  profile.swtpm_setup = false;
  apply_version_rules(profile);
  EXPECT_THAT(profile.tpm_backends, ElementsAre("passthrough"));
}

TEST(Pools, OnlyADirectoryPoolHasAFolder) {
  EXPECT_EQ(directory_of_pool("<pool type='dir'><target><path>/a/b</path></target></pool>"), "/a/b");
  EXPECT_EQ(directory_of_pool("<pool type='logical'><target><path>/dev/x</path></target></pool>"), "");
  EXPECT_EQ(directory_of_pool("<pool type='dir'/>"), "");
}

}  // namespace
}  // namespace ferry::libvirt
