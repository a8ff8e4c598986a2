// SPDX-License-Identifier: Apache-2.0
// Every VirtualBox file of the corpus: imported without an unknown setting, or refused for a reason checked here.
#include <cstdlib>
#include <map>

#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

namespace fs = std::filesystem;

// File name -> a part of the message. One is cut off in the middle, one was written by hand without hardware.
const std::map<std::string, std::string> kRefused{
    {"GNS3__gns3-server__corrupted.vbox", "not well formed"},
    {"GNS3__gns3-server__test_patch_vm_uuid.vbox", "hardware is missing"},
};

bool is_machine(const fs::path &file) {
  const std::string extension = file.extension().string();
  if (extension == ".vbox" || extension == ".vbox-prev") return true;
  return extension == ".xml" && file.stem().string().rfind("VirtualBox", 0) != 0 &&
         file.stem().string().rfind("__Virtualbox") == std::string::npos;
}

// The VirtualBox.xml of the same tree, when there is one.
ImportOptions options_for(const fs::path &file, const fs::path &root) {
  ImportOptions options = closed();
  for (fs::path at = file.parent_path(); at.string().size() >= root.string().size(); at = at.parent_path()) {
    if (fs::exists(at / "VirtualBox.xml")) {
      options.virtualbox_registry = at / "VirtualBox.xml";
      break;
    }
  }
  return options;
}

void check(const fs::path &file, const fs::path &root) {
  SCOPED_TRACE(file.string());
  const auto refused = kRefused.find(file.filename().string());
  try {
    const ImportedMachine machine = import_file(file, options_for(file, root));
    EXPECT_EQ(refused, kRefused.end());
    EXPECT_TRUE(unknown_settings(machine).empty()) << unknown_settings(machine).front();
    EXPECT_GT(machine.machine.hardware.memory.bytes, 0U);
    EXPECT_FALSE(machine.machine.name.empty());
  } catch (const Error &error) {
    ASSERT_NE(refused, kRefused.end()) << error.what();
    EXPECT_NE(std::string(error.what()).find(refused->second), std::string::npos) << error.what();
  }
}

std::size_t check_tree(const fs::path &root) {
  std::size_t count = 0;
  for (const auto &entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file() || !is_machine(entry.path())) continue;
    check(entry.path(), root);
    ++count;
  }
  return count;
}

TEST(Corpus, RealMachines) {
  const fs::path folder = corpus();
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  EXPECT_GT(check_tree(folder / "real" / "vbox"), 15U);
}

TEST(Corpus, MachinesThatVirtualBoxWrote) {
  const fs::path folder = corpus();
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  const Folder unpacked;
  for (const std::string name : {"virtualbox-6.1", "virtualbox-7.0"}) {
    // Settings only: the images are large, and whether they are found is tested elsewhere.
    const std::string command = "tar -C '" + unpacked.path().string() + "' -xf '" +
                                (folder / (name + ".tar.xz")).string() +
                                "' --wildcards '*.vbox' '*.vbox-prev' '*.xml' 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << name;
  }
  EXPECT_GT(check_tree(unpacked.path()), 100U);
}

TEST(Corpus, RegistriesOfOtherHostsAreRead) {
  const fs::path folder = corpus();
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  std::size_t machines = 0;
  for (const auto &entry : fs::directory_iterator(folder / "real" / "vbox-global")) {
    machines += registered_machines(entry.path()).size();
  }
  EXPECT_GT(machines, 5U);
}

}  // namespace
}  // namespace ferry::vbox::test
