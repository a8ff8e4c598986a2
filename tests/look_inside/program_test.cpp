// SPDX-License-Identifier: Apache-2.0
// The program itself, whose workers do the looking: what it shows, that it may be told not to, and that what it cannot
// read stops nothing.
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kit/disk_images.hpp"
#include "tests/kit/folder.hpp"
#include "tests/look_inside/disks.hpp"
#include "tests/look_inside/hive_writer.hpp"
#include "tests/look_inside/ntfs_volume.hpp"
#include "tests/paths.hpp"

#include "support/subprocess.hpp"

namespace ferry::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class LookInsideProgram : public testing::Test {
 protected:
  void SetUp() override {
    setenv("HOME", folder_.path().c_str(), 1);
    setenv("XDG_STATE_HOME", (folder_ / "state").c_str(), 1);
  }

  // A VMware machine with that disk: "vm/m.vmx". The disk's file is its only extent.
  void machine(const std::filesystem::path &disk, const std::string &guest_os = "windows9-64",
               const std::string &more = {}) {
    std::filesystem::create_directories(folder_ / "vm");
    std::filesystem::rename(disk, folder_ / "vm/m-flat.vmdk");
    const std::uint64_t sectors = std::filesystem::file_size(folder_ / "vm/m-flat.vmdk") / 512;
    folder_.write("vm/m.vmdk", vmdk_text(sectors));
    machine_settings(guest_os, more);
  }
  void machine_settings(const std::string &guest_os, const std::string &more = {}) {
    folder_.write("vm/m.vmx",
                  ".encoding = \"UTF-8\"\nconfig.version = \"8\"\nvirtualHW.version = \"14\"\ndisplayName = \"m\"\n"
                  "guestOS = \"" +
                      guest_os +
                      "\"\nmemsize = \"1024\"\nscsi0.present = \"TRUE\"\n"
                      "scsi0.virtualDev = \"lsisas1068\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"m.vmdk\"\n" +
                      more);
  }
  static std::string vmdk_text(std::uint64_t sectors) {
    return "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\nRW " +
           std::to_string(sectors) + " FLAT \"m-flat.vmdk\" 0\nddb.adapterType = \"lsilogic\"\n";
  }
  void windows_machine() {
    {
      NtfsVolume ntfs(folder_ / "volume", 32 * kMiB);
      ntfs.write("Windows/System32/config/SYSTEM", make_hive(system_hive({})));
      ntfs.write("Windows/System32/config/SOFTWARE", make_hive(software_hive({})));
    }
    make_disk(folder_ / "disk", "dos", {{folder_ / "volume", "7"}});
    machine(folder_ / "disk");
  }

  [[nodiscard]] nlohmann::json said(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin() + 1, (folder_ / "vm/m.vmx").string());
    arguments.insert(arguments.end(), {"--format", "json"});
    const subprocess::Result result = subprocess::run({.program = FERRY_PROGRAM,
                                                       .arguments = arguments,
                                                       .limits = {.deadline = std::chrono::seconds(60)},
                                                       .bare_environment = false,
                                                       .locked_in = {},
                                                       .on_line = {}},
                                                      {});
    auto out = nlohmann::json::parse(result.output, nullptr, false);
    if (out.is_discarded()) throw std::runtime_error(result.output + result.errors);
    return out["machines"][0];
  }
  [[nodiscard]] nlohmann::json plan(const std::vector<std::string> &more = {}) const {
    std::vector<std::string> arguments{"plan", "--no-define", "--host-profile",
                                       std::string(FERRY_SOURCE_DIR) + "/fixtures/hosts/debian-12.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return said(arguments);
  }
  static std::vector<std::string> ids(const nlohmann::json &machine) {
    std::vector<std::string> out;
    for (const auto &finding : machine["findings"]) out.push_back(finding["id"]);
    return out;
  }

  // What the new image's registry says of the driver, by ntfs-3g and hivex.
  std::string start_of_driver(const std::vector<std::string> &read_image) {
    const std::string raw = (folder_ / "raw").string(), volume = (folder_ / "new-volume").string(),
                      hive = (folder_ / "hive").string();
    std::vector<std::string> command{"qemu-img", "convert", "-O", "raw"};
    command.insert(command.end(), read_image.begin(), read_image.end());
    command.push_back(raw);
    if (run(command) != 0) return "no image";
    const Bytes made = read_file(raw);
    write_file(volume, Bytes(made.begin() + static_cast<long>(kMiB), made.end()));
    if (run({"sh", "-c", "ntfscat -f \"$1\" Windows/System32/config/SYSTEM > \"$2\"", "sh", volume, hive}) != 0)
      return "no hive";
    return subprocess::run({.program = "hivexget",
                            .arguments = {hive, "\\ControlSet001\\Services\\LSI_SAS", "Start"},
                            .locked_in = {},
                            .on_line = {}},
                           {})
        .output;
  }
  // Windows without the driver of its controller, on a disk that a snapshot's delta lies on.
  void machine_with_snapshot() {
    {
      NtfsVolume ntfs(folder_ / "volume", 32 * kMiB);
      ntfs.write("Windows/System32/config/SYSTEM", make_hive(system_hive({.services = {{"LSI_SAS", 3U}}})));
      ntfs.write("Windows/System32/config/SOFTWARE", make_hive(software_hive({})));
    }
    make_disk(folder_ / "disk", "dos", {{folder_ / "volume", "7"}});
    machine(folder_ / "disk");
    const std::uint64_t size = std::filesystem::file_size(folder_ / "vm/m-flat.vmdk");
    constexpr std::uint64_t kGrain = 65536;
    const Layer empty{.size = size, .block_size = kGrain, .blocks = {(size + kGrain - 1) / kGrain, Block::absent}};
    const Identity on_top{.cid = 0x22345678, .parent_cid = 0x12345678, .parent_name = "m.vmdk"};
    write_file(
        folder_ / "vm/m-000001.vmdk",
        make_hosted_sparse(empty, {.descriptor = vmdk_descriptor(
                                       "monolithicSparse",
                                       "RW " + std::to_string(size / 512) + " SPARSE \"m-000001.vmdk\"\n", on_top)}));
    folder_.write("vm/m.vmsd",
                  ".encoding = \"UTF-8\"\nsnapshot.lastUID = \"1\"\nsnapshot.current = \"1\"\n"
                  "snapshot.numSnapshots = \"1\"\nsnapshot0.uid = \"1\"\nsnapshot0.displayName = \"before\"\n"
                  "snapshot0.createTimeHigh = \"374000\"\nsnapshot0.createTimeLow = \"1\"\n"
                  "snapshot0.numDisks = \"1\"\nsnapshot0.disk0.fileName = \"m.vmdk\"\n"
                  "snapshot0.disk0.node = \"scsi0:0\"\n");
    const std::string vmx = read_text(folder_ / "vm/m.vmx");
    folder_.write("vm/m.vmx", std::string(vmx).replace(vmx.find("m.vmdk"), 6, "m-000001.vmdk"));
  }
  [[nodiscard]] nlohmann::json migrated(const std::vector<std::string> &more) const {
    std::vector<std::string> arguments{
        "migrate",        "--no-define",
        "--dest",         (folder_ / "new").string(),
        "--host-profile", std::string(FERRY_SOURCE_DIR) + "/fixtures/hosts/debian-12.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return said(arguments);
  }
  static bool has_readers() {
    return run({"sh", "-c", "command -v hivexget && command -v ntfscat"}) == 0 && has_program("qemu-img");
  }

  TempFolder folder_;
};

TEST_F(LookInsideProgram, APlanNamesTheSystem) {
  windows_machine();
  EXPECT_THAT(plan()["observed"].get<std::vector<std::string>>(),
              ElementsAre("Windows 10 Pro 22H2 (10.0.19045, x86_64), DESKTOP-1, on partition 1 of disk 1"));
}

TEST_F(LookInsideProgram, OffMeansThatNobodyLooks) {
  windows_machine();
  const auto planned = plan({"--look-inside", "off"});
  EXPECT_FALSE(planned.contains("observed"));
  EXPECT_THAT(ids(planned), Not(testing::Contains("guest.not-read")));
}

TEST_F(LookInsideProgram, InspectShowsAllThatIsSeen) {
  windows_machine();
  const auto observed = said({"inspect", "--guest"})["observed"];
  EXPECT_EQ(observed["windows"][0]["computer_name"], "DESKTOP-1");
  EXPECT_EQ(observed["windows"][0]["control_sets"][0]["services"].size(), 3U);
  EXPECT_EQ(observed["volumes"][0]["content"], "ntfs");
  EXPECT_FALSE(said({"inspect"}).contains("observed"));
}

// Its disk stays on an LSI SAS 1068, whose driver the registry says is started, or not.
TEST_F(LookInsideProgram, WhetherItBootsIsSaidForSure) {
  for (const std::uint32_t start : {0U, 3U}) {
    {
      NtfsVolume ntfs(folder_ / "volume", 32 * kMiB);
      ntfs.write("Windows/System32/config/SYSTEM", make_hive(system_hive({.services = {{"LSI_SAS", start}}})));
    }
    make_disk(folder_ / "disk", "dos", {{folder_ / "volume", "7"}});
    machine(folder_ / "disk");
    EXPECT_THAT(ids(plan({"--guest-fix", "off"})),
                testing::Contains(start == 0 ? "guest.boot-driver-there" : "guest.boot-driver"));
    EXPECT_THAT(ids(plan({"--guest-fix", "off"})),
                Not(testing::Contains(start == 0 ? "guest.boot-driver" : "guest.boot-driver-there")));
  }
}

// The copy has exactly the bytes that the report names otherwise; ntfs-3g and hivex read them as they are meant.
TEST_F(LookInsideProgram, TheCopyIsMadeToBootAndTheSourceIsNotTouched) {
  if (run({"sh", "-c", "command -v hivexget && command -v ntfscat"}) != 0 || !has_program("qemu-img"))
    GTEST_SKIP() << "no hivexget, ntfscat or qemu-img";
  {
    NtfsVolume ntfs(folder_ / "volume", 32 * kMiB);
    HiveKey system = system_hive({.services = {{"LSI_SAS", 3U}}, .current = 1, .last_known_good = 2});
    system.at("ControlSet001\\Services\\LSI_SAS\\StartOverride").values = {{"0", 3U}};
    ntfs.write("Windows/System32/config/SYSTEM", make_hive(system));
    ntfs.write("Windows/System32/config/SOFTWARE", make_hive(software_hive({})));
  }
  make_disk(folder_ / "disk", "dos", {{folder_ / "volume", "7"}});
  machine(folder_ / "disk");
  const Bytes source = read_file(folder_ / "vm/m-flat.vmdk");
  const auto report = said({"migrate", "--no-define", "--verify", "--dest", (folder_ / "new").string(),
                            "--host-profile", std::string(FERRY_SOURCE_DIR) + "/fixtures/hosts/debian-12.json"});
  EXPECT_EQ(report["status"], "migrated") << report.dump(1);
  const std::vector<std::string> found = ids(report);
  EXPECT_EQ(std::count(found.begin(), found.end(), "guest.fixed"), 3);
  EXPECT_EQ(read_file(folder_ / "vm/m-flat.vmdk"), source);

  const std::string raw = (folder_ / "raw").string(), volume = (folder_ / "new-volume").string();
  ASSERT_EQ(run({"qemu-img", "convert", "-O", "raw", (folder_ / "new/m.qcow2").string(), raw}), 0);
  const Bytes made = read_file(raw);
  ASSERT_EQ(made.size(), source.size());
  std::size_t different = 0;
  for (std::size_t i = 0; i < made.size(); ++i) different += made[i] != source[i] ? 1U : 0U;
  EXPECT_EQ(different, 3U);  // of each DWORD the one byte that was 3

  write_file(volume, Bytes(made.begin() + static_cast<long>(kMiB), made.end()));
  const std::string hive = (folder_ / "hive").string();
  ASSERT_EQ(run({"sh", "-c", "ntfscat -f \"$1\" Windows/System32/config/SYSTEM > \"$2\"", "sh", volume, hive}), 0);
  const auto value = [&](const char *key, const char *name) {
    return subprocess::run({.program = "hivexget", .arguments = {hive, key, name}, .locked_in = {}, .on_line = {}}, {})
        .output;
  };
  EXPECT_EQ(value("\\ControlSet001\\Services\\LSI_SAS", "Start"), "0\n");
  EXPECT_EQ(value("\\ControlSet001\\Services\\LSI_SAS\\StartOverride", "0"), "0\n");
  EXPECT_EQ(value("\\ControlSet002\\Services\\LSI_SAS", "Start"), "0\n");
  EXPECT_EQ(value("\\Select", "Current"), "1\n");

  // The journal names them too.
  std::string journals;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(folder_ / "state")) {
    if (entry.is_regular_file()) journals += read_text(entry.path());
  }
  EXPECT_THAT(journals, HasSubstr("Start 3 becomes 0"));
}

// An EFI machine on a controller that the firmware does not read: its disk goes to a bus whose driver is started, where
// the host has that, and else to one whose driver a few bytes start.
TEST_F(LookInsideProgram, TheBusIsOneThatTheGuestBootsFrom) {
  {
    NtfsVolume ntfs(folder_ / "volume", 32 * kMiB);
    HiveKey system = system_hive({.product_type = "ServerNT",
                                  .services = {{"LSI_SAS", 0U}, {"storahci", 3U}, {"stornvme", 0U}},
                                  .current = 1,
                                  .last_known_good = 1});
    system.at("ControlSet001\\Services\\partmgr\\Parameters").values = {{"SanPolicy", 2U}};
    ntfs.write("Windows/System32/config/SYSTEM", make_hive(system));
    ntfs.write("Windows/System32/config/SOFTWARE", make_hive(software_hive({})));
  }
  make_disk(folder_ / "disk", "dos", {{folder_ / "volume", "7"}});
  machine(folder_ / "disk", "windows2019srvNext-64", "firmware = \"efi\"\n");
  const auto on = [&](const char *host) {
    return said({"plan", "--no-define", "--host-profile", std::string(FERRY_SOURCE_DIR "/fixtures/hosts/") + host});
  };
  auto planned = on("debian-sid.json");
  EXPECT_THAT(planned["domain_xml"].get<std::string>(), HasSubstr("bus=\"nvme\""));
  EXPECT_THAT(ids(planned), testing::Contains("guest.boot-driver-there"));
  EXPECT_THAT(ids(planned), Not(testing::Contains("guest.fixed")));
  planned = on("debian-12.json");
  EXPECT_THAT(planned["domain_xml"].get<std::string>(), HasSubstr("bus=\"sata\""));
  EXPECT_THAT(ids(planned), testing::Contains("guest.fixed"));
  EXPECT_THAT(ids(planned), Not(testing::Contains("guest.boot-driver")));
}

// Each state of a disk has a registry of its own.
TEST_F(LookInsideProgram, SnapshotsAreMadeToBootToo) {
  if (!has_readers()) GTEST_SKIP() << "no hivexget, ntfscat or qemu-img";
  machine_with_snapshot();
  const auto report = migrated({"--verify"});
  EXPECT_EQ(report["status"], "migrated") << report.dump(1);
  const std::vector<std::string> found = ids(report);
  EXPECT_EQ(std::count(found.begin(), found.end(), "guest.fixed"), 2);
  const std::string image = (folder_ / "new/m.qcow2").string();
  EXPECT_EQ(start_of_driver({image}), "0\n");
  EXPECT_EQ(start_of_driver({"-l", "snapshot.name=before", image}), "0\n");
}

// The overlay has the clusters that were changed, and nothing else.
TEST_F(LookInsideProgram, AnOverlayIsMadeToBootAndTheSourceIsNotTouched) {
  if (!has_readers()) GTEST_SKIP() << "no hivexget, ntfscat or qemu-img";
  {
    NtfsVolume ntfs(folder_ / "volume", 32 * kMiB);
    ntfs.write("Windows/System32/config/SYSTEM", make_hive(system_hive({.services = {{"LSI_SAS", 3U}}})));
    ntfs.write("Windows/System32/config/SOFTWARE", make_hive(software_hive({})));
  }
  make_disk(folder_ / "disk", "dos", {{folder_ / "volume", "7"}});
  const std::uint64_t size = std::filesystem::file_size(folder_ / "disk");
  std::filesystem::create_directories(folder_ / "vm");
  ASSERT_EQ(run({"qemu-img", "convert", "-O", "vmdk", (folder_ / "disk").string(), (folder_ / "vm/m.vmdk").string()}),
            0);
  machine_settings("windows9-64");
  const Bytes source = read_file(folder_ / "vm/m.vmdk");
  const auto report = migrated({"--disk-mode", "overlay"});
  EXPECT_EQ(report["status"], "migrated") << report.dump(1);
  EXPECT_THAT(ids(report), testing::Contains("guest.fixed"));
  EXPECT_EQ(start_of_driver({(folder_ / "new/m.qcow2").string()}), "0\n");
  EXPECT_EQ(read_file(folder_ / "vm/m.vmdk"), source);
  EXPECT_LT(std::filesystem::file_size(folder_ / "new/m.qcow2"), size / 8);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new/m.qcow2.changes"));
}

// The settings say Linux.
TEST_F(LookInsideProgram, TheDisksSayWhichSystemItIs) {
  windows_machine();
  machine_settings("ubuntu-64");
  const auto planned = plan();
  EXPECT_THAT(ids(planned), testing::Contains("guest.os-differs"));
  EXPECT_THAT(planned["domain_xml"].get<std::string>(), HasSubstr("http://microsoft.com/win/10"));
}

TEST_F(LookInsideProgram, WhatCannotBeReadIsAFindingAndNoFailure) {
  {
    NtfsVolume ntfs(folder_ / "volume", 32 * kMiB);
    ntfs.write("Windows/System32/config/SYSTEM", Bytes(5000, 0x41));
  }
  machine(folder_ / "volume");
  const auto planned = plan();
  EXPECT_EQ(planned["status"], "planned");
  bool found = false;
  for (const auto &finding : planned["findings"]) {
    if (finding["id"] != "guest.not-read") continue;
    found = true;
    EXPECT_THAT(finding["message"].get<std::string>(), HasSubstr("registry"));
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace ferry::test
