// SPDX-License-Identifier: Apache-2.0
// Everything that has a place, in the order in which QEMU makes it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "importers/qemu/blocks.hpp"
#include "importers/qemu/context.hpp"
#include "importers/qemu/drivers.hpp"
#include "importers/qemu/pci.hpp"
#include "importers/qemu/usb.hpp"

namespace ferry::qemu {

class DeviceReader {
 public:
  explicit DeviceReader(Context &c);
  void read();

 private:
  // A device that is to be made.
  struct Unit {
    std::string driver;            // QEMU's name, without aliases
    Option *option = nullptr;      // null: QEMU adds it
    Block *block = nullptr;        // a drive of if=virtio
    Option *backend = nullptr;     // of a card of -nic, -net
    bool card_of_backend = false;  // -nic: the card's keys stand in the back end's option
    bool has_backend = false;
  };

  // ---- devices.cpp ----
  void plan();
  void plan_defaults();
  void plan_option(Option &option);
  void make(Unit &unit);
  PciPlace pci(Unit &unit, const std::string &field);
  UsbPlace usb(Unit &unit, const std::string &field);
  [[nodiscard]] std::string key(const Unit &unit, std::string_view name) const;
  [[nodiscard]] std::string id_of(const Unit &unit) const { return key(unit, "id"); }
  [[nodiscard]] Place place_of(const Unit &unit) const;
  void finish_keys(Unit &unit, const std::string &field, std::map<std::string, std::string> &properties);
  void drop_keys(Unit &unit, const std::string &field);
  void add_usb_controllers();
  void finish_blocks();
  void keep_verbatim(Unit &unit);
  void keep_backends();

  // ---- device_drives.cpp ----
  struct DriveBus {
    std::string name;            // "ide.0", "sata.2", "scsi0.0"
    std::size_t controller = 0;  // index in the model
    unsigned port = 0, units = 1;
    bool scsi = false;
    std::set<std::pair<unsigned, unsigned>> used;
  };
  std::size_t add_controller(ControllerType type, std::string name, std::string device);
  void add_board_drives();
  void make_drive(Unit &unit, DriverClass kind);
  void make_adapter(Unit &unit, DriverClass kind, const Driver &driver);
  Block *block_of(Unit &unit);
  void put(std::size_t controller, Drive drive, Unit &unit, Block *block);
  DriveBus &drive_bus(const Unit &unit, bool scsi);

  // ---- device_nics.cpp ----
  void plan_nics();
  void make_nic(Unit &unit, const Driver &driver);
  void choose_mac(Nic &nic, Unit &unit, const std::string &field);

  // ---- device_others.cpp ----
  void make_video(Unit &unit, const Driver &driver);
  void make_sound(Unit &unit, DriverClass kind, const Driver &driver);
  void make_usb_adapter(Unit &unit, DriverClass kind);
  void make_bridge(Unit &unit, const Driver &driver);
  void make_device(Unit &unit, DriverClass kind);
  void make_channel(Unit &unit);
  void make_tpm(Unit &unit);
  void make_apple_smc(Unit &unit);
  void make_generation_id(Unit &unit);
  void make_port(Unit &unit, bool serial);

  Context &c_;
  std::vector<Block> blocks_;
  std::vector<Unit> units_;
  PciBuses pci_;
  UsbBuses usb_;
  std::map<std::string, unsigned> usb_by_name_;  // bus of an EHCI -> index in the model
  std::vector<DriveBus> ide_buses_, scsi_buses_;
  unsigned ide_names_ = 0, scsi_names_ = 0;
  std::optional<std::size_t> virtio_, floppies_, usb_drives_;
  std::set<std::string> macs_;
  std::map<Option *, unsigned> backend_users_;
  std::vector<std::string> verbatim_ids_;  // values that devices of qemu_arguments name
  bool sound_there_ = false;
};

}  // namespace ferry::qemu
