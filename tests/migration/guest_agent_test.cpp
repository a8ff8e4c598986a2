// SPDX-License-Identifier: Apache-2.0
// A guest's agent whose answers the test knows, and the scripts that a guest is given, which this host's shell runs.
#include "migration/finish/guest_agent.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migration/finish/guest_scripts.hpp"
#include "tests/kit/files.hpp"
#include "tests/kit/folder.hpp"
#include "tests/migration/plain_target.hpp"

#include "support/base64.hpp"
#include "support/subprocess.hpp"

namespace ferry::migration {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class AskedMachines : public ferry::tests::PlainMachines {
 public:
  std::map<std::string, std::string> answers;  // by a word of the command
  mutable std::vector<std::string> asked;
  mutable int unfinished = 0;  // how often a program is said to run still

  [[nodiscard]] std::optional<std::string> ask_agent(const std::string &, const std::string &command,
                                                     unsigned) const override {
    asked.push_back(command);
    if (command.find("guest-exec-status") != std::string::npos && unfinished-- > 0)
      return R"({"return":{"exited":false}})";
    for (const auto &[word, answer] : answers)
      if (command.find('"' + word + '"') != std::string::npos) return answer;
    return std::nullopt;
  }
};

TEST(GuestAgent, RunsAScriptAndWaitsForItsEnd) {
  AskedMachines machines;
  machines.unfinished = 2;
  machines.answers = {
      {"guest-exec", R"({"return":{"pid":7}})"},
      {"guest-exec-status", R"({"return":{"exited":true,"exitcode":3,"out-data":"b25l","err-data":"dHdv"}})"}};
  const auto result = GuestAgent(machines, "web").run("echo 'it''s'\n", std::chrono::seconds(60), {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->code, 3);
  EXPECT_EQ(result->output, "one");
  EXPECT_EQ(result->errors, "two");
  EXPECT_THAT(machines.asked.front(), HasSubstr(base64::encoded(std::string_view("echo 'it''s'\n"))));
  EXPECT_THAT(machines.asked, Contains(R"({"execute":"guest-exec-status","arguments":{"pid":7}})"));
}

TEST(GuestAgent, OneThatRunsNoProgramsIsNoError) {
  AskedMachines machines;
  const GuestAgent agent(machines, "web");
  EXPECT_FALSE(agent.answers());
  EXPECT_FALSE(agent.run("true", std::chrono::seconds(1), {}));
  EXPECT_FALSE(agent.devices());
  EXPECT_EQ(agent.system(), "");
  machines.answers = {{"guest-exec", R"({"return":{"pid":"x"}})"}, {"guest-get-devices", R"({"return":7})"}};
  EXPECT_FALSE(agent.run("true", std::chrono::seconds(1), {}));
  EXPECT_FALSE(agent.devices());
}

TEST(GuestAgent, AProgramThatDoesNotEndIsToldOf) {
  AskedMachines machines;
  machines.answers = {{"guest-exec", R"({"return":{"pid":7}})"},
                      {"guest-exec-status", R"({"return":{"exited":false}})"}};
  EXPECT_THROW((void)GuestAgent(machines, "web").run("true", std::chrono::seconds(0), {}), Error);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW((void)GuestAgent(machines, "web").run("true", std::chrono::seconds(60), stop.get_token()), Error);
}

TEST(GuestAgent, DevicesHaveTheirIds) {
  AskedMachines machines;
  machines.answers = {{"guest-get-devices",
                       R"({"return":[{"driver-name":"Red Hat VirtIO Ethernet Adapter","driver-version":"100.95",)"
                       R"("id":{"type":"pci","vendor-id":6900,"device-id":4096}},{"driver-name":"HID"},7]})"}};
  const auto devices = GuestAgent(machines, "web").devices();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 3U);
  EXPECT_EQ(devices->at(0).id, "1af4:1000");
  EXPECT_EQ(devices->at(0).driver, "Red Hat VirtIO Ethernet Adapter");
  EXPECT_EQ(devices->at(1).id, "");
}

subprocess::Result run_in_shell(const test::TempFolder &folder, const std::string &script) {
  const auto file = folder.write("script", script);
  return subprocess::run(
      {.program = "sh",
       .arguments = {"-c", "PATH=\"$1:$PATH\" sh <\"$2\"", "sh", (folder / "bin").string(), file.string()},
       .limits = {.deadline = std::chrono::seconds(60)},
       .bare_environment = false,
       .locked_in = {},
       .on_line = {}},
      {});
}

void make_program(const test::TempFolder &folder, const std::string &name, const std::string &text) {
  std::filesystem::permissions(folder.write("bin/" + name, "#!/bin/sh\n" + text), std::filesystem::perms::owner_all);
}

TEST(GuestScripts, ALookSaysWhatIsThere) {
  const auto seen = read_look(
      "kernel 6.1.0-18-amd64\nmachine x86_64\nhost web\nrelease ID=debian\nrelease PRETTY_NAME=\"Debian 12\"\n"
      "driver virtio_net\ninitramfs /boot/initrd.img-6.1.0-18-amd64\nexamined\ndriver virtio_scsi\ndriver virtio_net\n"
      "mount /etc/fstab UUID=1 / ext4 defaults 0 1\nmount /etc/crypttab data /dev/sdb1 none\n"
      "cmdline BOOT_IMAGE=/vmlinuz root=/dev/disk/by-path/pci-1 ro\ntool open-vm-tools\nnonsense\n");
  ASSERT_TRUE(seen);
  const ObservedLinux &system = seen->linux_systems.at(0);
  EXPECT_EQ(system.product, "Debian 12");
  EXPECT_EQ(system.kernels.at(0).version, "6.1.0-18-amd64");
  EXPECT_TRUE(system.kernels[0].examined);
  EXPECT_THAT(system.kernels[0].drivers, ElementsAre("virtio_net", "virtio_scsi"));
  EXPECT_THAT(system.tools, ElementsAre("open-vm-tools"));
  ASSERT_EQ(system.mounts.size(), 3U);
  EXPECT_EQ(system.mounts[1].device, "/dev/sdb1");
  EXPECT_EQ(system.mounts[2].device, "/dev/disk/by-path/pci-1");
  EXPECT_FALSE(read_look("sh: not found\n"));
}

// The kernel and the initial RAM disk are this host's, or none; the listing is one that the test knows.
TEST(GuestScripts, TheLookRunsInAPlainShell) {
  const test::TempFolder folder;
  make_program(folder, "uname", "case $1 in -r) echo 9.9-test ;; -m) echo x86_64 ;; -n) echo web ;; esac\n");
  const auto result = run_in_shell(folder, look_script());
  const auto seen = read_look(result.output);
  ASSERT_TRUE(seen) << result.errors;
  EXPECT_EQ(seen->linux_systems.at(0).kernels.at(0).version, "9.9-test");
  EXPECT_EQ(seen->linux_systems[0].host_name, "web");
  EXPECT_FALSE(seen->linux_systems[0].kernels[0].examined);
  EXPECT_FALSE(seen->linux_systems[0].id.empty());
}

TEST(GuestScripts, TheRepairAddsWhatIsMissingOnce) {
  const test::TempFolder folder;
  std::filesystem::create_directories(folder / "root/etc/initramfs-tools");
  folder.write("root/etc/initramfs-tools/modules", "# List of modules\nvirtio_scsi\n");
  make_program(folder, "update-initramfs", "echo \"$@\" >>\"" + (folder / "called").string() + "\"; echo noise\n");
  for (int times = 0; times < 2; ++times) {
    const auto result = run_in_shell(folder, repair_script((folder / "root").string()));
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(result.output, (folder / "root/etc/initramfs-tools/modules\n").string());
  }
  EXPECT_EQ(test::read_text(folder / "root/etc/initramfs-tools/modules"),
            "# List of modules\nvirtio_scsi\nvirtio_pci\nvirtio_blk\nvirtio_net\n");
  EXPECT_EQ(test::read_text(folder / "called"), "-u -k all\n-u -k all\n");
}

TEST(GuestScripts, TheRepairUsesDracutWhereThatIs) {
  const test::TempFolder folder;
  make_program(folder, "dracut", "echo \"$@\" >\"" + (folder / "called").string() + "\"\n");
  const auto result = run_in_shell(folder, repair_script((folder / "root").string()));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(test::read_text(folder / "root/etc/dracut.conf.d/virt-ferry.conf"),
            "add_drivers+=\" virtio_pci virtio_scsi virtio_blk virtio_net \"\n");
  EXPECT_EQ(test::read_text(folder / "called"), "--force --regenerate-all\n");
}

TEST(GuestScripts, ARepairThatFailsIsNotDone) {
  const test::TempFolder folder;
  make_program(folder, "dracut", "echo broken >&2; exit 1\n");
  const auto result = run_in_shell(folder, repair_script((folder / "root").string()));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("broken"));
  EXPECT_THAT(result.output, Not(HasSubstr("virt-ferry.conf")));
}

}  // namespace
}  // namespace ferry::migration
