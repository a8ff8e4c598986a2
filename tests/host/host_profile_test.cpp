// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/host_profile.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/host/support.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

#include "support/error.hpp"

namespace ferry::libvirt {
namespace {

using ::testing::Contains;
using testing::Folder;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

std::filesystem::path host(const std::string &name) {
  return std::filesystem::path(FERRY_SOURCE_DIR) / "fixtures" / "hosts" / name;
}

ErrorDetail error_of(const std::string &json) {
  const Folder folder;
  try {
    (void)load_host_profile(folder.write("profile.json", json));
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
    return error.detail();
  }
  ADD_FAILURE() << "accepted: " << json;
  return {};
}

class RecordedHost : public ::testing::TestWithParam<const char *> {};

TEST_P(RecordedHost, WritesWhatItRead) {
  const std::filesystem::path file = host(GetParam());
  EXPECT_EQ(host_profile_json(load_host_profile(file)), testing::read_text(file));
}

TEST_P(RecordedHost, HoldsNothingOfTheMachineItWasMadeOn) {
  const HostProfile profile = load_host_profile(host(GetParam()));
  EXPECT_FALSE(profile.built_in);
  EXPECT_TRUE(profile.domain_names.empty());
  EXPECT_TRUE(profile.mac_addresses.empty());
  EXPECT_EQ(profile.image_folder, "/home/user/.local/share/libvirt/images");
}

TEST_P(RecordedHost, CanServeAnOrdinaryMachine) {
  const HostProfile profile = load_host_profile(host(GetParam()));
  EXPECT_THAT(profile.machine_types, IsSupersetOf({"pc", "q35"}));
  EXPECT_THAT(profile.disk_buses, IsSupersetOf({"ide", "sata", "scsi", "virtio"}));
  EXPECT_THAT(profile.nic_models, IsSupersetOf({"e1000", "virtio"}));
  EXPECT_THAT(profile.graphics, Contains("vnc"));
  ASSERT_EQ(profile.firmware.size(), 3U);
  EXPECT_THAT(profile.firmware[0].features, IsSupersetOf({"secure-boot", "enrolled-keys"}));
  EXPECT_THAT(profile.firmware[2].features, Not(Contains("secure-boot")));
  EXPECT_EQ(profile.firmware[2].vars_size, 540672U);
}

INSTANTIATE_TEST_SUITE_P(Hosts, RecordedHost,
                         ::testing::Values("debian-12.json", "debian-13.json", "debian-sid.json", "no-spice.json"));

TEST(HostProfile, Debian13TakesPasstAndSessionVirtiofsAndDebian12DoesNot) {
  const HostProfile old = load_host_profile(host("debian-12.json"));
  const HostProfile recent = load_host_profile(host("debian-13.json"));
  EXPECT_EQ(old.libvirt_version, 9000000U);
  EXPECT_EQ(recent.libvirt_version, 11003000U);
  EXPECT_THAT(old.network_backends, Not(Contains("passt")));
  EXPECT_THAT(recent.network_backends, Contains("passt"));
  EXPECT_THAT(old.filesystem_drivers, Not(Contains("virtiofs")));
  EXPECT_THAT(recent.filesystem_drivers, Contains("virtiofs"));
}

TEST(HostProfile, NvmeIsThereFromLibvirtOf2025) {
  EXPECT_THAT(load_host_profile(host("debian-13.json")).disk_buses, Not(Contains("nvme")));
  const HostProfile newest = load_host_profile(host("debian-sid.json"));
  EXPECT_EQ(newest.libvirt_version, 12008000U);
  EXPECT_THAT(newest.disk_buses, Contains("nvme"));
  EXPECT_THAT(newest.network_backends, Contains("passt"));
  EXPECT_THAT(newest.filesystem_drivers, Contains("virtiofs"));
}

TEST(HostProfile, NoSpiceIsDebian12WithoutSpice) {
  HostProfile expected = load_host_profile(host("debian-12.json"));
  const HostProfile found = load_host_profile(host("no-spice.json"));
  expected.name = found.name;
  EXPECT_EQ(expected.graphics.erase("spice"), 1U);
  EXPECT_EQ(expected.video_models.erase("qxl"), 1U);
  EXPECT_EQ(expected.char_types.erase("spicevmc"), 1U);
  expected.usb_redirection = false;
  EXPECT_EQ(host_profile_json(found), host_profile_json(expected));
}

TEST(HostProfile, AFifoOrADeviceIsNotWaitedFor) {
  const test::TempFolder folder;
  ASSERT_EQ(mkfifo((folder / "profile.json").c_str(), 0600), 0);
  EXPECT_THROW((void)load_host_profile(folder / "profile.json"), Error);
  EXPECT_THROW((void)load_host_profile("/dev/zero"), Error);
}

TEST(HostProfile, KeepsEveryMember) {
  HostProfile profile = builtin_host_profile();
  profile.kvm = true;
  profile.ipv6 = false;
  profile.max_vcpus = 7;
  profile.landlock = 3;
  profile.seccomp = true;
  profile.bridges = {"br0"};
  profile.networks = {"lan"};
  profile.domain_names = {"web"};
  profile.domain_uuids = {{"6f2d8b5c-2a57-4d2c-8b6e-2f1f6a8b9c0d", "web"}};
  profile.mac_addresses = {{"52:54:00:12:34:56", "web"}};
  profile.hyperv_features = {"relaxed"};
  profile.tpm_models = {"tpm-crb"};
  profile.tpm_backends = {"emulator"};
  profile.swtpm_setup = profile.virtiofsd = profile.passt = true;
  const Folder folder;
  const HostProfile again = load_host_profile(folder.write("profile.json", host_profile_json(profile)));
  EXPECT_EQ(host_profile_json(again), host_profile_json(profile));
  EXPECT_EQ(again.domain_uuids, profile.domain_uuids);
  EXPECT_EQ(again.mac_addresses, profile.mac_addresses);
  EXPECT_EQ(again.bridges, profile.bridges);
  EXPECT_TRUE(again.kvm && again.swtpm_setup && again.virtiofsd && again.passt && again.built_in);
  EXPECT_FALSE(again.ipv6);
  EXPECT_EQ(again.max_vcpus, 7U);
  EXPECT_EQ(again.landlock, 3U);
  EXPECT_TRUE(again.seccomp);
  EXPECT_EQ(again.libvirt_version, 9000000U);
}

TEST(HostProfile, TheBuiltInOnePromisesNoMoreThanDebian12Has) {
  const HostProfile built_in = builtin_host_profile();
  const HostProfile debian = load_host_profile(host("debian-12.json"));
  EXPECT_TRUE(built_in.built_in);
  EXPECT_FALSE(built_in.kvm);
  EXPECT_TRUE(built_in.bridges.empty());
  for (auto member :
       {&HostProfile::machine_types, &HostProfile::cpu_modes, &HostProfile::cpu_models, &HostProfile::disk_buses,
        &HostProfile::graphics, &HostProfile::video_models, &HostProfile::sound_models, &HostProfile::nic_models,
        &HostProfile::scsi_models, &HostProfile::usb_models, &HostProfile::tpm_models, &HostProfile::tpm_backends,
        &HostProfile::network_backends, &HostProfile::filesystem_drivers, &HostProfile::char_types}) {
    EXPECT_THAT(debian.*member, IsSupersetOf(built_in.*member));
  }
  ASSERT_EQ(built_in.firmware.size(), debian.firmware.size());
  for (std::size_t i = 0; i < debian.firmware.size(); ++i) {
    EXPECT_EQ(built_in.firmware[i].loader, debian.firmware[i].loader);
    EXPECT_EQ(built_in.firmware[i].nvram_template, debian.firmware[i].nvram_template);
    EXPECT_EQ(built_in.firmware[i].vars_size, debian.firmware[i].vars_size);
    EXPECT_THAT(debian.firmware[i].features, IsSupersetOf(built_in.firmware[i].features));
  }
}

TEST(HostProfile, AMemberThatIsNotKnownIsNamed) {
  const ErrorDetail detail = error_of(R"({"virt_ferry_host_profile": 1, "kwm": true})");
  EXPECT_EQ(detail.where.path, "/kwm");
}

TEST(HostProfile, AMemberThatIsNotKnownInAFirmwareIsNamed) {
  const ErrorDetail detail = error_of(R"({"virt_ferry_host_profile": 1, "firmware": [{"path": "/x"}]})");
  EXPECT_EQ(detail.where.path, "/firmware/0/path");
}

TEST(HostProfile, AnotherLayoutVersionIsRefused) {
  EXPECT_EQ(error_of(R"({"virt_ferry_host_profile": 2})").found, "2");
  EXPECT_EQ(error_of(R"({"name": "x"})").found, "no such member");
  EXPECT_EQ(error_of("{").found, "something that is not JSON");
}

TEST(HostProfile, AValueOfTheWrongTypeIsNamed) {
  EXPECT_EQ(error_of(R"({"virt_ferry_host_profile": 1, "kvm": "yes"})").where.path, "/kvm");
  EXPECT_EQ(error_of(R"({"virt_ferry_host_profile": 1, "max_vcpus": -1})").where.path, "/max_vcpus");
  EXPECT_EQ(error_of(R"({"virt_ferry_host_profile": 1, "graphics": "vnc"})").where.path, "/graphics");
  EXPECT_EQ(error_of(R"({"virt_ferry_host_profile": 1, "graphics": [1]})").where.path, "/graphics");
  EXPECT_EQ(error_of(R"({"virt_ferry_host_profile": 1, "firmware": ["x"]})").where.path, "/firmware/0");
}

TEST(HostProfile, AVersionHasThreeNumbers) {
  for (const char *version : {"9.0", "9", "9.0.0.1", "9.x.0", "", "9..0", "9.1000.0"}) {
    const ErrorDetail detail =
        error_of(R"({"virt_ferry_host_profile": 1, "libvirt_version": ")" + std::string(version) + "\"}");
    EXPECT_EQ(detail.where.path, "/libvirt_version") << version;
  }
}

TEST(HostProfile, AMissingFileIsNamed) {
  try {
    (void)load_host_profile("/nonexistent/profile.json");
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing);
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent/profile.json"));
  }
}

}  // namespace
}  // namespace ferry::libvirt
