// SPDX-License-Identifier: Apache-2.0
// Network cards, ethernetN.*. addressType says which of address and generatedAddress counts: generated (the
// product made it), vpx (vCenter made it), static (the user did). vmnet0, 1 and 8 are the products' bridge,
// host-only and NAT networks.
#include <map>

#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

NicModel default_model(const GuestOs &guest) {
  return guest.is_64bit || guest.family == OsFamily::macos ? NicModel::e1000_82545em : NicModel::vlance;
}

NicModel read_model(Reader &reader, const std::string &name, const std::string &field) {
  static const std::map<std::string, NicModel, std::less<>> kModels{
      {"vlance", NicModel::vlance},       {"pcnet32", NicModel::vlance},  {"flexible", NicModel::flexible},
      {"vmxnet", NicModel::vmxnet},       {"vmxnet2", NicModel::vmxnet2}, {"vmxnet3", NicModel::vmxnet3},
      {"e1000", NicModel::e1000_82545em}, {"e1000e", NicModel::e1000e},   {"usb", NicModel::usbnet}};
  const std::string key = name + ".virtualDev";
  const auto value = reader.settings.filled(key, field + ".model");
  const auto features = reader.settings.number(name + ".features", field + ".model");
  if (!value) return default_model(reader.guest);
  const auto hit = kModels.find(text::lower_ascii(*value));
  if (hit == kModels.end()) {
    const bool passed = text::iequals_ascii(*value, "sriov") || text::iequals_ascii(*value, "vrdma");
    reader.find(
        passed ? kPassthrough : kBadValue, key,
        "\"" + text::printable(*value) + "\" is not a network card that can be emulated; VMware's default is used");
    return passed ? NicModel::vmxnet3 : default_model(reader.guest);
  }
  // "Enhanced vmxnet" is vmxnet with the feature bits 15.
  if (hit->second == NicModel::vmxnet && features.value_or(0) == 15) return NicModel::vmxnet2;
  return hit->second;
}

void read_address(Reader &reader, const std::string &name, const std::string &field, Nic &nic) {
  Settings &settings = reader.settings;
  std::string type = text::lower_ascii(settings.filled(name + ".addressType", field + ".mac").value_or(""));
  if (type.empty())
    type = settings.has(name + ".generatedAddress") || !settings.has(name + ".address") ? "generated" : "static";
  nic.mac_generated = type != "static";
  const std::string used = name + (nic.mac_generated ? ".generatedAddress" : ".address");
  const std::string other = name + (nic.mac_generated ? ".address" : ".generatedAddress");
  const auto value = settings.filled(used, field + ".mac");
  settings.settle(other, Disposition::irrelevant, "addressType says that another key holds the address");
  settings.settle(name + ".generatedAddressOffset", Disposition::irrelevant,
                  "says how VMware made the address, which is kept itself");
  if (!value) return;
  nic.mac = MacAddress::parse(text::trim(*value));
  if (!nic.mac) reader.find(kBadValue, used, "\"" + text::printable(*value) + "\" is not a MAC address");
}

// A virtual network by its number: "VMnet8" (Windows), "/dev/vmnet8" (Linux), "vmnet8".
void apply_vnet(const std::string &vnet, Nic &nic) {
  std::string name = text::lower_ascii(vnet);
  if (name.rfind("/dev/", 0) == 0) name.erase(0, 5);
  nic.network = name;
  if (name == "vmnet0") nic.mode = NicMode::bridged;
  if (name == "vmnet1") nic.mode = NicMode::host_only;
  if (name == "vmnet8") nic.mode = NicMode::nat;
}

void read_mode(Reader &reader, const std::string &name, const std::string &field, Nic &nic) {
  static const std::map<std::string, NicMode, std::less<>> kModes{
      {"nat", NicMode::nat},       {"bridged", NicMode::bridged}, {"hostonly", NicMode::host_only},
      {"custom", NicMode::custom}, {"pvn", NicMode::internal},    {"none", NicMode::null}};
  Settings &settings = reader.settings;
  nic.mode = NicMode::bridged;  // VMware's default, and what a port group of ESX comes down to
  const std::string key = name + ".connectionType";
  if (const auto type = settings.filled(key, field + ".mode")) {
    const auto hit = kModes.find(text::lower_ascii(*type));
    if (hit != kModes.end()) nic.mode = hit->second;
    if (hit == kModes.end()) {
      reader.find(kBadValue, key, "\"" + text::printable(*type) + "\" is not a known kind of connection");
    }
  }
  if (const auto group = settings.filled(name + ".networkName", field + ".network")) nic.network = *group;
  if (const auto vnet = settings.filled(name + ".vnet", field + ".network")) {
    if (nic.mode == NicMode::custom) apply_vnet(*vnet, nic);
  }
  if (const auto segment = settings.filled(name + ".pvnID", field + ".network")) {
    if (nic.mode == NicMode::internal) nic.network = *segment;
  }
  if (const auto device = settings.filled(name + ".bridgeIf", field + ".network")) nic.network = *device;
  if (const auto device = settings.filled(name + ".devName", field + ".network")) {
    if (nic.network.empty()) nic.network = *device;
  }
}

// What names the network in vSphere and NSX, for people and for a mapping by hand.
void read_properties(Reader &reader, const std::string &name, const std::string &field, Nic &nic) {
  for (const std::string_view key : {"opaqueNetwork.id", "opaqueNetwork.type", "dvs.switchId", "dvs.portId",
                                     "dvs.portgroupId", "dvs.connectionId", "externalId", "filter0.name"}) {
    const std::string full = name + "." + std::string(key);
    if (const auto value = reader.settings.filled(full, field + ".properties"))
      nic.properties[std::string(key)] = *value;
  }
  if (nic.network.empty()) {
    for (const char *key : {"dvs.portgroupId", "opaqueNetwork.id"}) {
      if (nic.network.empty() && nic.properties.contains(key)) nic.network = nic.properties[key];
    }
  }
}

void read_bandwidth(Reader &reader, const std::string &name, const std::string &field, Nic &nic) {
  // Workstation writes both directions in kbit/s; the smaller one is the limit of the model's one number.
  for (const char *key : {".rxbw.limit", ".txbw.limit"}) {
    const auto limit = reader.settings.number(name + key, field + ".bandwidth_bytes_per_second");
    if (!limit || *limit <= 0 || *limit > (1LL << 40)) continue;
    const std::uint64_t bytes = static_cast<std::uint64_t>(*limit) * 1000 / 8;
    if (!nic.bandwidth_bytes_per_second || *nic.bandwidth_bytes_per_second > bytes)
      nic.bandwidth_bytes_per_second = bytes;
  }
}

}  // namespace

void read_network(Reader &reader, Hardware &hardware) {
  for (const unsigned index : reader.settings.indices("ethernet")) {
    const std::string name = "ethernet" + std::to_string(index);
    const std::string field = reader.field("nics." + std::to_string(hardware.nics.size()));
    if (!reader.settings.present(name, false, field)) continue;
    Nic nic;
    nic.slot = index;
    nic.origin = reader.settings.place(name + ".present");
    nic.model = read_model(reader, name, field);
    read_address(reader, name, field, nic);
    read_mode(reader, name, field, nic);
    read_properties(reader, name, field, nic);
    read_bandwidth(reader, name, field, nic);
    nic.pci_slot = read_pci_slot(reader, name, field + ".pci_slot");
    nic.cable_connected = reader.settings.boolean(name + ".startConnected", field + ".cable_connected").value_or(true);
    hardware.nics.push_back(std::move(nic));
  }
}

}  // namespace ferry::vmx
