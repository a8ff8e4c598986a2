// SPDX-License-Identifier: Apache-2.0
// The fixtures: each is read without an unknown setting, or refused as its name says; together they raise every
// finding that needs no file, and none lets a secret through.
#include <set>

#include "tests/paths.hpp"
#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> fixtures() {
  std::vector<fs::path> out;
  for (const auto &entry : fs::directory_iterator(fs::path(FERRY_SOURCE_DIR) / "fixtures" / "vbox")) {
    const fs::path file = entry.path() / (entry.path().filename().string() + ".vbox");
    if (fs::exists(file)) out.push_back(file);
  }
  return out;
}

ImportedMachine read(const fs::path &file) {
  ImportOptions options = closed();
  if (fs::exists(file.parent_path() / "VirtualBox.xml")) {
    options.virtualbox_registry = file.parent_path() / "VirtualBox.xml";
  }
  return import_file(file, options);
}

TEST(Fixtures, AreReadWithoutAnUnknownSetting) {
  const auto files = fixtures();
  EXPECT_GE(files.size(), 14U);
  for (const fs::path &file : files) {
    SCOPED_TRACE(file.string());
    if (file.stem() == "encrypted") {
      EXPECT_THROW((void)read(file), Error);
      continue;
    }
    const ImportedMachine machine = read(file);
    EXPECT_TRUE(unknown_settings(machine).empty()) << unknown_settings(machine).front();
    for (const LedgerEntry &entry : machine.ledger.entries()) {
      EXPECT_TRUE(entry.disposition == Disposition::unsettled || !entry.note.empty()) << entry.where.text();
    }
  }
}

TEST(Fixtures, LetNoSecretThrough) {
  for (const fs::path &file : fixtures()) {
    if (file.stem() == "encrypted") continue;
    const ImportedMachine machine = read(file);
    for (const std::string secret : {"password", "c2VjcmV0IGtleSBzdG9yZQ==", "bnZyYW0ga2V5IHN0b3Jl", "5e884898"}) {
      for (const LedgerEntry &entry : machine.ledger.entries()) {
        if (entry.where.path.ends_with("/@name")) continue;
        EXPECT_EQ(entry.value.find(secret), std::string::npos) << entry.where.text();
      }
      for (const Finding &finding : machine.findings) EXPECT_EQ(finding.message.find(secret), std::string::npos);
    }
  }
}

TEST(Fixtures, TheLinkedCloneHasBothImages) {
  const fs::path file = fs::path(FERRY_SOURCE_DIR) / "fixtures/vbox/linked-clone/linked-clone.vbox";
  const ImportedMachine machine = read(file);
  EXPECT_EQ(machine.machine.hardware.controllers.at(0).drives.at(0).medium->chain.size(), 2U);
  EXPECT_EQ(count_findings(machine, kForeignRegistry), 1U);
}

TEST(Findings, IdsAreUniqueAndComplete) {
  std::set<std::string_view> ids;
  for (const FindingKind *kind : finding_list.kinds()) {
    EXPECT_TRUE(kind->id.starts_with("vbox.")) << kind->id;
    EXPECT_TRUE(ids.insert(kind->id).second) << kind->id;
    EXPECT_FALSE(kind->meaning.empty());
    EXPECT_FALSE(kind->advice.empty());
  }
  EXPECT_EQ(ids.size(), 24U);
}

}  // namespace
}  // namespace ferry::vbox::test
