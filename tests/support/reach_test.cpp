// SPDX-License-Identifier: Apache-2.0
// The one rule for files outside of the machine's folder.
#include "support/reach.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/kit/folder.hpp"

namespace ferry::reach {
namespace {

namespace fs = std::filesystem;

class Reach : public testing::Test {
 protected:
  Reach() {
    machine_ = folder_ / "vms/web";
    fs::create_directories(machine_);
    limits_.folder = machine_;
  }
  [[nodiscard]] Verdict of(const fs::path &file) const { return judge(file, limits_).verdict; }

  const test::TempFolder folder_;
  fs::path machine_;
  Limits limits_;
};

TEST_F(Reach, InsideIsFree) {
  EXPECT_EQ(of(folder_.write("vms/web/Snapshots/a.vdi")), Verdict::inside);
  EXPECT_EQ(of(folder_.write("vms/web/.hidden/a.vdi")), Verdict::inside);
  fs::create_symlink(folder_ / "vms", folder_ / "link");
  EXPECT_EQ(of(folder_ / "link/web/Snapshots/a.vdi"), Verdict::inside) << "the same folder by another name";
  EXPECT_EQ(of(machine_ / "gone.vdi"), Verdict::inside) << "what is not there leads nowhere";
}

TEST_F(Reach, AMachineBesideIsTheUsersOwn) {
  const fs::path file = folder_.write("vms/base/base.vdi");
  EXPECT_EQ(of(file), Verdict::own);
  EXPECT_EQ(of(machine_ / "../base/base.vdi"), Verdict::own);
  EXPECT_NE(judge(file, limits_).why.find((folder_ / "vms").string()), std::string::npos);
}

TEST_F(Reach, FurtherAwayIsOutside) {
  const fs::path file = folder_.write("isos/debian.iso");
  EXPECT_EQ(of(file), Verdict::outside);
  limits_.trees = {folder_.path()};
  EXPECT_EQ(of(file), Verdict::own) << "in a tree that the user named";
  limits_.trees.clear();
  limits_.registered = [&] { return std::vector<fs::path>{folder_ / "isos"}; };
  EXPECT_EQ(of(file), Verdict::own) << "beside a registered machine";
  limits_.allowed = {folder_ / "isos"};
  EXPECT_EQ(of(file), Verdict::inside);
}

TEST_F(Reach, ALinkThatLeadsOutIsHostile) {
  const fs::path secret = folder_.write("vms/other/secret");
  fs::create_symlink(secret, machine_ / "disk.vdi");
  EXPECT_EQ(of(machine_ / "disk.vdi"), Verdict::hostile);
  fs::create_directory_symlink(folder_ / "vms/other", machine_ / "Snapshots");
  EXPECT_EQ(of(machine_ / "Snapshots/secret"), Verdict::hostile);
  limits_.allowed = {folder_ / "vms/other"};
  EXPECT_EQ(of(machine_ / "disk.vdi"), Verdict::inside);
}

TEST_F(Reach, HiddenFoldersAreHostileButForThoseOfMachines) {
  EXPECT_EQ(of(folder_.write("vms/.ssh/id_rsa")), Verdict::hostile);
  EXPECT_EQ(of(folder_.write("vms/.VirtualBox/HardDisks/a.vdi")), Verdict::own);
}

TEST_F(Reach, TheSystemsFoldersAreHostile) {
  EXPECT_EQ(of("/etc/passwd"), Verdict::hostile);
  limits_.folder = machine_ / "..";
  EXPECT_EQ(of(machine_ / "../../../../../../../../etc/passwd"), Verdict::hostile);
  limits_.trees = {"/"};
  EXPECT_EQ(of("/etc/passwd"), Verdict::hostile);
  limits_.allowed = {"/etc"};
  EXPECT_EQ(of("/etc/passwd"), Verdict::inside) << "the user said so";
}

TEST_F(Reach, DevicesAndTheKernelsFilesCannotBeAllowed) {
  ASSERT_EQ(mkfifo((machine_ / "fifo").c_str(), 0600), 0);
  limits_.allowed = {"/"};
  EXPECT_EQ(of("/dev/null"), Verdict::never);
  EXPECT_EQ(of("/proc/self/environ"), Verdict::never);
  EXPECT_EQ(of("/sys/kernel/uevent_seqnum"), Verdict::never);
  EXPECT_EQ(of(machine_ / "fifo"), Verdict::never);
  EXPECT_EQ(of(machine_), Verdict::never) << "a folder is no image";
  fs::create_symlink("/dev/zero", machine_ / "disk.vdi");
  EXPECT_EQ(of(machine_ / "disk.vdi"), Verdict::never);
}

TEST_F(Reach, FilesOfAnotherUserAreHostile) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const fs::path file = folder_.write("vms/base/base.vdi");
  ASSERT_EQ(chown(file.c_str(), 12345, 12345), 0);
  EXPECT_EQ(of(file), Verdict::hostile);
  ASSERT_EQ(chown(machine_.c_str(), 12345, 12345), 0);
  EXPECT_EQ(of(file), Verdict::own) << "the machine is the same user's";
}

TEST_F(Reach, ARefusalSaysWhatToDo) {
  const fs::path file = folder_.write("isos/debian.iso");
  const Error error = refusal(judge(file, limits_), {machine_ / "web.vbox", 3, {}}, "the CD image");
  EXPECT_EQ(error.kind(), ErrorKind::unsafe);
  EXPECT_NE(error.detail().found.find(file.string()), std::string::npos);
  EXPECT_NE(error.detail().advice.find("--allow-outside " + (folder_ / "isos").string()), std::string::npos);
  EXPECT_EQ(refusal(judge("/dev/null", limits_), {}, "the disk").detail().advice.find("--allow-outside"),
            std::string::npos);
}

}  // namespace
}  // namespace ferry::reach
