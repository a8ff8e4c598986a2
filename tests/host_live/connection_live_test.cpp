// SPDX-License-Identifier: Apache-2.0
// Against libvirt's real QEMU driver, run inside this process (qemu:///embed); nothing of the host's libvirt is seen.
// A root process becomes "nobody" first: as root the driver wants a user that only libvirt's system packages create,
// and an ordinary user is what virt-ferry runs as.
#include <filesystem>
#include <gmock/gmock.h>
#include <grp.h>
#include <memory>
#include <optional>
#include <unistd.h>

#include "exporters/libvirt/host/connection.hpp"
#include "tests/host/support.hpp"

#include "support/error.hpp"

namespace ferry::libvirt {
namespace {

using ::testing::Contains;
using testing::Folder;
using ::testing::HasSubstr;

constexpr const char *kUuid = "6f2d8b5c-2a57-4d2c-8b6e-2f1f6a8b9c0d";

std::string domain_xml(const std::string &name) {
  return "<domain type='qemu'><name>" + name + "</name><uuid>" + kUuid +
         "</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os>"
         "<devices><interface type='user'><mac address='52:54:00:12:34:56'/><model type='e1000'/></interface>"
         "</devices></domain>";
}

std::string snapshot_xml(const std::string &name, const std::string &parent) {
  const std::string above = parent.empty() ? "" : "<parent><name>" + parent + "</name></parent>";
  return "<domainsnapshot><name>" + name + "</name><state>shutoff</state><creationTime>1700000000</creationTime>" +
         above + "<memory snapshot='no'/>" + domain_xml("web") + "</domainsnapshot>";
}

class OrdinaryUser : public ::testing::Environment {
 public:
  void SetUp() override {
    if (geteuid() == 0) become_nobody();
    home_ = std::make_unique<Folder>();
    setenv("HOME", home_->path().c_str(), 1);
    for (const char *name : {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"}) unsetenv(name);
  }
  void TearDown() override { home_.reset(); }
  [[nodiscard]] const std::filesystem::path &home() const { return home_->path(); }

 private:
  static void become_nobody() {
    constexpr unsigned kNobody = 65534;
    ASSERT_EQ(setgroups(0, nullptr), 0);
    ASSERT_EQ(setresgid(kNobody, kNobody, kNobody), 0);
    ASSERT_EQ(setresuid(kNobody, kNobody, kNobody), 0);
  }
  std::unique_ptr<Folder> home_;
};
// GoogleTest owns it.
const auto *const kOrdinaryUser = static_cast<OrdinaryUser *>(::testing::AddGlobalTestEnvironment(new OrdinaryUser));

class Embedded : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      connection_.emplace("qemu:///embed?root=" + kOrdinaryUser->home().string());  // one per process
    } catch (const Error &error) {
      ASSERT_EQ(error.kind(), ErrorKind::unreachable);
      GTEST_SKIP() << error.what();
    }
  }
  void TearDown() override {
    if (connection_ && connection_->machine_named("web")) connection_->undefine("web");
  }

  Folder folder_;
  std::optional<Connection> connection_;
};

TEST_F(Embedded, DefinesAndUndefines) {
  EXPECT_FALSE(connection_->machine_named("web"));
  connection_->define(domain_xml("web"));
  EXPECT_TRUE(connection_->machine_named("web"));
  EXPECT_FALSE(connection_->is_running("web"));
  connection_->undefine("web");
  EXPECT_FALSE(connection_->machine_named("web"));
}

TEST_F(Embedded, DefineValidatesAgainstTheSchema) {
  std::string xml = domain_xml("web");
  xml.replace(xml.find("<vcpu>"), 6, "<unheard/><vcpu>");
  try {
    connection_->define(xml);
    FAIL() << "libvirt accepted an element that its schema does not have";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::libvirt);
    EXPECT_THAT(error.what(), HasSubstr("unheard"));
  }
}

TEST_F(Embedded, ASecondMachineWithTheSameUuidIsRefused) {
  connection_->define(domain_xml("web"));
  EXPECT_THROW(connection_->define(domain_xml("other")), Error);
}

TEST_F(Embedded, TheProfileNamesDefinedMachinesWithUuidAndMac) {
  connection_->define(domain_xml("web"));
  const HostProfile profile = connection_->probe();
  EXPECT_THAT(profile.domain_names, Contains("web"));
  EXPECT_EQ(profile.domain_uuids.at(kUuid), "web");
  EXPECT_EQ(profile.mac_addresses.at("52:54:00:12:34:56"), "web");
  EXPECT_THAT(profile.machine_types, Contains("q35"));
  EXPECT_THAT(profile.disk_buses, Contains("ide"));
  EXPECT_THAT(profile.nic_models, Contains("e1000"));
  EXPECT_GE(profile.libvirt_version, 7009000U);
  EXPECT_FALSE(profile.built_in);
}

TEST_F(Embedded, SnapshotsAreRedefinedInATreeAndGoWithTheDefinition) {
  connection_->define(domain_xml("web"));
  connection_->define_snapshot("web", snapshot_xml("first", ""), false);
  connection_->define_snapshot("web", snapshot_xml("second", "first"), true);
  EXPECT_THROW(connection_->define_snapshot("web", snapshot_xml("third", "nobody"), false), Error);
  connection_->undefine("web");
  EXPECT_FALSE(connection_->machine_named("web"));
}

TEST_F(Embedded, AVariableStoreStays) {
  const std::filesystem::path code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
  if (!std::filesystem::exists(code)) GTEST_SKIP() << "no " << code;
  const std::filesystem::path store = folder_.write("web_VARS.fd", "store");
  std::string xml = domain_xml("web");
  xml.replace(xml.find("</os>"), 5,
              "<loader readonly='yes' type='pflash'>" + code.string() + "</loader><nvram>" + store.string() +
                  "</nvram></os><features><acpi/></features>");
  connection_->define(xml);
  connection_->undefine("web");
  EXPECT_TRUE(std::filesystem::exists(store));
}

TEST_F(Embedded, StartsAndStopsAMachine) {
  if (!std::filesystem::exists("/sys/devices/system/cpu")) GTEST_SKIP() << "libvirt starts no machine without /sys";
  connection_->define(domain_xml("web"));
  connection_->start("web");
  EXPECT_TRUE(connection_->is_running("web"));
  EXPECT_THROW(connection_->start("web"), Error);
  connection_->switch_off("web");
  EXPECT_FALSE(connection_->is_running("web"));
}

TEST_F(Embedded, WhatIsNotThereIsAnErrorWithItsName) {
  for (const auto &work :
       {+[](Connection &c) { c.start("nobody"); }, +[](Connection &c) { c.switch_off("nobody"); },
        +[](Connection &c) { c.undefine("nobody"); }, +[](Connection &c) { (void)c.is_running("nobody"); },
        +[](Connection &c) { c.define_snapshot("nobody", "<domainsnapshot/>", false); }}) {
    try {
      work(*connection_);
      ADD_FAILURE() << "no error";
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::libvirt);
      EXPECT_THAT(error.what(), HasSubstr("nobody"));
    }
  }
}

TEST_F(Embedded, RefreshingAFolderWithoutAPoolIsNothing) { EXPECT_NO_THROW(connection_->refresh("/tmp")); }

}  // namespace
}  // namespace ferry::libvirt
