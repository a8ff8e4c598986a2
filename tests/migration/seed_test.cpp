// SPDX-License-Identifier: Apache-2.0
// What the guest is told on a CD, and which drive that goes into.
#include "migration/seed.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <map>

#include "tests/kit/folder.hpp"

#include "support/subprocess.hpp"
#include "support/xml.hpp"

namespace ferry::migration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::Pair;

struct Seed : testing::Test {
  Seed() {
    machine.name = "web";
    machine.guest_data.emplace();
  }
  GuestData &data() { return *machine.guest_data; }
  void property(const std::string &key, const std::string &value, bool required = false) {
    DeploymentProperty made;
    made.key = key;
    made.value = value;
    made.required = required;
    data().properties.push_back(std::move(made));
  }
  Observed &with_instance(const std::string &id) {
    ObservedLinux &system = observed.linux_systems.emplace_back();
    system.cloud_init = true;
    system.instance_id = id;
    return observed;
  }
  SeedDecision decided() const {
    return decide_seed(machine, &observed, options, *Uuid::parse("564d0102-0304-0506-0708-090a0b0c0d0e"),
                       "/images/web-seed.iso");
  }
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> out;
    const SeedDecision decision = decided();
    for (const seed::File &file : decision.seed.value().files) out[file.name] = file.content;
    return out;
  }

  Machine machine;
  Observed observed;
  Options options;
};

TEST_F(Seed, IsThereOnlyForWhoIsHandedSomething) {
  machine.guest_data.reset();
  EXPECT_FALSE(decided().seed);
  EXPECT_TRUE(decided().findings.empty());
}

TEST_F(Seed, CloudInitsDocumentsAreNoCloud) {
  data().user_data = "#cloud-config\n";
  data().meta_data = "local-hostname: web\n";
  data().network_config = "version: 2\n";
  EXPECT_THAT(files(), ElementsAre(Pair("meta-data",
                                        "instance-id: \"564d0102-0304-0506-0708-090a0b0c0d0e\"\n"
                                        "local-hostname: web\n"),
                                   Pair("network-config", "version: 2\n"), Pair("user-data", "#cloud-config\n")));
  EXPECT_EQ(decided().seed->label, "cidata");
  EXPECT_EQ(decided().findings.at(0).id, "guest.seed");
  data().instance_id = "iid-7";
  EXPECT_THAT(files()["meta-data"], HasSubstr("instance-id: \"iid-7\""));
}

TEST_F(Seed, TheInstanceIsTheOneThatTheGuestKnows) {
  data().user_data = "x";
  data().instance_id = "iid-7";
  with_instance("i-\"old\"");
  EXPECT_THAT(files()["meta-data"], HasSubstr("instance-id: \"i-\\\"old\\\"\""));
  EXPECT_THAT(decided().findings.at(0).message, HasSubstr("i-\"old\""));
}

TEST_F(Seed, PropertiesAreForCloudInitToo) {
  property("hostname", "web");
  property("user-data", "I2Nsb3VkLWNvbmZpZwo=");
  property("password", "a\"b");
  property("public-keys", "ssh-ed25519 A");
  EXPECT_EQ(decided().seed->label, "cidata");
  const auto made = files();
  EXPECT_EQ(made.at("user-data"), "#cloud-config\n");
  EXPECT_EQ(made.at("vendor-data"), "#cloud-config\npassword: \"a\\\"b\"\n");
  EXPECT_THAT(made.at("meta-data"), HasSubstr("local-hostname: \"web\"\npublic-keys:\n  - \"ssh-ed25519 A\"\n"));
  EXPECT_THAT(made, testing::Contains(Key("ovf-env.xml")));
}

TEST_F(Seed, AnEnvironmentIsWhatTheStandardSays) {
  data().on_cd = true;
  property("web.port.1", "80");
  property("instance-id", "one");
  with_instance("two");
  const SeedDecision made = decided();
  EXPECT_EQ(made.seed->label, "OVF ENV");
  ASSERT_EQ(made.seed->files.size(), 1U);
  const xml::Element root = xml::parse(made.seed->files[0].content, "ovf-env.xml");
  EXPECT_EQ(root.name, "Environment");
  EXPECT_EQ(root.space, "http://schemas.dmtf.org/ovf/environment/1");
  const xml::Element &section = *root.child("PropertySection");
  ASSERT_EQ(section.children.size(), 2U);
  EXPECT_EQ(*section.children[0].attribute("key"), "web.port.1");
  EXPECT_EQ(*section.children[0].attribute("value"), "80");
  EXPECT_EQ(*section.children[1].attribute("value"), "two");
}

TEST_F(Seed, MissingValuesAreAskedForUnlessTheGuestIsSetUp) {
  property("web.port.1", "", true);
  const SeedDecision asked = decided();
  ASSERT_FALSE(asked.findings.empty());
  EXPECT_EQ(asked.findings[0].id, "guest.seed-values");
  EXPECT_THAT(asked.findings[0].message, HasSubstr("web.port.1"));
  EXPECT_THAT(asked.findings[0].advice, HasSubstr("--ovf-property"));
  EXPECT_TRUE(asked.seed);
  options.seed = false;
  EXPECT_THAT(decided().findings.at(0).id, "guest.seed-left-out");
  EXPECT_FALSE(decided().seed);
  options.seed = true;
  with_instance("iid-1");
  EXPECT_TRUE(decided().seed);
}

// ---- the drive ----

TEST_F(Seed, GoesIntoAnEmptyDrive) {
  Hardware hardware;
  Controller &controller = hardware.controllers.emplace_back();
  for (const DriveKind kind : {DriveKind::disk, DriveKind::cdrom, DriveKind::cdrom}) {
    controller.drives.emplace_back().kind = kind;
    controller.drives.back().port = static_cast<unsigned>(controller.drives.size()) - 1;
  }
  EXPECT_EQ(place_seed(hardware, {}).drive, 1U);
  EXPECT_EQ(place_seed(hardware, {{0, 1}}).drive, 2U);
  EXPECT_EQ(controller.drives.size(), 3U);
  EXPECT_EQ(place_seed(hardware, {{0, 1}, {0, 2}}).drive, 3U);
  EXPECT_EQ(hardware.controllers[0].drives.at(3).port, 3U);
}

TEST_F(Seed, GetsADriveWhereThereIsNone) {
  Hardware hardware;
  hardware.controllers.emplace_back().type = ControllerType::nvme;
  const DrivePlace place = place_seed(hardware, {});
  EXPECT_EQ(place.controller, 1U);
  EXPECT_EQ(hardware.controllers.at(1).type, ControllerType::ahci);
  EXPECT_EQ(hardware.controllers.at(1).drives.at(0).kind, DriveKind::cdrom);
  hardware = {};
  Controller &ide = hardware.controllers.emplace_back();
  ide.type = ControllerType::ide_vmware;
  ide.drives.emplace_back();
  EXPECT_EQ(place_seed(hardware, {}).drive, 1U);
  EXPECT_EQ(hardware.controllers[0].drives.at(1).device, 1U);
}

// ---- the image ----

// What libarchive reads of it, and what the C library's blkid and xorriso's kin would: the label.
TEST(SeedImage, HasTheFilesAndTheLabel) {
  const std::string image = seed::iso_image("cidata", {{"user-data", "#cloud-config\n"}, {"meta-data", ""}});
  EXPECT_EQ(image.size() % 2048, 0U);
  EXPECT_EQ(image.substr(32768, 6), std::string("\1CD001"));
  EXPECT_EQ(image.substr(32768 + 40, 6), "CIDATA");  // the old label; Joliet has the one that is asked for
  std::map<std::string, std::string> found;
  archive *reader = archive_read_new();
  archive_read_support_format_iso9660(reader);
  ASSERT_EQ(archive_read_open_memory(reader, image.data(), image.size()), ARCHIVE_OK);
  for (archive_entry *entry = nullptr; archive_read_next_header(reader, &entry) == ARCHIVE_OK;) {
    std::string text(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    archive_read_data(reader, text.data(), text.size());
    found[archive_entry_pathname(entry)] = text;
  }
  archive_read_free(reader);
  EXPECT_EQ(found["user-data"], "#cloud-config\n");
  EXPECT_TRUE(found.contains("meta-data"));
}

// As cloud-init finds it: blkid tells the label, and Joliet's names are whole.
TEST(SeedImage, IsKnownToOtherPrograms) {
  if (subprocess::find_program("blkid").empty()) GTEST_SKIP() << "no blkid";
  const test::TempFolder folder;
  const auto file = folder.write("seed.iso", seed::iso_image("OVF ENV", {{"ovf-env.xml", "<a/>"}}));
  const auto said = subprocess::run({.program = "blkid",
                                     .arguments = {"-p", "-o", "value", "-s", "LABEL", "-s", "TYPE", file.string()},
                                     .locked_in = {},
                                     .on_line = {}},
                                    {});
  EXPECT_THAT(said.output, HasSubstr("OVF ENV"));
  EXPECT_THAT(said.output, HasSubstr("iso9660"));
}

}  // namespace
}  // namespace ferry::migration
