// SPDX-License-Identifier: Apache-2.0
// The bar on a terminal, and the line that it is made of.
#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/progress_display.hpp"
#include "tests/kit/folder.hpp"

#include "support/columns.hpp"

namespace ferry::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;

constexpr const char *kLongName = "Windows Server 2019 Datacenter (production copy)-2.qcow2: converting";
constexpr const char *kWideName = "業務サーバー二〇一九年度版の複製.qcow2: converting";

TEST(BarLine, IsNeverWiderThanTheTerminal) {
  for (const char *name : {"a", "web.qcow2: converting", kLongName, kWideName}) {
    const BarState state{.name = name, .share = 0.42, .rate = "1023 MiB/s", .left = "00:12:34 left"};
    for (std::size_t width = 1; width < 130; ++width) {
      EXPECT_THAT(text::columns(bar_line(state, width)), Le(width)) << bar_line(state, width);
    }
  }
}

TEST(BarLine, GivesUpTheRestBeforeThePercentageAndTheName) {
  const BarState state{.name = kLongName, .share = 0.42, .rate = "184 MiB/s", .left = "00:00:12 left"};
  EXPECT_THAT(bar_line(state, 120), HasSubstr("00:00:12 left"));
  EXPECT_THAT(bar_line(state, 79), HasSubstr("00:00:12 left"));
  EXPECT_THAT(bar_line(state, 79), HasSubstr("["));
  EXPECT_THAT(bar_line(state, 39), HasSubstr(" 42%"));
  EXPECT_THAT(bar_line(state, 39), HasSubstr("["));
  EXPECT_THAT(bar_line(state, 39), Not(HasSubstr("left")));
  EXPECT_THAT(bar_line(state, 15), HasSubstr(" 42%"));
  // The name's end says what is done.
  EXPECT_THAT(bar_line(state, 79), HasSubstr("converting"));
}

TEST(BarLine, ShowsSeveralMachinesInOneLine) {
  const std::vector<BarState> states{{.name = "web", .share = 0.41},
                                     {.name = "db", .share = 0.07},
                                     {.name = kWideName, .share = 0.5},
                                     {.name = kLongName, .share = 0.9}};
  EXPECT_THAT(bars_line(states, 79), HasSubstr("web 41%  db  7%"));
  for (std::size_t width = 1; width < 130; ++width) EXPECT_THAT(text::columns(bars_line(states, width)), Le(width));
  EXPECT_THAT(bars_line(states, 30), HasSubstr("+2"));
}

TEST(BarLine, ABatchHasOneLineForAll) {
  const std::uint64_t gib = std::uint64_t{1} << 30U;
  const BatchState batch{.done = 12, .machines = 200, .bytes_done = 12 * gib, .bytes = 200 * gib, .seconds = 240};
  const std::vector<BarState> running{
      {.name = "web.qcow2: converting",
       .machine = "web",
       .machine_share = 0.419,
       .bytes_per_second = 100e6,
       .bytes = gib},
      {.name = "db-2.qcow2: verifying",
       .machine = "db",
       .machine_share = 0.07,
       .bytes_per_second = 92938112,
       .bytes = gib},
      {.name = kWideName, .machine = kWideName, .machine_share = 0.5, .bytes_per_second = 0, .bytes = 0}};
  const std::string line = batch_line(batch, running, 100);
  EXPECT_THAT(line, ::testing::StartsWith("[12/200] 3 running: web 41 % db 7 % "));
  EXPECT_THAT(line, ::testing::EndsWith("  184 MiB/s  about 60 min left"));
  for (std::size_t width = 1; width < 150; ++width)
    EXPECT_THAT(text::columns(batch_line(batch, running, width)), Le(width)) << width;
  EXPECT_THAT(batch_line(batch, running, 40), HasSubstr("[12/200] 3 running: web 41 %"));
  EXPECT_THAT(batch_line(batch, running, 62), HasSubstr("+2"));
  EXPECT_EQ(batch_line({.done = 3, .machines = 3}, {}, 79), "[3/3]");
}

TEST(BarLine, ForetellsInWholeUnits) {
  EXPECT_EQ(about_left(3), "about 10 s left");
  EXPECT_EQ(about_left(44), "about 40 s left");
  EXPECT_EQ(about_left(90), "about 2 min left");
  EXPECT_EQ(about_left(3600 * 1.6), "about 2 h left");
}

// What a terminal of that width got from the program.
class Terminal {
 public:
  Terminal(unsigned short columns, const std::vector<std::string> &arguments) {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    std::vector<char *> words;
    for (const std::string &word : arguments) words.push_back(const_cast<char *>(word.c_str()));
    words.push_back(nullptr);
    child_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (child_ == 0) {
      execv(words[0], words.data());
      _exit(127);
    }
  }
  ~Terminal() { close(terminal_); }
  Terminal(const Terminal &) = delete;
  Terminal &operator=(const Terminal &) = delete;

  // Reads until `text` has come.
  void read_until(const std::string &text) {
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0;
         output_.find(text) == std::string::npos && (got = read(terminal_, buffer.data(), buffer.size())) > 0;)
      output_.append(buffer.data(), static_cast<std::size_t>(got));
  }
  void resize(unsigned short columns) const {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ioctl(terminal_, TIOCSWINSZ, &size);
  }
  // Reads until the program ends; its exit status.
  int finish() {
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = read(terminal_, buffer.data(), buffer.size())) > 0;)
      output_.append(buffer.data(), static_cast<std::size_t>(got));
    int status = 0;
    waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] const std::string &output() const { return output_; }

 private:
  int terminal_ = -1;
  pid_t child_ = -1;
  std::string output_;
};

// The lines as they stand on the terminal at the end, and the widest bar that was ever drawn.
struct Screen {
  std::vector<std::string> lines{""};
  std::size_t widest = 0;
};
Screen shown(const std::string &output) {
  Screen out;
  const auto measure = [&out] {
    if (out.lines.back().find('%') != std::string::npos)
      out.widest = std::max(out.widest, text::columns(out.lines.back()));
  };
  for (std::size_t i = 0; i < output.size(); ++i) {
    if (output.compare(i, 3, "\033[K") == 0) {
      i += 2;
    } else if (output[i] == '\r') {
      measure();
      if (i + 1 < output.size() && output[i + 1] == '\033') out.lines.back().clear();
    } else if (output[i] == '\n') {
      measure();
      out.lines.emplace_back();
    } else {
      out.lines.back() += output[i];
    }
  }
  measure();
  return out;
}

// A raw image of zeros and data, converted and verified: two steps of one disk.
TEST(OnATerminalOrNot, ABatchHasOneLineForAll) {
  const test::TempFolder folder;
  std::string disks;
  for (const char *name : {"a", "b", "c"}) {
    const std::string base = std::string("vms/") + name + "/" + name;
    folder.write(base + ".raw", std::string(std::size_t{16} << 20U, name[0]));
    folder.write(base + ".vmdk",
                 std::string("# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n"
                             "RW 32768 FLAT \"") +
                     name + ".raw\" 0\n");
    folder.write(base + ".vmx",
                 std::string(".encoding = \"UTF-8\"\nconfig.version = \"8\"\nvirtualHW.version = \"16\"\n"
                             "displayName = \"") +
                     name +
                     "\"\nmemsize = \"64\"\nsata0.present = \"TRUE\"\n"
                     "sata0:0.present = \"TRUE\"\nsata0:0.fileName = \"" +
                     name + ".vmdk\"\n");
  }
  setenv("XDG_STATE_HOME", (folder / "state").c_str(), 1);
  Terminal terminal(80, {FERRY_PROGRAM, "batch", (folder / "vms").string(), "--no-define", "--dest",
                         (folder / "out").string(), "--jobs", "2", "--progress", "bar"});
  ASSERT_EQ(terminal.finish(), 0) << terminal.output();
  const Screen screen = shown(terminal.output());
  EXPECT_THAT(terminal.output(), HasSubstr("[0/3] 1 running: "));
  EXPECT_THAT(screen.widest, Le(std::size_t{79}));
  EXPECT_THAT(screen.lines, ::testing::Each(Not(HasSubstr("running"))));  // nothing of it stays
  EXPECT_THAT(terminal.output(), HasSubstr("[3/3] "));
}

class OnATerminal : public ::testing::TestWithParam<unsigned short> {};

TEST_P(OnATerminal, ADiskHasOneLineThatFits) {
  const test::TempFolder folder;
  const std::string name = "業務サーバー and a long name that takes much of a line.raw";
  folder.write(name, std::string(std::size_t{24} << 20U, 'x'));
  Terminal terminal(GetParam(),
                    {FERRY_PROGRAM, "disk", "convert", (folder / name).string(),
                     (folder / "業務サーバー and a long name.qcow2").string(), "--input-format", "raw", "--verify"});
  ASSERT_EQ(terminal.finish(), 0) << terminal.output();
  const Screen screen = shown(terminal.output());
  std::size_t bars = 0;
  for (const std::string &line : screen.lines) {
    if (line.find('%') != std::string::npos) ++bars;
  }
  EXPECT_EQ(bars, 1U) << terminal.output();
  EXPECT_THAT(screen.widest, Le(std::size_t{GetParam()} - 1)) << terminal.output();
  EXPECT_GT(screen.widest, 20U);
}

TEST(OnATerminalThatChanges, TheBarFollowsItsWidth) {
  const test::TempFolder folder;
  std::string content(std::size_t{48} << 20U, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>((i * i >> 7U) & 63U);
  folder.write("a machine with a long name.raw", content);
  Terminal terminal(100, {FERRY_PROGRAM, "disk", "convert", (folder / "a machine with a long name.raw").string(),
                          (folder / "a machine with a long name.qcow2").string(), "--input-format", "raw", "--compress",
                          "zlib", "--jobs", "1"});
  terminal.read_until("%");
  EXPECT_GT(shown(terminal.output()).widest, 45U);
  terminal.resize(40);
  const std::size_t before = terminal.output().size();
  ASSERT_EQ(terminal.finish(), 0) << terminal.output();
  // What was being drawn when the width changed may still be wide.
  const std::size_t next = terminal.output().find("\r\033[K", terminal.output().find("\r\033[K", before) + 1);
  ASSERT_NE(next, std::string::npos);
  const Screen after = shown(terminal.output().substr(next));
  EXPECT_THAT(after.widest, Le(std::size_t{39})) << terminal.output();
  EXPECT_GT(after.widest, 20U);
}

INSTANTIATE_TEST_SUITE_P(Width, OnATerminal, ::testing::Values<unsigned short>(40, 80, 132));

}  // namespace
}  // namespace ferry::cli
