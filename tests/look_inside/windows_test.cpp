// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/folder.hpp"
#include "tests/look_inside/disks.hpp"
#include "tests/look_inside/hive_writer.hpp"
#include "tests/look_inside/ntfs_volume.hpp"

namespace ferry::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char *kConfig = "Windows/System32/config/";

class LookInsideWindows : public testing::Test {
 protected:
  // A disk with one Windows; `fill` puts further files onto its volume.
  template <class Fill>
  Observed seen(const WindowsSettings &settings, const Fill &fill, const HiveOptions &options = {},
                const std::vector<std::string> &mkntfs = {}) {
    const std::filesystem::path volume = folder_ / "volume", disk = folder_ / "disk";
    {
      NtfsVolume ntfs(volume, 32 * kMiB, mkntfs);
      ntfs.write(std::string(kConfig) + "SYSTEM", make_hive(system_hive(settings), options));
      ntfs.write(std::string(kConfig) + "SOFTWARE", make_hive(software_hive(settings)));
      fill(ntfs);
    }
    make_disk(disk, "dos", {{volume, "7"}});
    return look_at({disk});
  }
  Observed seen(const WindowsSettings &settings, const HiveOptions &options = {}) {
    return seen(
        settings, [](NtfsVolume &) {}, options);
  }

  TempFolder folder_;
};

std::uint32_t start_of(const ObservedControlSet &set, const std::string &service) {
  for (const ObservedService &one : set.services) {
    if (one.name == service) return one.start;
  }
  return 99;
}

TEST_F(LookInsideWindows, IsNamedWithWhatItStarts) {
  const Observed out = seen({});
  ASSERT_EQ(out.windows.size(), 1U);
  const ObservedWindows &windows = out.windows[0];
  EXPECT_EQ(windows.product, "Windows 10 Pro");
  EXPECT_EQ(windows.version, "10.0.19045");
  EXPECT_EQ(windows.release, "22H2");
  EXPECT_EQ(windows.architecture, "x86_64");
  EXPECT_EQ(windows.computer_name, "DESKTOP-1");
  EXPECT_EQ(windows.folder, "Windows");
  EXPECT_EQ(std::pair(windows.disk, windows.partition), std::pair(std::size_t{1}, std::size_t{1}));
  EXPECT_FALSE(windows.server || windows.hibernated || windows.fast_startup || windows.registry_dirty);
  EXPECT_EQ(windows.current, 1U);
  ASSERT_EQ(windows.control_sets.size(), 1U);
  EXPECT_EQ(start_of(windows.control_sets[0], "storahci"), 0U);
  EXPECT_EQ(start_of(windows.control_sets[0], "stornvme"), 3U);
  EXPECT_EQ(start_of(windows.control_sets[0], "intelide"), 3U);
  ASSERT_EQ(out.volumes.size(), 1U);
  EXPECT_EQ(out.volumes[0].content, "ntfs");
  EXPECT_EQ(out.volumes[0].type, "07");
  EXPECT_FALSE(out.volumes[0].dirty);
  EXPECT_THAT(out.volumes[0].problem, IsEmpty());
}

TEST_F(LookInsideWindows, EachVersionIsToldApart) {
  struct Case {
    WindowsSettings settings;
    const char *product, *version, *release;
    bool server;
  };
  const std::vector<Case> cases{
      {{.product = "Windows Vista (TM) Business",
        .build = "6002",
        .release = "Service Pack 2",
        .architecture = "x86",
        .has_major = false},
       "Windows Vista (TM) Business",
       "6.1.6002",
       "Service Pack 2",
       false},
      {{.product = "Windows 10 Pro", .build = "22631", .release = "23H2"},
       "Windows 11 Pro",
       "10.0.22631",
       "23H2",
       false},
      {{.product = "Windows Server 2025 Standard", .build = "26100", .release = "24H2", .product_type = "ServerNT"},
       "Windows Server 2025 Standard",
       "10.0.26100",
       "24H2",
       true}};
  for (const Case &one : cases) {
    const Observed out = seen(one.settings);
    ASSERT_EQ(out.windows.size(), 1U) << one.product;
    EXPECT_EQ(out.windows[0].product, one.product);
    EXPECT_EQ(out.windows[0].version, one.version);
    EXPECT_EQ(out.windows[0].release, one.release);
    EXPECT_EQ(out.windows[0].server, one.server);
  }
}

TEST_F(LookInsideWindows, ListsOfKeysOfEveryKindAreRead) {
  using Lists = HiveOptions::Lists;
  for (const Lists lists : {Lists::hashed, Lists::old_hashed, Lists::plain, Lists::of_lists}) {
    const Observed out = seen({}, {.lists = lists});
    ASSERT_EQ(out.windows.size(), 1U);
    ASSERT_EQ(out.windows[0].control_sets.size(), 1U) << static_cast<int>(lists) << out.volumes[0].problem;
    EXPECT_EQ(out.windows[0].control_sets[0].services.size(), 3U) << static_cast<int>(lists);
  }
}

TEST_F(LookInsideWindows, EverySetThatMayBeUsedIsRead) {
  WindowsSettings settings{.services = {{"storahci", 3}}, .current = 2, .last_known_good = 3};
  const Observed out = seen(settings);
  ASSERT_EQ(out.windows.at(0).control_sets.size(), 2U);
  EXPECT_EQ(out.windows[0].control_sets[0].number, 2U);
  EXPECT_EQ(out.windows[0].control_sets[1].number, 3U);
}

TEST_F(LookInsideWindows, AnOverrideCountsInPlaceOfTheStart) {
  const std::filesystem::path volume = folder_ / "volume";
  HiveKey system = system_hive({});
  system.at("ControlSet001\\Services\\storahci\\StartOverride").values = {{"0", 3U}};
  {
    NtfsVolume ntfs(volume, 32 * kMiB);
    ntfs.write(std::string(kConfig) + "SYSTEM", make_hive(system));
  }
  const Observed out = look_at({volume});  // without a partition table
  ASSERT_EQ(out.windows.size(), 1U);
  EXPECT_EQ(out.windows[0].partition, 0U);
  for (const ObservedService &service : out.windows[0].control_sets.at(0).services) {
    if (service.name != "storahci") continue;
    EXPECT_EQ(service.start_override, 3U);
    EXPECT_FALSE(service.starts_at_boot());
  }
}

TEST_F(LookInsideWindows, SettingsOfServersAndAddressesAreRead) {
  const std::filesystem::path volume = folder_ / "volume";
  HiveKey system = system_hive({.product_type = "ServerNT"});
  system.at("ControlSet001\\Services\\partmgr\\Parameters").values = {{"SanPolicy", 2U}};
  system.at("ControlSet001\\Services\\VMTools").values = {{"Start", 2U}};
  system.at("ControlSet001\\Control\\Session Manager\\Power").values = {{"HiberbootEnabled", 1U}};
  const std::string id = "{11111111-2222-3333-4444-555555555555}";
  system.at("ControlSet001\\Services\\Tcpip\\Parameters\\Interfaces\\" + id).values = {
      {"EnableDHCP", 0U}, {"IPAddress", std::vector<std::string>{"192.0.2.7", "192.0.2.8"}}};
  system.at("ControlSet001\\Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}\\" + id + "\\Connection")
      .values = {{"Name", std::string("Office")}};
  {
    NtfsVolume ntfs(volume, 32 * kMiB);
    ntfs.write(std::string(kConfig) + "SYSTEM", make_hive(system));
  }
  const Observed out = look_at({volume});
  ASSERT_EQ(out.windows.size(), 1U);
  const ObservedWindows &windows = out.windows[0];
  EXPECT_TRUE(windows.server);
  EXPECT_TRUE(windows.fast_startup);
  EXPECT_EQ(windows.control_sets.at(0).san_policy, 2U);
  // Where it is said to lie it lies: a policy and the words around it are in no other place.
  ASSERT_TRUE(windows.control_sets[0].san_policy_at);
  const Bytes bytes = read_file(volume);
  EXPECT_EQ(bytes.at(*windows.control_sets[0].san_policy_at), 2U);
  EXPECT_THAT(windows.tools, ElementsAre("VMware Tools"));
  ASSERT_EQ(windows.addresses.size(), 1U);
  EXPECT_EQ(windows.addresses[0].adapter, "Office");
  EXPECT_THAT(windows.addresses[0].addresses, ElementsAre("192.0.2.7", "192.0.2.8"));
}

TEST_F(LookInsideWindows, HibernationShowsByItsMark) {
  for (const auto &[mark, hibernated] : {std::pair{"HIBR", true}, std::pair{"hibr", true}, std::pair{"WAKE", false}}) {
    Bytes file(20000, 1);
    std::copy(mark, mark + 4, file.begin());
    const Observed out = seen({}, [&](NtfsVolume &ntfs) { ntfs.write("hiberfil.sys", file); });
    EXPECT_EQ(out.windows.at(0).hibernated, hibernated) << mark;
  }
}

TEST_F(LookInsideWindows, AVolumeThatWasNotUnmountedIsDirty) {
  EXPECT_TRUE(seen({}, [](NtfsVolume &ntfs) { ntfs.set_dirty(); }).volumes.at(0).dirty);
}

TEST_F(LookInsideWindows, ARegistryThatWasNotWrittenToItsEndIsDirty) {
  EXPECT_TRUE(seen({}, {.first_sequence = 8, .second_sequence = 7}).windows.at(0).registry_dirty);
  const auto with_log = [](std::uint32_t sequence) {
    return [sequence](NtfsVolume &ntfs) { ntfs.write(std::string(kConfig) + "SYSTEM.LOG1", make_hive_log(sequence)); };
  };
  EXPECT_TRUE(seen({}, with_log(8)).windows.at(0).registry_dirty);
  EXPECT_FALSE(seen({}, with_log(3)).windows.at(0).registry_dirty);
}

TEST_F(LookInsideWindows, WhatNtfsCompressesIsSaidToBeUnreadable) {
  const std::filesystem::path volume = folder_ / "volume";
  {
    NtfsVolume ntfs(volume, 32 * kMiB);
    ntfs.write(std::string(kConfig) + "SYSTEM", make_hive(system_hive({})), NtfsVolume::How::compressed);
  }
  const Observed out = look_at({volume});
  EXPECT_THAT(out.windows, IsEmpty());
  EXPECT_THAT(out.volumes.at(0).problem, HasSubstr("compressed by NTFS"));
}

TEST_F(LookInsideWindows, FoldersOfThousandsAndFilesInPiecesAreRead) {
  // A tree of several levels in Windows, and records of 4096 bytes; the hives come last, into what the others left.
  for (const char *options : {"512", "4096"}) {
    const Observed out = seen({},
                              [](NtfsVolume &ntfs) {
                                for (int i = 0; i < 2000; ++i)
                                  ntfs.write("Windows/file" + std::to_string(i), Bytes(10, 1));
                              },
                              {}, {"-s", options});
    ASSERT_EQ(out.windows.size(), 1U) << options << ": " << out.volumes.at(0).problem;
    EXPECT_EQ(out.windows[0].product, "Windows 10 Pro") << options;
  }
}

// What the plan of a machine may cost: 300 ms and 50 MiB.
TEST_F(LookInsideWindows, ADiskOf100GiBIsSeenInNoTime) {
  const std::filesystem::path volume = folder_ / "volume", disk = folder_ / "disk";
  {
    NtfsVolume ntfs(volume, std::uint64_t{100} << 30U);
    // As large as real ones: some services that have something to say, among six hundred.
    HiveKey system = system_hive({});
    for (int i = 0; i < 600; ++i)
      system.at("ControlSet001\\Services\\service" + std::to_string(i)).values = {{"Start", 3U}};
    ntfs.write(std::string(kConfig) + "SYSTEM", make_hive(system));
    Bytes software = make_hive(software_hive({}));
    software.resize(80 * kMiB);
    ntfs.write(std::string(kConfig) + "SOFTWARE", software);
  }
  make_disk(disk, "gpt", {{volume, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"}});
  const auto begun = std::chrono::steady_clock::now();
  const Observed out = look_at({disk});
  const auto took = std::chrono::steady_clock::now() - begun;
  ASSERT_EQ(out.windows.size(), 1U);
  EXPECT_EQ(out.windows[0].version, "10.0.19045");
  EXPECT_LT(out.bytes_read, 50 * kMiB);
  RecordProperty("milliseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  RecordProperty("bytes", static_cast<int>(out.bytes_read));
#ifdef NDEBUG
  EXPECT_LT(took, std::chrono::milliseconds(300));
#endif
}

}  // namespace
}  // namespace ferry::test
