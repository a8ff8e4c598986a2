// SPDX-License-Identifier: Apache-2.0
// Each test locks a process of its own in and tries what must not work any more, and what must go on working.
#include "support/cage.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "tests/kit/folder.hpp"

namespace ferry::cage {
namespace {

using test::read_text;
using test::TempFolder;

constexpr int kNotLocked = 77;

// What `attempt` returns in a process that is locked in: 0 for success, an errno.
int inside(const Rules &rules, Calls calls, const std::function<int()> &attempt) {
  const pid_t child = fork();
  if (child == 0) {
    const Cage cage(rules, calls);
    _exit(cage.apply() != 0 ? kNotLocked : attempt());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int result(int value) { return value < 0 ? errno : 0; }

int read_one(const std::filesystem::path &file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  char byte = 0;
  return fd < 0 ? errno : result(static_cast<int>(read(fd, &byte, 1)));
}

int write_one(const std::filesystem::path &file) {
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  return fd < 0 ? errno : result(static_cast<int>(write(fd, "x", 1)));
}

class Worker : public testing::Test {
 protected:
  void SetUp() override {
    folder_.write("source/disk.vdi", "disk");
    folder_.write("home/.ssh/id", "secret");
    folder_.write("staging/old", "old");
  }
  [[nodiscard]] Rules rules() const {
    return {.list = {}, .read = {folder_ / "source"}, .write = {folder_ / "staging"}, .execute = {}};
  }
  int inside(const std::function<int()> &attempt) const { return cage::inside(rules(), Calls::worker, attempt); }
  static void need_landlock() {
    if (offered().landlock == 0) GTEST_SKIP() << "this kernel has no Landlock";
  }
  TempFolder folder_;
};

TEST_F(Worker, ReadsItsSourceAndWritesItsStaging) {
  EXPECT_EQ(inside([&] { return read_one(folder_ / "source/disk.vdi"); }), 0);
  EXPECT_EQ(inside([&] { return write_one(folder_ / "staging/new"); }), 0);
  EXPECT_EQ(
      inside([&] { return result(rename((folder_ / "staging/new").c_str(), (folder_ / "staging/named").c_str())); }),
      0);
  EXPECT_EQ(read_text(folder_ / "staging/named"), "x");
}

TEST_F(Worker, HasThreadsAndMemory) {
  EXPECT_EQ(inside([] {
              int sum = 0;
              std::thread one([&] { sum = static_cast<int>(std::string(1U << 24U, 'x').size() >> 20U); });
              one.join();
              return sum == 16 ? 0 : 1;
            }),
            0);
}

TEST_F(Worker, ReadsNothingElse) {
  need_landlock();
  EXPECT_EQ(inside([&] { return read_one(folder_ / "home/.ssh/id"); }), EACCES);
  EXPECT_EQ(inside([] { return read_one("/etc/passwd"); }), EACCES);
}

TEST_F(Worker, WritesNothingElse) {
  need_landlock();
  EXPECT_EQ(inside([&] { return write_one(folder_ / "source/disk.vdi"); }), EACCES);
  EXPECT_EQ(inside([&] { return write_one(folder_ / "home/new"); }), EACCES);
  EXPECT_EQ(inside([&] { return result(unlink((folder_ / "source/disk.vdi").c_str())); }), EACCES);
  EXPECT_NE(inside([&] { return result(rename((folder_ / "staging/old").c_str(), (folder_ / "home/old").c_str())); }),
            0);
  EXPECT_EQ(read_text(folder_ / "source/disk.vdi"), "disk");
}

TEST_F(Worker, HasNoNetwork) {
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK})
    EXPECT_EQ(inside([family] { return result(socket(family, SOCK_STREAM, 0)); }), EPERM) << family;
}

TEST_F(Worker, StartsNoProgramAndNoProcess) {
  EXPECT_EQ(inside([] {
              char *const words[] = {nullptr};
              return result(execve("/bin/true", words, words));
            }),
            EPERM);
  EXPECT_NE(inside([] { return result(fork()); }), 0);
}

TEST_F(Worker, ReachesNoOtherProcess) {
  const pid_t parent = getpid();
  EXPECT_EQ(inside([parent] { return result(static_cast<int>(ptrace(PTRACE_ATTACH, parent, nullptr, nullptr))); }),
            EPERM);
  EXPECT_EQ(inside([parent] { return result(kill(parent, 0)); }), EPERM);
}

TEST_F(Worker, GetsNoPrivilegesBack) {
  EXPECT_EQ(inside([] { return result(setuid(0)); }), EPERM);
  EXPECT_EQ(inside([] { return result(chown("/nonexistent", 0, 0)); }), EPERM);
}

TEST(Program, StartsButTalksToNobody) {
  const TempFolder folder;
  const Rules rules{.list = {},
                    .read = {"/etc", "/dev", "/proc"},
                    .write = {folder.path()},
                    .execute = {"/bin", "/usr", "/lib", "/lib64"}};
  const auto shell = [&](const char *script) {
    return inside(rules, Calls::program, [script] {
      const char *const words[] = {"sh", "-c", script, nullptr};
      execv("/bin/sh", const_cast<char *const *>(words));
      return errno;
    });
  };
  EXPECT_EQ(shell("exit 7"), 7);
  EXPECT_EQ(shell(("echo x > " + (folder / "made").string()).c_str()), 0);
  EXPECT_EQ(inside(rules, Calls::program, [] { return result(socket(AF_UNIX, SOCK_STREAM, 0)); }), EPERM);
  EXPECT_EQ(inside(rules, Calls::program, [] { return result(connect(0, nullptr, 0)); }), EPERM);
  EXPECT_EQ(inside(rules, Calls::client, [] { return result(socket(AF_UNIX, SOCK_STREAM, 0)) == 0 ? 0 : 1; }), 0);
  EXPECT_EQ(inside(rules, Calls::client, [] { return result(socket(AF_INET, SOCK_STREAM, 0)); }), EPERM);
  EXPECT_EQ(inside(rules, Calls::client, [] { return result(bind(0, nullptr, 0)); }), EPERM);
  if (offered().landlock > 0) {
    const TempFolder other;
    EXPECT_NE(shell(("echo x > " + (other / "made").string()).c_str()), 0);
  }
}

TEST(Offer, HasSeccompEverywhere) { EXPECT_TRUE(offered().seccomp); }

}  // namespace
}  // namespace ferry::cage
