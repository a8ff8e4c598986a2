// SPDX-License-Identifier: Apache-2.0
#include "support/xml.hpp"

#include <gtest/gtest.h>

#include "support/error.hpp"

namespace ferry {
namespace {

TEST(Xml, gives_lines_and_paths) {
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

TEST(Xml, refuses_doctype_truncation_and_emptiness) {
  expect_malformed("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "DOCTYPE");
  expect_malformed("<a><b>", "bad.vbox:1");
  expect_malformed("", "empty");
  expect_malformed("hello", "not well formed");
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<a>";
  expect_malformed(deep, "not well formed");
}

TEST(Xml, writes_any_text_safely) {
  xml::Document document("domain");
  document.root().set("type", "kvm").child("name", "a & <b> \x01 \xff");
  EXPECT_EQ(document.text(),
            "<domain type=\"kvm\">\n  <name>a &amp; &lt;b&gt; \xEF\xBF\xBD \xEF\xBF\xBD</name>\n</domain>\n");
}

}  // namespace
}  // namespace ferry
