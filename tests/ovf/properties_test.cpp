// SPDX-License-Identifier: Apache-2.0
// Properties: which there are, what the guest is told, what --ovf-property changes.
#include <gmock/gmock.h>

#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {

const std::string kProperties =
    "<ProductSection ovf:class=\"web\" ovf:instance=\"1\"><Info>i</Info>"
    "<Property ovf:key=\"port\" ovf:type=\"uint16\" ovf:userConfigurable=\"true\"><Label>Port</Label></Property>"
    "<Property ovf:key=\"color\" ovf:type=\"string\" ovf:userConfigurable=\"true\" ovf:value=\"red\"/>"
    "<Property ovf:key=\"login\" ovf:type=\"string\" ovf:userConfigurable=\"true\" ovf:qualifiers=\"MinLen(1)\"/>"
    "<Property ovf:key=\"note\" ovf:type=\"string\" ovf:userConfigurable=\"true\"/></ProductSection>";

ImportedMachine imported(const std::string &transport, const std::map<std::string, std::string> &given = {}) {
  ImportOptions options;
  options.ovf_properties = given;
  return import_one({.system = kProperties,
                     .items = kMemory,
                     .hardware_attributes = transport.empty() ? "" : " ovf:transport=\"" + transport + "\""},
                    options);
}

TEST(Properties, AreWhatTheGuestIsHanded) {
  const ImportedMachine machine = imported("com.vmware.guestInfo ISO");
  ASSERT_TRUE(machine.machine.guest_data);
  const GuestData &data = *machine.machine.guest_data;
  EXPECT_TRUE(data.on_cd);
  ASSERT_EQ(data.properties.size(), 4U);
  EXPECT_EQ(data.properties[0].key, "web.port.1");
  EXPECT_EQ(data.properties[0].label, "Port");
  EXPECT_TRUE(data.properties[0].required);
  EXPECT_EQ(data.properties[1].value, "red");
  EXPECT_FALSE(data.properties[1].required);
  EXPECT_TRUE(data.properties[2].required);
  EXPECT_FALSE(data.properties[3].required);
  EXPECT_EQ(entry(machine, "Property[2]/@value").field, "guest_data.properties.1.value");
  EXPECT_EQ(count_unknown(machine), 0U);
  EXPECT_FALSE(imported("com.vmware.guestInfo").machine.guest_data->on_cd);
}

TEST(Properties, AreTheVendorsOwnWhereNothingHandsThemOver) {
  EXPECT_FALSE(imported("").machine.guest_data);
  EXPECT_TRUE(imported("", {{"note", "x"}}).machine.guest_data);
}

TEST(Properties, TakeTheValuesThatAreAskedFor) {
  const ImportedMachine machine = imported("iso", {{"web.port.1", "80"}, {"login", "joe"}, {"color", ""}});
  const auto &properties = machine.machine.guest_data->properties;
  EXPECT_EQ(properties[0].value, "80");
  EXPECT_EQ(properties[1].value, "");
  EXPECT_EQ(properties[2].value, "joe");
  const ErrorDetail detail = expect_error(ErrorKind::usage, [] { (void)imported("iso", {{"colour", "red"}}); });
  EXPECT_NE(detail.expected.find("web.color.1"), std::string::npos);
}

TEST(Properties, GuestinfoStandsInExtraConfig) {
  const ImportedMachine machine = import_one(
      {.items = kMemory + "<vmw:ExtraConfig vmw:key=\"guestinfo.userdata\" vmw:value=\"I2Nsb3VkLWNvbmZpZwo=\"/>"
                          "<vmw:ExtraConfig vmw:key=\"guestinfo.userdata.encoding\" vmw:value=\"base64\"/>"
                          "<vmw:ExtraConfig vmw:key=\"guestinfo.metadata\" vmw:value=\"-\"/>"
                          "<vmw:ExtraConfig vmw:key=\"guestinfo.metadata.encoding\" vmw:value=\"rot13\"/>"});
  ASSERT_TRUE(machine.machine.guest_data);
  EXPECT_EQ(machine.machine.guest_data->user_data, "#cloud-config\n");
  EXPECT_TRUE(has_finding(machine, "ovf.guest-data"));
  EXPECT_EQ(count_unknown(machine), 0U);
}

}  // namespace
}  // namespace ferry::ovf::test
