// SPDX-License-Identifier: Apache-2.0
// From a UUID to files: chains, types, other files' registries, moved and foreign paths, and what cannot be found.
#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

constexpr const char *kBase = "{00000001-0000-4000-8000-000000000000}";
constexpr const char *kChild = "{00000002-0000-4000-8000-000000000000}";
constexpr const char *kLeaf = "{00000003-0000-4000-8000-000000000000}";

std::string disk(const std::string &uuid, const std::string &location, const std::string &inside = "",
                 const std::string &attributes = "format='VDI' type='Normal'") {
  return "<HardDisk uuid='" + uuid + "' location='" + location + "' " + attributes + ">" + inside + "</HardDisk>";
}
std::string registry(const std::string &disks, const std::string &dvds = "") {
  return "<MediaRegistry><HardDisks>" + disks + "</HardDisks><DVDImages>" + dvds + "</DVDImages></MediaRegistry>";
}
std::string sata(const std::string &uuid, const std::string &type = "HardDisk") {
  return "<StorageControllers><StorageController name='SATA' type='AHCI' PortCount='1'><AttachedDevice type='" + type +
         "' port='0' device='0'><Image uuid='" + uuid + "'/></AttachedDevice></StorageController></StorageControllers>";
}
Text machine(const std::string &uuid, const std::string &media) {
  Text text;
  text.before_hardware = media;
  text.after_hardware = sata(uuid);
  return text;
}
const Medium &medium_of(const ImportedMachine &machine) {
  return *machine.machine.hardware.controllers.at(0).drives.at(0).medium;
}

TEST(Media, AChainHasItsBaseFirst) {
  const Folder folder;
  folder.write("base.vdi");
  folder.write("Snapshots/" + std::string(kChild) + ".vdi");
  folder.write("Snapshots/" + std::string(kLeaf) + ".vdi");
  const std::string leaf = disk(kLeaf, "Snapshots/" + std::string(kLeaf) + ".vdi", "", "format='VDI'");
  const std::string child = disk(kChild, "Snapshots/" + std::string(kChild) + ".vdi", leaf, "format='VDI'");
  const ImportedMachine got = import_in(folder, machine(kLeaf, registry(disk(kBase, "base.vdi", child))));
  const Medium &medium = medium_of(got);
  ASSERT_EQ(medium.chain.size(), 3U);
  EXPECT_EQ(medium.chain[0].pieces.at(0).file, folder.path() / "base.vdi");
  EXPECT_EQ(medium.chain[2].uuid, Uuid::parse(kLeaf));
  EXPECT_EQ(medium.chain[2].declared_format, ImageFormat::vdi);
  EXPECT_TRUE(got.findings.empty());
}

TEST(Media, TypesComeFromTheBaseAndTheResetFromTheLeaf) {
  const std::vector<std::pair<std::string, MediumType>> types{{"Normal", MediumType::normal},
                                                              {"Immutable", MediumType::immutable},
                                                              {"Writethrough", MediumType::writethrough},
                                                              {"Shareable", MediumType::shareable},
                                                              {"Readonly", MediumType::readonly},
                                                              {"MultiAttach", MediumType::multiattach},
                                                              {"immutable", MediumType::immutable}};
  for (const auto &[text, type] : types) {
    const std::string child = disk(kChild, "c.vdi", "", "format='VDI' autoReset='true'");
    const auto got =
        import_text(machine(kChild, registry(disk(kBase, "b.vdi", child, "format='VDI' type='" + text + "'"))));
    EXPECT_EQ(medium_of(got).type, type) << text;
    EXPECT_TRUE(medium_of(got).auto_reset);
  }
}

std::string immutable_disk() {
  const std::string child = disk(kChild, "child.vdi", "", "format='VDI' autoReset='true'");
  return registry(disk(kBase, "base.vdi", child, "format='VDI' type='Immutable'"));
}

TEST(Media, WhatVirtualBoxEmptiesAtTheNextStartIsLeftBehind) {
  const auto got = import_text(machine(kChild, immutable_disk()));
  ASSERT_EQ(medium_of(got).chain.size(), 1U);
  EXPECT_EQ(medium_of(got).chain[0].uuid, Uuid::parse(kBase));
  EXPECT_TRUE(medium_of(got).auto_reset);
  EXPECT_EQ(count_findings(got, kAutoReset), 1U);
  EXPECT_EQ(count_findings(got, kFileMissing), 1U);  // the base's, not that of what is left behind
  EXPECT_EQ(entry_of(got, "HardDisk/HardDisk/@location")->disposition, Disposition::dropped);
}

TEST(Media, ASnapshotTakenWhileRunningKeepsVirtualBoxFromEmptying) {
  Text text = machine(kChild, immutable_disk());
  text.machine_attributes += " currentSnapshot='{99999999-0000-4000-8000-000000000001}'";
  const std::string state = text.after_hardware;
  const auto snapshot = [&state](const std::string &attributes) {
    return "<Snapshot uuid='{99999999-0000-4000-8000-000000000001}' name='s' timeStamp='2024-01-01T00:00:00Z' " +
           attributes + "><Hardware><Memory RAMSize='64'/></Hardware></Snapshot>" + state;
  };
  text.after_hardware = snapshot("stateFile='s.sav'");
  EXPECT_EQ(medium_of(import_text(text)).chain.size(), 2U);
  EXPECT_FALSE(medium_of(import_text(text)).auto_reset);
  EXPECT_EQ(entry_of(import_text(text), "HardDisk/HardDisk/@autoReset")->disposition, Disposition::dropped);
  text.after_hardware = snapshot("");
  EXPECT_EQ(medium_of(import_text(text)).chain.size(), 1U);
}

TEST(Media, EveryFormat) {
  const std::vector<std::pair<std::string, ImageFormat>> formats{
      {"VDI", ImageFormat::vdi},   {"VMDK", ImageFormat::vmdk}, {"VHD", ImageFormat::vhd},
      {"VHDX", ImageFormat::vhdx}, {"RAW", ImageFormat::raw},   {"Parallels", ImageFormat::parallels},
      {"QCOW", ImageFormat::qcow}, {"QED", ImageFormat::qed},   {"DMG", ImageFormat::unknown}};
  for (const auto &[text, format] : formats) {
    const auto got = import_text(machine(kBase, registry(disk(kBase, "b", "", "format='" + text + "' type='Normal'"))));
    EXPECT_EQ(medium_of(got).chain.at(0).declared_format, format) << text;
  }
}

TEST(Media, AMissingFileIsAFindingThatSaysWhere) {
  const auto got = import_text(machine(kBase, registry(disk(kBase, "gone/disk.vdi"))));
  EXPECT_TRUE(medium_of(got).chain.at(0).pieces.empty());
  EXPECT_EQ(medium_of(got).chain.at(0).declared_location, "gone/disk.vdi");
  ASSERT_EQ(count_findings(got, kFileMissing), 1U);
  EXPECT_NE(got.findings.at(0).message.find("gone/disk.vdi"), std::string::npos);
}

TEST(Media, AMachineFolderThatWasCopiedFromWindows) {
  const Folder folder;
  folder.write("Snapshots/s.vdi");
  const auto got =
      import_in(folder, machine(kBase, registry(disk(kBase, R"(C:\Users\me\VirtualBox VMs\m\Snapshots\s.vdi)"))));
  EXPECT_EQ(medium_of(got).chain.at(0).pieces.at(0).file, folder.path() / "Snapshots" / "s.vdi");
  EXPECT_EQ(count_findings(got, kFoundElsewhere), 1U);
}

TEST(Media, APercentSignAndUtf8AreTakenLiterally) {
  const Folder folder;
  folder.write("50%20 \xC3\xBC.vdi");
  const auto got = import_in(folder, machine(kBase, registry(disk(kBase, "50%20 &#xFC;.vdi"))));
  EXPECT_EQ(medium_of(got).chain.at(0).pieces.size(), 1U);
}

TEST(Media, AFolderIsNoImage) {
  const Folder folder;
  std::filesystem::create_directory(folder.path() / "d.vdi");
  EXPECT_TRUE(medium_of(import_in(folder, machine(kBase, registry(disk(kBase, "d.vdi"))))).chain.at(0).pieces.empty());
}

TEST(Media, ADeviceIsSaid) {
  const auto got = import_text(machine(kBase, registry(disk(kBase, "/dev/null", "", "format='RAW' type='Normal'"))));
  EXPECT_EQ(medium_of(got).chain.at(0).pieces.at(0).file, "/dev/null");
  EXPECT_EQ(count_findings(got, kMediumDevice), 1U);
}

TEST(Media, AFileOutsideOfTheMachineIsLocatedAndJudgedBeforeItIsOpened) {
  const Folder folder;
  const Folder other;
  const auto file = other.write("private.key");
  const auto absolute = import_in(folder, machine(kBase, registry(disk(kBase, file.string()))));
  EXPECT_EQ(medium_of(absolute).chain.at(0).pieces.at(0).file, file);
  const std::string climbing = "../" + other.path().filename().string() + "/private.key";
  EXPECT_EQ(medium_of(import_in(folder, machine(kBase, registry(disk(kBase, climbing))))).chain.at(0).pieces.at(0).file,
            file);
}

TEST(Media, IsoImages) {
  const Folder folder;
  const Folder other;
  const std::string iso = other.write("tools.iso").string();
  Text text;
  text.before_hardware = registry("", "<Image uuid='" + std::string(kBase) + "' location='" + iso + "'/>");
  text.after_hardware = sata(kBase, "DVD");
  const auto got = import_in(folder, text);
  EXPECT_EQ(medium_of(got).chain.at(0).declared_format, ImageFormat::iso);
  EXPECT_EQ(medium_of(got).type, MediumType::readonly);
  text.before_hardware = registry("", "<Image uuid='" + std::string(kBase) + "' location='gone.iso'/>");
  EXPECT_EQ(count_findings(import_in(folder, text), kRemovableMissing), 1U);
}

TEST(Media, ACdThatNobodyListsLeavesTheDriveEmpty) {
  Text text;
  text.after_hardware = sata(kBase, "DVD");
  const auto got = import_text(text);
  EXPECT_FALSE(got.machine.hardware.controllers.at(0).drives.at(0).medium);
  EXPECT_EQ(count_findings(got, kRemovableUnknown), 1U);
}

TEST(Media, AVisoLeavesTheDriveEmpty) {
  Text text;
  text.before_hardware =
      registry("", "<Image uuid='" + std::string(kBase) + "' location='u.viso' format='VBoxIsoMaker'/>");
  text.after_hardware = sata(kBase, "DVD");
  const auto got = import_text(text);
  EXPECT_FALSE(got.machine.hardware.controllers.at(0).drives.at(0).medium);
  EXPECT_EQ(count_findings(got, kViso), 1U);
}

TEST(Media, ADiskThatNobodyListsIsCritical) {
  const auto got = import_text(machine(kBase, ""));
  EXPECT_EQ(count_findings(got, kMediumUnknown), 1U);
  EXPECT_EQ(medium_of(got).chain.at(0).uuid, Uuid::parse(kBase));
  EXPECT_TRUE(medium_of(got).chain.at(0).pieces.empty());
}

TEST(Media, AnUnlistedDifferencingImageIsFoundByItsName) {
  const Folder folder;
  const auto file = folder.write("Snapshots/" + std::string(kBase) + ".vdi");
  const auto got = import_in(folder, machine(kBase, ""));
  EXPECT_EQ(medium_of(got).chain.at(0).pieces.at(0).file, file);
  EXPECT_EQ(count_findings(got, kMediumUnknown), 1U);
}

TEST(Media, ANilUuidIsAnEmptyDrive) {
  Text text;
  text.after_hardware = sata("{00000000-0000-0000-0000-000000000000}", "DVD");
  const auto got = import_text(text);
  EXPECT_FALSE(got.machine.hardware.controllers.at(0).drives.at(0).medium);
  EXPECT_TRUE(got.findings.empty());
}

TEST(Media, AUuidThatIsNoneIsRefused) { EXPECT_EQ(error_of(machine("{1234}", "")).kind(), ErrorKind::malformed); }

TEST(Media, TwoMediaOfOneUuidAreRefusedWhenAttached) {
  const std::string twice = registry(disk(kBase, "a.vdi") + disk(kBase, "b.vdi"));
  EXPECT_NE(std::string(error_of(machine(kBase, twice)).what()).find("same UUID"), std::string::npos);
  EXPECT_NO_THROW((void)import_text(machine(kBase, registry(disk(kBase, "a.vdi") + disk(kBase, "a.vdi")))));
  Text idle;
  idle.before_hardware = twice;
  EXPECT_NO_THROW((void)import_text(idle));
}

TEST(Media, AMediumBelowItselfIsRefused) {
  const std::string loop = disk(kBase, "a.vdi", disk(kChild, "b.vdi", disk(kBase, "a.vdi")));
  EXPECT_EQ(error_of(machine(kChild, registry(loop))).kind(), ErrorKind::malformed);
}

TEST(Media, AMediumWithoutLocationIsRefused) {
  EXPECT_EQ(error_of(machine(kBase, registry("<HardDisk uuid='" + std::string(kBase) + "' format='VDI'/>"))).kind(),
            ErrorKind::malformed);
}

TEST(Media, EncryptionHoldsForTheWholeChainAndItsKeyIsHidden) {
  const std::string key = "<Property name='CRYPT/KeyId' value='k'/><Property name='CRYPT/KeyStore' value='topsecret'/>";
  const auto got =
      import_text(machine(kChild, registry(disk(kBase, "b.vdi", key + disk(kChild, "c.vdi", "", "format='VDI'")))));
  for (const ImageFile &image : medium_of(got).chain) EXPECT_TRUE(image.encrypted);
  EXPECT_EQ(count_findings(got, kMediumEncrypted), 1U);
  for (const LedgerEntry &entry : got.ledger.entries()) EXPECT_EQ(entry.value.find("topsecret"), std::string::npos);
  EXPECT_TRUE(
      medium_of(import_text(machine(kBase, registry(disk(kBase, "b.vdi", "<Property name='DekMissing' value='1'/>")))))
          .chain.at(0)
          .encrypted);
}

TEST(Media, IscsiIsSaidWithoutItsSecret) {
  const std::string target =
      "<Property name='TargetName' value='iqn.x'/><Property name='TargetAddress' value='192.0.2.1'/>"
      "<Property name='LUN' value='3'/><Property name='InitiatorSecret' value='topsecret'/>";
  const auto got =
      import_text(machine(kBase, registry(disk(kBase, "192.0.2.1|iqn.x|3", target, "format='iSCSI' type='Normal'"))));
  EXPECT_EQ(medium_of(got).chain.at(0).declared_format, ImageFormat::iscsi);
  ASSERT_EQ(count_findings(got, kIscsi), 1U);
  EXPECT_NE(got.findings.at(0).message.find("iqn.x at 192.0.2.1, LUN 3"), std::string::npos);
  EXPECT_EQ(entry_of(got, "/Property[4]/@value")->value, "(secret)");
}

// ---- other files ----

std::string global(const std::string &machines, const std::string &media) {
  return "<VirtualBox xmlns='http://www.virtualbox.org/' version='1.12-linux'><Global><MachineRegistry>" + machines +
         "</MachineRegistry>" + media + "</Global></VirtualBox>";
}

TEST(Media, TheGlobalRegistryIsAskedForWhatTheMachineDoesNotList) {
  const Folder folder;
  ImportOptions options = closed();
  options.virtualbox_registry = folder.write("VirtualBox.xml", global("", registry(disk(kBase, "HardDisks/b.vdi"))));
  folder.write("HardDisks/b.vdi");
  folder.write("Machines/m/m.xml", machine(kBase, "").xml());
  const auto got = import_file(folder.path() / "Machines/m/m.xml", options);
  EXPECT_EQ(medium_of(got).chain.at(0).pieces.at(0).file, folder.path() / "HardDisks" / "b.vdi");
  EXPECT_EQ(count_findings(got, kForeignRegistry), 1U);
}

TEST(Media, ALinkedClonesDiskIsListedByItsSource) {
  const Folder folder;
  folder.write("base/base.vdi");
  folder.write("clone/Snapshots/" + std::string(kChild) + ".vdi");
  const std::string child =
      disk(kChild, "/elsewhere/VMs/clone/Snapshots/" + std::string(kChild) + ".vdi", "", "format='VDI'");
  folder.write("base/base.vbox", machine(kBase, registry(disk(kBase, "base.vdi", child))).xml());
  ImportOptions options = closed();
  options.virtualbox_registry =
      folder.write("VirtualBox.xml",
                   global("<MachineEntry uuid='" + std::string(kLeaf) + "' src='/elsewhere/VMs/base/base.vbox'/>", ""));
  folder.write("clone/clone.vbox", machine(kChild, "").xml());
  const auto got = import_file(folder.path() / "clone/clone.vbox", options);
  ASSERT_EQ(medium_of(got).chain.size(), 2U);
  EXPECT_EQ(medium_of(got).chain[0].pieces.at(0).file, folder.path() / "base" / "base.vdi");
  EXPECT_EQ(medium_of(got).chain[1].pieces.size(), 1U);
}

TEST(Media, TheHostsOtherMachinesAreNotLookedAtWhenThatIsOff) {
  const Folder folder;
  folder.write("base/base.vbox", machine(kBase, registry(disk(kBase, "base.vdi"))).xml());
  folder.write("clone/clone.vbox", machine(kBase, "").xml());
  EXPECT_EQ(count_findings(import_file(folder.path() / "clone/clone.vbox", closed()), kMediumUnknown), 1U);
}

TEST(Media, AMachineInTheFolderBesideIsFoundWithoutARegistry) {
  const Folder folder;
  ASSERT_EQ(setenv("VBOX_USER_HOME", folder.path().c_str(), 1), 0);
  ASSERT_EQ(setenv("HOME", folder.path().c_str(), 1), 0);
  folder.write("VMs/base/base.vdi");
  folder.write("VMs/base/base.vbox", machine(kBase, registry(disk(kBase, "base.vdi"))).xml());
  folder.write("VMs/clone/clone.vbox", machine(kBase, "").xml());
  const auto got = import_file(folder.path() / "VMs/clone/clone.vbox", {});
  EXPECT_EQ(medium_of(got).chain.at(0).pieces.size(), 1U);
}

TEST(Media, ABrokenRegistryIsSaidAndDoesNotStopTheImport) {
  const Folder folder;
  ImportOptions options = closed();
  options.virtualbox_registry = folder.write(
      "VirtualBox.xml", global("<MachineEntry uuid='" + std::string(kLeaf) + "' src='broken/broken.vbox'/>", ""));
  folder.write("broken/broken.vbox", "<VirtualBox><Machine>" + std::string(kBase));
  folder.write("m/m.vbox", machine(kBase, "").xml());
  const auto got = import_file(folder.path() / "m/m.vbox", options);
  EXPECT_EQ(count_findings(got, kRegistryUnreadable), 1U);
}

TEST(Media, ARegistryThatTheUserNamedMustBeThere) {
  const Folder folder;
  ImportOptions options = closed();
  options.virtualbox_registry = folder.path() / "none.xml";
  const auto file = folder.write("m.vbox", machine(kBase, "").xml());
  EXPECT_THROW((void)import_file(file, options), Error);
}

TEST(Media, RegistriesBefore14) {
  const Folder folder;
  ImportOptions options = closed();
  options.virtualbox_registry = folder.write(
      "VirtualBox.xml",
      "<VirtualBox xmlns='http://www.innotek.de/VirtualBox-settings' "
      "version='1.2-windows'><Global><DiskRegistry><HardDisks>"
      "<HardDisk uuid='" +
          std::string(kBase) + "' type='immutable'><VirtualDiskImage filePath='VDI\\xp.vdi'/><DiffHardDisk uuid='" +
          std::string(kChild) +
          "'><VMDKImage filePath='VDI\\diff.vmdk'/></DiffHardDisk></HardDisk></HardDisks></DiskRegistry>"
          "</Global></VirtualBox>");
  folder.write("VDI/xp.vdi");
  Text text = machine(kChild, "");
  const auto file = folder.write("m.vbox", text.xml());
  const auto got = import_file(file, options);
  ASSERT_EQ(medium_of(got).chain.size(), 2U);
  EXPECT_EQ(medium_of(got).type, MediumType::immutable);
  EXPECT_EQ(medium_of(got).chain[0].pieces.at(0).file, folder.path() / "VDI" / "xp.vdi");
  EXPECT_EQ(medium_of(got).chain[1].declared_format, ImageFormat::vmdk);
}

TEST(Unused, ADiskOfTheRegistryThatNoDriveHoldsIsTold) {
  Text text;
  text.before_hardware =
      "<MediaRegistry><HardDisks>"
      "<HardDisk uuid='{00000001-0000-4000-8000-000000000000}' location='held.vdi' format='VDI'>"
      "<HardDisk uuid='{00000002-0000-4000-8000-000000000000}' location='/clones/other/diff.vdi' "
      "format='VDI'/></HardDisk>"
      "<HardDisk uuid='{00000003-0000-4000-8000-000000000000}' location='loose.vdi' format='VDI'/>"
      "</HardDisks></MediaRegistry>";
  text.after_hardware =
      "<StorageControllers><StorageController name='S' type='AHCI'><AttachedDevice type='HardDisk' port='0'>"
      "<Image "
      "uuid='{00000001-0000-4000-8000-000000000000}'/></AttachedDevice></StorageController></StorageControllers>";
  const ImportedMachine machine = import_text(text);
  EXPECT_EQ(count_findings(machine, kDiskUnused), 1U);
  for (const Finding &finding : machine.findings) {
    if (finding.id != kDiskUnused.id) continue;
    EXPECT_NE(finding.message.find("loose.vdi"), std::string::npos);
  }
}

TEST(Locked, TheGuestPropertyOfAMissingPasswordIsTold) {
  const auto told = [](const std::string &value) {
    Text text;
    text.hardware = "<GuestProperties><GuestProperty name='/VirtualBox/HostInfo/DekMissing' value='" + value +
                    "' timestamp='1' flags='RDONLYGUEST'/></GuestProperties>";
    return count_findings(import_text(text), kDiskLocked);
  };
  EXPECT_EQ(told("1"), 1U);
  EXPECT_EQ(told("0"), 0U);
  EXPECT_EQ(told(""), 0U);
}

}  // namespace
}  // namespace ferry::vbox::test
