// SPDX-License-Identifier: Apache-2.0
#include "migration/seen/signs.hpp"

#include <gtest/gtest.h>

#include "tests/seen/drawn.hpp"

namespace ferry::migration {
namespace {

using Lines = std::vector<std::string>;

std::string id_of(const Lines &lines) {
  const auto sign = sign_in(lines);
  return sign ? (sign->booted ? "booted " : "failed ") + sign->id : "nothing";
}

TEST(Signs, WordsOfFirmware) {
  EXPECT_EQ(id_of({"SeaBIOS (version 1.16.2-debian-1.16.2-1)", "Booting from Hard Disk...",
                   "Boot failed: not a bootable disk", "", "No bootable device."}),
            "failed no-bootable-device");
  EXPECT_EQ(id_of({"BdsDxe: No bootable option or device was found.",
                   "BdsDxe: Press any key to enter the Boot Manager Menu."}),
            "failed no-bootable-device");
  EXPECT_EQ(id_of({"UEFI Interactive Shell v2.2", "EDK II", "Shell> "}), "failed uefi-shell");
}

TEST(Signs, PromptsCountWhereTheyAreTheLastThingSaid) {
  EXPECT_EQ(id_of({"error: no such device: 1234.", "Entering rescue mode...", "grub rescue> "}), "failed grub-rescue");
  EXPECT_EQ(id_of({"grub rescue> normal", "Loading Linux ..."}), "nothing");
  EXPECT_EQ(id_of({"   GNU GRUB  version 2.06", "   Minimal BASH-like line editing is supported.", "grub> "}),
            "failed grub-prompt");
  EXPECT_EQ(id_of({"BusyBox v1.35.0 (Debian) built-in shell (ash)", "(initramfs) "}), "failed initramfs-shell");
  EXPECT_EQ(id_of({"dracut:/# "}), "failed dracut-shell");
  EXPECT_EQ(id_of({"mountroot>"}), "failed mountroot");
}

TEST(Signs, MessagesCountAmongTheLastLines) {
  EXPECT_EQ(id_of({"[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
                   "[    2.1] CPU: 0 PID: 1 Comm: swapper/0", "[    2.2] Rebooting in 10 seconds.."}),
            "failed kernel-panic");
  Lines old{"[    2.1] Kernel panic - not syncing: VFS"};
  for (int i = 0; i < 45; ++i) old.push_back("[   99.0] a later boot");
  EXPECT_EQ(id_of(old), "nothing");
  EXPECT_EQ(id_of({"You are in emergency mode. After logging in, type \"journalctl -xb\" to view"}),
            "failed emergency-mode");
  EXPECT_EQ(id_of({"Gave up waiting for root file system device.  Common problems:", "ALERT!  does not exist."}),
            "failed initramfs-shell");
}

TEST(Signs, OfWindowsTheCodeIsSaid) {
  const auto stop = sign_in(Lines{"A problem has been detected and Windows has been shut down to prevent damage",
                                  "*** STOP: 0x0000007B (0xF78D2524,0xC0000034,0x00000000,0x00000000)"});
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->id, "windows-stop");
  EXPECT_EQ(stop->words, "a Windows stop screen, 0x0000007b (INACCESSIBLE_BOOT_DEVICE)");
  const auto boot = sign_in(Lines{"Windows failed to start. A recent hardware or software change might be the cause.",
                                  "    Status: 0xc000000e", "    Info: The boot selection failed"});
  ASSERT_TRUE(boot);
  EXPECT_EQ(boot->words, "Windows' boot manager: it cannot start Windows, 0xc000000e");
  EXPECT_EQ(id_of({"BitLocker recovery", "Enter the recovery key for this drive"}), "failed bitlocker-recovery");
}

TEST(Signs, OfWindowsThatHasToldHyperVTheCodeIsSaid) {
  const auto stop = sign_of_crash("hyper-v: arg1='0x7b', arg2='0xfffff', arg3='0xc0000034', arg4='0x0', arg5='0x0'");
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->id, "windows-stop");
  EXPECT_EQ(stop->words, "a Windows stop screen, 0x0000007b (INACCESSIBLE_BOOT_DEVICE)");
  EXPECT_EQ(sign_of_crash("hyper-v: arg1='0xABCD', arg2='0x0'")->words, "a Windows stop screen, 0x0000abcd");
  for (const char *other : {"", "s390: core='0'", "hyper-v: arg1='0x123456789'"})
    EXPECT_FALSE(sign_of_crash(other)) << other;
}

TEST(Signs, ALoginPromptIsASystemThatIsUp) {
  EXPECT_EQ(id_of({"Debian GNU/Linux 12 web tty1", "", "web login: "}), "booted login");
  EXPECT_EQ(id_of({"web login: root", "Password: "}), "nothing");
  EXPECT_EQ(id_of({"Last login:"}), "nothing");
  EXPECT_EQ(id_of({}), "nothing");
  EXPECT_EQ(id_of({"[  OK  ] Started udev"}), "nothing");
}

TEST(Console, TerminalSequencesAreTakenOut) {
  // As OVMF writes it: each line to its place.
  EXPECT_EQ(
      console_lines("\x1b[2J\x1b[01;01H\x1b[=3h\x1b[0m\x1b[37m\x1b[40mUEFI Interactive Shell v2.2\x1b[02;01HShell> "),
      (Lines{"UEFI Interactive Shell v2.2", "Shell> "}));
  EXPECT_EQ(console_lines("one\r\ntwo\r\n\r\nthree", 2), (Lines{"two", "three"}));
  EXPECT_EQ(console_lines("\x1b["), Lines{});
}

void draw_face(Picture &screen, std::size_t left, std::size_t top, std::size_t unit, Colour ink) {
  tests::fill(screen, left, top, unit, unit, ink);
  tests::fill(screen, left, top + 3 * unit, unit, unit, ink);
  // A bracket: upright in the middle, bent at both ends.
  tests::fill(screen, left + 2 * unit, top, unit / 2, 4 * unit, ink);
  tests::fill(screen, left + 2 * unit, top - unit / 2, unit, unit / 2, ink);
  tests::fill(screen, left + 2 * unit, top + 4 * unit, unit, unit / 2, ink);
}

TEST(StopScreens, AreKnownByTheFaceOnOneColour) {
  for (const Colour background : {Colour{0, 120, 215}, Colour{0, 0, 0}, Colour{17, 115, 170}}) {
    Picture screen = tests::blank_screen(1024, 768, background);
    draw_face(screen, 110, 120, 20, {255, 255, 255});
    for (std::size_t word = 0; word < 12; ++word) tests::fill(screen, 110 + word * 40, 300, 30, 12, {250, 250, 250});
    const auto sign = sign_in(screen);
    ASSERT_TRUE(sign);
    EXPECT_FALSE(sign->booted);
    EXPECT_EQ(sign->id, "windows-stop");
  }
}

TEST(StopScreens, OtherScreensOfOneColourAreNone) {
  EXPECT_FALSE(sign_in(Picture()));
  EXPECT_FALSE(sign_in(tests::blank_screen(800, 600, {0, 120, 215})));
  Picture words = tests::blank_screen(800, 600, {0, 120, 215});
  for (std::size_t word = 0; word < 12; ++word) tests::fill(words, 60 + word * 40, 150, 30, 12, {255, 255, 255});
  EXPECT_FALSE(sign_in(words));
  Picture dots = tests::blank_screen(800, 600);  // what turns while Windows starts
  for (std::size_t i = 0; i < 5; ++i) tests::fill(dots, 300 + i * 20, 200 + i * i * 4, 8, 8, {255, 255, 255});
  EXPECT_FALSE(sign_in(dots));
  Picture small = tests::blank_screen(1024, 768);  // a smiley in a terminal
  draw_face(small, 110, 120, 4, {255, 255, 255});
  EXPECT_FALSE(sign_in(small));
}

TEST(Agent, WhatItSaysIsTold) {
  const GuestFacts facts = facts_of(
      {.host_name = R"({"return":{"host-name":"web"}})",
       .os = R"x({"return":{"pretty-name":"Debian GNU/Linux 12 (bookworm)","kernel-release":"6.1.0-18-amd64"}})x",
       .interfaces =
           R"({"return":[{"name":"lo","ip-addresses":[{"ip-address":"127.0.0.1"},{"ip-address":"::1"}]},)"
           R"({"name":"enp0s3","ip-addresses":[{"ip-address":"192.168.1.7","prefix":24}]},{"name":"enp0s8"}]})"});
  EXPECT_EQ(facts.host_name, "web");
  EXPECT_EQ(facts.os, "Debian GNU/Linux 12 (bookworm), 6.1.0-18-amd64");
  EXPECT_EQ(facts.addresses, std::vector<std::string>{"enp0s3 192.168.1.7"});
}

TEST(Agent, AnswersThatAreNoneSayNothing) {
  for (const char *answer : {"", "{", "[]", R"({"return":7})", R"({"return":{"host-name":7}})", R"({"error":{}})"}) {
    const GuestFacts facts = facts_of({.host_name = answer, .os = answer, .interfaces = answer});
    EXPECT_EQ(facts.host_name + facts.os, "") << answer;
    EXPECT_TRUE(facts.addresses.empty()) << answer;
  }
}

}  // namespace
}  // namespace ferry::migration
