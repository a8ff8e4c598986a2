// SPDX-License-Identifier: Apache-2.0
// Network cards.
#include <algorithm>
#include <array>

#include "importers/ovf/device_parts.hpp"
#include "importers/ovf/ovirt.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

struct NicSubtype {
  std::string_view name;
  NicModel vmware, virtualbox;
};
constexpr std::array<NicSubtype, 16> kNics{{
    {"e1000", NicModel::e1000_82545em, NicModel::e1000_82540em},
    {"e1000e", NicModel::e1000e, NicModel::e1000e},
    {"pcnet32", NicModel::vlance, NicModel::am79c973},
    {"vlance", NicModel::vlance, NicModel::am79c973},
    {"flexible", NicModel::flexible, NicModel::flexible},
    {"vmxnet", NicModel::vmxnet, NicModel::vmxnet},
    {"vmxnet2", NicModel::vmxnet2, NicModel::vmxnet2},
    {"vmxnet3", NicModel::vmxnet3, NicModel::vmxnet3},
    {"virtio", NicModel::virtio, NicModel::virtio},
    {"virtio-net", NicModel::virtio, NicModel::virtio},
    {"virtionet", NicModel::virtio, NicModel::virtio},
    {"am79c970a", NicModel::am79c970a, NicModel::am79c970a},
    {"am79c973", NicModel::am79c973, NicModel::am79c973},
    {"82540em", NicModel::e1000_82540em, NicModel::e1000_82540em},
    {"82543gc", NicModel::e1000_82543gc, NicModel::e1000_82543gc},
    {"82545em", NicModel::e1000_82545em, NicModel::e1000_82545em},
}};

NicModel nic_model(Context &in, const Item &item) {
  if (in.platform == Platform::ovirt && !item.subtypes().empty()) {
    if (const auto model = ovirt_nic_model(item.subtypes().front())) return *model;
  }
  for (const std::string &name : item.subtypes()) {
    for (const NicSubtype &known : kNics) {
      if (known.name == name) return in.platform == Platform::vmware ? known.vmware : known.virtualbox;
    }
  }
  in.raise(
      finding::kSubtypeUnknown, item.reader().place(),
      item.label() +
          (item.subtypes().empty() ? " names no model" : " is of the unknown model " + in_quotes(item.subtypes()[0])) +
          "; an Intel PRO/1000 is used");
  return in.platform == Platform::vmware ? NicModel::e1000_82545em : NicModel::e1000_82540em;
}

void set_network(const Context &in, const Item &item, Nic &nic) {
  nic.network = std::string(text::trim(item.text("Connection").value_or("")));
  std::string lower = text::lower_ascii(nic.network);
  lower.erase(std::remove_if(lower.begin(), lower.end(), [](char c) { return c == '-' || c == ' ' || c == '_'; }),
              lower.end());
  // A port group of ESX or a network of another platform leads to the outside, whatever its name.
  nic.mode = NicMode::bridged;
  // The names that VirtualBox, VMware Workstation and Fusion give to their own networks.
  if (lower == "nat" || lower == "vmnet8" || lower.empty()) nic.mode = NicMode::nat;
  const bool workstation = lower.starts_with("vmnet") && lower.find_first_not_of("0123456789", 5) == std::string::npos;
  if (workstation && lower != "vmnet8" && lower != "vmnet0") nic.mode = NicMode::custom;
  if (lower.starts_with("hostonly") || lower == "vmnet1") nic.mode = NicMode::host_only;
  if (lower == "internal" || lower == "internalnetwork" || lower == "intnet" || lower.starts_with("lansegment") ||
      lower.starts_with("isolated") || in.isolated.contains(nic.network))
    nic.mode = NicMode::internal;
  if (lower == "natnetwork") nic.mode = NicMode::nat_network;
  if (lower == "none" || lower == "null") nic.mode = NicMode::none;
}

}  // namespace

bool is_nic(const Item &item) {
  const bool port_item = item.reader().element().name == "EthernetPortItem";
  return item.is(Resource::ethernet) || item.is(Resource::other_network) ||
         (port_item && (item.is(Resource::switch_port) || item.is(Resource::ethernet_connection)));
}

void add_nic(Context &in, const Item &item) {
  auto &nics = in.machine.hardware.nics;
  const std::string field = "hardware.nics." + std::to_string(nics.size());
  Nic nic;
  nic.slot = static_cast<unsigned>(nics.size());
  nic.origin = item.reader().place();
  nic.model = nic_model(in, item);
  set_network(in, item, nic);
  nic.cable_connected = item.boolean("AutomaticAllocation").value_or(true);
  for (const char *child : {"Address", "MACAddress"}) {  // the latter is oVirt's
    const auto address = item.text(child);
    if (const auto mac = address ? MacAddress::parse(text::trim(*address)) : std::nullopt) nic.mac = mac;
  }
  if (const auto linked = item.boolean("Linked"); linked && !*linked) {
    nic.cable_connected = false;
    item.take("Linked", field + ".cable_connected");
  }
  item.take_identity(field);
  item.take("ResourceSubType", field + ".model");
  item.take("AddressOnParent", field + ".slot");
  item.take("AutomaticAllocation", field + ".cable_connected");
  if (nic.mac) item.take("Address", field + ".mac");
  if (nic.mac) item.take("MACAddress", field + ".mac");
  const auto connections = item.reader().children("Connection");
  if (!connections.empty()) connections.front().touch(field + ".network");
  if (const auto network = in.networks.find(nic.network); network != in.networks.end()) {
    (void)network->second.text("name", field + ".network");
  }
  read_nic_config(in, item, nic, field);
  if (!item.instance().empty()) in.boot_name_of[item.instance()] = "ethernet" + std::to_string(nic.slot);
  nics.push_back(std::move(nic));
}

void report_generated_macs(Context &in) {
  std::string without_mac;
  for (const Nic &nic : in.machine.hardware.nics) {
    if (!nic.mac) without_mac += (without_mac.empty() ? "" : ", ") + std::to_string(nic.slot + 1);
  }
  if (!without_mac.empty()) {
    in.raise(finding::kMacGenerated, in.machine.hardware.nics.front().origin,
             "the package gives no MAC address for network card" +
                 std::string(without_mac.find(',') == std::string::npos ? " " : "s ") + without_mac);
  }
}

}  // namespace ferry::ovf
