// SPDX-License-Identifier: Apache-2.0
// bootOrder, which counts from 1 over disks and cards together.
#include "exporters/boot_sequence.hpp"
#include "exporters/kubevirt/mapping.hpp"

namespace ferry::kubevirt {

void map_boot_order(Mapping &m) {
  std::vector<target::BootDrive> drives;
  for (const target::Disk &disk : m.result.disks) {
    const Controller &controller = m.hardware.controllers[disk.controller];
    drives.push_back({&controller, &controller.drives[disk.drive]});
  }
  unsigned last = 0;
  for (const target::BootChoice &choice : target::boot_sequence(m.hardware, drives, m.cards)) {
    const bool card = choice.of == target::BootChoice::Of::cards;
    m.devices[card ? "interfaces" : "disks"][choice.index]["bootOrder"] = ++last;
  }
  m.keep("boot_order");
}

}  // namespace ferry::kubevirt
