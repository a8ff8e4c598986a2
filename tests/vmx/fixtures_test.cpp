// SPDX-License-Identifier: Apache-2.0
// The hand-written machines of fixtures/vmx: each is read without an unknown setting, or refused as it should be.
#include <set>

#include "importers/vmx/findings.hpp"
#include "tests/paths.hpp"
#include "tests/vmx/support.hpp"

namespace ferry::vmx::test {
namespace {

ImportedMachine import_fixture(const std::string &name) {
  return import_file(std::filesystem::path(FERRY_SOURCE_DIR) / "fixtures" / "vmx" / name / (name + ".vmx"), {});
}

class Fixture : public testing::TestWithParam<const char *> {};

TEST_P(Fixture, HasNoUnknownSetting) {
  const ImportedMachine machine = import_fixture(GetParam());
  for (const LedgerEntry &entry : machine.ledger.entries()) {
    EXPECT_NE(entry.disposition, Disposition::unknown) << entry.where.text();
    const bool reasoned = entry.disposition == Disposition::unsettled ? !entry.field.empty() : !entry.note.empty();
    EXPECT_TRUE(reasoned) << entry.where.text();
    EXPECT_TRUE(entry.where.line) << entry.where.text();
  }
}

INSTANTIATE_TEST_SUITE_P(Vmx, Fixture,
                         testing::Values("bios-split", "efi-nvme", "scsi-lsilogic", "pvscsi-multi-nic", "snapshots",
                                         "encodings", "esx", "fusion-macos", "everything"));

TEST(Fixtures, EscapesHasTheTwoUnknownKeysThatItShouldHave) {
  const ImportedMachine machine = import_fixture("escapes");
  EXPECT_EQ(machine.machine.name, "50% \"quoted\" / |");
  EXPECT_EQ(machine.machine.description, "line one\r\nline two\ttab");
  EXPECT_EQ(machine.machine.hardware.cpu.count, 2U);
  EXPECT_EQ(machine.machine.hardware.memory.bytes, 256ULL << 20U);
  EXPECT_EQ(machine.machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0).declared_location,
            "disk with = and #.vmdk");
  EXPECT_EQ(count_findings(machine, "vmx.free-text"), 3U);
  EXPECT_EQ(count_findings(machine, "vmx.odd-line"), 1U);
  EXPECT_EQ(count_findings(machine, "vmx.duplicate-key"), 1U);
  EXPECT_EQ(count_findings(machine, "vmx.bad-value"), 2U);
}

TEST(Fixtures, AWhollyEncryptedMachineIsRefused) {
  try {
    import_fixture("encrypted");
    FAIL() << "was imported";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::encrypted);
    EXPECT_EQ(error.detail().where.line, 3U);
    EXPECT_EQ(error.detail().where.path, "encryption.keySafe");
    EXPECT_NE(error.detail().advice.find("Remove the encryption"), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find("AAAA"), std::string::npos);
  }
}

TEST(Fixtures, ShiftJisNamesAndPathsAreRead) {
  const Machine machine = import_fixture("encodings").machine;
  EXPECT_EQ(machine.name, "日本語の仮想マシン");
  EXPECT_EQ(machine.description, "表示と能力");  // two of these characters end in the byte of a backslash
  EXPECT_EQ(machine.hardware.shared_folders.at(0).host_path, "D:\\共有");
  EXPECT_EQ(machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0).declared_location, "ディスク表.vmdk");
}

TEST(Fixtures, EveryFindingKindIsListedOnce) {
  std::set<std::string_view> ids;
  for (const FindingKind *kind : finding_list.kinds()) {
    EXPECT_TRUE(ids.insert(kind->id).second) << kind->id;
    EXPECT_EQ(kind->id.substr(0, 4), "vmx.");
    EXPECT_FALSE(kind->meaning.empty());
  }
}

}  // namespace
}  // namespace ferry::vmx::test
