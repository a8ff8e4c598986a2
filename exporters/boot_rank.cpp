// SPDX-License-Identifier: Apache-2.0
#include "exporters/boot_rank.hpp"

namespace ferry::target {

unsigned boot_rank(ControllerType type) {
  switch (type) {
    case ControllerType::ide_piix3:
    case ControllerType::ide_piix4:
    case ControllerType::ide_ich6:
    case ControllerType::ide_vmware: return 0;
    case ControllerType::ahci: return 1;
    case ControllerType::nvme: return 3;
    case ControllerType::usb_storage: return 4;
    default: return 2;
  }
}

bool is_named(const Controller &controller, const Drive &drive, const std::string &detail) {
  const bool ide = boot_rank(controller.type) == 0;
  const std::string bus = ide ? "ide" + std::to_string(drive.port + controller.index) : controller.name;
  return bus + ":" + std::to_string(ide ? drive.device : drive.port) == detail;
}

}  // namespace ferry::target
