// SPDX-License-Identifier: Apache-2.0
// The machine as a whole: identity, state, snapshots, extra data, refusals, and the machine inside an OVF.
#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

TEST(Machine, Identity) {
  Text text;
  text.before_hardware = "<Description>a &amp; b\nc</Description><Groups><Group name='/x'/><Group name='/y'/></Groups>";
  text.machine_attributes = "currentStateModified='false'";
  const Machine machine = import_text(text).machine;
  EXPECT_EQ(machine.name, "m");
  EXPECT_EQ(machine.uuid->text(), "aabbccdd-0011-2233-4455-66778899aabb");
  EXPECT_EQ(machine.description, "a & b\nc");
  EXPECT_EQ(machine.groups, (std::vector<std::string>{"/x", "/y"}));
  EXPECT_EQ(machine.guest_os.source_id, "Debian_64");
  EXPECT_FALSE(machine.current_state_modified);
  EXPECT_EQ(machine.source.kind, SourceKind::vbox);
  EXPECT_EQ(machine.source.format_version, "1.16-linux");
  EXPECT_EQ(machine.source.product, "VirtualBox");
  EXPECT_TRUE(machine.source.file.is_absolute());
}

TEST(Machine, TheProductStandsInTheCommentOnTop) {
  const Folder folder;
  std::string xml = Text{}.xml();
  xml.insert(xml.find("<VirtualBox"), "<!--\n** Written by VirtualBox 7.2.14 (r174565)\n-->\n");
  EXPECT_EQ(import_file(folder.write("m.vbox", xml), closed()).machine.source.product, "VirtualBox 7.2.14");
}

TEST(Machine, SavedStateAndAbort) {
  const Folder folder;
  const auto saved = folder.write("Snapshots/s.sav");
  Text text;
  text.machine_attributes = "stateFile='Snapshots\\s.sav' aborted='true'";
  const ImportedMachine got = import_in(folder, text);
  ASSERT_TRUE(got.machine.saved_state);
  EXPECT_EQ(got.machine.saved_state->file, saved);
  EXPECT_EQ(count_findings(got, kAborted), 1U);
}

TEST(Machine, ANewerVersionIsSaidAndRead) {
  Text text;
  text.version = "1.23-linux";
  EXPECT_EQ(count_findings(import_text(text), kNewerVersion), 1U);
  for (const char *version : {"1.20-linux", "1.21-windows", "1.22-macosx"}) {
    text.version = version;
    EXPECT_EQ(count_findings(import_text(text), kNewerVersion), 0U) << version;
  }
}

TEST(Machine, SecretsOfTheTeleporterAreHidden) {
  Text text;
  text.before_hardware =
      "<Teleporter enabled='true' password='topsecret'/><FaultTolerance password='topsecret'/>"
      "<ExtraData><ExtraDataItem name='VBoxAuthSimple/users/a' value='topsecret'/></ExtraData>";
  const ImportedMachine got = import_text(text);
  for (const LedgerEntry &entry : got.ledger.entries()) EXPECT_NE(entry.value, "topsecret") << entry.where.text();
}

TEST(Machine, WhatNobodyKnowsStaysUnknown) {
  Text text;
  text.machine_attributes = "quantum='1'";
  text.hardware = "<TimeMachine year='1985'/>";
  EXPECT_EQ(unknown_settings(import_text(text)).size(), 2U);
}

TEST(Machine, ABooleanThatIsNoneIsRefusedWithItsPlace) {
  Text text;
  text.hardware = "<HPET enabled='maybe'/>";
  const Error error = error_of(text);
  EXPECT_EQ(error.kind(), ErrorKind::malformed);
  EXPECT_EQ(error.detail().where.path, "/VirtualBox/Machine/Hardware/HPET/@enabled");
  EXPECT_TRUE(error.detail().where.line);
}

// ---- refusals ----

Error refusal(std::string_view content) {
  const Folder folder;
  try {
    (void)import_file(folder.write("m.vbox", content), closed());
  } catch (const Error &error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::internal, {});
}

TEST(Refusals, AnEncryptedMachine) {
  const Error error = refusal(
      "<VirtualBox xmlns='http://www.virtualbox.org/' version='1.19-linux'><MachineEncrypted "
      "uuid='{aabbccdd-0011-2233-4455-66778899aabb}' keyId='k' keyStore='s'>AA==</MachineEncrypted>"
      "</VirtualBox>");
  EXPECT_EQ(error.kind(), ErrorKind::encrypted);
  EXPECT_NE(error.detail().advice.find("encryptvm"), std::string::npos);
}

TEST(Refusals, VirtualBoxsOwnRegistry) {
  const Error error = refusal("<VirtualBox version='1.12-linux'><Global/></VirtualBox>");
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
}

TEST(Refusals, OtherFiles) {
  EXPECT_EQ(refusal("<Envelope/>").kind(), ErrorKind::malformed);
  EXPECT_EQ(refusal("").kind(), ErrorKind::malformed);
  EXPECT_EQ(refusal("<VirtualBox version='1.16-linux'/>").kind(), ErrorKind::malformed);
  EXPECT_EQ(refusal("<VirtualBox><Machine/></VirtualBox>").detail().where.path, "/VirtualBox/@version");
  EXPECT_EQ(refusal("<!DOCTYPE x><VirtualBox version='1.16-linux'/>").kind(), ErrorKind::malformed);
  EXPECT_EQ(refusal(Text{}.xml().substr(0, 150)).kind(), ErrorKind::malformed);
  EXPECT_THROW((void)import_file("/nowhere/m.vbox", closed()), Error);
  EXPECT_THROW((void)import_file("/dev/null", closed()), Error);
}

TEST(Refusals, AMachineWithoutNameOrUuid) {
  EXPECT_EQ(refusal("<VirtualBox version='1.16-linux'><Machine name='m'/></VirtualBox>").detail().where.path,
            "/VirtualBox/Machine/@uuid");
  EXPECT_EQ(refusal("<VirtualBox version='1.16-linux'><Machine/></VirtualBox>").detail().where.path,
            "/VirtualBox/Machine/@name");
}

// ---- snapshots ----

std::string snapshot(const std::string &digit, const std::string &inside = "", const std::string &attributes = "") {
  return "<Snapshot uuid='{0000000" + digit + "-0000-4000-8000-000000000000}' name='s" + digit +
         "' timeStamp='2024-02-29T12:00:01Z' " + attributes + "><Description>d" + digit +
         "</Description><Hardware><Memory RAMSize='" + digit + "'/></Hardware>" +
         (inside.empty() ? "" : "<Snapshots>" + inside + "</Snapshots>") + "</Snapshot>";
}

TEST(Snapshots, ParentsComeBeforeChildren) {
  Text text;
  text.after_hardware = snapshot("1", snapshot("2", snapshot("3")) + snapshot("4", "", "stateFile='Snapshots/x.sav'"));
  text.machine_attributes = "currentSnapshot='{00000003-0000-4000-8000-000000000000}'";
  const ImportedMachine got = import_text(text);
  const auto &snapshots = got.machine.snapshots;
  ASSERT_EQ(snapshots.size(), 4U);
  EXPECT_FALSE(snapshots[0].parent);
  EXPECT_EQ(snapshots[1].parent, 0U);
  EXPECT_EQ(snapshots[2].parent, 1U);
  EXPECT_EQ(snapshots[3].parent, 0U);
  EXPECT_EQ(got.machine.current_snapshot, 2U);
  EXPECT_EQ(snapshots[2].name, "s3");
  EXPECT_EQ(snapshots[2].id, "00000003-0000-4000-8000-000000000000");
  EXPECT_EQ(snapshots[2].description, "d3");
  EXPECT_EQ(snapshots[2].created, 1709208001);
  EXPECT_EQ(snapshots[2].hardware.memory.bytes, std::uint64_t{3} << 20U);
  EXPECT_FALSE(snapshots[2].saved_state);
  EXPECT_EQ(snapshots[3].saved_state->file.filename(), "x.sav");
  EXPECT_EQ(entry_of(got, "/Snapshots/Snapshot[2]/Hardware/Memory/@RAMSize")->field,
            "snapshots.3.hardware.memory.bytes");
}

TEST(Snapshots, TimesOutsideOfTheCalendarAreDropped) {
  Text text;
  text.after_hardware =
      "<Snapshot uuid='{00000001-0000-4000-8000-000000000000}' name='s' timeStamp='2024-13-01T00:00:00Z'>"
      "<Hardware><Memory RAMSize='1'/></Hardware></Snapshot>";
  EXPECT_FALSE(import_text(text).machine.snapshots.at(0).created);
}

TEST(Snapshots, ACurrentOneThatIsNotThereIsSaid) {
  Text text;
  text.after_hardware = snapshot("1");
  text.machine_attributes = "currentSnapshot='{00000009-0000-4000-8000-000000000000}'";
  const ImportedMachine got = import_text(text);
  EXPECT_FALSE(got.machine.current_snapshot);
  EXPECT_EQ(count_findings(got, kCurrentSnapshot), 1U);
}

TEST(Snapshots, AsDeepAsVirtualBoxAllows) {
  std::string tree;
  for (int i = 250; i > 0; --i) {
    tree = "<Snapshot uuid='{" + std::to_string(10000000 + i) +
           "-0000-4000-8000-000000000000}' name='s'><Hardware><Memory RAMSize='4'/></Hardware>" +
           (tree.empty() ? "" : "<Snapshots>" + tree + "</Snapshots>") + "</Snapshot>";
  }
  Text text;
  text.after_hardware = tree;
  EXPECT_EQ(import_text(text).machine.snapshots.back().parent, 248U);
}

TEST(Snapshots, TwoOfOneUuidAreRefused) {
  Text text;
  text.after_hardware = snapshot("1", snapshot("1"));
  EXPECT_NE(std::string(error_of(text).what()).find("same UUID"), std::string::npos);
}

TEST(Snapshots, OneWithoutHardwareIsRefused) {
  Text text;
  text.after_hardware = "<Snapshot uuid='{00000001-0000-4000-8000-000000000000}' name='s'/>";
  EXPECT_EQ(error_of(text).kind(), ErrorKind::malformed);
}

// ---- extra data ----

std::string extra(const std::string &name, const std::string &value) {
  return "<ExtraData><ExtraDataItem name='" + name + "' value='" + value + "'/></ExtraData>";
}
ImportedMachine with_extra(const std::string &name, const std::string &value, const std::string &hardware = "") {
  Text text;
  text.before_hardware = extra(name, value);
  text.hardware = hardware;
  return import_text(text);
}

TEST(ExtraData, DmiStringsOfTheBiosInUse) {
  const std::string bios = "VBoxInternal/Devices/pcbios/0/Config/";
  const auto strings = [&](const std::string &key, const std::string &value) {
    return with_extra(bios + key, value).machine.hardware.smbios.strings;
  };
  EXPECT_EQ(strings("DmiBIOSVendor", "V").at("bios.vendor"), "V");
  EXPECT_EQ(strings("DmiSystemSerial", "string:007").at("system.serial"), "007");
  EXPECT_EQ(strings("DmiSystemVersion", "&lt;EMPTY&gt;").at("system.version"), "");
  EXPECT_EQ(strings("DmiBoardAssetTag", "A").at("baseBoard.asset"), "A");
  EXPECT_EQ(strings("DmiChassisVendor", "C").at("chassis.manufacturer"), "C");
  EXPECT_EQ(strings("DmiOEMVBoxRev", "R").at("oemStrings.1"), "R");
  EXPECT_EQ(strings("DmiBIOSReleaseMajor", "3").at("bios.release"), "3.0");
  EXPECT_TRUE(strings("DmiChassisType", "3").empty());
  EXPECT_EQ(
      with_extra(bios + "DmiSystemUuid", "11111111-2222-3333-4444-555555555555").machine.hardware.smbios.uuid->text(),
      "11111111-2222-3333-4444-555555555555");
  const ImportedMachine efi = with_extra(bios + "DmiSystemVendor", "V", "<Firmware type='EFI64'/>");
  EXPECT_TRUE(efi.machine.hardware.smbios.strings.empty());
  EXPECT_EQ(entry_of(efi, "/@value")->disposition, Disposition::irrelevant);
}

TEST(ExtraData, HoldsForSnapshotsToo) {
  Text text;
  text.before_hardware = extra("VBoxInternal/Devices/pcbios/0/Config/DmiSystemVendor", "ACME");
  text.after_hardware = snapshot("1");
  EXPECT_EQ(import_text(text).machine.snapshots.at(0).hardware.smbios.strings.at("system.manufacturer"), "ACME");
}

TEST(ExtraData, TheKeyOfMacOs) {
  EXPECT_EQ(with_extra("VBoxInternal/Devices/smc/0/Config/DeviceKey", "key").machine.extra.at("smc.key"), "key");
  EXPECT_EQ(with_extra("VBoxInternal2/SmcDeviceKey", "key").machine.extra.at("smc.key"), "key");
}

TEST(ExtraData, ForwardsOfOldVersions) {
  Text text;
  const std::string rule = "VBoxInternal/Devices/e1000/0/LUN#0/Config/ssh/";
  text.before_hardware = "<ExtraData><ExtraDataItem name='" + rule + "Protocol' value='UDP'/><ExtraDataItem name='" +
                         rule + "HostPort' value='2222'/><ExtraDataItem name='" + rule +
                         "GuestPort' value='22'/></ExtraData>";
  text.hardware = "<Network><Adapter slot='0' enabled='true'><NAT/></Adapter></Network>";
  const auto forwards = import_text(text).machine.hardware.nics.at(0).forwards;
  ASSERT_EQ(forwards.size(), 1U);
  EXPECT_EQ(forwards[0].name, "ssh");
  EXPECT_EQ(forwards[0].protocol, PortForward::Protocol::udp);
  EXPECT_EQ(forwards[0].host_port, 2222);
  EXPECT_EQ(forwards[0].guest_port, 22);
}

TEST(ExtraData, CpuFeatures) {
  const auto features = with_extra("VBoxInternal/CPUM/SSE4.1", "1").machine.hardware.cpu.features;
  ASSERT_EQ(features.size(), 1U);
  EXPECT_EQ(features[0].name, "sse4.1");
  EXPECT_FALSE(with_extra("VBoxInternal/CPUM/IsaExts/AVX2", "0").machine.hardware.cpu.features.at(0).enabled);
}

TEST(ExtraData, AcpiTablesAreSaid) {
  EXPECT_EQ(count_findings(with_extra("VBoxInternal/Devices/acpi/0/Config/CustomTable", "/x"), kAcpiTable), 1U);
}

TEST(ExtraData, NothingIsEverUnknown) {
  for (const char *name :
       {"GUI/X", "VBoxInternal/Anything", "VBoxInternal2/Anything", "CustomVideoMode1", "my own note"}) {
    EXPECT_TRUE(unknown_settings(with_extra(name, "1")).empty()) << name;
  }
}

// ---- what else the interface has ----

TEST(LooksLike, VirtualBoxMachines) {
  EXPECT_TRUE(looks_like_vbox(Text{}.xml()));
  EXPECT_TRUE(looks_like_vbox("\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- x -->\n<VirtualBox version='1.0'>"));
  EXPECT_FALSE(looks_like_vbox("<VirtualBox version='1.0'><Global>"));
  EXPECT_FALSE(looks_like_vbox("<VirtualBoxes>"));
  EXPECT_FALSE(looks_like_vbox("<Envelope><vbox:Machine/>"));
  EXPECT_FALSE(looks_like_vbox("<!-- <VirtualBox"));
  EXPECT_FALSE(looks_like_vbox(""));
}

TEST(Registered, MachinesWithTheirNames) {
  const Folder folder;
  const auto machine = folder.write("m/m.vbox", Text{}.xml());
  const auto xml =
      folder.write("VirtualBox.xml",
                   "<VirtualBox version='1.12-linux'><Global><MachineRegistry><MachineEntry "
                   "uuid='{aabbccdd-0011-2233-4455-66778899aabb}' src='m/m.vbox'/><MachineEntry "
                   "uuid='{aabbccdd-0011-2233-4455-66778899aabc}' src='/gone/lost.vbox'/></MachineRegistry>"
                   "</Global></VirtualBox>");
  const auto machines = registered_machines(xml);
  ASSERT_EQ(machines.size(), 2U);
  EXPECT_EQ(machines[0].file, machine);
  EXPECT_EQ(machines[0].name, "m");
  EXPECT_EQ(machines[0].uuid.text(), "aabbccdd-0011-2233-4455-66778899aabb");
  EXPECT_EQ(machines[1].file, "/gone/lost.vbox");
  EXPECT_EQ(machines[1].name, "lost");
  EXPECT_THROW((void)registered_machines(machine), Error);
}

TEST(Registered, TheHostsRegistry) {
  const Folder folder;
  ASSERT_EQ(setenv("HOME", folder.path().c_str(), 1), 0);
  ASSERT_EQ(unsetenv("VBOX_USER_HOME"), 0);
  ASSERT_EQ(unsetenv("XDG_CONFIG_HOME"), 0);
  EXPECT_TRUE(host_registry().empty());
  const auto old = folder.write(".VirtualBox/VirtualBox.xml");
  EXPECT_EQ(host_registry(), old);
  const auto modern = folder.write(".config/VirtualBox/VirtualBox.xml");
  EXPECT_EQ(host_registry(), modern);
  const auto own = folder.write("own/VirtualBox.xml");
  ASSERT_EQ(setenv("VBOX_USER_HOME", own.parent_path().c_str(), 1), 0);
  EXPECT_EQ(host_registry(), own);
}

TEST(Embedded, MediaAreKnownByUuidOnly) {
  Text text;
  text.after_hardware =
      "<StorageControllers><StorageController name='S' type='AHCI' PortCount='1'><AttachedDevice "
      "type='HardDisk' port='0' device='0'><Image uuid='{00000001-0000-4000-8000-000000000000}'/>"
      "</AttachedDevice></StorageController></StorageControllers>";
  text.machine_attributes = "version='1.12-macosx' required='false'";
  const xml::Element tree = xml::parse(text.xml(), "x.ovf");
  const ImportedMachine got = import_embedded(*tree.child("Machine"), "/p/x.ovf", closed());
  const auto &medium = got.machine.hardware.controllers.at(0).drives.at(0).medium;
  ASSERT_TRUE(medium);
  ASSERT_EQ(medium->chain.size(), 1U);
  EXPECT_EQ(medium->chain[0].uuid->text(), "00000001-0000-4000-8000-000000000000");
  EXPECT_TRUE(medium->chain[0].pieces.empty());
  EXPECT_TRUE(got.findings.empty());
  EXPECT_TRUE(unknown_settings(got).empty());
  EXPECT_EQ(got.machine.source.kind, SourceKind::ovf);
  EXPECT_EQ(got.machine.source.format_version, "1.12-macosx");
}

TEST(Embedded, WithoutAVersionItIs115) {
  Text text;
  text.hardware = "<Network><Adapter slot='0' enabled='true'><NAT/></Adapter></Network>";
  const xml::Element tree = xml::parse(text.xml(), "x.ovf");
  EXPECT_FALSE(
      import_embedded(*tree.child("Machine"), "/p/x.ovf", closed()).machine.hardware.nics.at(0).cable_connected);
}

TEST(Secrets, InExtraDataAndGuestPropertiesAreHiddenByTheirNames) {
  Text text;
  text.before_hardware = "<ExtraData><ExtraDataItem name='acme/apiToken' value='abc'/></ExtraData>";
  text.hardware = "<GuestProperties><GuestProperty name='/acme/Password' value='def' timestamp='1'/></GuestProperties>";
  const ImportedMachine machine = import_text(text);
  EXPECT_EQ(entry_of(machine, "/ExtraDataItem/@value")->value, "(secret)");
  EXPECT_EQ(entry_of(machine, "/GuestProperty/@value")->value, "(secret)");
  EXPECT_EQ(entry_of(machine, "/GuestProperty/@name")->value, "/acme/Password");
}

TEST(Secrets, AGuestsOwnPropertiesAreHiddenWhateverTheirNames) {
  Text text;
  text.hardware =
      "<GuestProperties><GuestProperty name='/acme/init' value='abc' timestamp='1'/>"
      "<GuestProperty name='/VirtualBox/GuestInfo/OS/Release' value='6.1' timestamp='1'/></GuestProperties>";
  const ImportedMachine machine = import_text(text);
  EXPECT_EQ(entry_of(machine, "/GuestProperty[1]/@value")->value, "(secret)");
  EXPECT_EQ(entry_of(machine, "/GuestProperty[2]/@value")->value, "6.1");
}

}  // namespace
}  // namespace ferry::vbox::test
