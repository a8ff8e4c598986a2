// SPDX-License-Identifier: Apache-2.0
// What the planner itself decides of a machine: names, snapshots, media, saved states; with a made-up survey.
#include "migration/plan.hpp"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>

#include "exporters/libvirt/target.hpp"
#include "tests/kit/folder.hpp"
#include "tests/kit/imagined_survey.hpp"
#include "tests/paths.hpp"

namespace ferry::migration {
namespace {

struct Plan : testing::Test {
  ImportedMachine imported;
  Options options;
  libvirt::HostProfile host =
      libvirt::load_host_profile(std::filesystem::path(FERRY_SOURCE_DIR) / "fixtures/hosts/debian-12.json");
  Survey survey;

  Plan() {
    options.dest = "/images";
    machine().source.file = "/machines/web/web.vbox";
    machine().name = "web";
    machine().hardware = hardware("current.vdi");
    survey = tests::imagined_survey(machine());
  }

  Machine &machine() { return imported.machine; }

  static Hardware hardware(const std::string &leaf) {
    Hardware out;
    out.memory.bytes = std::uint64_t{1} << 30U;
    Controller &controller = out.controllers.emplace_back();
    controller.name = "SATA";
    controller.drives.push_back(drive({"base.vdi", leaf}));
    return out;
  }

  static Drive drive(const std::vector<std::string> &chain) {
    Drive out;
    out.medium.emplace();
    for (const std::string &name : chain) {
      ImageFile &image = out.medium->chain.emplace_back();
      image.declared_location = name;
      image.pieces.push_back({"/machines/web/" + name, 0, {}});
      image.declared_format = ImageFormat::vdi;
    }
    return out;
  }

  void add_snapshot(const std::string &name, Hardware state) {
    Snapshot &snapshot = machine().snapshots.emplace_back();
    snapshot.name = name;
    snapshot.hardware = std::move(state);
    survey = tests::imagined_survey(machine());
  }

  MachinePlan plan() const { return make_plan(imported, survey, options, libvirt::Target(host)); }

  static bool has(const MachinePlan &plan, const std::string &id) {
    return std::any_of(plan.findings.begin(), plan.findings.end(), [&](const Finding &f) { return f.id == id; });
  }

  ErrorKind refusal() const {
    try {
      (void)plan();
    } catch (const Error &error) {
      return error.kind();
    }
    ADD_FAILURE() << "it was planned";
    return ErrorKind::internal;
  }
};

TEST_F(Plan, APlainMachineHasOneDiskAndItsOwnName) {
  const MachinePlan planned = plan();
  EXPECT_EQ(planned.name, "web");
  ASSERT_EQ(planned.disks.size(), 1U);
  EXPECT_EQ(planned.disks[0].target, "/images/web.qcow2");
  EXPECT_EQ(planned.files, (std::vector<std::filesystem::path>{"/images/web.qcow2", "/images/web.xml"}));
  EXPECT_FALSE(has(planned, "name.changed"));
  EXPECT_FALSE(has(planned, "host.built-in-profile"));
}

TEST_F(Plan, ANameThatNoFileCanHaveIsChanged) {
  machine().name = "../web";
  EXPECT_TRUE(has(plan(), "name.changed"));
}

TEST_F(Plan, APlanForNoHostInParticularSaysSo) {
  host.built_in = true;
  EXPECT_TRUE(has(plan(), "host.built-in-profile"));
}

TEST_F(Plan, ASavedStateIsRefusedOrDiscarded) {
  machine().saved_state = SavedState{"/machines/web/web.sav", {}};
  EXPECT_EQ(refusal(), ErrorKind::unsupported);
  options.discard_saved_state = true;
  EXPECT_TRUE(has(plan(), "state.discarded"));
}

TEST_F(Plan, AnEncryptedMachineIsRefused) {
  machine().encrypted = true;
  EXPECT_EQ(refusal(), ErrorKind::encrypted);
}

TEST_F(Plan, AnOptionForACardThatIsNotThereIsToldHowManyThereAre) {
  const auto said = [this] {
    try {
      (void)plan();
      return std::string("nothing");
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return std::string(error.what());
    }
  };
  options.identity.macs[8] = *MacAddress::parse("52:54:00:12:34:56");
  EXPECT_NE(
      said().find("--mac 9=52:54:00:12:34:56 names a network card that the machine does not have; found a machine "
                  "without network cards. Leave the option out."),
      std::string::npos)
      << said();
  machine().hardware.nics.resize(1);
  EXPECT_NE(said().find("a machine with one network card; expected number 1"), std::string::npos) << said();
  machine().hardware.nics.resize(3);
  EXPECT_NE(said().find("a machine with 3 network cards; expected a number from 1 to 3"), std::string::npos) << said();
  options.identity.macs.clear();
  options.hardware.networks[4] = *target::Network::parse("user");
  EXPECT_NE(said().find("--network 5=user names"), std::string::npos) << said();
}

TEST_F(Plan, AManifestIsAnnounced) {
  survey.has_manifest = true;
  survey.manifest.push_back({.member = "disk.vmdk", .algorithm = "SHA256", .digest = "00", .range = {}, .where = {}});
  const MachinePlan planned = plan();
  EXPECT_TRUE(has(planned, "ova.manifest"));
  EXPECT_EQ(planned.manifest.size(), 1U);
  EXPECT_FALSE(has(planned, "ova.manifest-incomplete"));
  survey.unlisted = {"disk.vmdk"};
  EXPECT_TRUE(has(plan(), "ova.manifest-incomplete"));
}

TEST_F(Plan, SnapshotsBecomeStatesOfTheDisk) {
  add_snapshot("clean", hardware("clean.vdi"));
  const MachinePlan planned = plan();
  ASSERT_EQ(planned.snapshots.size(), 1U);
  ASSERT_EQ(planned.disks.at(0).snapshots.size(), 1U);
  EXPECT_EQ(planned.disks[0].snapshots[0].name, "clean");
  EXPECT_NE(planned.snapshots[0].xml.find(R"(<disk name="sda" snapshot="internal"/>)"), std::string::npos);
}

TEST_F(Plan, ADiskWithOneStateForAllIsNoPartOfTheSnapshot) {
  machine().hardware.controllers[0].drives.push_back(drive({"data.vdi"}));
  machine().hardware.controllers[0].drives[1].port = 1;
  Hardware state = hardware("clean.vdi");
  state.controllers[0].drives.push_back(machine().hardware.controllers[0].drives[1]);
  add_snapshot("clean", state);
  const MachinePlan planned = plan();
  EXPECT_TRUE(planned.disks.at(1).snapshots.empty());
  const std::string &xml = planned.snapshots.at(0).xml;
  EXPECT_NE(xml.find(R"(<disk name="sdb" snapshot="no"/>)"), std::string::npos);
  // libvirt refuses the line above unless the snapshot's domain excludes the disk too.
  EXPECT_NE(xml.find(R"(<disk type="file" device="disk" snapshot="no">)"), std::string::npos);
}

TEST_F(Plan, AWriteThroughDiskStaysOutOfSnapshotsToCome) {
  EXPECT_EQ(plan().domain_xml.find("snapshot="), std::string::npos);
  machine().hardware.controllers[0].drives[0].medium->type = MediumType::writethrough;
  EXPECT_NE(plan().domain_xml.find(R"(snapshot="no")"), std::string::npos);
}

TEST_F(Plan, SnapshotsOfOneNameGetTwo) {
  add_snapshot("clean", hardware("clean.vdi"));
  add_snapshot("clean", hardware("other.vdi"));
  const MachinePlan planned = plan();
  EXPECT_TRUE(has(planned, "snapshot.renamed"));
  EXPECT_NE(planned.snapshots.at(0).name, planned.snapshots.at(1).name);
}

TEST_F(Plan, SnapshotsCanBeLeftBehind) {
  add_snapshot("clean", hardware("clean.vdi"));
  options.keep_snapshots = false;
  const MachinePlan planned = plan();
  EXPECT_TRUE(has(planned, "snapshot.flattened"));
  EXPECT_TRUE(planned.snapshots.empty());
  EXPECT_TRUE(planned.disks.at(0).snapshots.empty());
}

TEST_F(Plan, ASnapshotWhoseDiskCannotBeReadIsLeftOutWhenAsked) {
  options.skip_unreadable_snapshots = true;
  add_snapshot("broken", hardware("broken.vdi"));
  MediumFacts &facts = survey.media.at("snapshots.0.hardware.controllers.0.drives.0");
  facts.info.reset();
  facts.error = Error(ErrorKind::missing, {.message = "the image is not there"});
  const MachinePlan planned = plan();
  EXPECT_TRUE(has(planned, "snapshot.disk-missing"));
  EXPECT_TRUE(planned.snapshots.empty());
}

TEST_F(Plan, AMissingDiskOfTheMachineIsARefusal) {
  MediumFacts &facts = survey.media.at("hardware.controllers.0.drives.0");
  facts.info.reset();
  facts.error = Error(ErrorKind::missing, {.message = "the image is not there"});
  EXPECT_EQ(refusal(), ErrorKind::missing);
}

TEST_F(Plan, RevertingUefiMachinesNeedsANewerLibvirt) {
  machine().hardware.firmware.type = FirmwareType::efi64;
  Hardware state = hardware("clean.vdi");
  state.firmware.type = FirmwareType::efi64;
  add_snapshot("clean", state);
  EXPECT_TRUE(has(plan(), "snapshot.new-uefi"));
  host.libvirt_version = 10'009'000;
  EXPECT_FALSE(has(plan(), "snapshot.new-uefi"));
}

TEST_F(Plan, AUefiSnapshotOfWhatIsABiosMachineNowIsSaidToo) {
  add_snapshot("clean", hardware("clean.vdi"));
  EXPECT_FALSE(has(plan(), "snapshot.new-uefi"));
  machine().snapshots[0].hardware.firmware.type = FirmwareType::efi64;
  EXPECT_TRUE(has(plan(), "snapshot.new-uefi"));
}

TEST_F(Plan, SecureBootIsGivenUpWhereNoFirmwareHasIt) {
  machine().hardware.firmware.type = FirmwareType::efi64;
  machine().hardware.firmware.secure_boot = true;
  EXPECT_FALSE(has(plan(), "firmware.secure-boot-dropped"));
  std::erase_if(host.firmware,
                [](const target::FirmwareImage &firmware) { return firmware.features.contains("secure-boot"); });
  EXPECT_TRUE(has(plan(), "firmware.secure-boot-dropped"));
}

TEST_F(Plan, ACdImageIsUsedWhereItIs) {
  Drive cd = drive({"install.iso"});
  cd.kind = DriveKind::cdrom;
  cd.port = 1;
  machine().hardware.controllers[0].drives.push_back(cd);
  EXPECT_TRUE(has(plan(), "medium.removable-linked"));
  options.copy_removable = true;
  const MachinePlan planned = plan();
  EXPECT_FALSE(has(planned, "medium.removable-linked"));
  EXPECT_EQ(planned.copies.at(0).target, "/images/web.iso");
}

// The image folder of the user's own session is a pool of volumes.
TEST_F(Plan, WhatIsNoImageLiesElsewhereInTheSessionsOwnPool) {
  const test::TempFolder folder;
  setenv("XDG_CONFIG_HOME", (folder / "config").c_str(), 1);
  options.dest.reset();
  host.image_folder = folder / "images";
  host.firmware = {{.description = "any",
                    .loader = "/fw/code.fd",
                    .nvram_template = "/fw/vars.fd",
                    .architecture = "x86_64",
                    .machines = {"pc-i440fx-*", "pc-q35-*"},
                    .features = {},
                    .vars_size = 0x84000}};
  machine().hardware.firmware.type = FirmwareType::efi64;
  using Files = std::vector<std::filesystem::path>;
  const std::filesystem::path disk = folder / "images/web.qcow2";
  EXPECT_EQ(plan().files, (Files{disk, folder / "config/libvirt/qemu/nvram/web_VARS.fd"}));
  EXPECT_NE(plan().domain_xml.find("nvram/web_VARS.fd<"), std::string::npos);
  options.define = false;
  EXPECT_EQ(plan().files, (Files{disk, folder / "images/web_VARS.fd", folder / "images/web.xml"}));
  options.define = true;
  options.dest = folder / "images";
  EXPECT_EQ(plan().files, (Files{disk, folder / "images/web_VARS.fd", folder / "images/web.xml"}));
  options.dest.reset();
  options.connect = "qemu:///system";
  EXPECT_EQ(plan().files, (Files{disk, folder / "images/web_VARS.fd", folder / "images/web.xml"}));
  unsetenv("XDG_CONFIG_HOME");
}

TEST_F(Plan, ALinkedDiskIsTheSourcesOwnAndThatIsTold) {
  options.mode = disk::Mode::link;
  const MachinePlan planned = plan();
  EXPECT_TRUE(has(planned, "disk.linked"));
  EXPECT_EQ(planned.files, std::vector<std::filesystem::path>{"/images/web.xml"});
  options.mode = disk::Mode::overlay;
  EXPECT_FALSE(has(plan(), "disk.linked"));
}

ObservedWindows windows_without_ahci(std::uint64_t at) {
  ObservedWindows out;
  out.disk = 1;
  out.partition = 1;
  out.folder = "Windows";
  out.version = "10.0.19045";
  out.control_sets.push_back({.number = 1, .services = {{.name = "storahci", .start = 3, .start_at = at}}});
  return out;
}

// The registry lies elsewhere in the snapshot's state of the disk.
TEST_F(Plan, EachStateOfADiskIsChangedWhereItsOwnRegistryLies) {
  add_snapshot("before", hardware("before.vdi"));
  survey.observed.emplace().windows.push_back(windows_without_ahci(4096));
  survey.snapshot_observed[0].windows.push_back(windows_without_ahci(8192));
  const MachinePlan planned = plan();
  ASSERT_EQ(planned.disks.at(0).medium.changes.size(), 1U);
  EXPECT_EQ(planned.disks[0].medium.changes[0].offset, 4096U);
  ASSERT_EQ(planned.disks[0].snapshots.at(0).medium.changes.size(), 1U);
  EXPECT_EQ(planned.disks[0].snapshots[0].medium.changes[0].offset, 8192U);
  EXPECT_EQ(planned.guest_fixes.size(), 2U);
}

TEST_F(Plan, AnOverlayIsChangedAndALinkNever) {
  survey.observed.emplace().windows.push_back(windows_without_ahci(4096));
  options.mode = disk::Mode::overlay;
  EXPECT_EQ(plan().disks.at(0).medium.changes.size(), 1U);
  options.mode = disk::Mode::link;
  EXPECT_TRUE(plan().disks.at(0).medium.changes.empty());
}

// A VMware machine that is told to shows each disk's own UUID.
TEST_F(Plan, ADisksUuidIsItsSerialNumberWhereTheSourceShowsIt) {
  const auto serial = [&] { return plan().domain_xml.find("<serial>6000c2900000000000000000000000aa</serial>"); };
  survey.media.at("hardware.controllers.0.drives.0").info->chain.at(0).uuid =
      Uuid::parse("6000c290-0000-0000-0000-0000000000aa");
  machine().hardware.controllers[0].type = ControllerType::virtio_scsi;
  EXPECT_EQ(serial(), std::string::npos);
  machine().extra["disk.enable_uuid"] = "true";
  EXPECT_NE(serial(), std::string::npos);
}

TEST_F(Plan, WhatTheGuestIsToldIsOnACd) {
  machine().guest_data.emplace().user_data = "#cloud-config\n";
  const MachinePlan planned = plan();
  ASSERT_TRUE(planned.seed);
  EXPECT_NE(planned.domain_xml.find("/images/web-seed.iso"), std::string::npos);
  EXPECT_NE(std::find(planned.files.begin(), planned.files.end(), "/images/web-seed.iso"), planned.files.end());
}

// ---- EFI firmware with drivers for SCSI controllers ----

struct ScsiFirmware : Plan {
  ScsiFirmware() {
    machine().hardware.firmware.type = FirmwareType::efi64;
    machine().hardware.controllers[0].type = ControllerType::pvscsi;
    target::FirmwareImage image;
    image.loader = "/usr/share/ovmf/OVMF.legacy.fd";
    image.joint = 0x84000;
    image.scsi_models = {"lsisas1068", "vmpvscsi"};
    survey.scsi_firmware = {image};
  }
};

TEST_F(ScsiFirmware, KeepsTheController) {
  const MachinePlan planned = plan();
  EXPECT_NE(planned.domain_xml.find("model=\"vmpvscsi\""), std::string::npos);
  EXPECT_NE(planned.domain_xml.find(">/images/web_CODE.fd</loader>"), std::string::npos);
  EXPECT_NE(std::find(planned.files.begin(), planned.files.end(), "/images/web_CODE.fd"), planned.files.end());
  EXPECT_EQ(planned.firmware->joint, "/usr/share/ovmf/OVMF.legacy.fd");
  EXPECT_TRUE(std::any_of(planned.findings.begin(), planned.findings.end(),
                          [](const Finding &one) { return one.id == "firmware.by-drivers"; }));
}

TEST_F(ScsiFirmware, IsNotForSecureBootOrOtherControllers) {
  machine().hardware.firmware.secure_boot = true;
  EXPECT_EQ(plan().domain_xml.find("vmpvscsi"), std::string::npos);
  machine().hardware.firmware.secure_boot = false;
  survey.scsi_firmware[0].scsi_models = {"lsisas1068"};
  EXPECT_EQ(plan().domain_xml.find("web_CODE.fd"), std::string::npos);
  machine().hardware.controllers[0].type = ControllerType::ahci;
  survey.scsi_firmware[0].scsi_models = {"lsisas1068", "vmpvscsi"};
  EXPECT_EQ(plan().domain_xml.find("web_CODE.fd"), std::string::npos);
  options.firmware = "/usr/share/ovmf/OVMF.legacy.fd";
  EXPECT_NE(plan().domain_xml.find("web_CODE.fd"), std::string::npos);
  machine().hardware.firmware.secure_boot = true;
  EXPECT_THROW((void)plan(), Error);
}

}  // namespace
}  // namespace ferry::migration
