// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/local_host.hpp"

#include <gmock/gmock.h>

#include "tests/host/support.hpp"

namespace ferry::libvirt {
namespace {

using ::testing::ElementsAre;
using testing::Folder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(BridgeRules, OnlyAllowedBridgesThatExist) {
  const Folder folder;
  const auto file = folder.write("bridge.conf", "# comment\nallow br0 # more\n  allow\tbr7\nallow\n");
  EXPECT_THAT(allowed_bridges(file, {"br0", "br1"}), ElementsAre("br0"));
}

TEST(BridgeRules, ADenialWinsWhateverTheOrder) {
  const Folder folder;
  const auto file = folder.write("bridge.conf", "deny br1\nallow all\n");
  EXPECT_THAT(allowed_bridges(file, {"br0", "br1"}), ElementsAre("br0"));
  EXPECT_THAT(allowed_bridges(folder.write("b2", "allow br0\ndeny all\n"), {"br0"}), IsEmpty());
}

TEST(BridgeRules, FollowsIncludesButNotForEver) {
  const Folder folder;
  const auto more = folder.write("more.conf", "allow br1\n");
  EXPECT_THAT(allowed_bridges(folder.write("a", "include " + more.string() + "\n"), {"br1"}), ElementsAre("br1"));
  const std::filesystem::path loop = folder.path() / "loop";
  folder.write("loop", "include " + loop.string() + "\nallow br0\n");
  EXPECT_THAT(allowed_bridges(loop, {"br0"}), ElementsAre("br0"));
}

TEST(BridgeRules, AMissingFileAllowsNothing) { EXPECT_THAT(allowed_bridges("/nonexistent", {"br0"}), IsEmpty()); }

TEST(Virtiofsd, IsFoundByItsDescriptor) {
  const Folder folder;
  EXPECT_FALSE(has_virtiofsd(folder.path() / "none"));
  folder.write("a/50-gpu.json", R"({"type": "gpu", "binary": "/bin/sh"})");
  folder.write("a/60-bad.json", "{");
  EXPECT_FALSE(has_virtiofsd(folder.path() / "a"));
  folder.write("a/70-fs.json", R"({"type": "fs", "binary": "/bin/sh"})");
  EXPECT_TRUE(has_virtiofsd(folder.path() / "a"));
  folder.write("b/50-fs.json", R"({"type": "fs", "binary": "/nonexistent/virtiofsd"})");
  EXPECT_FALSE(has_virtiofsd(folder.path() / "b"));
}

TEST(Emulator, WhatCannotBeRunSaysNothing) {
  EXPECT_EQ(emulator_device_help("/nonexistent/qemu"), "");
  EXPECT_EQ(emulator_device_help("qemu-system-x86_64"), "");
  EXPECT_EQ(emulator_device_help("/bin/false"), "");
}

TEST(Emulator, GetsTheQuestionAsArguments) {
  const Folder folder;
  const auto script = folder.write("qemu", "#!/bin/sh\nprintf '%s|' \"$@\" \"$HOME\"\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  EXPECT_EQ(emulator_device_help(script), "-machine|none|-device|help||");
}

TEST(Emulator, TooMuchOutputIsNoAnswer) {
  const Folder folder;
  const auto script = folder.write("qemu", "#!/bin/sh\nexec yes\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  EXPECT_EQ(emulator_device_help(script), "");
}

TEST(Emulator, TheInstalledOneListsItsDevices) {
  const char *emulator = "/usr/bin/qemu-system-x86_64";
  if (!std::filesystem::exists(emulator)) GTEST_SKIP() << "no " << emulator;
  EXPECT_THAT(emulator_device_help(emulator), HasSubstr("name \"e1000\""));
}

TEST(Folders, ImagesGoBelowTheDataFolder) {
  setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(session_image_folder(), "/data/libvirt/images");
  setenv("XDG_DATA_HOME", "relative", 1);
  setenv("HOME", "/home/me", 1);
  EXPECT_EQ(session_image_folder(), "/home/me/.local/share/libvirt/images");
}

TEST(LocalHost, OsinfoDbSaysItsRelease) {
  const Folder folder;
  EXPECT_EQ(osinfo_db_release(folder.path() / "none"), 0U);
  folder.write("VERSION", "20221203");
  EXPECT_EQ(osinfo_db_release(folder.path()), 20221203U);
  folder.write("VERSION", "not a number");
  EXPECT_EQ(osinfo_db_release(folder.path()), 0U);
}

}  // namespace
}  // namespace ferry::libvirt
