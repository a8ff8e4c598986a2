// SPDX-License-Identifier: Apache-2.0
#include "migration/journal.hpp"

#include <chrono>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "migration/undo.hpp"
#include "tests/migration/scratch.hpp"

#include "support/error.hpp"

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
    journal.publish({scratch.folder() / "out/m.qcow2", 7, 8, true});
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
  EXPECT_EQ(record.published[0].time, 8);
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
    journal.publish({scratch.folder() / "m.qcow2", 1, 0, false});
  }
  std::ofstream(journal_folder() / (run + ".jsonl"), std::ios::app) << "{\"event\":\"defi";
  const RunRecord record = read_run(run);
  EXPECT_EQ(record.published.size(), 1U);
  EXPECT_FALSE(record.done);
  EXPECT_TRUE(record.crashed());
}

TEST(Journal, a_run_is_alive_while_its_process_holds_the_journal) {
  const tests::Scratch scratch;
  std::string run;
  {
    const Journal journal(scratch.folder() / "m.vbox", "m", "", scratch.folder());
    run = journal.run();
    EXPECT_TRUE(read_run(run).alive);
    EXPECT_FALSE(read_run(run).crashed());
    EXPECT_THROW((void)undo_run(run, true), Error) << "it is still going on";
  }
  EXPECT_TRUE(read_run(run).crashed());
}

TEST(Journal, a_run_that_ended_by_itself_has_not_crashed) {
  const tests::Scratch scratch;
  for (void (Journal::*end)() : {&Journal::done, &Journal::kept, &Journal::undone}) {
    std::string run;
    {
      Journal journal(scratch.folder() / "m.vbox", "m", "", scratch.folder());
      run = journal.run();
      (journal.*end)();
    }
    EXPECT_FALSE(read_run(run).crashed());
  }
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
    journal.publish({made, inode(made), 0, false});
    journal.publish({foreign, inode(foreign) + 1, 0, false});
  }
  const UndoResult result = undo_run(run, false);
  EXPECT_FALSE(fs::exists(made));
  EXPECT_TRUE(fs::exists(foreign));
  EXPECT_FALSE(fs::exists(half.parent_path()));
  ASSERT_EQ(result.kept.size(), 1U);
  EXPECT_NE(result.kept[0].find("m.xml"), std::string::npos);
  EXPECT_THROW((void)undo_run(run, false), Error) << "twice";
}

std::int64_t time_of(const fs::path &file) {
  struct stat status {};
  EXPECT_EQ(stat(file.c_str(), &status), 0);
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

// A run that published one file and ended as `done`, or crashed.
std::string run_with(const tests::Scratch &scratch, const fs::path &made, bool done) {
  Journal journal(scratch.folder() / "m.vbox", "m", "qemu:///session", scratch.folder() / "out");
  journal.publish({made, inode(made), time_of(made), false});
  if (done) journal.done();
  return journal.run();
}

TEST(Undo, keeps_what_was_written_since_unless_forced) {
  const tests::Scratch scratch;
  const auto made = scratch.write("out/m.qcow2", "disk");
  const std::string run = run_with(scratch, made, true);
  fs::last_write_time(made, fs::last_write_time(made) + std::chrono::seconds(5));
  try {
    (void)undo_run(run, false);
    FAIL() << "the guest's work is gone";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_NE(error.detail().advice.find("--force"), std::string::npos);
  }
  EXPECT_TRUE(fs::exists(made));
  (void)undo_run(run, true);
  EXPECT_FALSE(fs::exists(made));
}

TEST(Undo, what_cannot_be_removed_is_told_and_the_run_stays_undoable) {
  const tests::Scratch scratch;
  const auto made =
      scratch.write("out/m.qcow2/inside", "a folder that is not empty: nobody can unlink it").parent_path();
  const std::string run = run_with(scratch, made, true);
  const UndoResult result = undo_run(run, true);
  ASSERT_EQ(result.failed.size(), 1U);
  EXPECT_NE(result.failed[0].find("m.qcow2"), std::string::npos);
  EXPECT_FALSE(read_run(run).undone);
}

TEST(Undo, only_crashed_runs_of_the_same_machine_and_place_are_leftovers) {
  const tests::Scratch scratch;
  const fs::path source = scratch.folder() / "m.vbox", dest = scratch.folder() / "out";
  const auto made = scratch.write("out/m.qcow2", "disk");
  (void)run_with(scratch, made, true);
  EXPECT_TRUE(crashed_runs(all_runs(), source, dest, "m").empty()) << "that one is done";
  const std::string crashed = run_with(scratch, made, false);
  ASSERT_EQ(crashed_runs(all_runs(), source, dest, "m").size(), 1U);
  EXPECT_EQ(crashed_runs(all_runs(), source, dest, "m")[0].run, crashed);
  EXPECT_TRUE(crashed_runs(all_runs(), source, dest, "other").empty());
  EXPECT_TRUE(crashed_runs(all_runs(), source, scratch.folder(), "m").empty());
  EXPECT_TRUE(crashed_runs(all_runs(), scratch.folder() / "n.vbox", dest, "m").empty());
  fs::last_write_time(made, fs::last_write_time(made) + std::chrono::seconds(5));
  EXPECT_TRUE(crashed_runs(all_runs(), source, dest, "m").empty()) << "somebody uses it";
}

}  // namespace
}  // namespace ferry::migration
