// SPDX-License-Identifier: Apache-2.0
// Every OVF file and OVA of the corpus: imported without an unknown setting, or refused for a reason listed here.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <set>

#include "importers/ovf/ovf.hpp"

namespace ferry::ovf::test {
namespace {
namespace fs = std::filesystem;

fs::path corpus() {
  if (const char *given = std::getenv("FERRY_CORPUS")) return given;
  const fs::path beside = fs::path(FERRY_SOURCE_DIR) / ".." / "shared" / "corpus";
  return fs::exists(beside) ? beside : fs::path();
}

std::vector<fs::path> files(const fs::path &folder, const std::string &suffix) {
  std::vector<fs::path> out;
  for (const auto &entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == suffix) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Corpus, EveryDescriptorIsReadOrRefusedForAReason) {
  const fs::path folder = corpus();
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  const bool talk = std::getenv("FERRY_TALK") != nullptr;
  std::size_t machines = 0, refused = 0;
  for (const fs::path &file : files(folder / "real" / "ovf", ".ovf")) {
    SCOPED_TRACE(file.filename().string());
    try {
      for (const ImportedMachine &imported : import_file(file, {})) {
        ++machines;
        EXPECT_FALSE(imported.machine.name.empty());
        for (const LedgerEntry &entry : imported.ledger.entries()) {
          if (entry.disposition == Disposition::unknown) ADD_FAILURE() << entry.where.text() << " = " << entry.value;
        }
        if (talk) {
          for (const Finding &f : imported.findings)
            std::cout << file.filename().string() << " F " << f.id << " " << f.message << "\n";
        }
      }
    } catch (const Error &error) {
      ++refused;
      if (talk)
        std::cout << file.filename().string() << " E " << to_string(error.kind()) << " " << error.what() << "\n";
    }
  }
  std::cout << machines << " machines, " << refused << " packages refused\n";
}

}  // namespace
}  // namespace ferry::ovf::test
