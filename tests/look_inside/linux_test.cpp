// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migration/look_inside.hpp"
#include "tests/kit/folder.hpp"
#include "tests/look_inside/disks.hpp"

namespace ferry::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class LookInsideLinux : public testing::Test {
 protected:
  Observed seen(const Files &files, const std::string &kind = "ext4", const std::vector<std::string> &options = {}) {
    make_ext(folder_ / "root", 64 * kMiB, files, kind, options);
    return look_at({folder_ / "root"});
  }
  TempFolder folder_;
};

TEST_F(LookInsideLinux, IsNamedWithWhatItsFilesSay) {
  const Observed out = seen(debian());
  ASSERT_EQ(out.linux_systems.size(), 1U) << out.volumes.at(0).problem;
  const ObservedLinux &found = out.linux_systems[0];
  EXPECT_EQ(found.id, "debian");
  EXPECT_EQ(found.version, "12");
  EXPECT_EQ(found.host_name, "web");
  EXPECT_EQ(found.architecture, "x86_64");
  EXPECT_THAT(found.tools, ElementsAre("open-vm-tools"));
  ASSERT_EQ(found.mounts.size(), 3U);
  EXPECT_EQ(found.mounts[1].device, "/dev/sda5");
  EXPECT_EQ(found.mounts[2].file, "/etc/crypttab");
  EXPECT_EQ(found.mounts[2].device, "/dev/sdb1");
  ASSERT_EQ(found.interfaces.size(), 1U);
  EXPECT_EQ(found.interfaces[0].name, "ens33");
  EXPECT_FALSE(found.cloud_init);
  ASSERT_EQ(found.kernels.size(), 2U);
  EXPECT_EQ(found.kernels[0].version, "6.1.0-10-amd64");  // numbers count as numbers
  EXPECT_THAT(migration::described(out),
              ElementsAre("Debian GNU/Linux 12 (bookworm) (kernel 6.1.0-10-amd64, x86_64), web, on disk 1"));
}

TEST_F(LookInsideLinux, EveryKindOfExtIsRead) {
  for (const char *kind : {"ext2", "ext3", "ext4"}) {
    for (const char *block : {"1024", "4096"}) {
      const Observed out = seen(debian(), kind, {"-b", block});
      ASSERT_EQ(out.linux_systems.size(), 1U) << kind << " " << block << " " << out.volumes.at(0).problem;
      EXPECT_EQ(out.volumes[0].content, kind);
      EXPECT_EQ(out.linux_systems[0].host_name, "web");
    }
  }
}

TEST_F(LookInsideLinux, FilesInManyPiecesAreReadWhole) {
  Files files = debian();
  std::string modules;
  for (int i = 0; i < 40000; ++i) modules += "kernel/drivers/other/module" + std::to_string(i) + ".ko\n";
  modules += "kernel/drivers/ata/ahci.ko\n";
  files["lib/modules/6.1.0-10-amd64/modules.builtin"] =
      modules.substr(modules.size() - std::min<std::size_t>(modules.size(), 900000));
  files["boot/initrd.img-6.1.0-10-amd64"] = archive_of({"usr/lib/modules/6.1/kernel/virtio_blk.ko"}, "gzip");
  for (const char *kind : {"ext2", "ext4"}) {
    const Observed out = seen(files, kind, {"-b", "1024"});
    ASSERT_EQ(out.linux_systems.size(), 1U) << kind;
    EXPECT_THAT(out.linux_systems[0].kernels.at(0).drivers, ElementsAre("ahci", "virtio_blk")) << kind;
  }
}

TEST_F(LookInsideLinux, InterfacesAreFoundWhereverTheyAreNamed) {
  Files files = debian();
  files.erase("etc/network/interfaces");
  files["etc/netplan/01.yaml"] =
      "network:\n  version: 2\n  ethernets:\n    enp0s3:\n      dhcp4: true\n    any:\n      match:\n        name: "
      "en*\n"
      "      dhcp4: true\n    ens160: {dhcp4: true}\n";
  files["etc/NetworkManager/system-connections/wired.nmconnection"] = "[connection]\nid=wired\ninterface-name=ens192\n";
  files["etc/sysconfig/network-scripts/ifcfg-eth0"] = "DEVICE=\"eth0\"\nONBOOT=yes\n";
  files["etc/systemd/network/10.network"] = "[Match]\nName=ens224 en*\n[Network]\nDHCP=yes\n";
  const Observed out = seen(files);
  std::vector<std::string> names;
  for (const ObservedInterface &one : out.linux_systems.at(0).interfaces) names.push_back(one.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("enp0s3", "ens160", "ens192", "eth0", "ens224"));
}

TEST_F(LookInsideLinux, CloudInitIsKnownByItsInstance) {
  Files files = debian();
  files["etc/cloud/cloud.cfg"] = "users: []\n";
  files["var/lib/cloud/data/instance-id"] = "i-12345\n";
  const Observed out = seen(files);
  EXPECT_TRUE(out.linux_systems.at(0).cloud_init);
  EXPECT_EQ(out.linux_systems[0].instance_id, "i-12345");
  files["etc/cloud/cloud-init.disabled"] = "x";
  EXPECT_FALSE(seen(files).linux_systems.at(0).cloud_init);
}

TEST_F(LookInsideLinux, InitialRamDisksAreUnpacked) {
  const std::vector<std::string> modules{"usr/lib/modules/6.1/kernel/drivers/nvme/host/nvme.ko.zst",
                                         "usr/lib/modules/6.1/kernel/drivers/scsi/vmw_pvscsi.ko", "etc/fstab"};
  for (const char *packer : {"cat", "gzip", "xz -C crc32", "zstd -q"}) {
    Files files = debian();
    files["boot/initrd.img-6.1.0-10-amd64"] =
        archive_of({"kernel/x86/microcode/GenuineIntel.bin"}, "cat") + archive_of(modules, packer);
    const Observed out = seen(files);
    const ObservedKernel &kernel = out.linux_systems.at(0).kernels.at(0);
    EXPECT_TRUE(kernel.examined) << packer << ": " << kernel.problem;
    EXPECT_THAT(kernel.drivers, ElementsAre("nvme", "vmw_pvscsi")) << packer;
    EXPECT_FALSE(kernel.host_only);
  }
}

TEST_F(LookInsideLinux, AHostOnlyInitialRamDiskIsToldFromAWholeOne) {
  Files files = debian();
  files["boot/initramfs-6.1.0-10-amd64.img"] = archive_of({"usr/lib/dracut/hostonly-files", "lib/ahci.ko.xz"}, "gzip");
  const Observed out = seen(files);
  EXPECT_TRUE(out.linux_systems.at(0).kernels.at(0).host_only);
}

TEST_F(LookInsideLinux, ABootPartitionHasTheKernels) {
  Files files = debian();
  files.erase("boot/vmlinuz-6.1.0-9-amd64");
  files.erase("boot/vmlinuz-6.1.0-10-amd64");
  make_ext(folder_ / "root", 32 * kMiB, files);
  make_ext(folder_ / "boot", 16 * kMiB,
           {{"vmlinuz-5.14.0", "x"}, {"initramfs-5.14.0.img", archive_of({"lib/virtio_scsi.ko"}, "gzip")}});
  make_disk(folder_ / "disk", "gpt", {{folder_ / "boot", "linux"}, {folder_ / "root", "linux"}});
  const Observed out = look_at({folder_ / "disk"});
  ASSERT_EQ(out.linux_systems.size(), 1U);
  EXPECT_EQ(out.linux_systems[0].partition, 2U);
  ASSERT_EQ(out.linux_systems[0].kernels.size(), 1U);
  EXPECT_THAT(out.linux_systems[0].kernels[0].drivers, ElementsAre("virtio_scsi"));
}

TEST_F(LookInsideLinux, LinksThatLeadToEachOtherAreNoEnd) {
  const Observed out = seen({{"etc/os-release", "-> ../etc/other"}, {"etc/other", "-> os-release"}});
  EXPECT_THAT(out.linux_systems, IsEmpty());
  EXPECT_THAT(out.volumes.at(0).problem, testing::HasSubstr("links lead to each other"));
}

TEST_F(LookInsideLinux, AFileSystemThatWasNotUnmountedIsDirty) {
  make_ext(folder_ / "root", 64 * kMiB, debian());
  EXPECT_FALSE(look_at({folder_ / "root"}).volumes.at(0).dirty);
  // The journal has to be replayed: s_feature_incompat, without its checksum, which nobody minds here.
  Bytes bytes = read_file(folder_ / "root");
  bytes[1024 + 96] |= 4;
  write_file(folder_ / "root", bytes);
  EXPECT_TRUE(look_at({folder_ / "root"}).volumes.at(0).dirty);
}

// Arch's kernels have no version in their names; the EFI partition is mounted at /boot.
TEST_F(LookInsideLinux, KernelsThatAreCalledAsTheirPackagesAreFound) {
  Files root = debian();
  for (const char *file : {"boot/vmlinuz-6.1.0-9-amd64", "boot/vmlinuz-6.1.0-10-amd64"}) root.erase(file);
  root["usr/lib/os-release"] = "ID=arch\nPRETTY_NAME=\"Arch Linux\"\n";
  root["usr/lib/modules/6.9.1-arch1-1/pkgbase"] = "linux\n";
  root["usr/lib/modules/6.9.1-arch1-1/modules.builtin"] = "kernel/drivers/scsi/sd_mod.ko\n";
  root["usr/lib/modules/6.6.30-1-lts/pkgbase"] = "linux-lts\n";
  const std::string initial =
      archive_of({"usr/lib/modules/6.9.1-arch1-1/kernel/drivers/nvme/host/nvme.ko.zst"}, "gzip");
  make_ext(folder_ / "root", 64 * kMiB, root);
  make_fat(folder_ / "boot", 40 * kMiB,
           {{"vmlinuz-linux", "kernel"},
            {"initramfs-linux.img", initial},
            {"initramfs-linux-fallback.img", "x"},
            {"vmlinuz-linux-lts", "kernel"},
            {"initramfs-linux-lts.img", "x"}});
  make_disk(folder_ / "disk", "gpt", {{folder_ / "boot", "uefi"}, {folder_ / "root", "linux"}});
  const Observed out = look_at({folder_ / "disk"});
  ASSERT_EQ(out.linux_systems.size(), 1U);
  const std::vector<ObservedKernel> &kernels = out.linux_systems[0].kernels;
  ASSERT_EQ(kernels.size(), 2U);
  EXPECT_EQ(kernels[0].version, "6.9.1-arch1-1");
  EXPECT_EQ(kernels[0].initramfs, "/boot/initramfs-linux.img");
  EXPECT_THAT(kernels[0].drivers, ElementsAre("nvme", "sd_mod"));
  EXPECT_EQ(kernels[1].version, "6.6.30-1-lts");
}

// Where kernel-install puts them for systemd-boot.
TEST_F(LookInsideLinux, KernelsInFoldersOfTheMachinesOwnAreFound) {
  const std::string machine = "0123456789abcdef0123456789abcdef";
  Files root = debian();
  for (const char *file : {"boot/vmlinuz-6.1.0-9-amd64", "boot/vmlinuz-6.1.0-10-amd64"}) root.erase(file);
  root["etc/machine-id"] = machine + "\n";
  const std::string initial = archive_of({"usr/lib/modules/6.9/kernel/drivers/ata/ahci.ko"}, "gzip");
  make_ext(folder_ / "root", 64 * kMiB, root);
  const std::string other = "fedcba9876543210fedcba9876543210";
  make_fat(folder_ / "esp", 40 * kMiB,
           {{machine + "/6.9.10-200.fc40.x86_64/linux", "kernel"},
            {machine + "/6.9.10-200.fc40.x86_64/initrd", initial},
            {machine + "/6.9.9-200.fc40.x86_64/linux", "kernel"},
            {machine + "/6.9.11/nothing", "x"},
            {other + "/6.10/linux", "kernel"}});
  make_disk(folder_ / "disk", "gpt", {{folder_ / "esp", "uefi"}, {folder_ / "root", "linux"}});
  const Observed out = look_at({folder_ / "disk"});
  ASSERT_EQ(out.linux_systems.size(), 1U);
  const std::vector<ObservedKernel> &kernels = out.linux_systems[0].kernels;
  ASSERT_EQ(kernels.size(), 2U);
  EXPECT_EQ(kernels[0].version, "6.9.10-200.fc40.x86_64");
  EXPECT_THAT(kernels[0].drivers, ElementsAre("ahci"));
  EXPECT_FALSE(kernels[1].examined);
}

}  // namespace
}  // namespace ferry::test
