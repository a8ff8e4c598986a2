// SPDX-License-Identifier: Apache-2.0
#include "support/temporary.hpp"

#include <gtest/gtest.h>
#include <set>

#include "tests/kit/folder.hpp"

namespace ferry::file {
namespace {

using test::TempFolder;

std::set<std::string> names_in(const TempFolder &folder) {
  std::set<std::string> out;
  for (const auto &entry : std::filesystem::directory_iterator(folder.path()))
    out.insert(entry.path().filename().string());
  return out;
}

TEST(Temporary, WhatALivingProcessMakesStays) {
  const TempFolder folder;
  const Made whole = make_temporary(folder.path(), "disk.qcow2.");
  const Made part = make_temporary(folder.path(), "", ".part");
  ASSERT_TRUE(whole.descriptor);
  ASSERT_TRUE(part.descriptor);
  EXPECT_TRUE(whole.path.filename().string().starts_with(".disk.qcow2.ferry-"));
  EXPECT_TRUE(part.path.filename().string().ends_with(".part"));
  remove_abandoned(folder.path());
  EXPECT_EQ(names_in(folder).size(), 2U);
}

TEST(Temporary, WhatADeadOneLeftIsRemoved) {
  const TempFolder folder;
  {
    // The lock goes with the descriptor, as it does with a process that is killed.
    const Made whole = make_temporary(folder.path(), "disk.qcow2.");
    const Made part = make_temporary(folder.path(), "", ".part");
    folder.write(whole.path.filename().string() + ".qemu");
  }
  EXPECT_EQ(names_in(folder).size(), 3U);
  remove_abandoned(folder.path());
  EXPECT_EQ(names_in(folder), std::set<std::string>());
}

TEST(Temporary, NothingElseIsTaken) {
  const TempFolder folder;
  const std::set<std::string> others{".disk.ferry-12345", ".disk.ferry-1234567",    "disk.ferry-abcdef",
                                     ".ferry-ab.def",     ".disk.ferry-abcdef.old", ".xferry-abcdef",
                                     "ferry-abcdef"};
  for (const std::string &name : others) folder.write(name);
  std::filesystem::create_directory(folder / ".d.ferry-abcdef");
  std::filesystem::create_symlink("nowhere", folder / ".l.ferry-abcdef");
  remove_abandoned(folder.path());
  std::set<std::string> expected = others;
  expected.insert({".d.ferry-abcdef", ".l.ferry-abcdef"});
  EXPECT_EQ(names_in(folder), expected);
  EXPECT_NO_THROW(remove_abandoned(folder / "missing"));
}

}  // namespace
}  // namespace ferry::file
