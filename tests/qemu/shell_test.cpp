// SPDX-License-Identifier: Apache-2.0
// What a script gives QEMU, without running it.
#include <chrono>
#include <gtest/gtest.h>

#include "importers/qemu/launch.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::qemu {
namespace {

ReadOptions with(std::map<std::string, std::string> set = {}) {
  ReadOptions out;
  out.set = std::move(set);
  out.environment = {{"HOME", "/home/ann"}, {"USER", "ann"}};
  out.processors = 6;
  return out;
}

std::vector<Launch> launches(std::string_view text, std::map<std::string, std::string> set = {}) {
  return read_launches(text, "/vm/start.sh", with(std::move(set)));
}

std::string joined(const Launch &launch) {
  std::string out;
  for (const LaunchWord &word : launch.words) out += (out.empty() ? "" : "|") + shown(word.text, launch.opens);
  return out;
}

// The words of the only start.
std::string words(std::string_view text, std::map<std::string, std::string> set = {}) {
  const auto all = launches(text, std::move(set));
  EXPECT_EQ(all.size(), 1U) << text;
  return all.empty() ? "" : joined(all.front());
}

Error refusal(std::string_view text) {
  try {
    launches(text);
  } catch (const Error &error) {
    return error;
  }
  return Error(ErrorKind::internal, {.message = "it was read"});
}

TEST(ShellWords, QuotesAndEscapesAreTheShells) {
  EXPECT_EQ(words("qemu-system-x86_64 -name \"a b\" 'c d' e\\ f $'g\\th' \"\" \"x\\\"y\" 'z'\"w\"v"),
            "-name|a b|c d|e f|g\th||x\"y|zwv");
}

TEST(ShellWords, LinesAreJoinedAndCommentsSkipped) {
  EXPECT_EQ(
      words("#!/bin/sh\n# qemu-system-x86_64 -m 1\nqemu-system-x86_64 \\\n  -m 2G \\\n  -smp 2 # cores\necho done\n"),
      "-m|2G|-smp|2");
  EXPECT_EQ(words("qemu-system-x86_64 -m 1G `# a note` \\\n -smp 3 \\"), "-m|1G|-smp|3");
}

TEST(ShellWords, RedirectionsAndWhatFollowsAreNoWords) {
  EXPECT_EQ(words("qemu-system-x86_64 -m 1G 2>/dev/null >log &> all 2>&1 </dev/null & echo x"), "-m|1G");
  EXPECT_EQ(words("qemu-system-x86_64 -m 1G | tee log"), "-m|1G");
}

TEST(ShellWords, EachWordKnowsItsLine) {
  const auto all = launches("A=(\n -m 1G\n -smp 2\n)\nqemu-system-x86_64 \\\n \"${A[@]}\" \\\n -usb");
  ASSERT_EQ(all.size(), 1U);
  ASSERT_EQ(all[0].words.size(), 5U);
  EXPECT_EQ(all[0].words[0].line, 2U);
  EXPECT_EQ(all[0].words[2].line, 3U);
  EXPECT_EQ(all[0].words[4].line, 7U);
}

TEST(ShellVariables, UnquotedOnesAreSplitAndQuotedOnesNot) {
  EXPECT_EQ(words("O='-m 1G'\nN='a b'\nqemu-system-x86_64 $O -name \"$N\" -hda ${N}"), "-m|1G|-name|a b|-hda|a|b");
}

TEST(ShellVariables, TheFormsWithBraces) {
  EXPECT_EQ(words("F=dir/disk.tar.gz\nqemu-system-x86_64 ${F%.gz} ${F%%.*} ${F#*/} ${F##*.} ${F/tar/img} ${F//a/o} "
                  "${#F} ${F:4:4} ${F^^} ${N:-none} ${F:+yes} ${N:+no}x"),
            "dir/disk.tar|dir/disk|disk.tar.gz|gz|dir/disk.img.gz|dir/disk.tor.gz|15|disk|DIR/DISK.TAR.GZ|none|yes|x");
}

TEST(ShellVariables, ArraysGrowAndKeepTheirWords) {
  EXPECT_EQ(words("a=(-m \"1 G\")\na+=(-smp 2)\ndeclare -A d=([x]=y [\"run\"]=\"-usb\")\n"
                  "qemu-system-x86_64 \"${a[@]}\" ${d[run]} ${#a[@]} \"${a[1]}\" ${d[x]}"),
            "-m|1 G|-smp|2|-usb|4|1 G|y");
}

TEST(ShellVariables, TheScriptsOwnFolderAndTheHome) {
  EXPECT_EQ(words("D=$(dirname \"$0\")\nE=\"$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)\"\n"
                  "qemu-system-x86_64 $D/a $E/b $HOME/c ~/d $(basename $0 .sh)"),
            "/vm/a|/vm/b|/home/ann/c|/home/ann/d|start");
}

TEST(ShellVariables, NumbersAreComputed) {
  EXPECT_EQ(words("n=3\nlet m=n+1\nqemu-system-x86_64 $((n * 2 + 1)) $m $(nproc)"), "7|4|6");
}

TEST(ShellVariables, TheUsersWordStands) {
  EXPECT_EQ(words("DISK=a.img\nqemu-system-x86_64 -hda $DISK -m ${1:-512}", {{"DISK", "b.img"}, {"1", "64"}}),
            "-hda|b.img|-m|64");
}

TEST(ShellOpen, WhatTheTextDoesNotHoldStaysOpen) {
  const auto all = launches("ID=$(uuidgen)\nqemu-system-x86_64 -hda \"$1\" -uuid $ID -m $RAM $EXTRA -name $(find .)");
  ASSERT_EQ(all.size(), 1U);
  ASSERT_EQ(joined(all[0]), "-hda|$1|-uuid|$(uuidgen)|-m|$RAM|-name|$(find .)");
  std::map<std::string, Open::Kind> kinds;
  for (const LaunchWord &word : all[0].words) {
    for (const std::size_t number : opens_in(word.text)) kinds[all[0].opens[number].name] = all[0].opens[number].kind;
  }
  EXPECT_EQ(kinds.at("1"), Open::Kind::argument);
  EXPECT_EQ(kinds.at("ID"), Open::Kind::random);
  EXPECT_EQ(kinds.at("RAM"), Open::Kind::unset);
  EXPECT_EQ(kinds.at("line-2"), Open::Kind::command);
  EXPECT_EQ(kinds.size(), 4U);
}

TEST(ShellConditions, ConstantsDecide) {
  EXPECT_EQ(words("K=1\nif [ \"$K\" = 1 ]; then A=-usb; else A=-nographic; fi\n"
                  "[[ $B == \"\" ]] && C=-S\n[ $K -gt 1 ] || D='-m 5'\n"
                  "case $K in 0) E=x;; 1|2) E=-s;; *) E=y;; esac\nqemu-system-x86_64 $A $C $D $E"),
            "-usb|-S|-m|5|-s");
}

TEST(ShellConditions, AnUndecidedOneChangesNothingAndIsTold) {
  const auto all = launches("O='-m 1'\nif [ -f x.img ]; then O=\"$O -hdb x.img\"; fi\nqemu-system-x86_64 $O");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(joined(all[0]), "-m|1");
  ASSERT_EQ(all[0].undecided.size(), 1U);
  EXPECT_EQ(all[0].undecided[0].text, "[ -f x.img ]");
  EXPECT_EQ(all[0].undecided[0].options, std::vector<std::string>{"-hdb"});
  EXPECT_EQ(all[0].undecided[0].where.line, 2U);
}

TEST(ShellConditions, AStartInsideAnUndecidedOneIsFound) {
  const auto all = launches(
      "if [ \"$1\" = install ]; then qemu-system-x86_64 -cdrom a.iso; else qemu-system-x86_64 -hda "
      "b.img; fi");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(joined(all[0]), "-cdrom|a.iso");
  EXPECT_EQ(all[1].inside.size(), 1U);
}

TEST(ShellConditions, AComplaintAboutArgumentsDoesNotEndTheReading) {
  EXPECT_EQ(words("if [ -z \"$DISK\" ]; then echo usage; exit 1; fi\nqemu-system-x86_64 -hda $DISK"), "-hda|$DISK");
}

TEST(ShellCommands, FunctionsAndLoops) {
  EXPECT_EQ(
      words("drive() { ARGS+=(-drive file=$1,index=$2); }\nn=0\nfor f in a b; do drive $f.img $n; n=$((n+1)); done\n"
            "i=0\nwhile [ $i -lt 2 ]; do ARGS+=(-device usb-kbd); i=$((i+1)); done\n"
            "run() { qemu-system-x86_64 \"${ARGS[@]}\" \"$@\"; }\nrun -S"),
      "-drive|file=a.img,index=0|-drive|file=b.img,index=1|-device|usb-kbd|-device|usb-kbd|-S");
}

TEST(ShellCommands, WordsBeforeTheProgramAndIndirectStarts) {
  EXPECT_EQ(words("sudo -E nice -n 5 taskset -c 0-3 env A=b qemu-system-x86_64 -m 1"), "-m|1");
  EXPECT_EQ(words("Q=/usr/bin/qemu-system-i386\nexec \"$Q\" -m 1"), "-m|1");
  EXPECT_EQ(words("C=\"qemu-kvm -m 1 -name 'a b'\"\neval $C"), "-m|1|-name|a b");
  EXPECT_EQ(words("while true; do kvm -m 1; done"), "-m|1");
  EXPECT_EQ(words("$SUDO $(which qemu-system-x86_64) -m 1"), "-m|1");
}

TEST(ShellCommands, WhatOnlySpeaksOfQemuIsNoStart) {
  EXPECT_EQ(refusal("echo qemu-kvm -m 1\nwhich kvm\nmodprobe kvm\nusermod -aG kvm me\n").kind(),
            ErrorKind::unsupported);
  EXPECT_EQ(refusal("qemu-system-x86_64 -version\nqemu-img create a 1G").kind(), ErrorKind::unsupported);
  EXPECT_EQ(refusal("cat > run.sh <<EOF\nqemu-kvm -m 1\nEOF\n").kind(), ErrorKind::unsupported);
}

TEST(ShellCommands, AProgramWhoseFolderNothingSets) {
  EXPECT_EQ(words("Q=${INSTALL_DIR}qemu-system-x86_64\nsudo $Q -m 1"), "-m|1");
  // Where the whole program is such a variable, its options are none of the line before.
  EXPECT_EQ(words("V=$($QEMU -version | head -n1)\nW=\nX=$($W -version)\nkvm -m 1"), "-m|1");
}

TEST(ShellCommands, WhatTheScriptMakesOfOpenValuesStaysOpen) {
  const std::string text = "C=$2\nN=$(echo $C | awk -F, '{print NF}')\nkvm -smp $N";
  EXPECT_EQ(words(text), "-smp|$(echo $C | awk -F, '{print NF}')");
  EXPECT_EQ(launches(text)[0].opens.at(opens_in(launches(text)[0].words[1].text)[0]).name, "2");
  EXPECT_EQ(words(text, {{"2", "0,4"}}), "-smp|2");
  EXPECT_EQ(words("D=\"$D -hdb x\"\nkvm $D"), "-hdb|x");  // what nothing sets at first is nothing
}

TEST(ShellCommands, MenusThatLeadToOneAnotherAreReadOnce) {
  std::string text;
  for (char one = 'a'; one <= 'z'; ++one) {
    text += std::string(1, one) + "menu() {\nwhile true; do\nread x\ncase $x in\n";
    for (char other = 'a'; other <= 'z'; ++other) text += std::string(1, other) + ") " + other + "menu;;\n";
    text += "q) break;;\nesac\ndone\n}\n";
  }
  EXPECT_EQ(words(text + "amenu\nkvm -m 1"), "-m|1");
}

TEST(ShellCommands, SeveralStartsAreSeveralMachinesOnceEach) {
  EXPECT_EQ(launches("kvm -hda a &\nkvm -hda b &\nkvm -hda a\n").size(), 2U);
}

TEST(ShellFiles, SourcedOnesAreReadBelowTheScriptsFolderOnly) {
  const test::TempFolder folder;
  folder.write("vars", "M=2G\n");
  const std::string text = "source \"$(dirname \"$0\")/vars\"\n. /etc/profile\nkvm -m $M -name $N";
  const auto all = read_launches(text, folder / "start.sh", with());
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(joined(all[0]), "-m|2G|-name|$N");
  EXPECT_EQ(all[0].sourced.size(), 1U);
  ASSERT_EQ(all[0].unread.size(), 1U);
  EXPECT_EQ(all[0].unread[0].path, "/etc/profile");
}

TEST(ShellRefusals, LinesThatBashDoesNotJoinAreNamed) {
  const Error blanks = refusal("qemu-kvm \\ \n-m 1 \\\n-smp 2\n");
  EXPECT_EQ(blanks.kind(), ErrorKind::malformed);
  EXPECT_NE(std::string(blanks.what()).find("line 1"), std::string::npos) << blanks.what();
  const Error none = refusal("#!/bin/sh\nqemu-kvm -m 1\n-smp 2\n");
  EXPECT_NE(std::string(none.what()).find(":3:"), std::string::npos) << none.what();
  EXPECT_EQ(refusal("kvm -name \u201ca b\u201d -m 1").kind(), ErrorKind::malformed);
  EXPECT_EQ(words("kvm -name \u201cab\u201d -m 1"), "-name|\u201cab\u201d|-m|1");
}

TEST(ShellRefusals, ProgramsAndMakefiles) {
  EXPECT_EQ(refusal("#!/usr/bin/env python3\nimport os\nos.system('qemu-kvm -m 1')\n").kind(), ErrorKind::unsupported);
  EXPECT_EQ(refusal("run: disk.img\n\tqemu-system-x86_64 -hda disk.img\n").kind(), ErrorKind::unsupported);
}

TEST(ShellRefusals, SyntaxErrorsNameTheLine) {
  const Error error = refusal("#!/bin/sh\necho a\nif true; then\nkvm -m 1\n");
  EXPECT_EQ(error.kind(), ErrorKind::malformed);
  EXPECT_EQ(error.detail().where.line, 3U);
}

TEST(TextForms, PastedCommandsWithoutBackslashes) {
  EXPECT_EQ(words("$ qemu-system-x86_64\n-m 1G\n-hda a.img\n"), "-m|1G|-hda|a.img");
  const auto options = launches("Launching: -m 1G -hda a.img\n-usb\n");
  ASSERT_EQ(options.size(), 1U);
  EXPECT_EQ(options[0].program, "");
  EXPECT_EQ(joined(options[0]), "-m|1G|-hda|a.img|-usb");
  EXPECT_EQ(words("To start it (as root), run:\n\n  $ kvm -m 1G \\\n    -usb\n\nIt isn't \"slow.\n"), "-m|1G|-usb");
}

TEST(TextForms, CommandsInPages) {
  EXPECT_EQ(
      words("# My machine\n\nimport the disk\nfrom a stick, then:\n\n```bash\n$ sudo nice -n 5 qemu-system-x86_64 -m "
            "1G \\\n  -usb\n```\nqemu-system-x86_64 is a program.\n"),
      "-m|1G|-usb");
  EXPECT_EQ(words("from here on\nA=1 taskset -c 0-3 kvm -m 2G\nthat's it\n"), "-m|2G");
  const auto log = launches("2023-01-01 UTM starts\nRunning:  -L /UTM.app/qemu -nodefaults -m 4096\nended\n");
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0].program, "");
  EXPECT_EQ(joined(log[0]), "-L|/UTM.app/qemu|-nodefaults|-m|4096");
  EXPECT_EQ(refusal("qemu-system-common\nqemu-system-data\nqemu-system-x86\n").kind(), ErrorKind::unsupported);
}

TEST(TextForms, AShellsNameWithASlashBehindIt) { EXPECT_EQ(words("#!/bin/bash/\nkvm -m 1"), "-m|1"); }

TEST(TextForms, TheWordsOfAProcess) {
  const std::string list("/usr/bin/qemu-system-x86_64\0-name\0a b\0-m\0\0", 42);
  const auto all = launches(list);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].program, "/usr/bin/qemu-system-x86_64");
  EXPECT_EQ(all[0].words.size(), 4U);
  EXPECT_EQ(all[0].words[1].text, "a b");
}

TEST(TextForms, BatchFiles) {
  EXPECT_EQ(
      words("@echo off\r\nrem kvm -m 9\r\nset \"DIR=c:\\vm\"\r\nset N=box\r\nif exist x.img (\r\n  set H=-hdb "
            "x.img\r\n)\r\n"
            "start \"QEMU\" qemu-system-x86_64.exe -hda \"%DIR%\\%n%.qcow2\" ^\r\n  -m 1G %H% -name a^&b > log\r\n"),
      "-hda|c:/vm/box.qcow2|-m|1G|-name|a&b");
}

TEST(TextForms, LinesOfPs) {
  EXPECT_EQ(
      words("root  1234  1  9 Jan01 ?  1-02:03:04 /usr/bin/kvm -id 100 -name web,debug-threads=on -smp 2 -m 512\n"),
      "-id|100|-name|web,debug-threads=on|-smp|2|-m|512");
  EXPECT_EQ(words("user  4242  5.3 12.1 9032876 4012348 ?  Sl  10:02  3:21 /usr/libexec/qemu-kvm -name x -S -m 2\n"),
            "-name|x|-S|-m|2");
}

TEST(TextForms, AFolderCalledLikeTheProgramIsNone) {
  EXPECT_EQ(words("Running: -L /opt/UTM/qemu -S -name x -m 512 -smp 2\n"), "-L|/opt/UTM/qemu|-S|-name|x|-m|512|-smp|2");
}

TEST(TextForms, ZshSplitsNothingAndGivesListsWhole) {
  EXPECT_EQ(words("#!/bin/zsh\nargs=( -m 2G )\nargs+=( -name \"a b\" '' )\nO='-x y'\nqemu-system-x86_64 $args $O $E\n"),
            "-m|2G|-name|a b|-x y");
}

// sh knows no home behind a sign.
TEST(TextForms, ATildeBehindASignIsBashs) {
  EXPECT_EQ(words("#!/bin/sh\nqemu-system-x86_64 -drive file=~/x\n"), "-drive|file=~/x");
}

TEST(TextForms, BatchFilesWithSeveralCommandsInALine) {
  EXPECT_EQ(
      words(
          "@ if \"%*\" == \"run\" (\r\n  wsl make iso && qemu-system-x86_64 -m 64 ^\r\n    -cdrom a.iso\r\n) else (\r\n"
          "  wsl make %*\r\n)\r\n"),
      "-m|64|-cdrom|a.iso");
  EXPECT_EQ(words("@echo off\r\nsetlocal EnableDelayedExpansion\r\nset \"N=a\"\r\ncd vm & qemu-system-i386.exe -name "
                  "!N! | more\r\n"),
            "-name|a");
}

// A hostile text ends soon, in an error that names the file.
void expect_refused_soon(const std::string &text) {
  const auto before = std::chrono::steady_clock::now();
  const Error error = refusal(text);
  EXPECT_NE(error.kind(), ErrorKind::internal) << text.substr(0, 60);
  EXPECT_EQ(error.detail().where.file, "/vm/start.sh");
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));  // a loaded machine's second
}

TEST(ShellLimits, HostileTextsEndSoon) {
  std::string bomb = "A=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
  for (int i = 0; i < 60; ++i) bomb += "A=$A$A$A$A\n";
  expect_refused_soon(bomb + "kvm -name $A");
  std::string many = "kvm";
  for (int i = 0; i < 400'000; ++i) many += " a";
  expect_refused_soon(many);
  expect_refused_soon(std::string(2'000'000, 'a'));
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "$(echo ";
  expect_refused_soon("kvm -name " + deep);
  std::string blocks;
  for (int i = 0; i < 5000; ++i) blocks += "if a; then ";
  expect_refused_soon(blocks);
  expect_refused_soon("cat <<END\nkvm -m 1\n");
  expect_refused_soon(
      "i=1\nwhile [ $i -gt 0 ]; do i=$((i+1)); for j in a b c d; do x=$x$j; done; done\nuntil false; do "
      "y=1; done");
}

// bash complains about these; nothing of them may lead astray.
TEST(ShellLimits, WordsThatAreNoneOfTheirCommands) {
  EXPECT_EQ(words("getopts abcd o -abcd; getopts abcd o -abcd; getopts abcd o -abcd; getopts abcd o -a\nkvm -m 1"),
            "-m|1");
  EXPECT_EQ(words("declare -n a=()\nlocal -n\ndeclare -i b=()\nunset 'c[' '[0]' 'd[x'\nkvm -m 1"), "-m|1");
  EXPECT_EQ(words("A=$'\\x' B=$'\\u' C=$'\\777\\x00\\x01\\x02'\nkvm -m 1"), "-m|1");
}

TEST(ShellLimits, RecursionIsNotFollowed) {
  EXPECT_EQ(words("f() { f; g; }\ng() { f; }\nf\nkvm -m 1"), "-m|1");
  EXPECT_EQ(words("A=x\nA=\"$A y\"\nkvm -name \"$A\""), "-name|x y");
}

}  // namespace
}  // namespace ferry::qemu
