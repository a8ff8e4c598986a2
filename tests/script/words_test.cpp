// SPDX-License-Identifier: Apache-2.0
// What bash makes of our words is what went in.
#include "exporters/script/words.hpp"

#include <gtest/gtest.h>

#include "support/subprocess.hpp"

namespace ferry::script {
namespace {

const std::vector<std::string> kHostile{
    "",
    "plain-word_1.0:/x=y@z%+",
    "two words",
    "a,b",
    "it's \"quoted\"",
    "$(touch /tmp/x) `id` ${HOME} $HOME !!",
    "back\\slash\\",
    "line one\nline two\r\ttab",
    "~/x",
    "-rf",
    "*?[a-z]{1,2}",
    "Größe ✓ 日本",
    "\xE2\x80\x9C curly \xE2\x80\x9D \xC2\xA0no-break",
    "no UTF-8: \xFF\xFE 7",
    std::string("\x01\x7F"
                "8"),
    "\n",
    "#no comment",
    "a;b|c&d>e<f",
};

std::string bash(const std::string &script) {
  const subprocess::Result result = subprocess::run({.program = "bash", .arguments = {"-c", script}});
  EXPECT_TRUE(result.ok()) << script << result.errors;
  return result.output;
}

TEST(Words, BashReadsBackEveryByte) {
  for (const std::string &text : kHostile)
    EXPECT_EQ(bash("printf %s " + Word(text).shell()), text) << Word(text).shell();
}

TEST(Words, VariablesStandBesideAnyText) {
  for (const std::string &text : kHostile) {
    const std::string shell = Word(text).add(Word().variable("here").add("/").add(text)).shell();
    EXPECT_EQ(bash("here='a $b'; printf %s " + shell), text + "a $b/" + text) << shell;
  }
}

TEST(Words, CommasOfListsAreDoubledInTextAndVariables) {
  Keys keys("virtio-blk-pci");
  keys.set("file", Word().variable("here").add("/a,b")).set("n", 3).on("x").on("y", false).set_some("none", "");
  EXPECT_EQ(bash("here=c,d; here_q=${here//,/,,}; printf %s " + keys.word().shell()),
            "virtio-blk-pci,file=c,,d/a,,b,n=3,x=on,y=off");
  keys.replace("n", "4,5");
  EXPECT_EQ(bash("here_q=h; printf %s " + keys.word().shell()), "virtio-blk-pci,file=h/a,,b,x=on,y=off,n=4,,5");
}

TEST(Words, AWordIsOneLineUnlessItReadsBetterOtherwise) {
  for (const std::string &text : kHostile) EXPECT_EQ(Word(text).shell().find('\n'), std::string::npos);
  EXPECT_EQ(comment("a\nb"), "a\\nb");
}

}  // namespace
}  // namespace ferry::script
