// SPDX-License-Identifier: Apache-2.0
// The proof of the cages: the program itself, whose worker is told to misbehave in the middle of an import
// (migration/misbehave.hpp).
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

#include "support/cage.hpp"
#include "support/subprocess.hpp"

namespace ferry {
namespace {

using test::TempFolder;
using testing::HasSubstr;

class Program : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path probe = std::filesystem::path(FERRY_SOURCE_DIR) / "fixtures/probe-machine";
    for (const char *name : {"probe.vbox", "probe.vmdk"})
      folder_.write(std::filesystem::path("vms/probe") / name, test::read_text(probe / name));
    folder_.write("vms/probe/probe-flat.vmdk", std::string(1U << 20U, 'a'));
    folder_.write("home/.ssh/id_ed25519", "secret");
    setenv("HOME", (folder_ / "home").c_str(), 1);
  }
  void TearDown() override {
    unsetenv("VIRT_FERRY_MISBEHAVE");
    unsetenv("VIRT_FERRY_PATIENCE");
  }

  subprocess::Result plan(const std::string &misbehave) { return plan_of(source(), misbehave); }
  static subprocess::Result plan_of(const std::filesystem::path &source, const std::string &misbehave) {
    setenv("VIRT_FERRY_MISBEHAVE", misbehave.c_str(), 1);
    const std::string profile = FERRY_SOURCE_DIR "/fixtures/hosts/debian-12.json";
    return subprocess::run(
        {.program = FERRY_PROGRAM,
         .arguments = {"plan", source.string(), "--no-define", "--format", "json", "--host-profile", profile},
         .limits = {.deadline = std::chrono::seconds(60)},
         .bare_environment = false,
         .locked_in = {},
         .on_line = {}},
        {});
  }
  // What the kernel said to it.
  std::string tried(const std::string &misbehave) { return tried_by(source(), misbehave); }
  static std::string tried_by(const std::filesystem::path &source, const std::string &misbehave) {
    const subprocess::Result result = plan_of(source, misbehave);
    const auto report = nlohmann::json::parse(result.output, nullptr, false);
    if (report.is_discarded()) return result.errors;
    return report["machines"][0]["refusal"].value("found", "nothing found: " + result.output);
  }
  [[nodiscard]] std::filesystem::path source() const { return folder_ / "vms/probe/probe.vbox"; }
  static void need_landlock() {
    if (cage::offered().landlock == 0) GTEST_SKIP() << "this kernel has no Landlock";
  }

  TempFolder folder_;
};

TEST_F(Program, WorkersRead) {
  unsetenv("VIRT_FERRY_MISBEHAVE");
  EXPECT_EQ(tried("read " + source().string()), "nothing");
  EXPECT_EQ(tried("read " + (folder_ / "vms/probe/probe-flat.vmdk").string()), "nothing");
}

TEST_F(Program, WorkersReadNothingOfTheUsers) {
  need_landlock();
  EXPECT_EQ(tried("read " + (folder_ / "home/.ssh/id_ed25519").string()), "Permission denied");
  EXPECT_EQ(tried("read /etc/passwd"), "Permission denied");
  EXPECT_EQ(tried("read /proc/self/environ"), "Permission denied");
}

TEST_F(Program, WorkersWriteNothing) {
  need_landlock();
  for (const char *file : {"home/new", "vms/probe/new", "vms/probe/probe.vbox"})
    EXPECT_EQ(tried("write " + (folder_ / file).string()), "Permission denied") << file;
  EXPECT_EQ(tried("remove " + source().string()), "Permission denied");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "home/new"));
  EXPECT_TRUE(std::filesystem::exists(source()));
}

TEST_F(Program, WorkersTalkToNobodyAndStartNothing) {
  EXPECT_EQ(tried("connect"), "Operation not permitted");
  EXPECT_EQ(tried("run /bin/true"), "Operation not permitted");
  EXPECT_EQ(tried("fork"), "Operation not permitted");
  EXPECT_EQ(tried("trace"), "Operation not permitted");
  EXPECT_EQ(tried("signal"), "Operation not permitted");
}

TEST_F(Program, WorkersThatReadScriptsAreLockedInAsOthersAre) {
  const auto script = folder_.write("vms/script/run.sh", "#!/bin/sh\nqemu-system-x86_64 -hda disk.img\n");
  folder_.write("vms/script/disk.img", std::string(1U << 20U, 'a'));
  EXPECT_EQ(tried_by(script, "read " + (folder_ / "vms/script/disk.img").string()), "nothing");
  EXPECT_EQ(tried_by(script, "connect"), "Operation not permitted");
  EXPECT_EQ(tried_by(script, "run /bin/true"), "Operation not permitted");
  need_landlock();
  EXPECT_EQ(tried_by(script, "read " + (folder_ / "home/.ssh/id_ed25519").string()), "Permission denied");
  EXPECT_EQ(tried_by(script, "write " + (folder_ / "vms/script/new").string()), "Permission denied");
}

TEST_F(Program, ACrashIsAnErrorWithTheFilesName) {
  for (const auto &[how, reason] : {std::pair("crash", "signal 11"), std::pair("abort", "signal 6")}) {
    const subprocess::Result result = plan(how);
    EXPECT_EQ(result.exit_code, 1) << result.how();
    const auto report = nlohmann::json::parse(result.output);
    const auto &refusal = report["machines"][0]["refusal"];
    EXPECT_THAT(refusal.value("found", ""), HasSubstr(reason));
    EXPECT_EQ(refusal["where"].value("file", ""), source().string());
  }
}

TEST_F(Program, AHangIsAnErrorWithTheFilesName) {
  setenv("VIRT_FERRY_PATIENCE", "1000", 1);
  for (const auto &[how, message] : {std::pair("spin", "computes without an end"), std::pair("sleep", "waits for")}) {
    const subprocess::Result result = plan(how);
    EXPECT_EQ(result.exit_code, 1) << result.how();
    const auto report = nlohmann::json::parse(result.output);
    const auto &refusal = report["machines"][0]["refusal"];
    EXPECT_THAT(refusal.value("message", ""), HasSubstr(message));
    EXPECT_EQ(refusal["where"].value("file", ""), source().string());
  }
}

}  // namespace
}  // namespace ferry
