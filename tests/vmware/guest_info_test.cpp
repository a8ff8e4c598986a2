// SPDX-License-Identifier: Apache-2.0
#include "importers/vmware/guest_info.hpp"

#include <gmock/gmock.h>

namespace ferry::vmware {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;

GuestInfoRead read(const GuestInfo &values) { return read_guest_info(values, "m.vmx"); }

TEST(GuestInfo, DocumentsAreUnpackedByTheirEncoding) {
  // printf '#cloud-config\n' | gzip -n | base64
  const std::string packed = "H4sIAAAAAAAAA1NOzskvTdFNzs9Ly0znAgAFVrO4DgAAAA==";
  EXPECT_EQ(read({{"userdata", packed}, {"userdata.encoding", "gzip+base64"}}).data.user_data, "#cloud-config\n");
  EXPECT_EQ(read({{"userdata", "I2Nsb3VkLWNvbmZpZwo="}, {"userdata.encoding", "b64"}}).data.user_data,
            "#cloud-config\n");
  EXPECT_EQ(read({{"vendordata", "plain"}}).data.vendor_data, "plain");
  EXPECT_TRUE(is_empty(read({{"userdata", "---"}, {"color", "red"}}).data));
}

TEST(GuestInfo, WhatCannotBeUnpackedIsSaid) {
  for (const GuestInfo &values :
       {GuestInfo{{"userdata", "!"}, {"userdata.encoding", "base64"}},
        GuestInfo{{"userdata", "aGk="}, {"userdata.encoding", "gzip+base64"}},
        GuestInfo{{"userdata", "x"}, {"userdata.encoding", "rot13"}}, GuestInfo{{"ovfenv", "<Environment>"}}}) {
    const GuestInfoRead got = read(values);
    EXPECT_EQ(got.problems.size(), 1U);
    EXPECT_TRUE(is_empty(got.data));
    EXPECT_THAT(got.fields, IsEmpty());
  }
}

TEST(GuestInfo, MetadataComesInParts) {
  const auto data =
      read({{"metadata",
             "---\n# made by hand\ninstance-id: \"iid-7\" # mine\nlocal-hostname: web\nnetwork:\n"
             "  version: 2\n  ethernets:\n    nic0:\n      dhcp4: true\npublic-keys:\n- ssh-ed25519 A\n"}})
          .data;
  EXPECT_EQ(data.instance_id, "iid-7");
  EXPECT_EQ(data.network_config, "version: 2\nethernets:\n  nic0:\n    dhcp4: true\n");
  EXPECT_EQ(data.meta_data, "local-hostname: web\npublic-keys:\n- ssh-ed25519 A\n");
}

TEST(GuestInfo, MetadataMayBeJsonAndItsNetworkPacked) {
  const auto data = read({{"metadata", R"({"instance-id": "i-1", "local-hostname": "web", "network": "dmVyc2lvbjogMgo=",
                             "network.encoding": "base64", "n": 5})"}})
                        .data;
  EXPECT_EQ(data.instance_id, "i-1");
  EXPECT_EQ(data.network_config, "version: 2\n");
  EXPECT_EQ(data.meta_data, "\"local-hostname\": \"web\"\n\"n\": 5\n");
  const auto inner = read({{"metadata", R"({"network": {"version": 2}})"}}).data;
  EXPECT_EQ(inner.network_config, R"({"version":2})");
}

TEST(GuestInfo, TheEnvironmentHoldsProperties) {
  const GuestInfoRead got = read(
      {{"ovfenv",
        "<Environment xmlns='http://schemas.dmtf.org/ovf/environment/1' "
        "xmlns:oe='http://schemas.dmtf.org/ovf/environment/1'><PropertySection>"
        "<Property oe:key='hostname' oe:value='web'/><Property oe:key='empty'/></PropertySection></Environment>"}});
  ASSERT_EQ(got.data.properties.size(), 2U);
  EXPECT_EQ(got.data.properties[0].key, "hostname");
  EXPECT_EQ(got.data.properties[0].value, "web");
  EXPECT_THAT(got.fields, ElementsAre(Pair("ovfenv", "properties")));
}

}  // namespace
}  // namespace ferry::vmware
