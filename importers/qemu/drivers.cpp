// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/drivers.hpp"

#include <algorithm>
#include <array>

namespace ferry::qemu {
namespace {

using Class = DriverClass;

constexpr std::array kDrivers{
    Driver{"ide-hd", Class::ide_drive, {}, false},
    Driver{"ide-cd", Class::ide_drive, {}, false},
    Driver{"ide-drive", Class::ide_drive, {}, false},
    Driver{"scsi-hd", Class::scsi_drive, {}, false},
    Driver{"scsi-cd", Class::scsi_drive, {}, false},
    Driver{"scsi-disk", Class::scsi_drive, {}, false},
    Driver{"scsi-block", Class::scsi_drive, {}, false},
    Driver{"virtio-blk-pci", Class::virtio_drive},
    Driver{"usb-storage", Class::usb_drive, {}, false},
    Driver{"floppy", Class::floppy_drive, {}, false},
    Driver{"ich9-ahci", Class::ahci},
    Driver{"lsi53c895a", Class::scsi_adapter, "lsilogic"},
    Driver{"lsi53c810", Class::scsi_adapter, "lsilogic"},
    Driver{"virtio-scsi-pci", Class::scsi_adapter, "virtio-scsi"},
    Driver{"megasas", Class::scsi_adapter, "lsisas1078"},
    Driver{"pvscsi", Class::scsi_adapter, "vmpvscsi"},
    Driver{"mptsas1068", Class::scsi_adapter, "lsisas1068"},
    Driver{"am53c974", Class::scsi_adapter, "am53c974"},
    Driver{"dc390", Class::scsi_adapter, "dc390"},
    Driver{"e1000", Class::nic},
    Driver{"e1000-82544gc", Class::nic},
    Driver{"e1000-82545em", Class::nic},
    Driver{"e1000e", Class::nic},
    Driver{"igb", Class::nic},
    Driver{"virtio-net-pci", Class::nic, "virtio"},
    Driver{"rtl8139", Class::nic},
    Driver{"pcnet", Class::nic},
    Driver{"vmxnet3", Class::nic},
    Driver{"ne2k_pci", Class::nic},
    Driver{"tulip", Class::nic},
    Driver{"i82550", Class::nic},
    Driver{"i82551", Class::nic},
    Driver{"i82557a", Class::nic},
    Driver{"i82557b", Class::nic},
    Driver{"i82557c", Class::nic},
    Driver{"i82558a", Class::nic},
    Driver{"i82558b", Class::nic},
    Driver{"i82559a", Class::nic},
    Driver{"i82559b", Class::nic},
    Driver{"i82559c", Class::nic},
    Driver{"i82559er", Class::nic},
    Driver{"i82562", Class::nic},
    Driver{"i82801", Class::nic},
    Driver{"usb-net", Class::usb_nic, {}, false},
    Driver{"ne2k_isa", Class::isa_nic, {}, false},
    Driver{"VGA", Class::video, "vga"},
    Driver{"cirrus-vga", Class::video, "cirrus"},
    Driver{"qxl-vga", Class::video, "qxl"},
    Driver{"qxl", Class::video, "qxl"},
    Driver{"virtio-vga", Class::video, "virtio"},
    Driver{"virtio-vga-gl", Class::video, "virtio"},
    Driver{"virtio-gpu-pci", Class::video, "virtio"},
    Driver{"virtio-gpu-gl-pci", Class::video, "virtio"},
    Driver{"vmware-svga", Class::video, "vmvga"},
    Driver{"bochs-display", Class::video, "bochs"},
    Driver{"ramfb", Class::video, "ramfb", false},
    Driver{"intel-hda", Class::hda, "ich6"},
    Driver{"ich9-intel-hda", Class::hda, "ich9"},
    Driver{"hda-duplex", Class::codec, "duplex", false},
    Driver{"hda-output", Class::codec, "output", false},
    Driver{"hda-micro", Class::codec, "micro", false},
    Driver{"AC97", Class::sound, "ac97"},
    Driver{"ES1370", Class::sound, "es1370"},
    Driver{"sb16", Class::sound, "sb16", false},
    Driver{"usb-audio", Class::usb_sound, "usb", false},
    Driver{"usb-kbd", Class::usb_input, "keyboard", false},
    Driver{"usb-mouse", Class::usb_input, "mouse", false},
    Driver{"usb-tablet", Class::usb_input, "tablet", false},
    Driver{"virtio-keyboard-pci", Class::virtio_input, "keyboard"},
    Driver{"virtio-mouse-pci", Class::virtio_input, "mouse"},
    Driver{"virtio-tablet-pci", Class::virtio_input, "tablet"},
    Driver{"piix3-usb-uhci", Class::usb_adapter, "piix3-uhci"},
    Driver{"piix4-usb-uhci", Class::usb_adapter, "piix4-uhci"},
    Driver{"vt82c686b-usb-uhci", Class::usb_adapter, "vt82c686b-uhci"},
    Driver{"usb-ehci", Class::usb_adapter, "ehci"},
    Driver{"ich9-usb-ehci1", Class::usb_adapter, "ich9-ehci1"},
    Driver{"ich9-usb-uhci1", Class::usb_companion, "ich9-uhci1"},
    Driver{"ich9-usb-uhci2", Class::usb_companion, "ich9-uhci2"},
    Driver{"ich9-usb-uhci3", Class::usb_companion, "ich9-uhci3"},
    Driver{"pci-ohci", Class::usb_adapter, "pci-ohci"},
    Driver{"nec-usb-xhci", Class::usb_adapter, "nec-xhci"},
    Driver{"qemu-xhci", Class::usb_adapter, "qemu-xhci"},
    Driver{"usb-host", Class::usb_host, {}, false},
    Driver{"usb-redir", Class::usb_redirection, {}, false},
    Driver{"usb-hub", Class::usb_hub, {}, false},
    Driver{"usb-ccid", Class::smartcard, {}, false},
    Driver{"virtio-serial-pci", Class::serial_bus},
    Driver{"virtserialport", Class::serial_port, {}, false},
    Driver{"virtconsole", Class::serial_port, {}, false},
    Driver{"virtio-balloon-pci", Class::balloon},
    Driver{"virtio-rng-pci", Class::random},
    Driver{"i6300esb", Class::watchdog},
    Driver{"ib700", Class::watchdog, {}, false},
    Driver{"tpm-tis", Class::tpm, {}, false},
    Driver{"tpm-crb", Class::tpm, {}, false},
    Driver{"virtio-9p-pci", Class::file_system},
    Driver{"intel-iommu", Class::iommu, "intel", false},
    Driver{"isa-serial", Class::isa_serial, {}, false},
    Driver{"isa-parallel", Class::isa_parallel, {}, false},
    Driver{"isa-applesmc", Class::apple_smc, {}, false},
    Driver{"vmgenid", Class::generation_id, {}, false},
    Driver{"pcie-root-port", Class::bridge, "pcie-root-port"},
    Driver{"ioh3420", Class::bridge, "pcie-root-port"},
    Driver{"pci-bridge", Class::bridge, "pci-bridge"},
    Driver{"i82801b11-bridge", Class::bridge, "dmi-to-pci-bridge"},
    Driver{"pcie-pci-bridge", Class::bridge, "pcie-to-pci-bridge"},
    Driver{"x3130-upstream", Class::bridge, "pcie-switch-upstream-port"},
    Driver{"xio3130-downstream", Class::bridge, "pcie-switch-downstream-port"},
    Driver{"pxb", Class::bridge, "pci-expander-bus"},
    Driver{"pxb-pcie", Class::bridge, "pcie-expander-bus"},
    Driver{"vfio-pci", Class::host_pci},
    Driver{"pci-assign", Class::host_pci},
};

struct Alias {
  std::string_view alias, name;
};
// softmmu/qdev-monitor.c, and spellings of machines' own lists.
constexpr std::array kAliases{
    Alias{"ahci", "ich9-ahci"},
    Alias{"lsi", "lsi53c895a"},
    Alias{"e1000-82540em", "e1000"},
    Alias{"virtio-blk", "virtio-blk-pci"},
    Alias{"virtio-net", "virtio-net-pci"},
    Alias{"virtio", "virtio-net-pci"},
    Alias{"virtio-scsi", "virtio-scsi-pci"},
    Alias{"virtio-serial", "virtio-serial-pci"},
    Alias{"virtio-rng", "virtio-rng-pci"},
    Alias{"virtio-gpu", "virtio-gpu-pci"},
    Alias{"virtio-gpu-gl", "virtio-gpu-gl-pci"},
    Alias{"virtio-9p", "virtio-9p-pci"},
    Alias{"virtio-balloon", "virtio-balloon-pci"},
    Alias{"virtio-keyboard", "virtio-keyboard-pci"},
    Alias{"virtio-mouse", "virtio-mouse-pci"},
    Alias{"virtio-tablet", "virtio-tablet-pci"},
    Alias{"ac97", "AC97"},
    Alias{"es1370", "ES1370"},
    Alias{"vga", "VGA"},
    Alias{"usb-braille", "usb-braille"},
};

}  // namespace

const Driver *find_driver(std::string_view name) {
  for (const Alias &alias : kAliases) {
    if (alias.alias == name) name = alias.name;
  }
  // Transitional and modern spellings of one device: which of the two it is, the bus says to libvirt too.
  const auto *found =
      std::find_if(kDrivers.begin(), kDrivers.end(), [&](const Driver &driver) { return driver.name == name; });
  return found == kDrivers.end() ? nullptr : found;
}

bool takes_pci_slot(std::string_view name) {
  for (const std::string_view prefix :
       {"isa-",       "i2c-",    "smbus-",    "usb-",           "ccid-",        "hda-",   "pvpanic",
        "vmcoreinfo", "vmgenid", "loader",    "generic-loader", "guest-loader", "nvdimm", "pc-dimm",
        "adlib",      "gus",     "cs4231a",   "virtconsole",    "ide-",         "scsi-",  "sga",
        "kvm-",       "hpet",    "amd-iommu", "tpm-",           "port92",       "i8042",  "mc146818rtc",
        "sysbus-",    "wacom",   "u2f-",      "VGA-isa",        "spapr-"}) {
    if (name.starts_with(prefix)) return false;
  }
  return true;
}

}  // namespace ferry::qemu
