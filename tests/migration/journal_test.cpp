// SPDX-License-Identifier: Apache-2.0
#include "migration/journal.hpp"

#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migration/pull_place.hpp"
#include "migration/undo.hpp"
#include "tests/kit/scratch.hpp"

#include "support/error.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

Journal::Begin beginning(const tests::Scratch &scratch, const std::string &machine = "m") {
  return {.source = scratch.folder() / "m.vbox",
          .files = {},
          .machine = machine,
          .uuid = "",
          .connect = "test:///default",
          .dest = scratch.folder() / "out",
          .plan = "digest"};
}

MadeFile made(const fs::path &file, bool placed = false) { return made_file(file, file, placed); }

template <class Work>
ErrorKind kind_of(Work work) {
  try {
    work();
  } catch (const Error &error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::internal;
}

TEST(Journal, ReadsBackWhatWasWritten) {
  const tests::Scratch scratch;
  Journal::Begin begin = beginning(scratch);
  begin.uuid = "u-u";
  const auto source = scratch.write("m.vbox", "<x/>");
  begin.files = {{source, *file::status_of(source)}};
  const fs::path staging = begin.dest / ".virt-ferry-";
  std::string run;
  {
    Journal journal(begin);
    run = journal.run();
    const fs::path own = staging.string() + run;
    journal.staging(own);
    journal.aside({begin.dest / "m.qcow2", own / "replaced/m.qcow2", 5, 0});
    journal.replace({"old", "o-o", own / "replaced/domain.json"});
    journal.publish({begin.dest / "m.qcow2", {.inode = 7, .size = 8, .modified = 9}, false});
    journal.published({{begin.dest / "m.qcow2", {.inode = 7, .size = 8, .modified = 9, .changed = 10}, true}});
    journal.define({.name = "m", .uuid = "u-u", .snapshots = {"s 1"}, .disks = {begin.dest / "m.qcow2"}});
    journal.defined();
    journal.start();
    journal.done();
  }
  const RunRecord record = read_run(run);
  EXPECT_EQ(record.source, source);
  ASSERT_EQ(record.files.size(), 1U);
  EXPECT_EQ(record.files[0].status.size, 4U);
  EXPECT_FALSE(change_of(record.files));
  EXPECT_EQ(record.machine, "m");
  EXPECT_EQ(record.plan, "digest");
  ASSERT_EQ(record.aside.size(), 1U);
  EXPECT_EQ(record.aside[0].inode, 5U);
  ASSERT_TRUE(record.replaced);
  EXPECT_EQ(record.replaced->uuid, "o-o");
  ASSERT_EQ(record.published.size(), 1U) << "the same file, once";
  EXPECT_EQ(record.published[0].status.inode, 7U);
  EXPECT_EQ(record.published[0].status.changed, 10);
  EXPECT_TRUE(record.published[0].placed && record.all_published);
  EXPECT_EQ(record.domain, "m");
  EXPECT_EQ(record.domain_uuid, "u-u");
  EXPECT_EQ(record.snapshots, std::vector<std::string>{"s 1"});
  EXPECT_TRUE(record.defined && record.started && record.done);
}

TEST(Journal, ANameThatIsNoUtf8ComesBackByteForByte) {
  const tests::Scratch scratch;
  Journal::Begin begin = beginning(scratch);
  begin.source = scratch.folder() / "b\xE4r\xFF.vbox";
  begin.files = {{begin.source, {}}};
  std::string run;
  {
    Journal journal(begin);
    run = journal.run();
    journal.publish({begin.dest / "\xFE\x80.iso", {.inode = 1}, false});
  }
  const RunRecord record = read_run(run);
  EXPECT_EQ(record.source, begin.source);
  EXPECT_EQ(record.files.at(0).file, begin.source);
  EXPECT_EQ(record.published.at(0).file, begin.dest / "\xFE\x80.iso");
}

TEST(Journal, HalfALastLineIsWhatACrashLeavesAndSwallowsNoOther) {
  const tests::Scratch scratch;
  std::string run;
  {
    Journal journal(beginning(scratch));
    run = journal.run();
    journal.publish({scratch.folder() / "out/m.qcow2", {.inode = 1}, false});
  }
  std::ofstream(journal_folder() / (run + ".jsonl"), std::ios::app) << "{\"event\":\"defi";
  RunRecord record = read_run(run);
  EXPECT_EQ(record.published.size(), 1U);
  EXPECT_FALSE(record.done);
  EXPECT_TRUE(record.crashed());
  { Journal(run).done(); }
  record = read_run(run);
  EXPECT_TRUE(record.done) << "it was appended to half a line";
  EXPECT_EQ(record.published.size(), 1U);
}

TEST(Journal, ARunIsAliveWhileItsProcessHoldsTheJournal) {
  const tests::Scratch scratch;
  std::string run;
  {
    const Journal journal(beginning(scratch));
    run = journal.run();
    EXPECT_TRUE(read_run(run).alive);
    EXPECT_FALSE(read_run(run).crashed());
    EXPECT_EQ(kind_of([&] { (void)undo_run(run, true); }), ErrorKind::conflict) << "it is still going on";
    EXPECT_EQ(kind_of([&] { const Journal again(run); }), ErrorKind::conflict) << "two at one run";
  }
  EXPECT_TRUE(read_run(run).crashed());
}

TEST(Journal, ARunThatEndedByItselfHasNotCrashed) {
  const tests::Scratch scratch;
  for (void (Journal::*end)() : {&Journal::done, &Journal::kept, &Journal::undone}) {
    std::string run;
    {
      Journal journal(beginning(scratch));
      run = journal.run();
      (journal.*end)();
    }
    EXPECT_FALSE(read_run(run).crashed());
  }
}

TEST(Journal, AnUnknownRunIsNamedWithThoseThatAreThere) {
  const tests::Scratch scratch;
  { const Journal journal(beginning(scratch, "web")); }
  try {
    (void)read_run("../../etc/passwd");
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing);
    EXPECT_NE(error.detail().expected.find("web"), std::string::npos);
  }
}

// ---- whom a journal is taken from ----

TEST(JournalTrust, NoUmaskOpensIt) {
  const tests::Scratch scratch;
  const mode_t before = umask(0);
  std::string run;
  { run = Journal(beginning(scratch)).run(); }
  umask(before);
  for (const fs::path &folder : {journal_folder(), journal_folder().parent_path(), scratch / "state"})
    EXPECT_EQ(file::status_of(folder)->mode & 07777U, 0700U) << folder;
  EXPECT_EQ(file::status_of(journal_folder() / (run + ".jsonl"))->mode & 07777U, 0600U);
}

TEST(JournalTrust, OneThatOthersCouldWriteIsNotObeyed) {
  const tests::Scratch scratch;
  std::string run;
  { run = Journal(beginning(scratch)).run(); }
  const fs::path file = journal_folder() / (run + ".jsonl");
  fs::permissions(file, fs::perms(0666));
  EXPECT_EQ(kind_of([&] { (void)undo_run(run, true); }), ErrorKind::unsafe);
  EXPECT_TRUE(all_runs().empty());
  fs::permissions(file, fs::perms(0600));
  fs::permissions(journal_folder(), fs::perms(0777));
  EXPECT_EQ(kind_of([&] { (void)read_run(run); }), ErrorKind::unsafe);
  EXPECT_EQ(kind_of([] { (void)all_runs(); }), ErrorKind::unsafe);
  EXPECT_EQ(kind_of([&] { const Journal another(beginning(scratch)); }), ErrorKind::unsafe);
}

TEST(JournalTrust, AFolderThatOthersMayOnlyReadIsClosed) {
  const tests::Scratch scratch;
  fs::create_directories(journal_folder());
  fs::permissions(journal_folder(), fs::perms(0755));
  { const Journal journal(beginning(scratch)); }
  EXPECT_EQ(file::status_of(journal_folder())->mode & 07777U, 0700U);
}

TEST(JournalTrust, NeitherALinkNorOneOfAnotherUser) {
  const tests::Scratch scratch;
  std::string run;
  { run = Journal(beginning(scratch)).run(); }
  const fs::path file = journal_folder() / (run + ".jsonl");
  fs::rename(file, scratch / "elsewhere");
  fs::create_symlink(scratch / "elsewhere", file);
  EXPECT_THROW((void)read_run(run), Error);
  EXPECT_TRUE(all_runs().empty());
  fs::rename(scratch / "elsewhere", file);
  if (geteuid() != 0) return;
  ASSERT_EQ(chown(file.c_str(), 65534, 65534), 0);
  EXPECT_EQ(kind_of([&] { (void)undo_run(run, true); }), ErrorKind::unsafe);
}

// Each of these lines would have undo remove what no run has made.
TEST(JournalTrust, PlacesWhereNoRunWritesAreRefused) {
  const tests::Scratch scratch;
  const fs::path dest = scratch / "out", mine = scratch.write("home/thesis.tex");
  const auto refused = [&](const std::function<void(Journal &)> &write) {
    std::string run;
    {
      Journal journal(beginning(scratch));
      run = journal.run();
      write(journal);
    }
    EXPECT_EQ(kind_of([&] { (void)undo_run(run, true); }), ErrorKind::unsafe);
    EXPECT_TRUE(fs::exists(mine));
  };
  refused([&](Journal &journal) { journal.staging(mine.parent_path()); });
  refused([&](Journal &journal) { journal.staging(dest / ".virt-ferry-another"); });
  refused([&](Journal &journal) { journal.publish(made(mine)); });
  refused([&](Journal &journal) { journal.publish({dest / "../home/thesis.tex", made(mine).status, false}); });
  refused([&](Journal &journal) { journal.state(made(mine)); });
  refused([&](Journal &journal) { journal.state_folder({mine.parent_path(), true}); });
  refused([&](Journal &journal) { journal.pull({.disks = {mine}, .socket = pull_socket(dest, "m"), .served = {}}); });
  refused([&](Journal &journal) { journal.pull({.disks = {}, .socket = mine, .served = {}}); });
  refused([&](Journal &journal) { journal.aside({mine, dest / ".virt-ferry-x/replaced/y", 1, 0}); });
  refused([&](Journal &journal) { journal.aside({dest / "m.qcow2", mine, made(mine).status.inode, 0}); });
  refused([&](Journal &journal) { journal.publish(made(scratch.write(".config/libvirt/qemu/nvram/x/m_VARS.fd"))); });
}

TEST(JournalTrust, AStoreMayLieWhereTheSessionKeepsItsOwn) {
  const tests::Scratch scratch;
  unsetenv("XDG_CONFIG_HOME");
  const fs::path store = scratch.write(".config/libvirt/qemu/nvram/m_VARS.fd");
  std::string run;
  {
    Journal journal(beginning(scratch));
    run = journal.run();
    journal.publish(made(store));
  }
  EXPECT_EQ(undo_run(run, true).removed, std::vector<std::string>{store.string()});
  EXPECT_FALSE(fs::exists(store));
}

// ---- what is copied behind a machine ----

TEST(JournalPull, IsReadBackAndClosed) {
  const tests::Scratch scratch;
  setenv("XDG_RUNTIME_DIR", scratch.folder().c_str(), 1);
  const fs::path dest = scratch / "out";
  std::string run;
  {
    Journal journal(beginning(scratch));
    run = journal.run();
    journal.pull({.disks = {dest / "m.qcow2"}, .socket = pull_socket(dest, "m"), .limit = 5, .served = "{\"a\":1}"});
    journal.start();
    journal.done();
  }
  const RunRecord record = read_run(run);
  ASSERT_TRUE(record.pull);
  EXPECT_EQ(record.pull->disks, std::vector<fs::path>{dest / "m.qcow2"});
  EXPECT_EQ(record.pull->socket, pull_socket(dest, "m"));
  EXPECT_EQ(record.pull->limit, 5U);
  EXPECT_EQ(record.pull->served, "{\"a\":1}");
  EXPECT_TRUE(record.reads_source());
  EXPECT_EQ(state_text(record), "reads its source");
  mark_pulled(run);
  EXPECT_FALSE(read_run(run).reads_source());
  EXPECT_EQ(state_text(read_run(run)), "done");
  unsetenv("XDG_RUNTIME_DIR");
}

TEST(PullPlace, IsTheSameForTheSameMachineAndKnownAgain) {
  const tests::Scratch scratch;
  setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
  const fs::path one = pull_socket("/images", "web");
  EXPECT_EQ(one, pull_socket("/images", "web"));
  EXPECT_NE(one, pull_socket("/images", "web-2"));
  EXPECT_NE(pull_socket("/a", "b"), pull_socket("/ab", ""));
  EXPECT_TRUE(is_pull_socket(one));
  for (const char *other : {"/run/user/1000/virt-ferry/nbd", "/run/user/1000/virt-ferry/0123456789abcdef/sock",
                            "/run/user/1000/other/0123456789abcdef/nbd", "virt-ferry/0123456789abcdef/nbd",
                            "/run/virt-ferry/../virt-ferry/0123456789abcdef/nbd", ""})
    EXPECT_FALSE(is_pull_socket(other)) << other;
  setenv("XDG_RUNTIME_DIR", ("/" + std::string(100, 'x')).c_str(), 1);
  EXPECT_THROW((void)pull_socket("/images", "web"), Error);
  // What somebody else put there stays.
  setenv("XDG_RUNTIME_DIR", scratch.folder().c_str(), 1);
  const fs::path own = pull_socket("/images", "web"), folder = own.parent_path();
  fs::create_directories(folder);
  for (const fs::path &file : {own, keeper_lock(own), keeper_log(own)})
    scratch.write(fs::relative(file, scratch.folder()), "");
  const fs::path foreign = scratch.write(fs::relative(folder, scratch.folder()) / "thesis", "");
  remove_pull_folder(own);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
  fs::remove(foreign);
  remove_pull_folder(own);
  EXPECT_FALSE(fs::exists(folder));
  unsetenv("XDG_RUNTIME_DIR");
}

// ---- undo ----

std::string run_with(const tests::Scratch &scratch, const std::vector<fs::path> &files, bool done = true) {
  Journal journal(beginning(scratch));
  std::vector<MadeFile> placed;
  for (const fs::path &file : files) placed.push_back(made(file, true));
  journal.published(placed);
  if (done) journal.done();
  return journal.run();
}

TEST(Undo, RemovesTheRunsOwnFilesAndOnlyThose) {
  const tests::Scratch scratch;
  const auto disk = scratch.write("out/m.qcow2", "disk"), xml = scratch.write("out/m.xml", "ours");
  const std::string run = run_with(scratch, {disk, xml}, false);
  const auto other = scratch.write("out/other", "somebody wrote another one");
  fs::rename(other, xml);
  const auto half = scratch.write("out/.virt-ferry-" + run + "/m-2.qcow2", "half");
  fs::permissions(half.parent_path(), fs::perms(0700));
  { Journal(run).staging(half.parent_path()); }
  const UndoResult result = undo_run(run, false);
  EXPECT_FALSE(fs::exists(disk));
  EXPECT_TRUE(fs::exists(xml));
  EXPECT_FALSE(fs::exists(half.parent_path()));
  ASSERT_EQ(result.kept.size(), 1U);
  EXPECT_NE(result.kept[0].find("m.xml"), std::string::npos);
  EXPECT_THROW((void)undo_run(run, false), Error) << "twice";
}

// What a file system gives a new file is often the inode of the one that was just removed.
TEST(Undo, KnowsAnotherFileWithTheSameInode) {
  const tests::Scratch scratch;
  const auto file = scratch.write("out/m.qcow2", "disk");
  std::string run;
  {
    Journal journal(beginning(scratch));
    run = journal.run();
    MadeFile other = made(file, true);
    if (other.born == 0) GTEST_SKIP() << "this file system tells no time of birth";
    --other.born;
    journal.published({other});
    journal.done();
  }
  (void)undo_run(run, true);
  EXPECT_TRUE(fs::exists(file));
}

TEST(Undo, AStagingFolderThatOthersCouldWriteToIsLeftAlone) {
  const tests::Scratch scratch;
  const auto disk = scratch.write("out/m.qcow2");
  const std::string run = run_with(scratch, {disk}, false);
  const auto half = scratch.write("out/.virt-ferry-" + run + "/x");
  fs::permissions(half.parent_path(), fs::perms(0777));
  { Journal(run).staging(half.parent_path()); }
  const UndoResult result = undo_run(run, true);
  EXPECT_TRUE(fs::exists(half));
  ASSERT_EQ(result.kept.size(), 1U);
  EXPECT_NE(result.kept[0].find("0777"), std::string::npos);
}

TEST(Undo, KeepsWhatWasChangedSinceUnlessForced) {
  const tests::Scratch scratch;
  const std::vector<std::function<void(const fs::path &)>> uses{
      [](const fs::path &file) { fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(5)); },
      // A copy that keeps the time, as rsync makes it: only the ctime tells.
      [](const fs::path &file) {
        const auto time = fs::last_write_time(file);
        std::fstream(file, std::ios::in | std::ios::out) << "DISK";
        fs::last_write_time(file, time);
      },
      [](const fs::path &file) { std::ofstream(file, std::ios::app) << "more"; }};
  for (const auto &use : uses) {
    const auto file = scratch.write("out/m.qcow2", "disk");
    const std::string run = run_with(scratch, {file});
    use(file);
    EXPECT_EQ(kind_of([&] { (void)undo_run(run, false); }), ErrorKind::conflict) << "the guest's work is gone";
    EXPECT_TRUE(fs::exists(file));
    (void)undo_run(run, true);
    EXPECT_FALSE(fs::exists(file));
  }
}

TEST(Undo, KeepsWhatAProcessHolds) {
  const tests::Scratch scratch;
  const auto file = scratch.write("out/m.qcow2", "disk");
  const std::string run = run_with(scratch, {file});
  const file::Descriptor other(open(file.c_str(), O_RDWR | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_RDLCK;  // as QEMU's: one byte of many
  lock.l_whence = SEEK_SET;
  lock.l_start = 203;
  lock.l_len = 1;
  ASSERT_EQ(fcntl(other.get(), F_OFD_SETLK, &lock), 0);
  EXPECT_EQ(kind_of([&] { (void)undo_run(run, false); }), ErrorKind::conflict);
  EXPECT_TRUE(fs::exists(file));
}

TEST(Undo, BringsBackWhatAnUnfinishedRunHadSetAside) {
  const tests::Scratch scratch;
  std::string run;
  const fs::path dest = scratch / "out", target = dest / "m.qcow2";
  scratch.write("out/m.qcow2", "old");
  fs::path staging;
  {
    Journal journal(beginning(scratch));
    run = journal.run();
    staging = staging_folder(dest, run);
    file::make_private_folders(staging / "replaced");
    journal.staging(staging);
    journal.aside({target, staging / "replaced/m.qcow2", made(target).status.inode, 0});
    fs::rename(target, staging / "replaced/m.qcow2");
    const auto fresh = scratch.write(staging / "m.qcow2", "new");
    journal.publish(made_file(fresh, target, false));
    fs::rename(fresh, target);
  }
  const UndoResult result = undo_run(run, false);
  EXPECT_EQ(test::read_text(target), "old");
  EXPECT_EQ(result.restored, std::vector<std::string>{target.string()});
  EXPECT_FALSE(fs::exists(staging));
}

TEST(Undo, SaysWhatARunThatWasDoneHadReplaced) {
  const tests::Scratch scratch;
  const auto file = scratch.write("out/m.qcow2", "new");
  std::string run;
  {
    Journal journal(beginning(scratch));
    run = journal.run();
    journal.staging(staging_folder(scratch / "out", run));
    journal.aside({file, staging_folder(scratch / "out", run) / "replaced/m.qcow2", 1, 0});
    journal.published({made(file, true)});
    journal.done();
  }
  const UndoResult result = undo_run(run, false);
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(result.removed, std::vector<std::string>{file.string()});
  EXPECT_EQ(result.lost, std::vector<std::string>{file.string()});
  EXPECT_TRUE(result.kept.empty()) << "nothing was kept";
}

TEST(Undo, WhatCannotBeBroughtBackIsToldAndTheRunStaysUndoable) {
  const tests::Scratch scratch;
  const fs::path dest = scratch / "out", target = dest / "m.qcow2";
  std::string run;
  fs::path kept;
  {
    Journal journal(beginning(scratch));
    run = journal.run();
    const fs::path staging = staging_folder(dest, run);
    file::make_private_folders(staging);
    kept = scratch.write(staging / "replaced/m.qcow2", "old");
    journal.staging(staging);
    journal.aside({target, kept, made(kept).status.inode, 0});
  }
  scratch.write("out/m.qcow2", "somebody else's, meanwhile");
  const UndoResult result = undo_run(run, true);
  ASSERT_EQ(result.failed.size(), 1U);
  EXPECT_NE(result.failed[0].find("m.qcow2"), std::string::npos);
  EXPECT_FALSE(read_run(run).undone);
  EXPECT_EQ(test::read_text(kept), "old");
  fs::remove(target);
  (void)undo_run(run, true);
  EXPECT_EQ(test::read_text(target), "old");
}

}  // namespace
}  // namespace ferry::migration
