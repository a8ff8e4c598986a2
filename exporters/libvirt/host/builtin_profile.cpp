// SPDX-License-Identifier: Apache-2.0
// The profile for a plan that nobody asked libvirt for. It is a subset of what Debian 12's packages gave when they
// were recorded (fixtures/hosts/debian-12.json), because a plan that promises less than the host has is safe and one
// that promises more is not: no KVM, no bridge, no network, nothing that needs an optional package.
#include "exporters/libvirt/host/host_profile.hpp"
#include "exporters/libvirt/host/local_host.hpp"

namespace ferry::libvirt {

namespace {

// Paths, order and features of Debian's package ovmf; the size is that of its 4M variable stores.
std::vector<target::FirmwareImage> debian_firmware() {
  target::FirmwareImage secure;
  secure.description = "UEFI firmware for x86_64, with Secure Boot and SMM, empty varstore";
  secure.loader = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd";
  secure.nvram_template = "/usr/share/OVMF/OVMF_VARS_4M.fd";
  secure.architecture = "x86_64";
  secure.machines = {"pc-q35-*"};
  secure.features = {"acpi-s3", "requires-smm", "secure-boot"};
  secure.vars_size = 540672;
  target::FirmwareImage enrolled = secure;
  enrolled.description = "UEFI firmware for x86_64, with Secure Boot and SMM, SB enabled, MS certs enrolled";
  enrolled.loader = "/usr/share/OVMF/OVMF_CODE_4M.ms.fd";
  enrolled.nvram_template = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";
  enrolled.features.insert("enrolled-keys");
  target::FirmwareImage plain = secure;
  plain.description = "UEFI firmware for x86_64, without Secure Boot, without SMM, with empty varstore";
  plain.loader = "/usr/share/OVMF/OVMF_CODE_4M.fd";
  plain.machines = {"pc-i440fx-*", "pc-q35-*"};
  plain.features = {"acpi-s3"};
  return {enrolled, secure, plain};
}

}  // namespace

HostProfile builtin_host_profile() {
  HostProfile profile;
  profile.name = "the built-in host profile (libvirt 9.0, QEMU 7.2)";
  profile.built_in = true;
  profile.libvirt_version = 9000000;
  profile.qemu_version = 7002000;
  profile.emulator = "/usr/bin/qemu-system-x86_64";
  profile.machine_types = {"pc", "pc-i440fx-7.2", "pc-q35-7.2", "q35"};
  profile.cpu_modes = {"custom", "host-model", "maximum"};
  profile.cpu_models = {"qemu64", "Nehalem", "Penryn", "Westmere"};
  profile.disk_buses = {"fdc", "ide", "sata", "scsi", "usb", "virtio"};
  profile.graphics = {"spice", "vnc"};
  profile.video_models = {"bochs", "cirrus", "none", "qxl", "vga", "virtio", "vmvga"};
  profile.sound_models = {"ac97", "es1370", "ich6", "ich9", "sb16", "usb"};
  profile.nic_models = {"e1000", "e1000-82545em", "e1000e", "ne2k_pci", "pcnet", "rtl8139", "virtio", "vmxnet3"};
  profile.scsi_models = {"lsilogic", "lsisas1068", "virtio-scsi", "vmpvscsi"};
  profile.usb_models = {"ehci",     "ich9-ehci1", "ich9-uhci1", "ich9-uhci2", "ich9-uhci3",
                        "nec-xhci", "pci-ohci",   "piix3-uhci", "qemu-xhci"};
  profile.network_backends = {"default"};
  profile.filesystem_drivers = {"path"};
  profile.char_types = {"pty", "spicevmc", "unix"};
  profile.usb_redirection = true;
  profile.nvme_device = true;
  profile.smartcard = true;
  profile.firmware = debian_firmware();
  profile.image_folder = session_image_folder();
  return profile;
}

}  // namespace ferry::libvirt
