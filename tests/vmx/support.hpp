// SPDX-License-Identifier: Apache-2.0
// Machines imported from text, each in a folder of its own.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "importers/vmx/vmx.hpp"
#include "tests/kit/corpus.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::vmx::test {

using ferry::test::corpus;
using Folder = ferry::test::TempFolder;

constexpr std::string_view kHead =
    "config.version = \"8\"\nvirtualHW.version = \"18\"\nguestOS = \"ubuntu-64\"\nmemsize = \"1024\"\n";

inline ImportedMachine import_text(const Folder &folder, std::string_view text, const ImportOptions &options = {}) {
  ImportedMachine imported = import_file(folder.write("m.vmx", std::string(kHead) + std::string(text)), options);
  EXPECT_EQ(imported.ledger.misspelt(), std::vector<std::string>{});
  return imported;
}
inline ImportedMachine import_text(std::string_view text, const ImportOptions &options = {}) {
  const Folder folder;
  return import_text(folder, text, options);
}

inline const LedgerEntry *entry_of(const Ledger &ledger, std::string_view key) {
  const LedgerEntry *found = nullptr;
  for (const LedgerEntry &entry : ledger.entries()) {
    if (entry.where.path == key) found = &entry;
  }
  return found;
}

inline std::size_t count_findings(const ImportedMachine &machine, std::string_view id) {
  return static_cast<std::size_t>(std::count_if(machine.findings.begin(), machine.findings.end(),
                                                [&](const Finding &finding) { return finding.id == id; }));
}

}  // namespace ferry::vmx::test
