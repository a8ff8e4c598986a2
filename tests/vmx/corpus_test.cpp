// SPDX-License-Identifier: Apache-2.0
// Every VMware file of the corpus: imported without an unknown setting, or refused for a reason checked here.
#include <iostream>

#include "importers/vmx/findings.hpp"
#include "tests/vmx/support.hpp"

namespace ferry::vmx::test {
namespace {

TEST(Corpus, EveryMachineIsReadWithoutAnUnknownSetting) {
  const std::filesystem::path folder = corpus();
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  std::size_t files = 0;
  for (const auto &entry : std::filesystem::directory_iterator(folder / "real" / "vmx")) {
    if (entry.path().extension() != ".vmx") continue;
    ++files;
    SCOPED_TRACE(entry.path().filename().string());
    try {
      const ImportedMachine machine = import_file(entry.path(), {});
      for (const LedgerEntry &setting : machine.ledger.entries()) {
        if (setting.disposition == Disposition::unknown) ADD_FAILURE() << setting.where.text();
      }
      EXPECT_FALSE(machine.machine.name.empty());
    } catch (const Error &error) {
      ADD_FAILURE() << error.what();
    }
  }
  EXPECT_GT(files, 50U);
}

TEST(Corpus, EveryMachineIsRecognised) {
  const std::filesystem::path folder = corpus();
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  for (const char *kind : {"vmx", "vmsd", "vmdk-descriptor", "ovf", "vbox"}) {
    for (const auto &entry : std::filesystem::directory_iterator(folder / "real" / kind)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::string head(4096, '\0');
      in.read(head.data(), 4096);
      head.resize(static_cast<std::size_t>(in.gcount()));
      EXPECT_EQ(looks_like_vmx(head), entry.path().extension() == ".vmx") << entry.path();
    }
  }
}

}  // namespace
}  // namespace ferry::vmx::test
