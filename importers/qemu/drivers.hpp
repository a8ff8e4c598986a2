// SPDX-License-Identifier: Apache-2.0
// QEMU's device models, by what becomes of them.
#pragma once

#include <string_view>

namespace ferry::qemu {

enum class DriverClass {
  other,  // nothing of ours: QEMU gets it as it is
  ide_drive,
  scsi_drive,
  virtio_drive,
  usb_drive,
  floppy_drive,
  ahci,
  scsi_adapter,
  nic,
  usb_nic,
  isa_nic,
  video,
  hda,
  codec,
  sound,
  usb_sound,
  usb_input,
  virtio_input,
  usb_adapter,
  usb_companion,
  usb_host,
  usb_redirection,
  usb_hub,
  smartcard,
  serial_bus,
  serial_port,
  balloon,
  random,
  watchdog,
  tpm,
  file_system,
  iommu,
  isa_serial,
  isa_parallel,
  apple_smc,
  generation_id,
  bridge,
  host_pci,
};

struct Driver {
  std::string_view name;  // QEMU's, without aliases
  DriverClass kind = DriverClass::other;
  std::string_view libvirt;  // what libvirt calls the model; empty: the same, or nothing
  bool pci = true;
};

// By name or alias; nullptr for a device that is not known.
[[nodiscard]] const Driver *find_driver(std::string_view name);
// Of a device that is not known: whether it takes a PCI slot.
[[nodiscard]] bool takes_pci_slot(std::string_view name);

}  // namespace ferry::qemu
