// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/crash_log.hpp"

#include <cstdlib>
#include <gtest/gtest.h>

#include "tests/kit/folder.hpp"

namespace ferry::libvirt {
namespace {

constexpr const char *kStart = "2026-11-28 10:00:00.000+0000: starting up libvirt version: 9.0.0\n";
constexpr const char *kStop =
    "2026-11-28 10:01:00.506+0000: panic hyper-v: arg1='0x7b', arg2='0x1', arg3='0xc0000034', arg4='0x0', arg5='0x0'\n";

TEST(CrashLog, TheLastStartsPanicIsTold) {
  const std::string start = kStart, stop = kStop;
  EXPECT_EQ(panic_in_log(start + "char device redirected\n" + stop + "more\n").substr(0, 20), "hyper-v: arg1='0x7b'");
  EXPECT_EQ(panic_in_log(start + stop + start), "");
  EXPECT_EQ(panic_in_log(""), "");
}

TEST(CrashLog, ItIsTheSessionsOwn) {
  const test::TempFolder folder;
  setenv("XDG_CACHE_HOME", folder.path().c_str(), 1);
  EXPECT_EQ(panic_of("web"), "");
  folder.write("libvirt/qemu/log/web.log", std::string(200000, 'x') + kStop);
  EXPECT_EQ(panic_of("web").substr(0, 7), "hyper-v");
  unsetenv("XDG_CACHE_HOME");
}

}  // namespace
}  // namespace ferry::libvirt
