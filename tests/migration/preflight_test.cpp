// SPDX-License-Identifier: Apache-2.0
// What stops a run before it begins.
#include "migration/preflight.hpp"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migration/journal.hpp"
#include "tests/kit/scratch.hpp"

namespace ferry::migration {
namespace {

struct Preflight : testing::Test {
  tests::Scratch scratch;
  MachinePlan plan;
  Options options;

  Preflight() {
    plan.dest = scratch.folder() / "out";
    plan.name = "web";
    plan.files = {plan.dest / "web.qcow2", plan.dest / "web.xml"};
    plan.imported.machine.source.file = scratch.write("source/web.vbox", "x");
    add_source(plan.imported.machine.source.file);
  }

  void add_source(const std::filesystem::path &file) { plan.source_files.push_back({file, *file::status_of(file)}); }

  std::optional<ErrorKind> refusal(const std::set<std::filesystem::path> &leftovers = {}) const {
    try {
      preflight(plan, options, leftovers);
    } catch (const Error &error) {
      return error.kind();
    }
    return std::nullopt;
  }
};

TEST_F(Preflight, AFolderThatIsNotThereYetWillBeMade) { EXPECT_EQ(refusal(), std::nullopt); }

TEST_F(Preflight, AnExistingTargetIsReplacedOnRequestOnly) {
  const auto file = scratch.write("out/web.xml", "old");
  EXPECT_EQ(refusal(), ErrorKind::conflict);
  EXPECT_EQ(refusal({file}), std::nullopt) << "a crashed run's, that goes first";
  options.overwrite = true;
  EXPECT_EQ(refusal(), std::nullopt);
}

// By any of its names, and whatever part of the source it is.
TEST_F(Preflight, AFileOfTheSourceIsNeverReplaced) {
  options.overwrite = true;
  const auto extent = scratch.write("web-f001.vmdk", "an extent");
  add_source(extent);
  std::filesystem::create_directories(plan.dest);
  const auto target = plan.dest / "web.qcow2";
  std::filesystem::create_symlink(extent, target);
  EXPECT_EQ(refusal(), ErrorKind::conflict) << "a symbolic link to it";
  std::filesystem::remove(target);
  std::filesystem::create_hard_link(extent, target);
  EXPECT_EQ(refusal(), ErrorKind::conflict) << "a hard link to it";
  std::filesystem::remove(target);
  scratch.write(target, "old");
  EXPECT_EQ(refusal(), std::nullopt);
}

TEST_F(Preflight, InTheSourcesFolderOnlyWhatARunMadeIsReplaced) {
  options.overwrite = true;
  const auto target = scratch.write("out/web.qcow2", "a base image that nobody names");
  add_source(scratch.write("out/web.vbox", "x"));
  EXPECT_EQ(refusal(), ErrorKind::conflict);
  {
    Journal journal(
        {.source = "x", .files = {}, .machine = "web", .uuid = "", .connect = "", .dest = plan.dest, .plan = ""});
    journal.publish({target, *file::status_of(target), false});
  }
  EXPECT_EQ(refusal(), std::nullopt);
}

TEST_F(Preflight, WhatAProcessWritesToIsNotReplaced) {
  options.overwrite = true;
  const auto target = scratch.write("out/web.qcow2", "old");
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const int held = open(target.c_str(), O_RDWR);
    close(ends[0]);
    EXPECT_EQ(write(ends[1], "x", 1), 1);
    pause();
    _exit(held);
  }
  close(ends[1]);
  char ready = 0;
  ASSERT_EQ(read(ends[0], &ready, 1), 1);
  close(ends[0]);
  EXPECT_EQ(refusal(), ErrorKind::conflict);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(refusal(), std::nullopt);
}

TEST_F(Preflight, AFolderIsNoTarget) {
  options.overwrite = true;
  std::filesystem::create_directories(plan.dest / "web.qcow2");
  EXPECT_EQ(refusal(), ErrorKind::conflict);
}

TEST_F(Preflight, TooLittleRoomIsToldBefore) {
  plan.space_needed = 2;
  plan.space_available = 1;
  EXPECT_EQ(refusal(), ErrorKind::no_space);
}

TEST_F(Preflight, SharingIsRefusedWhereTheFileSystemHasNone) {
  struct statfs status {};
  if (statfs("/dev/shm", &status) != 0 || status.f_type != TMPFS_MAGIC) GTEST_SKIP() << "/dev/shm is no tmpfs";
  plan.dest = "/dev/shm/virt-ferry-that-is-not-there";
  plan.files.clear();
  DiskPlan &disk = plan.disks.emplace_back();
  EXPECT_EQ(refusal(), std::nullopt);
  disk.mode = disk::Mode::share;
  EXPECT_EQ(refusal(), ErrorKind::unsupported);
}

TEST_F(Preflight, ADestinationThatIsNoFolder) {
  plan.dest = scratch.write("out", "a file") / "below";
  plan.files.clear();
  EXPECT_EQ(refusal(), ErrorKind::io);
}

TEST_F(Preflight, ADestinationThatNoXmlCanName) {
  plan.dest = scratch.folder() / "bad\xff";
  plan.files.clear();
  EXPECT_EQ(refusal(), ErrorKind::usage);
}

TEST_F(Preflight, ADestinationOfSomebodyElse) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  plan.dest = "/usr/lib";
  plan.files.clear();
  EXPECT_EQ(refusal(), ErrorKind::io);
}

}  // namespace
}  // namespace ferry::migration
