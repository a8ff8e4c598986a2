// SPDX-License-Identifier: Apache-2.0
// Controllers, drives and what is in them. Since 1.9 all in <StorageControllers>, under <Machine> or <Snapshot> until
// 1.18 and under <Hardware> later. Facts: VirtualBox's settings schema.
#include <algorithm>
#include <array>

#include "importers/vbox/defaults.hpp"
#include "importers/vbox/findings.hpp"
#include "importers/vbox/scope.hpp"
#include "importers/vbox/storage_parts.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

// The turn in which VirtualBox's BIOS looks for disks: IDE, SATA, SCSI (its source: orgs.asm, scsi.c). It boots from no
// other bus.
unsigned bios_turn(const SettingsReader &controller) {
  constexpr std::array<std::string_view, 10> kTurns{"PIIX3",       "PIIX4",    "ICH6",       "AHCI", "LsiLogic",
                                                    "LsiLogicSas", "BusLogic", "VirtioSCSI", "NVMe", "USB"};
  constexpr unsigned kIde = 3;  // there is one IDE controller, whatever its model
  const std::string *type = controller.element().attribute("type");
  for (unsigned i = 0; i < kTurns.size() && type != nullptr; ++i) {
    if (same_word(kTurns[i], *type)) return i < kIde ? 0 : i;
  }
  return kTurns.size();
}

// By the BIOS's turns, and controllers of one kind by their instance.
std::vector<SettingsReader> controllers_in_order(const Scope &scope) {
  std::vector<SettingsReader> out;
  for (const SettingsReader *holder : {&scope.owner, &scope.hardware}) {
    for (const SettingsReader &list : holder->children("StorageControllers")) {
      for (SettingsReader &element : list.children("StorageController")) out.push_back(std::move(element));
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const SettingsReader &a, const SettingsReader &b) {
    return std::pair(bios_turn(a), sort_number(a, "Instance")) < std::pair(bios_turn(b), sort_number(b, "Instance"));
  });
  return out;
}

void read_controller(Scope &scope, const SettingsReader &element) {
  const std::string at = controller_field(scope, scope.hw.controllers.size());
  Controller controller;
  controller.origin = element.place();
  controller.type = controller_type(element, at + ".type");
  controller.name = element.text("name", at + ".name").value_or("");
  controller.ports = small_number(element, "PortCount", at + ".ports", kMostDrivePorts);
  controller.host_io_cache = element.boolean("useHostIOCache", at + ".host_io_cache");
  // VirtualBox's BIOS finds IDE disks whatever the setting says.
  controller.bootable = element.boolean("Bootable", at + ".bootable").value_or(true) || is_ide(controller.type);
  controller.index = count_of_type(scope, controller.type);
  element.settle("Instance", Disposition::irrelevant, "VirtualBox's own count of the controllers of a kind");
  for (const std::string_view name : {"PCIBus", "PCIDevice", "PCIFunction"}) {
    element.settle(name, Disposition::irrelevant, "never used by VirtualBox");
  }
  for (const std::string_view name :
       {"IDE0MasterEmulationPort", "IDE0SlaveEmulationPort", "IDE1MasterEmulationPort", "IDE1SlaveEmulationPort"}) {
    element.settle(name, Disposition::irrelevant, "which SATA ports VirtualBox's BIOS showed as IDE");
  }
  for (const SettingsReader &drive : drives_in_order(element)) read_drive(scope, drive, at, controller);
  scope.hw.controllers.push_back(std::move(controller));
}

}  // namespace

void read_storage(Scope &scope) {
  for (const SettingsReader &element : controllers_in_order(scope)) read_controller(scope, element);
  read_old_storage(scope);
}

}  // namespace ferry::vbox
