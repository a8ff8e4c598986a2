// SPDX-License-Identifier: Apache-2.0
// What VMware hands to the guest as guestinfo, for cloud-init and for what reads OVF's environment: the same keys stand
// in .vmx files and, as vmw:ExtraConfig, in OVF packages.
//
// Facts: cloud-init's DataSourceVMware and DataSourceOVF (documentation, "Datasources"); the environment is DMTF's
// DSP0243, "OVF environment".
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/machine.hpp"

namespace ferry::vmware {

// By key, in lower case and without "guestinfo." in front: "userdata", "userdata.encoding".
using GuestInfo = std::map<std::string, std::string>;

struct GuestInfoRead {
  GuestData data;                             // without an origin
  std::map<std::string, std::string> fields;  // of GuestData, by the key that went there
  struct Problem {
    std::string key, why;  // a clause
  };
  std::vector<Problem> problems;  // keys that cannot be understood
};

// `shown_as`: the file, for what it says of XML that is malformed.
[[nodiscard]] GuestInfoRead read_guest_info(const GuestInfo &values, const std::filesystem::path &shown_as);

// Whether there is anything to hand over.
[[nodiscard]] bool is_empty(const GuestData &data);

// cloud-init's metadata, YAML or JSON, in parts; what is not understood stays in the rest.
struct CloudMetadata {
  std::string instance_id;
  std::string network, network_encoding;  // the document of that name, or what it is packed in
  std::string rest;                       // a block mapping of YAML's
};
[[nodiscard]] CloudMetadata split_metadata(std::string_view text);

}  // namespace ferry::vmware
