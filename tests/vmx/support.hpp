// SPDX-License-Identifier: Apache-2.0
// A folder of its own for each test, and a machine imported from text.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "importers/vmx/vmx.hpp"

namespace ferry::vmx::test {

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ferry-vmx-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;

  [[nodiscard]] const std::filesystem::path &path() const { return path_; }
  std::filesystem::path write(const std::string &name, std::string_view content) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

 private:
  std::filesystem::path path_;
};

constexpr std::string_view kHead =
    "config.version = \"8\"\nvirtualHW.version = \"18\"\nguestOS = \"ubuntu-64\"\nmemsize = \"1024\"\n";

inline ImportedMachine import_text(const Folder &folder, std::string_view text) {
  return import_file(folder.write("m.vmx", std::string(kHead) + std::string(text)), {});
}
inline ImportedMachine import_text(std::string_view text) {
  const Folder folder;
  return import_text(folder, text);
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

// $FERRY_CORPUS or ../shared/corpus beside the repository; empty when there is none.
inline std::filesystem::path corpus() {
  const char *given = std::getenv("FERRY_CORPUS");
  const std::filesystem::path path = given != nullptr
                                         ? std::filesystem::path(given)
                                         : std::filesystem::path(FERRY_SOURCE_DIR) / ".." / "shared" / "corpus";
  std::error_code error;
  return std::filesystem::exists(path / "real" / "vmx", error) ? path : std::filesystem::path();
}

}  // namespace ferry::vmx::test
