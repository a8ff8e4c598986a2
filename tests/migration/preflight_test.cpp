// SPDX-License-Identifier: Apache-2.0
// What stops a run before it begins.
#include "migration/preflight.hpp"

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/migration/scratch.hpp"

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
    plan.imported.machine.source.file = scratch.write("web.vbox", "x");
  }

  std::optional<ErrorKind> refusal(const std::set<std::filesystem::path> &leftovers = {}) {
    try {
      preflight(plan, options, leftovers);
    } catch (const Error &error) {
      return error.kind();
    }
    return std::nullopt;
  }
};

TEST_F(Preflight, a_folder_that_is_not_there_yet_will_be_made) { EXPECT_EQ(refusal(), std::nullopt); }

TEST_F(Preflight, an_existing_target_is_replaced_on_request_only) {
  const auto file = scratch.write("out/web.xml", "old");
  EXPECT_EQ(refusal(), ErrorKind::conflict);
  EXPECT_EQ(refusal({file}), std::nullopt) << "a crashed run's, that goes first";
  options.overwrite = true;
  EXPECT_EQ(refusal(), std::nullopt);
}

TEST_F(Preflight, a_file_of_the_source_is_never_replaced) {
  options.overwrite = true;
  DiskPlan &disk = plan.disks.emplace_back();
  disk.info.chain.emplace_back().file = scratch.write("out/web.qcow2", "the source's own disk");
  EXPECT_EQ(refusal(), ErrorKind::conflict);
}

TEST_F(Preflight, not_by_another_name_either) {
  options.overwrite = true;
  std::filesystem::create_directories(plan.dest);
  std::filesystem::create_symlink(plan.imported.machine.source.file, plan.dest / "web.xml");
  EXPECT_EQ(refusal(), ErrorKind::conflict);
}

TEST_F(Preflight, too_little_room_is_told_before) {
  plan.space_needed = 2;
  plan.space_available = 1;
  EXPECT_EQ(refusal(), ErrorKind::no_space);
}

TEST_F(Preflight, sharing_is_refused_where_the_file_system_has_none) {
  struct statfs status {};
  if (statfs("/dev/shm", &status) != 0 || status.f_type != TMPFS_MAGIC) GTEST_SKIP() << "/dev/shm is no tmpfs";
  plan.dest = "/dev/shm/virt-ferry-that-is-not-there";
  plan.files.clear();
  DiskPlan &disk = plan.disks.emplace_back();
  EXPECT_EQ(refusal(), std::nullopt);
  disk.mode = disk::Mode::share;
  EXPECT_EQ(refusal(), ErrorKind::unsupported);
}

TEST_F(Preflight, a_destination_that_is_no_folder) {
  plan.dest = scratch.write("out", "a file") / "below";
  plan.files.clear();
  EXPECT_EQ(refusal(), ErrorKind::io);
}

TEST_F(Preflight, a_destination_that_no_xml_can_name) {
  plan.dest = scratch.folder() / "bad\xff";
  plan.files.clear();
  EXPECT_EQ(refusal(), ErrorKind::usage);
}

TEST_F(Preflight, a_destination_of_somebody_else) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  plan.dest = "/usr/lib";
  plan.files.clear();
  EXPECT_EQ(refusal(), ErrorKind::io);
}

}  // namespace
}  // namespace ferry::migration
