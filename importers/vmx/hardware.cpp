// SPDX-License-Identifier: Apache-2.0
#include "importers/vmware/defaults.hpp"
#include "importers/vmx/reader.hpp"

namespace ferry::vmx {

Hardware read_hardware(Reader &reader) {
  Hardware hardware;
  hardware.chipset = Chipset::i440bx_vmware;
  read_firmware(reader, hardware);
  read_boot_order(reader, hardware);
  read_cpu(reader, hardware);
  if (hardware.cpu.architecture == Cpu::Architecture::arm64) hardware.chipset = Chipset::armv8_virtual;
  read_memory(reader, hardware);
  read_storage(reader, hardware);
  read_network(reader, hardware);
  read_ports(reader, hardware);
  read_sound(reader, hardware);
  read_usb(reader, hardware);
  read_display(reader, hardware);
  read_clock(reader, hardware);
  read_tpm(reader, hardware);
  read_shared_folders(reader, hardware);
  read_passthrough(reader);
  read_smbios(reader, hardware);
  vmware::apply_defaults(hardware);
  return hardware;
}

}  // namespace ferry::vmx
