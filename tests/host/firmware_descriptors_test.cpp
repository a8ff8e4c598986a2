// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/firmware_descriptors.hpp"

#include <gmock/gmock.h>

#include "tests/host/support.hpp"

namespace ferry::libvirt {
namespace {

using ::testing::ElementsAre;
using testing::Folder;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string descriptor(const std::string &description, const std::string &code, const std::string &vars,
                       const std::string &more = "", const std::string &format = "raw") {
  return R"({"description": ")" + description + R"(", "interface-types": ["uefi"], "mapping": {"device": "flash", )" +
         more + R"("executable": {"filename": ")" + code + R"(", "format": "raw"}, "nvram-template": {"filename": ")" +
         vars + R"(", "format": ")" + format + R"("}}, "targets": [{"architecture": "x86_64", )" +
         R"("machines": ["pc-q35-*"]}, {"architecture": "i386", "machines": ["pc-i440fx-*"]}], )" +
         R"("features": ["secure-boot", "requires-smm"], "tags": []})";
}

TEST(FirmwareDescriptor, GivesOneEntryPerTarget) {
  const auto found = parse_firmware_descriptor(descriptor("x", "/c.fd", "/v.fd"));
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].loader, "/c.fd");
  EXPECT_EQ(found[0].nvram_template, "/v.fd");
  EXPECT_EQ(found[0].architecture, "x86_64");
  EXPECT_THAT(found[0].machines, ElementsAre("pc-q35-*"));
  EXPECT_THAT(found[0].features, ElementsAre("requires-smm", "secure-boot"));
  EXPECT_EQ(found[1].architecture, "i386");
}

TEST(FirmwareDescriptor, OnlySplitRawFlashForUefiIsKept) {
  EXPECT_THAT(parse_firmware_descriptor(descriptor("x", "/c.fd", "/v.fd", R"("mode": "split", )")), SizeIs(2));
  EXPECT_THAT(parse_firmware_descriptor(descriptor("x", "/c.fd", "/v.fd", R"("mode": "stateless", )")), IsEmpty());
  EXPECT_THAT(parse_firmware_descriptor(descriptor("x", "/c.fd", "/v.fd", "", "qcow2")), IsEmpty());
  EXPECT_THAT(parse_firmware_descriptor(descriptor("x", "c.fd", "/v.fd")), IsEmpty());
  EXPECT_THAT(parse_firmware_descriptor(R"({"interface-types": ["bios"], "mapping": {"device": "memory"}})"),
              IsEmpty());
}

TEST(FirmwareDescriptor, WhatIsNoDescriptorIsSkipped) {
  for (const char *json : {"", "{", "[]", "3", R"({"mapping": 3})", R"({"interface-types": ["uefi"], "mapping": []})",
                           R"({"interface-types": {"a": "uefi"}})"}) {
    EXPECT_THAT(parse_firmware_descriptor(json), IsEmpty()) << json;
  }
}

struct Folders {
  Folder folder;
  std::filesystem::path code = folder.write("code.fd", "c");
  std::filesystem::path vars = folder.write("vars.fd", "vars!");

  void add(const std::string &where, const std::string &name) const {
    folder.write(where, descriptor(name, code.string(), vars.string()));
  }
  [[nodiscard]] std::vector<std::string> descriptions() const {
    std::vector<std::string> out;
    for (const auto &firmware :
         read_firmware_descriptors({folder.path() / "system", folder.path() / "admin", folder.path() / "user"})) {
      if (firmware.architecture == "x86_64") out.push_back(firmware.description);
    }
    return out;
  }
};

TEST(FirmwareFolders, AreOrderedByFileNameAcrossFolders) {
  const Folders folders;
  folders.add("system/50-b.json", "b");
  folders.add("system/70-d.json", "d");
  folders.add("user/60-c.json", "c");
  folders.add("admin/10-a.json", "a");
  EXPECT_THAT(folders.descriptions(), ElementsAre("a", "b", "c", "d"));
}

TEST(FirmwareFolders, ALaterFolderHidesTheSameName) {
  const Folders folders;
  folders.add("system/50-x.json", "system");
  folders.add("admin/50-x.json", "admin");
  EXPECT_THAT(folders.descriptions(), ElementsAre("admin"));
}

TEST(FirmwareFolders, AnEmptyFileHidesWithoutReplacing) {
  const Folders folders;
  folders.add("system/50-x.json", "system");
  folders.folder.write("user/50-x.json", "");
  EXPECT_THAT(folders.descriptions(), IsEmpty());
}

TEST(FirmwareFolders, OtherFilesAreNotRead) {
  const Folders folders;
  folders.add("system/50-x.json.rpmnew", "old");
  folders.add("system/.50-x.json", "hidden");
  EXPECT_THAT(folders.descriptions(), IsEmpty());
}

TEST(FirmwareFolders, AnImageThatIsNotThereIsSkippedAndTheStoresSizeIsRead) {
  const Folders folders;
  folders.folder.write("system/10-x.json", descriptor("gone", "/nonexistent/c.fd", folders.vars.string()));
  folders.folder.write("system/11-x.json", descriptor("gone", folders.code.string(), "/nonexistent/v.fd"));
  folders.add("system/12-x.json", "there");
  EXPECT_THAT(folders.descriptions(), ElementsAre("there"));
  EXPECT_EQ(read_firmware_descriptors({folders.folder.path() / "system"}).front().vars_size, 5U);
}

}  // namespace
}  // namespace ferry::libvirt
