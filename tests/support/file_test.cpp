// SPDX-License-Identifier: Apache-2.0
#include "support/file.hpp"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "tests/kit/folder.hpp"

#include "support/cut_off.hpp"

namespace ferry::file {
namespace {

using test::read_text;
using test::TempFolder;

TEST(RenameNew, NeverReplaces) {
  const TempFolder folder;
  const auto from = folder.write("from", "new"), to = folder.write("to", "old");
  EXPECT_EQ(rename_new(from, to), std::errc::file_exists);
  EXPECT_EQ(read_text(from), "new");
  EXPECT_EQ(read_text(to), "old");
  std::filesystem::remove(to);
  EXPECT_FALSE(rename_new(from, to));
  EXPECT_EQ(read_text(to), "new");
  EXPECT_FALSE(std::filesystem::exists(from));
}

// What a pipe takes at once is less than this, so that write() stops short again and again.
TEST(WriteAll, GoesOnWhereAWriteStopsShort) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Descriptor in(ends[0]);
  Descriptor out(ends[1]);
  const std::string text(1U << 20U, 'x');
  std::thread writer([&] {
    write_all(out.get(), text, "pipe");
    out.reset();
  });
  std::string got;
  char buffer[65536];
  for (ssize_t count = 0; (count = read(in.get(), buffer, sizeof buffer)) > 0;)
    got.append(buffer, static_cast<std::size_t>(count));
  writer.join();
  EXPECT_EQ(got, text);
}

TEST(WriteNew, RefusesWhatIsThere) {
  const TempFolder folder;
  write_new(folder / "a", "text");
  EXPECT_EQ(read_text(folder / "a"), "text");
  EXPECT_EQ(status_of(folder / "a")->mode & 07777U, 0600U);
  try {
    write_new(folder / "a", "other");
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
  }
  EXPECT_EQ(read_text(folder / "a"), "text");
}

TEST(Publish, WritesWholeFilesWithTheUsualPermissions) {
  const TempFolder folder;
  const mode_t before = umask(027);
  publish(folder / "new", "content", Existing::keep);
  umask(before);
  EXPECT_EQ(read_text(folder / "new"), "content");
  EXPECT_EQ(std::filesystem::status(folder / "new").permissions(), std::filesystem::perms{0640});
  EXPECT_THROW(publish(folder / "new", "other", Existing::keep), Error);
  EXPECT_EQ(read_text(folder / "new"), "content");
}

TEST(Publish, ReplacesTheNameAndNotTheFile) {
  const TempFolder folder;
  const auto target = folder.write("report", "old");
  std::filesystem::permissions(target, std::filesystem::perms{0604});
  std::filesystem::create_hard_link(target, folder / "other");
  publish(target, "new", Existing::replace);
  EXPECT_EQ(read_text(target), "new");
  EXPECT_EQ(read_text(folder / "other"), "old");
  EXPECT_EQ(std::filesystem::status(target).permissions(), std::filesystem::perms{0604});
}

TEST(Publish, LeavesNothingWhenItFails) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "folder");
  EXPECT_THROW(publish(folder / "folder", "text", Existing::replace), Error);
  EXPECT_THROW(publish(folder / "missing/report", "text", Existing::keep), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(MakePrivateFolders, ForTheOwnerAloneWhateverTheUmask) {
  const TempFolder folder;
  const mode_t before = umask(0);
  make_private_folders(folder / "a/b");
  make_private_folders(folder / "a/b");
  umask(before);
  EXPECT_EQ(status_of(folder / "a")->mode & 07777U, 0700U);
  EXPECT_EQ(status_of(folder / "a/b")->mode & 07777U, 0700U);
}

TEST(Status, TellsFilesApart) {
  const TempFolder folder;
  const auto a = folder.write("a"), b = folder.write("b");
  std::filesystem::create_symlink(a, folder / "link");
  EXPECT_TRUE(status_of(a)->same_file(*status_of(folder / "link")));
  EXPECT_FALSE(status_of(a)->same_file(*status_of(b)));
  EXPECT_FALSE(status_of(folder / "link", Links::no_follow)->is_regular());
  EXPECT_FALSE(status_of(folder / "none"));
}

// A write that stops short at the limit of a file's size, as on a disk that fills up.
TEST(AppendWhole, LeavesNoHalfLine) {
  const TempFolder folder;
  const auto file = folder.write("journal", "first\n");
  const pid_t child = fork();  // the limit is a process's
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{9, 9};
    setrlimit(RLIMIT_FSIZE, &limit);
    const Descriptor out(open(file.c_str(), O_WRONLY | O_APPEND));
    try {
      append_whole(out.get(), "second\n", file);
    } catch (const Error &error) {
      _exit(error.kind() == ErrorKind::no_space ? 0 : 1);
    }
    _exit(2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_text(file), "first\n");
}

TEST(ProblemOfPrivate, NamesWhoElseHasRights) {
  const TempFolder folder;
  const auto file = folder.write("a");
  const auto problem = [&file](unsigned mode) {
    std::filesystem::permissions(file, std::filesystem::perms(mode));
    return problem_of_private(*status_of(file));
  };
  EXPECT_EQ(problem(0600), "");
  EXPECT_EQ(problem(0640), "others may read it (mode 0640)");
  EXPECT_EQ(problem(0602), "others may write to it (mode 0602)");
}

TEST(MakePrivateFolders, SetsTheModeWhateverTheUmask) {
  const TempFolder folder;
  const mode_t before = umask(0);
  make_private_folders(folder / "a/b");
  umask(0777);
  make_private_folders(folder / "c", 0711);
  umask(before);
  EXPECT_EQ(status_of(folder / "a")->mode & 07777U, 0700U);
  EXPECT_EQ(status_of(folder / "a/b")->mode & 07777U, 0700U);
  EXPECT_EQ(status_of(folder / "c")->mode & 07777U, 0711U);
}

TEST(Published, WhatADeadProcessLeftGoes) {
  const test::TempFolder folder;
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  waitpid(dead, nullptr, 0);
  const auto left = folder.write(".a.json.ferry-report-" + std::to_string(dead));
  const auto alive = folder.write(".a.json.ferry-report-" + std::to_string(getpid()));
  const auto other = folder.write(".b.json.ferry-report-" + std::to_string(dead));
  file::remove_cut_off(folder / "a.json");
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(alive));
  EXPECT_TRUE(std::filesystem::exists(other));
  file::remove_cut_off(folder / "none/a.json");
}

}  // namespace
}  // namespace ferry::file
