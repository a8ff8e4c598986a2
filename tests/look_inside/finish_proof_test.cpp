// SPDX-License-Identifier: Apache-2.0
// What is proven of a guest before it goes to virtio, on disks with made registries and initial RAM disks. No Windows
// was run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "converters/verify/nbd_server.hpp"
#include "migration/finish/advice.hpp"
#include "migration/finish/proof.hpp"
#include "migration/reader.hpp"
#include "tests/kit/folder.hpp"
#include "tests/look_inside/disks.hpp"
#include "tests/look_inside/hive_writer.hpp"
#include "tests/look_inside/ntfs_volume.hpp"

#include "support/subprocess.hpp"

namespace ferry::test {
namespace {

using migration::GuestEvidence;
using migration::Proof;
using migration::SwitchTo;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Kind = Proof::Kind;

const SwitchTo kBoth{.disks = true, .cards = true, .ids = {{"1af4:1004"}, {"1af4:1000"}}};
const SwitchTo kDisks{.disks = true};

// "missing: kernel ...", a line each.
std::vector<std::string> lines_of(const GuestEvidence &guest, const SwitchTo &to) {
  std::vector<std::string> out;
  for (const Proof &one : migration::proofs_of(guest, to))
    out.push_back(std::string(migration::to_string(one.kind)) + ": " + one.text);
  return out;
}

class FinishProof : public testing::Test {
 protected:
  GuestEvidence linux_with(const std::vector<std::string> &modules, const std::string &fstab = {},
                           const Files &more = {}) {
    Files files = debian();
    std::vector<std::string> names;
    for (const std::string &module : modules)
      names.push_back("usr/lib/modules/6.1.0-10-amd64/kernel/drivers/" + module + ".ko");
    files["boot/initrd.img-6.1.0-10-amd64"] = archive_of(names, "gzip");
    if (!fstab.empty()) files["etc/fstab"] = fstab;
    for (const auto &[name, content] : more) files[name] = content;
    make_ext(folder_ / "root", 64 * kMiB, files);
    return {.observed = look_at({folder_ / "root"})};
  }

  template <class Change>
  GuestEvidence windows_with(const std::vector<std::pair<std::string, std::uint32_t>> &services, const Change &change,
                             const std::string &hiberfil = {}) {
    WindowsSettings settings;
    settings.services = services;
    HiveKey system = system_hive(settings);
    change(system);
    {
      NtfsVolume ntfs(folder_ / "volume", 32 * kMiB);
      ntfs.write("Windows/System32/config/SYSTEM", make_hive(system));
      ntfs.write("Windows/System32/config/SOFTWARE", make_hive(software_hive(settings)));
      if (!hiberfil.empty()) ntfs.write("hiberfil.sys", Bytes(hiberfil.begin(), hiberfil.end()));
    }
    make_disk(folder_ / "disk", "dos", {{folder_ / "volume", "7"}});
    return {.observed = look_at({folder_ / "disk"})};
  }
  GuestEvidence windows_with(const std::vector<std::pair<std::string, std::uint32_t>> &services) {
    return windows_with(services, [](HiveKey &) {});
  }

  TempFolder folder_;
};

TEST_F(FinishProof, LinuxWithItsDriversInTheInitialRamDiskIsProven) {
  const GuestEvidence guest =
      linux_with({"scsi/virtio_scsi", "virtio/virtio_pci", "ata/ahci"}, "UUID=1 / ext4 defaults\n");
  EXPECT_THAT(lines_of(guest, kDisks),
              ElementsAre("proven: kernel 6.1.0-10-amd64 has virtio_scsi, virtio_pci at boot (built in, or in "
                          "/boot/initrd.img-6.1.0-10-amd64)"));
  // virtio-blk is another driver.
  EXPECT_THAT(lines_of(guest, {.disks = true, .blk = true}),
              Contains(HasSubstr("missing: kernel 6.1.0-10-amd64 has no virtio_blk")));
}

TEST_F(FinishProof, LinuxWithoutThemIsMissingThem) {
  const GuestEvidence guest = linux_with({"ata/ahci"}, "UUID=1 / ext4 defaults\n");
  const auto proofs = migration::proofs_of(guest, kDisks);
  EXPECT_TRUE(migration::is_missing(proofs));
  EXPECT_THAT(lines_of(guest, kDisks), ElementsAre(HasSubstr("missing: kernel 6.1.0-10-amd64 has no virtio_scsi in "
                                                             "/boot/initrd.img-6.1.0-10-amd64")));
  EXPECT_EQ(migration::initramfs_command(guest.observed),
            "printf '%s\\n' virtio_pci virtio_scsi virtio_blk virtio_net >>/etc/initramfs-tools/modules && "
            "update-initramfs -u -k all");
}

TEST_F(FinishProof, NamesThatFollowTheHardwareAreWarnedOf) {
  const GuestEvidence guest = linux_with(
      {"scsi/virtio_scsi", "virtio/virtio_pci"},
      "/dev/disk/by-id/ata-VBOX_HARDDISK_VB1-part1 / ext4 defaults\n/dev/disk/by-id/dm-uuid-LVM-x /home ext4 defaults\n"
      "/dev/sdb1 /data ext4 defaults\n",
      {{"boot/grub/grub.cfg",
        "# root=/dev/disk/by-path/none\n\tlinux /vmlinuz root=/dev/disk/by-path/pci-0000:00:0d.0-ata-1-part1 ro "
        "quiet\n"},
       {"etc/default/grub", "GRUB_CMDLINE_LINUX=\"resume=/dev/disk/by-id/ata-swap noroot=/dev/disk/by-id/x\"\n"}});
  const auto lines = lines_of(guest, kDisks);
  EXPECT_THAT(lines, Contains("warning: /etc/fstab names /dev/disk/by-id/ata-VBOX_HARDDISK_VB1-part1 for /, which has "
                              "another name on virtio"));
  EXPECT_THAT(lines,
              Contains(HasSubstr("/boot/grub/grub.cfg names /dev/disk/by-path/pci-0000:00:0d.0-ata-1-part1 for root")));
  EXPECT_THAT(lines, Contains(HasSubstr("/etc/default/grub names /dev/disk/by-id/ata-swap for resume")));
  for (const char *fine : {"dm-uuid", "sdb1", "by-path/none", "by-id/x "})
    EXPECT_THAT(lines, Not(Contains(HasSubstr(fine))));
  EXPECT_FALSE(migration::is_missing(migration::proofs_of(guest, kDisks)));
  // sdX stays with virtio-scsi, and does not with virtio-blk.
  EXPECT_THAT(lines_of(guest, {.disks = true, .blk = true}),
              Contains(HasSubstr("/etc/fstab names /dev/sdb1 for /data, which is called vdX")));
}

TEST_F(FinishProof, WindowsThatStartsItsDriverIsProven) {
  EXPECT_THAT(
      lines_of(windows_with({{"vioscsi", 0}, {"netkvm", 3}}), kBoth),
      ElementsAre("proven: Windows 10 Pro starts vioscsi at boot", "proven: Windows 10 Pro has netkvm for the card"));
  EXPECT_THAT(lines_of(windows_with({{"viostor", 0}}), {.disks = true, .blk = true}),
              ElementsAre("proven: Windows 10 Pro starts viostor at boot"));
}

TEST_F(FinishProof, WindowsIsToldWhatItLacks) {
  EXPECT_THAT(lines_of(windows_with({{"storahci", 0}}), kBoth),
              ElementsAre(HasSubstr("missing: Windows 10 Pro has no driver vioscsi"),
                          "missing: Windows 10 Pro has no driver netkvm for the card"));
  EXPECT_THAT(lines_of(windows_with({{"vioscsi", 3}}), kDisks), ElementsAre(HasSubstr("(Start is 3)")));
  const auto overridden = windows_with({{"vioscsi", 0}}, [](HiveKey &system) {
    system.at("ControlSet001\\Services\\vioscsi\\StartOverride").values = {{"0", 3U}};
  });
  EXPECT_THAT(lines_of(overridden, kDisks), ElementsAre(HasSubstr("(StartOverride is 3)")));
  EXPECT_TRUE(migration::is_missing(migration::proofs_of(overridden, kDisks)));
  const auto allowed = windows_with({{"vioscsi", 3}}, [](HiveKey &system) {
    system.at("ControlSet001\\Services\\vioscsi\\StartOverride").values = {{"0", 0U}};
  });
  EXPECT_FALSE(migration::is_missing(migration::proofs_of(allowed, kDisks)));
  EXPECT_THAT(lines_of(windows_with({{"vioscsi", 0}, {"netkvm", 4}}), kBoth), Contains(HasSubstr("netkvm disabled")));
}

TEST_F(FinishProof, AHibernatedWindowsIsNotSwitched) {
  const auto asleep = windows_with(
      {{"vioscsi", 0}}, [](HiveKey &) {}, "HIBR");
  EXPECT_THAT(lines_of(asleep, kDisks), Contains(HasSubstr("missing: Windows 10 Pro is hibernated")));
}

TEST(FinishProofOfTheAgent, DevicesOfTheFinalIdsAreProof) {
  GuestEvidence guest{.by_agent = true};
  guest.devices = {{"1af4:1004", "Red Hat VirtIO SCSI pass-through controller", "100.95.104.26200"},
                   {"8086:100e", "Intel", ""}};
  EXPECT_THAT(lines_of(guest, kBoth),
              ElementsAre("proven: Windows has a driver for the disks' controller 1af4:1004: Red Hat VirtIO SCSI "
                          "pass-through controller 100.95.104.26200",
                          "missing: Windows has no driver for the card 1af4:1000"));
}

TEST(FinishProofOfTheAgent, NothingThatIsKnownIsSaid) {
  GuestEvidence guest{.why_not = "the machine runs, and no guest agent answers"};
  EXPECT_THAT(lines_of(guest, kBoth), ElementsAre("unknown: the machine runs, and no guest agent answers"));
  EXPECT_FALSE(migration::is_missing(migration::proofs_of(guest, kBoth)));
}

TEST(CleanUp, IsNamedForTheGuest) {
  GuestEvidence guest;
  guest.observed.linux_systems = {{.id = "debian", .tools = {"VirtualBox Guest Additions", "QEMU guest agent"}}};
  guest.observed.linux_systems[0].mounts = {{"/etc/fstab", ".host:/share", "/mnt"}};
  EXPECT_THAT(
      migration::clean_up_steps(guest, true),
      ElementsAre(HasSubstr("'apt purge virtualbox-guest-utils virtualbox-guest-x11'"), HasSubstr(".host:/share")));
  guest.observed.linux_systems = {{.id = "fedora", .tools = {"open-vm-tools"}}};
  EXPECT_THAT(migration::clean_up_steps(guest, true),
              ElementsAre("open-vm-tools can go: with 'dnf remove open-vm-tools'.",
                          HasSubstr("'dnf install qemu-guest-agent'")));
  guest.observed.linux_systems.clear();
  guest.observed.windows = {{.version = "10.0.19045",
                             .addresses = {{"Ethernet", {"192.168.1.5"}}},
                             .tools = {"VMware Tools", "QEMU guest agent"}}};
  EXPECT_THAT(migration::clean_up_steps(guest, true),
              ElementsAre(HasSubstr("VMware Tools can go"), HasSubstr("\"Ethernet\" had 192.168.1.5"),
                          HasSubstr("pnputil /remove-device")));
  EXPECT_THAT(migration::clean_up_steps(guest, false), ElementsAre(HasSubstr("VMware Tools can go")));
  guest.observed.windows[0].version = "6.1.7601";
  EXPECT_THAT(migration::clean_up_steps(guest, true), Contains(HasSubstr("devmgr_show_nonpresent_devices=1")));
}

// As the disks of a machine of the target are read: qemu-nbd serves them.
TEST_F(FinishProof, ADiskThatIsServedIsLookedInto) {
  Files files = debian();
  make_ext(folder_ / "root", 64 * kMiB, files);
  const subprocess::Result made =
      subprocess::run({.program = "qemu-img",
                       .arguments = {"convert", "-f", "raw", "-O", "qcow2", (folder_ / "root").string(),
                                     (folder_ / "root.qcow2").string()},
                       .limits = {.deadline = std::chrono::seconds(60)},
                       .locked_in = {},
                       .on_line = {}},
                      {});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  const verify::NbdServer server({.format = ImageFormat::qcow2, .range = {.file = folder_ / "root.qcow2"}},
                                 std::nullopt);
  std::vector<file::Descriptor> connections;
  connections.push_back(server.connect());
  const Observed served = migration::reader_of_connections()->look_inside({3}, std::move(connections));
  ASSERT_EQ(served.linux_systems.size(), 1U);
  EXPECT_EQ(served.linux_systems[0].disk, 3U);
  EXPECT_EQ(served.linux_systems[0].host_name, "web");
  EXPECT_THAT(served.disks.at(0).problem, IsEmpty());
  EXPECT_THROW((void)migration::reader_of_connections()->look_inside({1, 2}, {}), Error);
}

}  // namespace
}  // namespace ferry::test
