// SPDX-License-Identifier: Apache-2.0
// Files that another host names: found by case, normal form, tail, drive and --search, and what is said when not.
#include "support/file_names.hpp"

#include <ctime>
#include <gtest/gtest.h>

#include "tests/kit/folder.hpp"

#include "support/folded_names.hpp"

namespace ferry::names {
namespace {

using test::TempFolder;
namespace fs = std::filesystem;

TEST(FileNames, WindowsAndEsxPaths) {
  EXPECT_TRUE(is_windows_path(R"(d:\a)"));
  EXPECT_TRUE(is_windows_path("D:/a"));
  EXPECT_TRUE(is_windows_path(R"(\\server\share\a)"));
  EXPECT_FALSE(is_windows_path("d:a"));
  EXPECT_EQ(with_slashes(R"(C:\a\b.vdi)"), "/a/b.vdi");
  EXPECT_EQ(with_slashes("[store 1] web/web.vmdk"), "web/web.vmdk");
  EXPECT_EQ(with_slashes(R"(..\x.vmdk)"), "../x.vmdk");
  EXPECT_EQ(last_name("[store] a b/c.vmdk"), "c.vmdk");
}

TEST(FileNames, FoldingTakesCaseAndNormalFormAway) {
  EXPECT_EQ(folded("D\xC3\xA9"
                   "bian Gr\xC3\xB6\xC3\x9F"
                   "e.vmdk"),
            folded("De\xCC\x81"
                   "bian Gro\xCC\x88\xC3\x9F"
                   "e.VMDK"));
  EXPECT_EQ(folded("\xC3\x89"), folded("e\xCC\x81"));                                 // É
  EXPECT_EQ(folded("\xED\x95\x9C"), folded("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB"));  // Hangul "han"
  EXPECT_EQ(folded("\xE1\xBB\x87"), folded("e\xCC\xA3\xCC\x82"));                     // Vietnamese, two marks
  EXPECT_NE(folded("e"), folded("\xC3\xA9"));
}

TEST(FileNames, AFoldedNameIsComparedAsFoldedNamesAre) {
  for (const char *name : {"Disk.VMDK", "disk.vmdk", "disk.vmd", "disk.vmdkk", "d\xC3\xA9sk", "\xE2\x84\xAA.img", ""}) {
    for (const char *other : {"DISK.vmdk", "De\xCC\x81SK", "k.img", ""}) {
      EXPECT_EQ(is_folded(name, folded(other)), folded(name) == folded(other)) << name << " and " << other;
    }
  }
}

// A machine's disks may all be missing, and the folder be one of downloads.
TEST(FileNames, ManyMissingNamesInAFullFolderTakeNoSeconds) {
  const TempFolder folder;
  for (int i = 0; i < 1000; ++i)
    folder.write("a download with quite a long name, number " + std::to_string(i) + ".iso", "");
  const std::clock_t begin = std::clock();
  for (int i = 0; i < 30; ++i)
    EXPECT_FALSE(find("/var/lib/some/images/disk-" + std::to_string(i) + ".qcow2", folder.path()).file);
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 2.0);
}

TEST(FileNames, TheExactNameComesFirst) {
  const TempFolder folder;
  folder.write("Disk.vmdk");
  folder.write("disk.vmdk");
  EXPECT_EQ(find("Disk.vmdk", folder.path()).file, folder / "Disk.vmdk");
  EXPECT_FALSE(find("Disk.vmdk", folder.path()).elsewhere);
  EXPECT_FALSE(find("DISK.vmdk", folder.path()).file) << "two that differ in case only: neither is the one";
}

TEST(FileNames, ACaseThatDiffersInFoldersToo) {
  const TempFolder folder;
  const fs::path file = folder.write("snapshots/A.vdi");
  const Found found = find("Snapshots/a.VDI", folder.path());
  EXPECT_EQ(found.file, file);
  EXPECT_TRUE(found.elsewhere);
}

TEST(FileNames, TailsAroundTheMachine) {
  const TempFolder folder;
  fs::create_directories(folder / "clone");
  const fs::path inside = folder.write("clone/disks/data.vmdk");
  const fs::path sibling = folder.write("Base/Base-000001.vmdk");
  EXPECT_EQ(find(R"(D:\VMs\lab\disks\data.vmdk)", folder / "clone").file, inside);
  EXPECT_EQ(find("/home/me/VMs/lab/disks/data.vmdk", folder / "clone").file, inside);
  EXPECT_EQ(find(R"(C:\Users\me\VMs\Base\Base-000001.vmdk)", folder / "clone").file, sibling);
  EXPECT_EQ(find("[store] Base/Base-000001.vmdk", folder / "clone").file, sibling);
  EXPECT_FALSE(find(R"(C:\Base-000001.vmdk)", folder / "clone").file) << "a bare name above could be anybody's";
}

TEST(FileNames, SearchFoldersAtAnyDepth) {
  const TempFolder folder, disks;
  const fs::path deep = disks.write("a/b/Disk One.vdi");
  const Places places{{disks.path()}, {}};
  const Found found = find("/gone/disk one.vdi", folder.path(), places);
  EXPECT_EQ(found.file, deep);
  EXPECT_TRUE(found.elsewhere);
  disks.write("c/disk one.vdi");
  const Found two = find("/gone/disk one.vdi", folder.path(), places);
  EXPECT_FALSE(two.file);
  EXPECT_TRUE(two.ambiguous);
  EXPECT_NE(two.searched().find("several files have its name"), std::string::npos);
  disks.write("gone/disk one.vdi");
  EXPECT_EQ(find("/gone/disk one.vdi", folder.path(), places).file, disks / "gone/disk one.vdi") << "the longer tail";
}

TEST(FileNames, AFolderThatTheUserNamedComesBeforeTheBareName) {
  const TempFolder folder, stores;
  folder.write("srv.vmdk");
  EXPECT_EQ(find("[second] srv/srv.vmdk", folder.path()).file, folder / "srv.vmdk");
  const fs::path other = stores.write("srv/srv.vmdk");
  EXPECT_EQ(find("[second] srv/srv.vmdk", folder.path(), {{stores.path()}, {}}).file, other);
}

TEST(FileNames, DrivesOfAMountedWindows) {
  const TempFolder mount;
  fs::create_directories(mount / "c/Windows");
  const fs::path file = mount.write("c/Users/me/VMs/web/web.vdi");
  const fs::path data = mount.write("d/store/data.vdi");
  const auto drives = drives_around(mount / "c/Users/me/VirtualBox VMs/web/web.vbox");
  ASSERT_EQ(drives.size(), 2U);
  const Places places{{}, drives};
  EXPECT_EQ(find(R"(C:\users\me\VMs\web\web.vdi)", mount / "c", places).file, file);
  EXPECT_EQ(find(R"(D:\store\data.vdi)", mount / "c", places).file, data);
  EXPECT_TRUE(drives_around("/nowhere/at/all.vbox").empty());
}

TEST(FileNames, WhatIsNotThereSaysWhereItLookedAndWhatLiesNear) {
  const TempFolder folder;
  folder.write("newname-flat.vmdk");
  folder.write("lab.vmx");
  folder.write("notes.txt");
  const Found found = find("oldname-flat.vmdk", folder.path());
  EXPECT_FALSE(found.file);
  ASSERT_EQ(found.near.size(), 1U);
  EXPECT_EQ(found.near[0], folder / "newname-flat.vmdk");
  EXPECT_EQ(found.searched(), "it was looked for at " + (folder / "oldname-flat.vmdk").string() + "; nearby is " +
                                  (folder / "newname-flat.vmdk").string());
}

TEST(FileNames, NothingIsFoundForAnEmptyName) {
  const TempFolder folder;
  folder.write("a.vmdk");
  for (const char *name : {"", " ", ".", "..", "/", "\\\\"}) EXPECT_FALSE(find(name, folder.path()).file) << name;
}

}  // namespace
}  // namespace ferry::names
