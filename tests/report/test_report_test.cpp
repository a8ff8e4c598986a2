// SPDX-License-Identifier: Apache-2.0
// What 'virt-ferry test' says, in its three forms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exporters/report/report.hpp"

namespace ferry::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TestDocument panicked() {
  TestDocument out;
  out.tool = "virt-ferry 0.2.0";
  out.machine = "w<e>b";
  out.test = Test{.verdict = Test::Verdict::failed,
                  .sign = "kernel-panic",
                  .seen = "a kernel panic",
                  .seconds = 12,
                  .text = {"Kernel panic - not syncing: VFS", "\x1b[31m<b>"},
                  .screenshot = "/state/web.png",
                  .picture = {'M', 'a', 'n', 'y'}};
  return out;
}

TEST(TestReport, TextHasTheVerdictFirstAndTheGuestsWords) {
  EXPECT_EQ(test_text(panicked()),
            "w<e>b: does not boot: a kernel panic, after 12 s\n"
            "  picture    /state/web.png\n"
            "\n"
            "    | Kernel panic - not syncing: VFS\n"
            "    | \\x1b[31m<b>\n");
  EXPECT_EQ(test_text(panicked(), {.detail = Detail::result}), "w<e>b: does not boot: a kernel panic, after 12 s\n");
  EXPECT_THAT(test_text(panicked(), {.detail = Detail::result, .colour = true}),
              HasSubstr("\x1b[1;31mdoes not boot\x1b[0m"));
}

TEST(TestReport, JsonHasThePicturesPlaceAlone) {
  const auto json = nlohmann::json::parse(test_json(panicked()));
  EXPECT_EQ(json.at("schema"), "virt-ferry-test/1");
  EXPECT_EQ(json.at("machine"), "w<e>b");
  EXPECT_EQ(json.at("test").at("verdict"), "failed");
  EXPECT_EQ(json.at("test").at("screenshot"), "/state/web.png");
  EXPECT_FALSE(json.at("test").contains("picture"));
  EXPECT_FALSE(json.at("test").contains("host_name"));
}

TEST(TestReport, ThePageHasThePictureInIt) {
  const std::string page = test_html(panicked());
  EXPECT_THAT(page, HasSubstr("src=\"data:image/png;base64,TWFueQ==\""));
  EXPECT_THAT(page, HasSubstr("<h1>w&lt;e&gt;b</h1>"));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
}

TEST(TestReport, AMachineThatWasNotStartedHasItsReason) {
  TestDocument none;
  none.machine = "web";
  none.refusal = Refusal{ErrorKind::conflict, {.message = "the machine \"web\" runs", .advice = "Shut it down first."}};
  EXPECT_EQ(test_text(none), "web: not started: the machine \"web\" runs\n");
  EXPECT_EQ(nlohmann::json::parse(test_json(none)).at("refusal").at("kind"), "conflict");
  EXPECT_THAT(test_html(none), HasSubstr("not started"));
}

TEST(TestReport, ABatchsPageHasThePictures) {
  Document document;
  for (const char *name : {"one", "two"}) {
    MachineReport machine;
    machine.name = name;
    machine.status = Status::migrated;
    machine.test = *panicked().test;
    document.machines.push_back(machine);
  }
  const std::string page = as_html(document);
  const std::size_t first = page.find("TWFueQ==");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(page.find("TWFueQ==", first + 1), std::string::npos);
  EXPECT_THAT(batch_text(document), HasSubstr("does not boot: a kernel panic"));
}

}  // namespace
}  // namespace ferry::report
