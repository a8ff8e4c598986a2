// SPDX-License-Identifier: Apache-2.0
#include "migration/running_process.hpp"

#include <gtest/gtest.h>

namespace ferry::migration::process {
namespace {

namespace fs = std::filesystem;

// QEMU with -daemonize goes to /: the names in its words say nothing any more, its open files do.
TEST(RunningProcess, ItsOpenFilesTellTheFolderOfItsNames) {
  const std::vector<fs::path> open{"/usr/share/OVMF/OVMF_CODE.fd", "/vms/web/disks/a.qcow2", "/vms/web/vars.fd",
                                   "/tmp/other/vars.fd"};
  EXPECT_EQ(folder_by_open_files({"qemu-system-x86_64", "-drive", "file=disks/a.qcow2,if=virtio"}, open), "/vms/web");
  EXPECT_EQ(folder_by_open_files({"-hda", "./disks/../disks/a.qcow2"}, open), "/vms/web");
  EXPECT_EQ(folder_by_open_files({"-drive", "if=pflash,file=vars.fd", "-hda", "disks/a.qcow2"}, open), "/vms/web")
      << "two files speak for it, one for the other";
}

TEST(RunningProcess, NothingIsGuessed) {
  const std::vector<fs::path> open{"/vms/web/vars.fd", "/tmp/other/vars.fd", "/vms/web/a.qcow2"};
  EXPECT_EQ(folder_by_open_files({"-pflash", "vars.fd"}, open), "") << "either could be meant";
  EXPECT_EQ(folder_by_open_files({"-hda", "b.qcow2"}, open), "");
  EXPECT_EQ(folder_by_open_files({"-hda", "/vms/web/a.qcow2"}, open), "") << "no relative name";
  EXPECT_EQ(folder_by_open_files({"-hda", "../web/a.qcow2"}, open), "");
  EXPECT_EQ(folder_by_open_files({"-hda", "2"}, {"/vms/12"}), "") << "whole names only";
  EXPECT_EQ(folder_by_open_files({"", ",", "-name", "."}, open), "");
}

TEST(RunningProcess, AWordMayHoldNames) {
  const std::vector<std::string> names = names_in("driver=qcow2,file.filename=a,,b.qcow2");
  EXPECT_NE(std::find(names.begin(), names.end(), "a,b.qcow2"), names.end());
}

TEST(RunningProcess, ThisOneHasItsFiles) {
  EXPECT_FALSE(words_of("/proc/self/cmdline").empty());
  EXPECT_EQ(folder_of("/proc/self/cmdline"), fs::current_path());
  EXPECT_TRUE(words_of("/proc/0/cmdline").empty());
  EXPECT_TRUE(open_files("/proc/0/cmdline").empty());
}

}  // namespace
}  // namespace ferry::migration::process
