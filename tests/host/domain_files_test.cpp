// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/domain_files.hpp"

#include <gtest/gtest.h>

namespace ferry::libvirt {
namespace {

namespace fs = std::filesystem;
using Files = std::set<fs::path>;

TEST(DomainFiles, DisksStoresAndVolumesOfPoolsAreFound) {
  constexpr std::string_view kDomain = R"(<domain>
    <os>
      <kernel>/k/vmlinuz</kernel>
      <nvram type='file'><source file='/n/vars.fd'/></nvram>
    </os>
    <devices>
      <disk type='file' device='disk'>
        <source file='/d/top.qcow2'><dataStore type='file'><source file='/d/data.raw'/></dataStore></source>
        <backingStore type='file'><source file='/d/base.qcow2'/><backingStore/></backingStore>
      </disk>
      <disk type='volume' device='disk'><source pool='default' volume='disk.qcow2'/></disk>
      <disk type='volume' device='disk'><source pool='default' volume='gone.qcow2'/></disk>
      <disk type='file' device='cdrom'><source file='/c/cd.iso'/></disk>
      <interface type='bridge'><source bridge='br0'/></interface>
    </devices>
  </domain>)";
  target::MachineFiles files;
  add_files_of_domain(kDomain, files, [](const std::string &pool, const std::string &volume) {
    return volume == "gone.qcow2" ? "" : "/pools/" + pool + "/" + volume;
  });
  EXPECT_EQ(files.disks, (Files{"/d/top.qcow2", "/d/data.raw", "/d/base.qcow2", "/pools/default/disk.qcow2"}));
  Files all = files.disks;
  all.insert({"/k/vmlinuz", "/n/vars.fd", "/c/cd.iso"});
  EXPECT_EQ(files.all, all);
}

TEST(DomainFiles, AStoreInTheOlderFormIsFound) {
  target::MachineFiles files;
  add_files_of_domain("<domain><os><nvram template='/t'>/n/vars.fd</nvram></os></domain>", files);
  EXPECT_EQ(files.all, Files{"/n/vars.fd"});
}

}  // namespace
}  // namespace ferry::libvirt
