// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/backing.hpp"

#include <gtest/gtest.h>

namespace ferry::libvirt::edit {
namespace {

constexpr const char *kDomain =
    "<domain><devices>"
    "<disk type='file' device='disk'><driver type='qcow2'/><source file='/a.qcow2' index='2'/><backingStore "
    "type='file' "
    "index='3'><format type='vdi'/><source file='/old/a.vdi'/><backingStore/></backingStore><target dev='sda'/></disk>"
    "<disk type='file' device='disk'><driver type='qcow2'/><source file='/b.qcow2'/><backingStore/><target "
    "dev='sdb'/></disk>"
    "<disk type='file' device='cdrom'><source file='/c.iso'/><target dev='sdc'/><readonly/></disk>"
    "<disk type='block' device='disk'><source dev='/dev/sdx'/><target dev='sdd'/></disk>"
    "</devices></domain>";

TEST(BackedDisks, AreThoseWithAnImageUnderThem) {
  const auto disks = backed_disks(kDomain);
  ASSERT_EQ(disks.size(), 1U);
  EXPECT_EQ(disks[0].name, "sda");
  EXPECT_EQ(disks[0].file, "/a.qcow2");
  EXPECT_EQ(disks[0].backing, "/old/a.vdi");
  EXPECT_TRUE(backed_disks("<domain/>").empty());
}

TEST(FileDisks, AreThoseThatCanBeWrittenTo) {
  const auto disks = file_disks(kDomain);
  ASSERT_EQ(disks.size(), 2U);
  EXPECT_EQ(disks[1].name, "sdb");
  EXPECT_EQ(disks[1].format, "qcow2");
}

TEST(WithoutBacking, TakesOutWhatIsUnderTheImagesThatStandAlone) {
  const auto plain = without_backing(kDomain, {"/a.qcow2"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->find("/old/a.vdi"), std::string::npos);
  EXPECT_NE(plain->find("/a.qcow2"), std::string::npos);
  EXPECT_NE(plain->find("<backingStore/>"), std::string::npos) << "the other disk's end of its chain";
  EXPECT_FALSE(without_backing(*plain, {"/a.qcow2", "/b.qcow2"})) << "there is nothing left to take out";
  EXPECT_FALSE(without_backing(kDomain, {"/b.qcow2"}));
}

}  // namespace
}  // namespace ferry::libvirt::edit
