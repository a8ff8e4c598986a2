// SPDX-License-Identifier: Apache-2.0
// Boot order, as <boot order> of each device.
#include "exporters/boot_sequence.hpp"
#include "exporters/libvirt/map/storage_buses.hpp"

namespace ferry::libvirt {
namespace {

std::vector<target::BootChoice> sequence_of(const Mapping &m) {
  std::vector<target::BootDrive> drives;
  for (const target::Disk &disk : m.result.disks) {
    const Controller &controller = m.hardware.controllers[disk.controller];
    drives.push_back({&controller, &controller.drives[disk.drive]});
  }
  std::vector<target::BootCard> cards;
  for (std::size_t i = 0; i < m.domain.interfaces.size(); ++i)
    cards.push_back({&m.hardware.nics[i], m.domain.interfaces[i].link_up});
  return target::boot_sequence(m.hardware, drives, cards);
}

// libvirt ranks the namespace, which QEMU then names to the firmware without the PCI address of its controller:
// SeaBIOS takes the controller for one that does not boot [tried: SeaBIOS 1.17, libvirt 12.8, QEMU 11.1]. A rank of
// the controller's own, next to the namespace's, names it in full. EFI machines boot without, by their variables.
void rank_controller(Mapping &m, const DomainDisk &disk, unsigned &last) {
  DomainController *controller = m.nvme_controller(disk.drive->controller);
  if (controller == nullptr || !controller->alias.empty()) return;
  controller->alias = "ua-nvme" + std::to_string(controller->index);
  m.domain.qemu_overrides.push_back({controller->alias, {{"bootindex", "unsigned", std::to_string(++last)}}});
  m.taint("the boot rank of NVMe disks");
}

}  // namespace

void map_boot_order(Mapping &m) {
  unsigned last = 0;
  for (const target::BootChoice &choice : sequence_of(m)) {
    if (choice.of == target::BootChoice::Of::cards) {
      m.domain.interfaces[choice.index].boot_order = ++last;
      continue;
    }
    DomainDisk &disk = m.domain.disks[choice.index];
    disk.boot_order = ++last;
    const bool by_libvirt = disk.bus == "nvme" && nvme_way(m.host) == NvmeWay::by_libvirt;
    if (by_libvirt && !m.efi()) rank_controller(m, disk, last);
  }
  if (m.efi()) {
    m.translate("boot_order", "the EFI variables decide; all disks stay bootable");
  } else {
    m.keep("boot_order", "boot order of the devices");
  }
  for (std::size_t i = 0; i < m.hardware.boot_order.size(); ++i) {
    if (m.hardware.boot_order[i].kind == BootDevice::Kind::usb)
      m.drop(field_at("boot_order", i), "no USB disk is attached");
  }
}

}  // namespace ferry::libvirt
