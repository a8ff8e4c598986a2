// SPDX-License-Identifier: Apache-2.0
#include "support/xml.hpp"

#include <gtest/gtest.h>

#include "support/error.hpp"

namespace ferry {
namespace {

TEST(Xml, GivesLinesAndPaths) {
  const auto root = xml::parse("<A xmlns='u'>\n <B n='1'/>\n <B n='2'>te<![CDATA[x]]>t</B>\n</A>", "f.xml");
  EXPECT_EQ(root.space, "u");
  ASSERT_EQ(root.children.size(), 2U);
  EXPECT_EQ(root.children[1].path, "/A/B[2]");
  EXPECT_EQ(root.children[1].line, 3U);
  EXPECT_EQ(root.children[1].text, "text");
  EXPECT_EQ(*root.children[1].attribute("n"), "2");
}

void expect_malformed(const std::string &text, const std::string &part) {
  try {
    (void)xml::parse(text, "bad.vbox");
    FAIL() << "accepted: " << text;
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    EXPECT_EQ(error.detail().where.file, "bad.vbox");
  }
}

TEST(Xml, RefusesDoctypeTruncationAndEmptiness) {
  expect_malformed("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "DOCTYPE");
  expect_malformed("<a><b>", "bad.vbox:1");
  expect_malformed("", "empty");
  expect_malformed("hello", "not well formed");
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<a>";
  expect_malformed(deep, "not well formed");
}

// Of snapshots within snapshots: the paths of 250 levels would take more room than all else.
TEST(Xml, PathsOfWhatLiesDeepAreShort) {
  std::string text = "<Value n='1'/><Value n='2'/>";
  for (int i = 0; i < 200; ++i) text = "<Snapshot><Snapshots>" + text + "</Snapshots></Snapshot>";
  const xml::Element root = xml::parse("<VirtualBox><Machine>" + text + "</Machine></VirtualBox>", "deep.vbox");
  const xml::Element *at = &root;
  while (!at->children.empty()) at = &at->children.back();
  EXPECT_LT(at->path.size(), 300U);
  EXPECT_TRUE(at->path.starts_with("/VirtualBox/Machine//Snapshot")) << at->path;
  EXPECT_TRUE(at->path.ends_with("/Snapshots/Value[2]")) << at->path;
  EXPECT_EQ(root.children[0].children[0].children[0].path, "/VirtualBox/Machine/Snapshot/Snapshots");
}

// 35 MB of extra data took 4.7 GB before anything was refused.
TEST(Xml, RefusesMoreElementsAndAttributesThanAMachineHas) {
  std::string many = "<a>";
  for (int i = 0; i < 400'000; ++i) many += "<b/>";
  expect_malformed(many + "</a>", "too many elements");
  std::string wide = "<a";
  for (int i = 0; i < 400'000; ++i) wide += " b" + std::to_string(i) + "=''";
  expect_malformed(wide + "/>", "too many elements");
  expect_malformed(std::string(std::size_t{33} << 20U, ' '), "too large");
}

TEST(Xml, ReadsUtf16WhateverTheDeclarationSays) {
  for (const std::string declared : {"", "<?xml version=\"1.0\"?>\n", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
                                     "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n"}) {
    std::string bytes = "\xFF\xFE";
    for (const char c : declared + "<a><b c='d'/></a>") bytes += std::string(1, c) + '\0';
    const xml::Element root = xml::parse(bytes, "x.vbox");
    EXPECT_EQ(*root.child("b")->attribute("c"), "d") << declared;
    EXPECT_EQ(root.line, declared.empty() ? 1U : 2U);
  }
}

TEST(Xml, WritesAnyTextSafely) {
  xml::Document document("domain");
  document.root().set("type", "kvm").child("name", "a & <b> \x01 \xff");
  EXPECT_EQ(document.text(),
            "<domain type=\"kvm\">\n  <name>a &amp; &lt;b&gt; \xEF\xBF\xBD \xEF\xBF\xBD</name>\n</domain>\n");
}

TEST(Xml, WhatIsEscapedByHandReadsBackAsItWas) {
  const std::string text = "a & <b>\n\t\"c\" 'd'\r";
  EXPECT_EQ(xml::escaped_content("<a\n>"), "&lt;a\n&gt;");
  for (const char quote : {'\'', '"'}) {
    const std::string element = std::string("<a b=") + quote + xml::escaped_value(text) + quote + "/>";
    EXPECT_EQ(*xml::parse(element, "x").attribute("b"), text) << element;
  }
  EXPECT_EQ(xml::parse("<a>" + xml::escaped_content("x & <b> \"c\"\n'd'") + "</a>", "x").text, "x & <b> \"c\"\n'd'");
}

}  // namespace
}  // namespace ferry
