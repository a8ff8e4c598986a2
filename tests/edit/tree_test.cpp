// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/tree.hpp"

#include <gtest/gtest.h>

namespace ferry::libvirt::edit {
namespace {

std::string again(const std::string &document) { return as_text(xml::parse(document, "domain")); }

TEST(Tree, WhatIsNotTouchedIsWrittenAsLibvirtHasIt) {
  const std::string document =
      "<domain type='kvm'>\n"
      "  <name>a &amp; b</name>\n"
      "  <devices>\n"
      "    <disk type='file' device='disk'>\n"
      "      <source file='/x/&apos;y&apos;.qcow2'/>\n"
      "    </disk>\n"
      "  </devices>\n"
      "</domain>\n";
  EXPECT_EQ(again(document), document);
}

TEST(Tree, NamespacesStay) {
  const xml::Element root = xml::parse(again("<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><metadata>"
                                             "<l:info xmlns:l='urn:l'><l:os id='x'/></l:info></metadata>"
                                             "<q:commandline><q:arg value='-s'/></q:commandline></domain>"),
                                       "domain");
  const xml::Element *line = root.child("commandline");
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->space, "http://libvirt.org/schemas/domain/qemu/1.0");
  EXPECT_EQ(line->children.at(0).space, line->space);
  const xml::Element *info = root.child("metadata")->child("info");
  EXPECT_EQ(info->space, "urn:l");
  EXPECT_EQ(info->child("os")->space, "urn:l");
  EXPECT_EQ(root.child("metadata")->space, "");
}

TEST(Tree, ElementsAndAttributesAreChangedInTheirPlace) {
  xml::Element root = xml::parse("<a><b x='1' y='2'/><c/><b/></a>", "a");
  set(child_or_new(root, "b"), "x", "3");
  set(child_or_new(root, "d"), "z", "4\n");
  remove_attribute(*child(root, "b"), "y");
  remove_children(root, "c");
  EXPECT_EQ(as_text(root), "<a>\n  <b x='3'/>\n  <b/>\n  <d z='4&#10;'/>\n</a>\n");
  EXPECT_EQ(attribute(root, "b", "x"), "3");
  EXPECT_EQ(attribute(root, "nothing", "x"), "");
  EXPECT_EQ(child(root, "nothing"), nullptr);
}

}  // namespace
}  // namespace ferry::libvirt::edit
