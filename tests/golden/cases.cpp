// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/cases.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>

#include "migration/source.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = FERRY_SOURCE_DIR;

// The checkout's own path must not stand in what is compared.
std::string portable(std::string text) {
  for (std::size_t at = text.find(kSource.string()); at != std::string::npos; at = text.find(kSource.string(), at)) {
    text.replace(at, kSource.string().size(), "@SOURCE@");
  }
  return text;
}

}  // namespace

std::vector<fs::path> golden_cases() {
  std::vector<fs::path> out;
  for (const char *importer : {"vbox", "vmx", "ovf", "qemu"}) {
    const fs::path folder = kSource / "fixtures" / importer;
    if (!fs::exists(folder)) continue;
    for (const auto &entry : fs::directory_iterator(folder)) {
      if (entry.is_directory()) out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string golden_case_name(const testing::TestParamInfo<fs::path> &tested) {
  std::string name = tested.param.parent_path().filename().string() + "_" + tested.param.filename().string();
  for (char &c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

std::vector<ImportedMachine> machines_of(const fs::path &folder) {
  ImportOptions options;
  options.use_host_registry = false;
  if (fs::exists(folder / "VirtualBox.xml")) options.virtualbox_registry = folder / "VirtualBox.xml";
  fs::path source = folder;
  if (fs::exists(folder / "source")) {  // a case whose folder holds more than one machine names the one it is about
    const std::string name = read_text(folder / "source");
    source /= name.substr(0, name.find('\n'));
  }
  return migration::import_source(migration::find_source(source.string()), options);
}

void compare_golden(const fs::path &file, const std::string &actual) {
  const std::string text = portable(actual);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << text;
    return;
  }
  ASSERT_TRUE(fs::exists(file)) << "run with UPDATE_GOLDEN=1 and read what it writes: " << file;
  EXPECT_EQ(read_text(file), text) << file;
}

}  // namespace ferry::test
