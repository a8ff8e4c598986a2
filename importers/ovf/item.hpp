// SPDX-License-Identifier: Apache-2.0
// One virtual device of a VirtualHardwareSection: an Item, StorageItem or EthernetPortItem.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/ovf/context.hpp"

namespace ferry::ovf {

// CIM_ResourceAllocationSettingData.ResourceType, as far as a virtual machine can have it.
enum class Resource : int {
  other = 1,
  computer = 2,
  processor = 3,
  memory = 4,
  ide = 5,
  scsi = 6,
  fibre_channel = 7,
  iscsi = 8,
  infiniband = 9,
  ethernet = 10,
  other_network = 11,
  io_slot = 12,
  io_device = 13,
  floppy = 14,
  cd = 15,
  dvd = 16,
  disk = 17,
  tape = 18,
  storage_extent = 19,
  other_storage = 20,
  serial = 21,
  parallel = 22,
  usb = 23,
  graphics = 24,
  firewire = 25,
  partitionable_unit = 26,
  base_partition = 27,
  power = 28,
  cooling = 29,
  switch_port = 30,
  logical_disk = 31,
  storage_volume = 32,
  ethernet_connection = 33,
  sound = 35,
};

class Item {
 public:
  explicit Item(SettingsReader reader);

  [[nodiscard]] const SettingsReader &reader() const { return reader_; }
  [[nodiscard]] int type() const { return type_; }  // ResourceType; 0 when it is absent or no number
  [[nodiscard]] bool is(Resource kind) const { return type_ == static_cast<int>(kind); }
  [[nodiscard]] const std::string &instance() const { return instance_; }
  [[nodiscard]] const std::vector<std::string> &subtypes() const { return subtypes_; }  // lower case
  [[nodiscard]] bool has_subtype(std::string_view name) const;
  // A child's text without taking it; nullopt when it is absent or empty.
  [[nodiscard]] std::optional<std::string> text(std::string_view child) const { return peek(reader_, child); }
  [[nodiscard]] std::optional<unsigned> number(std::string_view child) const;
  // "true", "false", "1", "0"; nullopt for anything else.
  [[nodiscard]] std::optional<bool> boolean(std::string_view child) const;
  // Enters every child of that name into `field`.
  void take(std::string_view child, std::string_view field) const;
  // ResourceType and InstanceID say what and where the device is: into its own field.
  void take_identity(std::string_view field) const;
  [[nodiscard]] std::string label() const;  // ElementName or Caption, for messages

 private:
  SettingsReader reader_;
  int type_ = 0;
  std::string instance_;
  std::vector<std::string> subtypes_;
};

// The Items that the chosen configuration has, in order: an Item of a configuration takes the place of the general
// one with the same InstanceID; bounds are no devices. The others are settled.
[[nodiscard]] std::vector<Item> select_items(Context &in, const SettingsReader &hardware_section);

// Settles what no device took of an Item, by the published elements of RASD, SASD, EPASD and PASD.
void settle_item(Context &in, const Item &item);

// "true" and "false" in the spellings of XML Schema and of VMX.
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);

// ---- controllers.cpp ----
void add_controllers(Context &in, const std::vector<Item> &items);
// ---- drives.cpp: needs the controllers ----
void add_drives(Context &in, const std::vector<Item> &items);
// ---- devices.cpp ----
void add_devices(Context &in, const std::vector<Item> &items);
// ---- vmware_config.cpp ----
// vmw:Config and vmw:ExtraConfig of the whole hardware section, after all devices.
void read_vmware_config(Context &in, const SettingsReader &hardware_section);
// vmw:Config of one device that is at `field` in the model.
void read_controller_config(Context &in, const Item &item, Controller &controller, const std::string &field);
void read_nic_config(Context &in, const Item &item, Nic &nic, const std::string &field);
void read_display_config(Context &in, const Item &item, Display &display);
void read_usb_config(Context &in, const Item &item, const std::string &field);
// vmw:Config of a device that takes none of it.
void settle_device_config(const Item &item);

}  // namespace ferry::ovf
