// SPDX-License-Identifier: Apache-2.0
// The program with sources on another host: an `ssh` in PATH that starts an SFTP server of this host. What it plans and
// makes is what it plans and makes of the same files here.
#include <algorithm>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/hosts/sftp_server.hpp"
#include "tests/kit/disk_images.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

#include "support/subprocess.hpp"

namespace ferry::hosts {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using test::Block;

const fs::path kFixtures = fs::path(FERRY_SOURCE_DIR) / "fixtures";

class OverSsh : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::sftp_server().empty()) GTEST_SKIP() << "there is no sftp-server here";
    path_ = std::getenv("PATH");
    home_ = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
    setenv("HOME", folder_.path().c_str(), 1);
    setenv("PATH", ((folder_ / "bin").string() + ":" + path_).c_str(), 1);
    setenv("XDG_STATE_HOME", (folder_ / "state").c_str(), 1);
    unsetenv("XDG_CONFIG_HOME");
    install_ssh("exec " + test::sftp_server().string());
  }
  void TearDown() override {
    if (path_.empty()) return;
    setenv("PATH", path_.c_str(), 1);
    setenv("HOME", home_.c_str(), 1);
    unsetenv("XDG_STATE_HOME");
  }
  void install_ssh(const std::string &does) const {
    const fs::path program = folder_.write("bin/ssh",
                                           "#!/bin/sh\n"
                                           "for word; do [ \"$word\" = -G ] && exit 0; done\n" +
                                               does + "\n");
    fs::permissions(program, fs::perms::owner_all);
  }
  static std::string far(const fs::path &file) { return "ssh://me@far" + file.string(); }
  static subprocess::Result run(std::vector<std::string> words) {
    subprocess::Command command;
    command.program = FERRY_PROGRAM;
    command.arguments = std::move(words);
    command.limits.deadline = std::chrono::seconds(60);
    return subprocess::run(command);
  }
  // As it would be of this host.
  static std::string as_local(std::string text) {
    const std::string mark = "ssh://me@far";
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at))
      text.erase(at, mark.size());
    return text;
  }
  // What says where it was read from, and when, does not count.
  static void strip(Json &value) {
    if (value.is_object()) {
      for (const char *key : {"made", "command", "available"}) value.erase(key);
      for (auto &[key, below] : value.items()) strip(below);
    } else if (value.is_array()) {
      for (auto at = value.begin(); at != value.end();) {
        if (at->is_object() && at->value("id", "") == "source.remote") {
          at = value.erase(at);
        } else {
          strip(*at++);
        }
      }
    }
  }
  static std::string plain(const std::string &json) {
    Json value = Json::parse(as_local(json), nullptr, false);
    if (value.is_discarded()) return "no JSON: " + json;
    strip(value);
    // What a source does not say is made from its path, which has the host in it.
    static const std::regex kMade(
        "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(52:54:00|08:00:27|00:50:56)(:[0-9a-f]{2}){3}|5525400[0-9a-f]{9}");
    return std::regex_replace(value.dump(1), kMade, "MADE");
  }

  test::TempFolder folder_;

 private:
  std::string path_, home_;
};

class Fixtures : public OverSsh, public ::testing::WithParamInterface<const char *> {};

TEST_P(Fixtures, GiveTheSameMachineAndPlan) {
  int cases = 0;
  for (const auto &entry : fs::directory_iterator(kFixtures / GetParam())) {
    if (!entry.is_directory()) continue;
    fs::path source = entry.path();
    if (fs::exists(source / "source")) {
      const std::string name = test::read_text(source / "source");
      source /= name.substr(0, name.find('\n'));
    }
    ++cases;
    const std::vector<std::string> inspect{"inspect", "--format", "json"};
    const std::vector<std::string> plan{"plan",
                                        "--host-profile",
                                        (kFixtures / "hosts/debian-12.json").string(),
                                        "--dest",
                                        (folder_ / "images").string(),
                                        "--format",
                                        "json"};
    for (std::vector<std::string> words : {inspect, plan}) {
      words.push_back(source.string());
      const subprocess::Result here = run(words);
      words.back() = far(source);
      const subprocess::Result there = run(words);
      EXPECT_EQ(there.exit_code, here.exit_code) << source << "\n" << there.errors;
      EXPECT_EQ(plain(there.output), plain(here.output)) << words.front() << " " << source << "\n" << there.errors;
    }
  }
  EXPECT_GT(cases, 5);
}
INSTANTIATE_TEST_SUITE_P(OfImporters, Fixtures, ::testing::Values("vbox", "vmx", "ovf"));

// Blocks of all kinds, a whole number of them.
test::Layer layer(std::uint64_t block_size, std::size_t count, unsigned tag, bool child) {
  test::Layer out;
  out.block_size = block_size;
  out.size = block_size * count;
  out.tag = tag;
  for (std::size_t i = 0; i < count; ++i)
    out.blocks.push_back(i % 5 == tag % 5 ? Block::zero : i % (child ? 3 : 4) == 0 ? Block::absent : Block::data);
  return out;
}

std::string extent(const test::Layer &of, const std::string &kind, const std::string &file) {
  return "RW " + std::to_string(of.size / 512) + " " + kind + " \"" + file + "\"";
}

class Machines : public OverSsh {
 protected:
  // A machine with a delta over a sparse disk, a split one and a flat one, and a snapshot.
  [[nodiscard]] fs::path vmware() const {
    const fs::path folder = folder_ / "vms/web";
    fs::create_directories(folder);
    const test::Layer base = layer(65536, 160, 1, false), top = layer(65536, 160, 2, true);
    test::Identity of_base, of_top;
    of_top.cid = 0x22222222;
    of_top.parent_cid = of_base.cid;
    of_top.parent_name = "web.vmdk";
    test::write_file(
        folder / "web.vmdk",
        test::make_hosted_sparse(base, {.descriptor = test::vmdk_descriptor(
                                            "monolithicSparse", extent(base, "SPARSE", "web.vmdk"), of_base)}));
    test::write_file(
        folder / "web-000001.vmdk",
        test::make_hosted_sparse(top, {.descriptor = test::vmdk_descriptor(
                                           "monolithicSparse", extent(top, "SPARSE", "web-000001.vmdk"), of_top)}));
    const test::Layer first = layer(65536, 40, 3, false), second = layer(65536, 24, 4, false);
    test::write_file(folder / "split-s001.vmdk", test::make_hosted_sparse(first, {}));
    test::write_file(folder / "split-s002.vmdk", test::make_hosted_sparse(second, {}));
    folder_.write("vms/web/split.vmdk",
                  test::vmdk_descriptor("twoGbMaxExtentSparse", extent(first, "SPARSE", "split-s001.vmdk") + "\n" +
                                                                    extent(second, "SPARSE", "split-s002.vmdk")));
    const test::Bytes flat = test::expected_content({layer(65536, 90, 5, false)});
    test::write_file(folder / "flat-flat.vmdk", flat);
    folder_.write(
        "vms/web/flat.vmdk",
        test::vmdk_descriptor("monolithicFlat", extent(layer(65536, 90, 5, false), "FLAT", "flat-flat.vmdk") + " 0"));
    folder_.write("vms/web/web.vmsd",
                  "snapshot.lastUID = \"1\"\nsnapshot.current = \"1\"\nsnapshot.numSnapshots = \"1\"\n"
                  "snapshot0.uid = \"1\"\nsnapshot0.displayName = \"before\"\n"
                  "snapshot0.numDisks = \"1\"\nsnapshot0.disk0.fileName = \"web.vmdk\"\n"
                  "snapshot0.disk0.node = \"scsi0:0\"\n");
    return folder_.write("vms/web/web.vmx",
                         "config.version = \"8\"\nvirtualHW.version = \"14\"\ndisplayName = \"web\"\n"
                         "guestOS = \"debian10-64\"\nmemsize = \"512\"\nuuid.bios = \"56 4d 5a 6b 7c 8d 9e af-b0 c1 d2 "
                         "e3 f4 05 16 27\"\nscsi0.present = \"TRUE\"\nscsi0.virtualDev = \"lsisas1068\"\n"
                         "scsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"web-000001.vmdk\"\n"
                         "scsi0:1.present = \"TRUE\"\nscsi0:1.fileName = \"split.vmdk\"\n"
                         "scsi0:2.present = \"TRUE\"\nscsi0:2.fileName = \"flat.vmdk\"\n");
  }
  // Both ways, and the guest reads the same of each disk (clusters lie in another order: holes are not seen from here,
  // and files are read from their beginning on). Gives the report of the one by ssh.
  Json expect_same(const fs::path &source, const std::vector<std::string> &options, std::size_t disks) const {
    const auto made = [&](const std::string &from, const fs::path &dest) {
      fs::create_directories(dest);
      std::vector<std::string> words{"migrate", from, "--no-define", "--dest", dest.string(), "--format", "json"};
      words.insert(words.end(), options.begin(), options.end());
      const subprocess::Result result = run(words);
      EXPECT_EQ(result.exit_code, 0) << result.errors << result.output;
      return result.output;
    };
    EXPECT_TRUE(test::has_program("qemu-img"));
    const fs::path here = folder_ / "here", there = folder_ / "there";
    static_cast<void>(made(source.string(), here));
    const std::string report = made(far(source), there);
    std::size_t compared = 0;
    for (const auto &entry : fs::directory_iterator(here)) {
      if (entry.path().extension() != ".qcow2") continue;
      ++compared;
      EXPECT_EQ(
          test::run({"qemu-img", "compare", "-s", entry.path().string(), (there / entry.path().filename()).string()}),
          0)
          << entry.path().filename();
    }
    EXPECT_EQ(compared, disks);
    return Json::parse(report, nullptr, false);
  }
};

TEST_F(Machines, OfVmwareTheGuestReadsTheSame) {
  const Json report = expect_same(vmware(), {"--jobs", "1"}, 3);
  EXPECT_EQ(report["machines"][0]["snapshots"].size(), 1U);
  EXPECT_EQ(report["machines"][0]["source"], far(folder_ / "vms/web/web.vmx"));
}

TEST_F(Machines, AFolderIsEnough) {
  static_cast<void>(vmware());
  const subprocess::Result said = run({"inspect", far(folder_ / "vms/web") + "/"});
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_THAT(said.output, testing::HasSubstr(far(folder_ / "vms/web/web.vmx")));
  EXPECT_THAT(said.output, testing::Not(testing::HasSubstr("/ssh:")));
}

TEST_F(Machines, ABatchTakesThemFromItsManifest) {
  const fs::path source = vmware();
  fs::create_directories(folder_ / "images");
  const fs::path manifest =
      folder_.write("all.yaml", "machines:\n  - source: " + far(source) +
                                    "\n    name: web\n  - source: " + far(folder_ / "none.vmx") + "\n    name: none\n");
  const std::string images = (folder_ / "images").string();
  const subprocess::Result done =
      run({"batch", manifest.string(), "--no-define", "--dest", images, "--format", "json"});
  EXPECT_EQ(done.exit_code, 4) << done.errors;
  const Json report = Json::parse(done.output, nullptr, false);
  ASSERT_TRUE(report.is_object()) << done.output << done.errors;
  ASSERT_EQ(report["machines"].size(), 2U) << done.output;
  EXPECT_EQ(report["machines"][0]["source"], far(source));
  EXPECT_EQ(report["machines"][0]["status"], "migrated");
  EXPECT_EQ(report["machines"][1]["status"], "refused");
}

TEST_F(Machines, AConnectionThatIsLostIsMadeAnew) {
  const fs::path source = vmware();
  // Each one ends after some two megabytes at most.
  install_ssh("echo started >>" + (folder_ / "starts").string() + "\nexec 3>&1 4<&0\n" + test::sftp_server().string() +
              " <&4 3>&- 4<&- | dd bs=32k count=60 2>/dev/null >&3 3>&- 4<&- &\nexec 1>&- 3>&- 4<&-\nwait");
  static_cast<void>(expect_same(source, {"--jobs", "1"}, 3));
  EXPECT_GT(test::read_text(folder_ / "starts").size(), 20 * std::string("started\n").size());
}

TEST_F(Machines, WhatIsInUseThereIsRefused) {
  const fs::path source = vmware();
  folder_.write("vms/web/web.vmdk.lck/M12345.lck", "somehost 4711-999(vmware-vmx) 1 X 0 ");
  const subprocess::Result said =
      run({"plan", "--host-profile", (kFixtures / "hosts/debian-12.json").string(), far(source)});
  EXPECT_EQ(said.exit_code, 3) << said.output;
  EXPECT_THAT(said.errors + said.output, testing::HasSubstr("the machine is in use"));
}

TEST_F(Machines, WhatNeedsTheFilesHereIsRefused) {
  const std::string source = far(vmware());
  const std::string profile = (kFixtures / "hosts/debian-12.json").string();
  const auto refused = [&](std::vector<std::string> words, const std::string &why) {
    const subprocess::Result said = run(words);
    EXPECT_EQ(said.exit_code, words.front() == "test" ? 1 : 3) << words.back();
    EXPECT_THAT(said.errors + said.output, testing::HasSubstr(why));
  };
  for (const char *mode : {"overlay", "link", "share"})
    refused({"plan", "--host-profile", profile, source, "--disk-mode", mode}, "needs the source's files on this host");
  refused({"plan", "--host-profile", profile, source, "--start-now"}, "--start-now needs the source's files");
  refused({"test", source}, "takes no source on another host");
  refused({"script", source, "-o", (folder_ / "x.sh").string()}, "takes no source on another host");
  refused({"disk", "info", far(folder_ / "vms/web/web.vmdk")}, "takes no source on another host");
  refused({"batch", far(folder_ / "vms")}, "takes no source on another host");
}

TEST_F(Machines, AFormatOfQemusIsRefused) {
  if (!test::has_program("qemu-img")) GTEST_SKIP() << "there is no qemu-img here";
  const fs::path source = folder_.write(
      "vms/q/q.vmx",
      "config.version = \"8\"\nvirtualHW.version = \"14\"\ndisplayName = \"q\"\nguestOS = \"debian10-64\"\n"
      "memsize = \"512\"\nscsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"q.qcow2\"\n");
  ASSERT_EQ(test::run({"qemu-img", "create", "-f", "qcow2", (folder_ / "vms/q/q.qcow2").string(), "1M"}), 0);
  const subprocess::Result said =
      run({"plan", "--host-profile", (kFixtures / "hosts/debian-12.json").string(), far(source)});
  EXPECT_EQ(said.exit_code, 3) << said.output;
  EXPECT_THAT(said.errors + said.output, testing::HasSubstr("qemu-img, which reads files of"));
}

TEST_F(Machines, NothingOfThisHostIsTakenForThere) {
  const fs::path secret = folder_.write("secret.vmdk", std::string(1U << 20U, 's'));
  const fs::path source = folder_.write(
      "vms/evil/evil.vmx",
      "config.version = \"8\"\nvirtualHW.version = \"14\"\ndisplayName = \"evil\"\nguestOS = \"debian10-64\"\n"
      "memsize = \"512\"\nscsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"" +
          std::string("../../../../../../../../../../../../") + secret.string().substr(1) + "\"\n");
  const subprocess::Result said = run({"plan", "--host-profile", (kFixtures / "hosts/debian-12.json").string(),
                                       "--input-format", "raw", "--format", "json", far(source)});
  EXPECT_EQ(said.exit_code, 3) << said.output;
  EXPECT_THAT(said.output, testing::HasSubstr("a file of another host"));
}

TEST_F(Machines, AHostThatCannotBeReachedIsAnError) {
  install_ssh("echo 'ssh: Could not resolve hostname far: Name or service not known' >&2; exit 255");
  const subprocess::Result said = run({"inspect", "ssh://me@far/vms/web.vmx"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.errors, testing::HasSubstr("'me@far' cannot be reached by SFTP"));
  EXPECT_THAT(said.errors, testing::HasSubstr("Could not resolve hostname"));
  fs::remove(folder_ / "bin/ssh");
}

TEST_F(Machines, WhatIsNotThereIsSaid) {
  const subprocess::Result said = run({"inspect", "ssh://me@far/nowhere/web.vmx"});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.errors, testing::HasSubstr("ssh://me@far/nowhere/web.vmx: there is no such file or folder on the "
                                              "other host"));
  EXPECT_EQ(run({"inspect", "ssh://-oProxyCommand=x/y"}).exit_code, 2);
}

TEST_F(Machines, OfVirtualBoxTheGuestReadsTheSame) {
  const test::Layer base = layer(1U << 20U, 6, 1, false), top = layer(1U << 20U, 6, 2, true);
  test::Identity of_base{.id = test::uuid_of(1), .modification = test::uuid_of(11)};
  test::Identity of_top{.id = test::uuid_of(2),
                        .modification = test::uuid_of(12),
                        .parent = test::uuid_of(1),
                        .parent_modification = test::uuid_of(11)};
  fs::create_directories(folder_ / "vms/box/Snapshots");
  test::write_file(folder_ / "vms/box/box.vdi", test::make_vdi(base, of_base));
  test::write_file(folder_ / "vms/box/Snapshots/top.vdi", test::make_vdi(top, of_top));
  const std::string attached =
      "<StorageControllers><StorageController name=\"SATA\" type=\"AHCI\" PortCount=\"1\" useHostIOCache=\"false\" "
      "Bootable=\"true\"><AttachedDevice type=\"HardDisk\" hotpluggable=\"false\" port=\"0\" device=\"0\">"
      "<Image uuid=\"{";
  const std::string rest = "}\"/></AttachedDevice></StorageController></StorageControllers>";
  const fs::path source = folder_.write(
      "vms/box/box.vbox",
      "<?xml version=\"1.0\"?>\n<VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"1.16-linux\">\n"
      "<Machine uuid=\"{" +
          test::uuid_of(9).text() + "}\" name=\"box\" OSType=\"Debian_64\" currentSnapshot=\"{" +
          test::uuid_of(8).text() + "}\" snapshotFolder=\"Snapshots\">\n<MediaRegistry><HardDisks><HardDisk uuid=\"{" +
          test::uuid_of(1).text() + "}\" location=\"box.vdi\" format=\"VDI\" type=\"Normal\"><HardDisk uuid=\"{" +
          test::uuid_of(2).text() +
          "}\" location=\"Snapshots/top.vdi\" format=\"VDI\"/></HardDisk></HardDisks>"
          "</MediaRegistry>\n<Snapshot uuid=\"{" +
          test::uuid_of(8).text() +
          "}\" name=\"first\" timeStamp=\"2024-01-01T00:00:00Z\"><Hardware><Memory RAMSize=\"512\"/></Hardware>" +
          attached + test::uuid_of(1).text() + rest + "</Snapshot>\n<Hardware><Memory RAMSize=\"512\"/></Hardware>" +
          attached + test::uuid_of(2).text() + rest + "\n</Machine>\n</VirtualBox>\n");
  const Json report = expect_same(source, {"--jobs", "1"}, 1);
  EXPECT_EQ(report["machines"][0]["snapshots"].size(), 1U);
}

TEST_F(Machines, APackageIsReadInPlace) {
  fs::path descriptor;
  for (const auto &entry : fs::recursive_directory_iterator(kFixtures / "ovf")) {
    if (entry.path().extension() == ".ovf" && (descriptor.empty() || entry.path() < descriptor))
      descriptor = entry.path();
  }
  const fs::path ova = folder_ / "packed.ova";
  ASSERT_EQ(test::run({"tar", "--format=ustar", "-cf", ova.string(), "-C", descriptor.parent_path().string(),
                       descriptor.filename().string()}),
            0);
  EXPECT_EQ(run({"inspect", far(ova)}).exit_code, 0);
  EXPECT_EQ(plain(run({"inspect", "--format", "json", far(ova)}).output),
            plain(run({"inspect", "--format", "json", ova.string()}).output));
}

}  // namespace
}  // namespace ferry::hosts
