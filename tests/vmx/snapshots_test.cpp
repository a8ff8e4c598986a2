// SPDX-License-Identifier: Apache-2.0
#include "importers/vmx/snapshots.hpp"

#include "importers/vmx/findings.hpp"
#include "tests/paths.hpp"
#include "tests/vmx/support.hpp"

namespace ferry::vmx::test {
namespace {

constexpr std::string_view kDisk =
    "scsi0.present = \"TRUE\"\nscsi0.virtualDev = \"pvscsi\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = "
    "\"d-000001.vmdk\"\n";

std::string little_endian(std::uint64_t value, unsigned width) {
  std::string out;
  for (unsigned i = 0; i < width; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return out;
}

std::string block_tag(const std::string &name, const std::string &data) {
  std::string out;
  out += static_cast<char>(0x3F);
  out += static_cast<char>(name.size());
  return out + name + little_endian(data.size(), 8) + little_endian(data.size(), 8) + little_endian(3, 2) + "pad" +
         data;
}

// A state file with one group of ordinary tags, one with the configuration and, when wanted, one of a CPU.
std::string state_file(const std::string &configuration, bool running) {
  const std::string small = std::string(
                                "\x44\x03"
                                "abc",
                                5) +
                            little_endian(0, 4) + "data";  // one index, 4 bytes
  const std::string snapshot =
      small + block_tag("other", "xyz") + block_tag("cfgFile", configuration) + std::string(2, '\0');
  const std::uint64_t groups = running ? 2 : 1;
  const std::uint64_t at = 12 + 80 * groups;
  const auto group = [&](std::string name, std::uint64_t offset, std::uint64_t size) {
    name.resize(64, '\0');
    return name + little_endian(offset, 8) + little_endian(size, 8);
  };
  std::string out = little_endian(0xBED2BED2U, 4) + little_endian(8, 4) + little_endian(groups, 4);
  if (running) out += group("cpu", at, 2);
  out += group("Snapshot", at + (running ? 2 : 0), snapshot.size());
  if (running) out += std::string(2, '\0');
  return out + snapshot;
}

std::string list_of(std::string_view more) {
  return "snapshot0.uid = \"1\"\nsnapshot0.filename = \"m-Snapshot1.vmsn\"\nsnapshot0.displayName = \"one\"\n"
         "snapshot0.numDisks = \"1\"\nsnapshot0.disk0.fileName = \"d.vmdk\"\nsnapshot0.disk0.node = \"scsi0:0\"\n" +
         std::string(more);
}

TEST(Snapshots, TheTreeHasParentsBeforeChildren) {
  const Machine machine =
      import_file(std::filesystem::path(FERRY_SOURCE_DIR) / "fixtures/vmx/snapshots/snapshots.vmx", {}).machine;
  ASSERT_EQ(machine.snapshots.size(), 4U);
  std::vector<std::string> ids;
  for (const Snapshot &snapshot : machine.snapshots) ids.push_back(snapshot.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"2", "3", "5", "7"}));
  EXPECT_FALSE(machine.snapshots.at(0).parent);
  EXPECT_EQ(machine.snapshots.at(1).parent, 0U);
  EXPECT_EQ(machine.snapshots.at(2).parent, 1U);
  EXPECT_FALSE(machine.snapshots.at(3).parent);
  EXPECT_EQ(machine.current_snapshot, 2U);
  EXPECT_EQ(machine.snapshots.at(0).description, "first line\nsecond line");
}

TEST(Snapshots, TimesAreTwoSignedHalvesOfMicroseconds) {
  const Machine machine =
      import_file(std::filesystem::path(FERRY_SOURCE_DIR) / "fixtures/vmx/snapshots/snapshots.vmx", {}).machine;
  // 388801 * 2^32 + (2^32 - 814770620) = 1669891059848772 microseconds
  EXPECT_EQ(machine.snapshots.at(0).created, 1669891059);
  EXPECT_FALSE(machine.snapshots.at(1).created);
}

TEST(Snapshots, WithoutTheHardwareOfThatTimeTheCurrentOneIsUsedWithItsDisks) {
  const ImportedMachine imported =
      import_file(std::filesystem::path(FERRY_SOURCE_DIR) / "fixtures/vmx/snapshots/snapshots.vmx", {});
  const auto &drives = imported.machine.snapshots.at(0).hardware.controllers.at(0).drives;
  ASSERT_EQ(drives.size(), 2U);  // the disk that came later is not there, the independent one is
  EXPECT_EQ(drives.at(0).medium->chain.at(0).declared_location, "disk.vmdk");
  EXPECT_EQ(drives.at(1).medium->chain.at(0).declared_location, "apart.vmdk");
  EXPECT_EQ(count_findings(imported, "vmx.snapshot-hardware"), 4U);
  EXPECT_EQ(count_findings(imported, "vmx.snapshot-parent"), 1U);
  EXPECT_EQ(count_findings(imported, "vmx.snapshot-disk"), 1U);
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).drives.size(), 3U);
}

TEST(Snapshots, HardwareComesFromTheStateFile) {
  const Folder folder;
  folder.write("m.vmsd", list_of("snapshot.current = \"1\"\n"));
  folder.write(
      "m-Snapshot1.vmsn",
      state_file(std::string(kHead) + "numvcpus = \"7\"\nscsi0.present = \"TRUE\"\nscsi0.virtualDev = "
                                      "\"lsilogic\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"d.vmdk\"\n",
                 false));
  const ImportedMachine imported = import_text(folder, kDisk);
  const Snapshot &snapshot = imported.machine.snapshots.at(0);
  EXPECT_EQ(snapshot.hardware.cpu.count, 7U);
  EXPECT_EQ(snapshot.hardware.controllers.at(0).type, ControllerType::lsilogic);
  EXPECT_EQ(imported.machine.hardware.cpu.count, 1U);
  EXPECT_FALSE(snapshot.saved_state);
  EXPECT_EQ(count_findings(imported, "vmx.snapshot-hardware"), 0U);
  for (const LedgerEntry &entry : imported.ledger.entries()) {
    EXPECT_NE(entry.disposition, Disposition::unknown) << entry.where.text();
    EXPECT_TRUE(entry.where.path != "numvcpus" || entry.field == "snapshots.0.hardware.cpu.count") << entry.field;
  }
}

TEST(Snapshots, ARunningMachinesSnapshotHasASavedState) {
  const Folder folder;
  folder.write("m.vmsd", list_of(""));
  folder.write("m-Snapshot1.vmsn", state_file(std::string(kHead), true));
  const Machine machine = import_text(folder, kDisk).machine;
  EXPECT_EQ(machine.snapshots.at(0).saved_state->file, folder.path() / "m-Snapshot1.vmsn");
}

TEST(Snapshots, AStateFileThatIsCutOrLiesIsPassedOver) {
  const Folder folder;
  const std::string whole = state_file(std::string(kHead), false);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto state = read_state_file(folder.write("s.vmsn", whole.substr(0, length)));
    EXPECT_TRUE(!state || state->configuration.empty() || state->configuration == kHead) << length;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string bent = whole;
    bent[at] = static_cast<char>(0xFF);
    static_cast<void>(read_state_file(folder.write("s.vmsn", bent)));
  }
  EXPECT_FALSE(read_state_file(folder.path()));
}

TEST(Snapshots, AConfigurationThatCannotBeReadLeavesNoTraceInTheLedger) {
  const Folder folder;
  folder.write("m.vmsd", list_of(""));
  folder.write("m-Snapshot1.vmsn", state_file("memsize = \"lots\"\n", false));
  const ImportedMachine imported = import_text(folder, kDisk);
  EXPECT_EQ(count_findings(imported, "vmx.snapshot-hardware"), 1U);
  for (const LedgerEntry &entry : imported.ledger.entries()) EXPECT_NE(entry.where.file.extension(), ".vmsn");
}

TEST(Snapshots, ParentsInACircleAreBrokenUp) {
  const Folder folder;
  folder.write("m.vmsd",
               "snapshot0.uid = \"1\"\nsnapshot0.parent = \"2\"\nsnapshot1.uid = \"2\"\nsnapshot1.parent = \"1\"\n");
  const ImportedMachine imported = import_text(folder, kDisk);
  ASSERT_EQ(imported.machine.snapshots.size(), 2U);
  EXPECT_FALSE(imported.machine.snapshots.at(0).parent);
  EXPECT_EQ(imported.machine.snapshots.at(1).parent, 0U);
  EXPECT_EQ(count_findings(imported, "vmx.snapshot-parent"), 1U);
}

TEST(Snapshots, AListThatCannotBeReadIsAFinding) {
  const Folder folder;
  folder.write("m.vmsd", std::string("snapshot0\0", 10));
  const ImportedMachine imported = import_text(folder, kDisk);
  EXPECT_TRUE(imported.machine.snapshots.empty());
  EXPECT_EQ(count_findings(imported, "vmx.snapshot-list"), 1U);
}

TEST(Snapshots, TheCorpusListsAreRead) {
  if (corpus().empty()) GTEST_SKIP() << "no corpus";
  for (const auto &entry : std::filesystem::directory_iterator(corpus() / "real" / "vmsd")) {
    const Folder folder;
    std::filesystem::copy_file(entry.path(), folder.path() / "m.vmsd");
    const ImportedMachine imported = import_text(folder, kDisk);
    EXPECT_TRUE(imported.machine.snapshots.empty()) << entry.path();
    for (const LedgerEntry &setting : imported.ledger.entries()) {
      EXPECT_NE(setting.disposition, Disposition::unknown) << entry.path() << setting.where.text();
    }
  }
}

// The list gives a snapshot's disks in any order; those that only it has get their place among the others.
TEST(Snapshots, DisksOfASnapshotAloneComeInTheirTurn) {
  const Folder folder;
  for (const char *name : {"d.vmdk", "d-000001.vmdk", "zebra.vmdk", "ape.vmdk"}) folder.write(name);
  folder.write("m.vmsd", list_of("snapshot0.disk2.fileName = \"ape.vmdk\"\nsnapshot0.disk2.node = \"scsi0:3\"\n"
                                 "snapshot0.disk1.fileName = \"zebra.vmdk\"\nsnapshot0.disk1.node = \"scsi0:1\"\n"));
  const ImportedMachine imported =
      import_text(folder, std::string(kDisk) + "scsi0:2.present = \"TRUE\"\nscsi0:2.deviceType = \"cdrom-raw\"\n");
  const auto &drives = imported.machine.snapshots.at(0).hardware.controllers.at(0).drives;
  std::vector<unsigned> ports;
  for (const Drive &drive : drives) ports.push_back(drive.port);
  EXPECT_EQ(ports, (std::vector<unsigned>{0, 1, 2, 3}));
  EXPECT_EQ(drives.at(1).medium.value().chain.at(0).declared_location, "zebra.vmdk");
  EXPECT_EQ(entry_of(imported.ledger, "snapshot0.disk2.fileName")->field,
            "snapshots.0.hardware.controllers.0.drives.3.medium");
}

}  // namespace
}  // namespace ferry::vmx::test
