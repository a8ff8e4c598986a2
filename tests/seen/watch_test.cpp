// SPDX-License-Identifier: Apache-2.0
// A machine whose screens and answers the test knows, watched.
#include <fcntl.h>
#include <gtest/gtest.h>

#include "migration/trial_watch.hpp"
#include "tests/kit/scratch.hpp"
#include "tests/migration/plain_target.hpp"
#include "tests/seen/drawn.hpp"

#include "support/file.hpp"

namespace ferry::migration {
namespace {

using target::Condition;
using Verdict = report::Test::Verdict;

class Guest : public ferry::tests::PlainMachines {
 public:
  Condition now = Condition::running;
  std::optional<Picture> shown;
  bool agent = false, changes = false;
  std::string note;
  mutable unsigned looks = 0;

  [[nodiscard]] Condition condition(const std::string &) const override { return now; }
  [[nodiscard]] std::string crash_note(const std::string &) const override { return note; }
  [[nodiscard]] std::optional<std::string> ask_agent(const std::string &, const std::string &command,
                                                     unsigned) const override {
    if (!agent) return std::nullopt;
    if (command.find("host-name") != std::string::npos) return R"({"return":{"host-name":"web"}})";
    return R"({"return":{}})";
  }
  [[nodiscard]] std::optional<target::Screen> screen(const std::string &) const override {
    ++looks;
    if (!shown) return std::nullopt;
    Picture picture = *shown;
    if (changes) ferry::tests::fill(picture, 0, 0, 20 + looks % 2 * 100, 20, {255, 0, 0});
    return target::Screen{"image/png", as_png(picture)};
  }
};

class Watched : public testing::Test {
 protected:
  report::Test watched(std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    const file::Descriptor console(console_.empty() ? -1 : open(console_.c_str(), O_RDONLY | O_CLOEXEC));
    return watch(guest_,
                 {.name = "web",
                  .console = console.get(),
                  .timeout = timeout,
                  .pause = std::chrono::milliseconds(5),
                  .settle = std::chrono::milliseconds(30)},
                 {});
  }
  void says(const std::string &text) {
    console_ = scratch_ / "console";
    scratch_.write(console_, text);
  }
  ferry::tests::Scratch scratch_;
  Guest guest_;
  std::filesystem::path console_;
};

TEST_F(Watched, AnAgentThatAnswersIsTheEnd) {
  guest_.agent = true;
  guest_.changes = true;
  guest_.shown = ferry::tests::blank_screen(64, 64);
  const report::Test test = watched();
  EXPECT_EQ(test.verdict, Verdict::booted);
  EXPECT_EQ(test.sign, "agent");
  EXPECT_EQ(test.host_name, "web");
  EXPECT_EQ(read_picture(test.picture).width, 64U);
}

TEST_F(Watched, WordsOnTheSerialPortAreBelievedWhenNothingChanges) {
  says("Shell> ");
  const report::Test test = watched();
  EXPECT_EQ(test.verdict, Verdict::failed);
  EXPECT_EQ(test.sign, "uefi-shell");
  EXPECT_EQ(test.text, std::vector<std::string>{"Shell> "});
  EXPECT_GE(test.seconds, 0.03);
  EXPECT_TRUE(test.picture.empty());
}

TEST_F(Watched, WhileTheScreenChangesNoPromptIsTheEnd) {
  says("Shell> ");
  guest_.changes = true;
  guest_.shown = ferry::tests::blank_screen(640, 480);
  const report::Test test = watched(std::chrono::milliseconds(200));
  EXPECT_EQ(test.verdict, Verdict::unknown);
  EXPECT_EQ(test.sign, "uefi-shell");
  EXPECT_NE(test.seen.find("still changes"), std::string::npos) << test.seen;
}

TEST_F(Watched, TextOnTheScreenIsRead) {
  const auto font = vga_font();
  if (!font) GTEST_SKIP() << "no video BIOS of SeaBIOS on this host";
  guest_.shown = ferry::tests::blank_screen(720, 400);
  ferry::tests::draw_text(*guest_.shown, *font, 9, 3, 0, "No bootable device.", {170, 170, 170}, {});
  const report::Test test = watched();
  EXPECT_EQ(test.verdict, Verdict::failed);
  EXPECT_EQ(test.sign, "no-bootable-device");
  EXPECT_EQ(test.text, std::vector<std::string>{"No bootable device."});
}

TEST_F(Watched, AScreenThatSaysNothingIsNotKnown) {
  guest_.shown = ferry::tests::blank_screen(640, 480, {9, 9, 9});
  const report::Test test = watched(std::chrono::milliseconds(150));
  EXPECT_EQ(test.verdict, Verdict::unknown);
  EXPECT_EQ(test.sign, "");
  EXPECT_FALSE(test.picture.empty());
}

TEST_F(Watched, AMachineThatIsOffOrHasPanickedIsAtItsEnd) {
  guest_.now = Condition::crashed;
  EXPECT_EQ(watched().verdict, Verdict::failed);
  EXPECT_EQ(watched().sign, "guest-panic");
  guest_.note = "hyper-v: arg1='0x7b', arg2='0x0'";
  EXPECT_EQ(watched().sign, "windows-stop");
  guest_.now = Condition::off;
  EXPECT_EQ(watched().verdict, Verdict::unknown);
}

TEST_F(Watched, WhoeverInterruptsIsObeyed) {
  std::stop_source stop;
  stop.request_stop();
  try {
    (void)watch(guest_, {.name = "web", .timeout = std::chrono::minutes(1)}, stop.get_token());
    FAIL() << "it was not interrupted";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
  }
}

}  // namespace
}  // namespace ferry::migration
