// SPDX-License-Identifier: Apache-2.0
#include "migration/journal.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "migration/undo.hpp"
#include "model/error.hpp"
#include "tests/migration/scratch.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

std::uint64_t inode(const fs::path &file) {
  struct stat status {};
  EXPECT_EQ(stat(file.c_str(), &status), 0);
  return status.st_ino;
}

TEST(Journal, reads_back_what_was_written) {
  const tests::Scratch scratch;
  const auto source = scratch.write("m.vbox", "<x/>");
  std::string run;
  {
    Journal journal(source, "m", "qemu:///session", scratch.folder() / "out");
    run = journal.run();
    journal.staging(scratch.folder() / "out/.staging");
    journal.publish({scratch.folder() / "out/m.qcow2", 7, true});
    journal.define("m", "u-u");
    journal.start();
    journal.done();
  }
  const RunRecord record = read_run(run);
  EXPECT_EQ(record.source, source);
  EXPECT_EQ(record.source_size, 4U);
  EXPECT_EQ(record.machine, "m");
  ASSERT_EQ(record.published.size(), 1U);
  EXPECT_EQ(record.published[0].inode, 7U);
  EXPECT_TRUE(record.published[0].replaced);
  EXPECT_EQ(record.domain, "m");
  EXPECT_EQ(record.domain_uuid, "u-u");
  EXPECT_TRUE(record.started && record.done);
}

TEST(Journal, half_a_last_line_is_what_a_crash_leaves) {
  const tests::Scratch scratch;
  std::string run;
  {
    Journal journal(scratch.folder() / "m.vbox", "m", "test:///default", scratch.folder());
    run = journal.run();
    journal.publish({scratch.folder() / "m.qcow2", 1, false});
  }
  std::ofstream(journal_folder() / (run + ".jsonl"), std::ios::app) << "{\"event\":\"defi";
  const RunRecord record = read_run(run);
  EXPECT_EQ(record.published.size(), 1U);
  EXPECT_FALSE(record.done);
}

TEST(Journal, an_unknown_run_is_named_with_those_that_are_there) {
  const tests::Scratch scratch;
  { Journal journal(scratch.folder() / "m.vbox", "web", "", scratch.folder()); }
  try {
    (void)read_run("../../etc/passwd");
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing);
    EXPECT_NE(error.detail().expected.find("web"), std::string::npos);
  }
}

TEST(Undo, removes_the_runs_own_files_and_only_those) {
  const tests::Scratch scratch;
  const auto made = scratch.write("out/m.qcow2", "disk");
  const auto foreign = scratch.write("out/m.xml", "somebody wrote another one");
  const auto half = scratch.write("out/.virt-ferry-x/m-2.qcow2", "half");
  std::string run;
  {
    Journal journal(scratch.folder() / "m.vbox", "m", "qemu:///session", scratch.folder() / "out");
    run = journal.run();
    journal.staging(half.parent_path());
    journal.publish({made, inode(made), false});
    journal.publish({foreign, inode(foreign) + 1, false});
  }
  const UndoResult result = undo_run(run, false);
  EXPECT_FALSE(fs::exists(made));
  EXPECT_TRUE(fs::exists(foreign));
  EXPECT_FALSE(fs::exists(half.parent_path()));
  ASSERT_EQ(result.kept.size(), 1U);
  EXPECT_NE(result.kept[0].find("m.xml"), std::string::npos);
  EXPECT_THROW((void)undo_run(run, false), Error) << "twice";
}

}  // namespace
}  // namespace ferry::migration
