// SPDX-License-Identifier: Apache-2.0
#include "model/names.hpp"

namespace ferry {

std::string_view to_string(FirmwareType value) {
  switch (value) {
    case FirmwareType::bios: return "bios";
    case FirmwareType::efi32: return "efi32";
    case FirmwareType::efi64: return "efi64";
  }
  return "?";
}

std::string_view to_string(Chipset value) {
  switch (value) {
    case Chipset::piix3: return "piix3";
    case Chipset::ich9: return "ich9";
    case Chipset::i440bx_vmware: return "i440bx_vmware";
    case Chipset::armv8_virtual: return "armv8_virtual";
  }
  return "?";
}

std::string_view to_string(Cpu::Architecture value) {
  switch (value) {
    case Cpu::Architecture::x86: return "x86";
    case Cpu::Architecture::x86_64: return "x86_64";
    case Cpu::Architecture::arm64: return "arm64";
  }
  return "?";
}

std::string_view to_string(Paravirtualization value) {
  switch (value) {
    case Paravirtualization::none: return "none";
    case Paravirtualization::legacy: return "legacy";
    case Paravirtualization::minimal: return "minimal";
    case Paravirtualization::hyperv: return "hyperv";
    case Paravirtualization::kvm: return "kvm";
  }
  return "?";
}

std::string_view to_string(ControllerType value) {
  switch (value) {
    case ControllerType::ide_piix3: return "ide_piix3";
    case ControllerType::ide_piix4: return "ide_piix4";
    case ControllerType::ide_ich6: return "ide_ich6";
    case ControllerType::ide_vmware: return "ide_vmware";
    case ControllerType::ahci: return "ahci";
    case ControllerType::lsilogic: return "lsilogic";
    case ControllerType::lsilogic_sas: return "lsilogic_sas";
    case ControllerType::buslogic: return "buslogic";
    case ControllerType::pvscsi: return "pvscsi";
    case ControllerType::virtio_scsi: return "virtio_scsi";
    case ControllerType::nvme: return "nvme";
    case ControllerType::usb_storage: return "usb_storage";
    case ControllerType::floppy: return "floppy";
    case ControllerType::virtio_blk: return "virtio_blk";
    case ControllerType::lsi53c895a: return "lsi53c895a";
    case ControllerType::megasas: return "megasas";
    case ControllerType::am53c974: return "am53c974";
  }
  return "?";
}

std::string_view to_string(DriveKind value) {
  switch (value) {
    case DriveKind::disk: return "disk";
    case DriveKind::cdrom: return "cdrom";
    case DriveKind::floppy: return "floppy";
  }
  return "?";
}

std::string_view to_string(NicModel value) {
  switch (value) {
    case NicModel::am79c960: return "am79c960";
    case NicModel::am79c970a: return "am79c970a";
    case NicModel::am79c973: return "am79c973";
    case NicModel::e1000_82540em: return "e1000_82540em";
    case NicModel::e1000_82543gc: return "e1000_82543gc";
    case NicModel::e1000_82545em: return "e1000_82545em";
    case NicModel::e1000e: return "e1000e";
    case NicModel::e82583v: return "e82583v";
    case NicModel::virtio: return "virtio";
    case NicModel::vlance: return "vlance";
    case NicModel::vmxnet: return "vmxnet";
    case NicModel::vmxnet2: return "vmxnet2";
    case NicModel::vmxnet3: return "vmxnet3";
    case NicModel::flexible: return "flexible";
    case NicModel::ne1000: return "ne1000";
    case NicModel::ne2000: return "ne2000";
    case NicModel::wd8003: return "wd8003";
    case NicModel::wd8013: return "wd8013";
    case NicModel::elnk2: return "elnk2";
    case NicModel::elnk1: return "elnk1";
    case NicModel::usbnet: return "usbnet";
  }
  return "?";
}

std::string_view to_string(NicMode value) {
  switch (value) {
    case NicMode::none: return "none";
    case NicMode::null: return "null";
    case NicMode::nat: return "nat";
    case NicMode::nat_network: return "nat_network";
    case NicMode::bridged: return "bridged";
    case NicMode::internal: return "internal";
    case NicMode::host_only: return "host_only";
    case NicMode::host_only_network: return "host_only_network";
    case NicMode::generic: return "generic";
    case NicMode::cloud: return "cloud";
    case NicMode::custom: return "custom";
    case NicMode::tap: return "tap";
    case NicMode::socket: return "socket";
  }
  return "?";
}

std::string_view to_string(PortForward::Protocol value) {
  switch (value) {
    case PortForward::Protocol::tcp: return "tcp";
    case PortForward::Protocol::udp: return "udp";
  }
  return "?";
}

std::string_view to_string(CharPort::Backend value) {
  switch (value) {
    case CharPort::Backend::disconnected: return "disconnected";
    case CharPort::Backend::host_device: return "host_device";
    case CharPort::Backend::pipe: return "pipe";
    case CharPort::Backend::file: return "file";
    case CharPort::Backend::tcp: return "tcp";
    case CharPort::Backend::udp: return "udp";
    case CharPort::Backend::unix_socket: return "unix_socket";
    case CharPort::Backend::thin_print: return "thin_print";
  }
  return "?";
}

std::string_view to_string(Sound::Model value) {
  switch (value) {
    case Sound::Model::ac97: return "ac97";
    case Sound::Model::sb16: return "sb16";
    case Sound::Model::hda: return "hda";
    case Sound::Model::hda_vmware: return "hda_vmware";
    case Sound::Model::virtio: return "virtio";
    case Sound::Model::es1371: return "es1371";
  }
  return "?";
}

std::string_view to_string(UsbController::Type value) {
  switch (value) {
    case UsbController::Type::ohci: return "ohci";
    case UsbController::Type::uhci: return "uhci";
    case UsbController::Type::ehci: return "ehci";
    case UsbController::Type::xhci: return "xhci";
  }
  return "?";
}

std::string_view to_string(Display::Exchange value) {
  switch (value) {
    case Display::Exchange::off: return "off";
    case Display::Exchange::to_guest: return "to_guest";
    case Display::Exchange::to_host: return "to_host";
    case Display::Exchange::both: return "both";
  }
  return "?";
}

std::string_view to_string(Input::Pointing value) {
  switch (value) {
    case Input::Pointing::ps2_mouse: return "ps2_mouse";
    case Input::Pointing::usb_mouse: return "usb_mouse";
    case Input::Pointing::usb_tablet: return "usb_tablet";
    case Input::Pointing::usb_multi_touch: return "usb_multi_touch";
    case Input::Pointing::combo: return "combo";
  }
  return "?";
}

std::string_view to_string(Input::Keyboard value) {
  switch (value) {
    case Input::Keyboard::ps2: return "ps2";
    case Input::Keyboard::usb: return "usb";
    case Input::Keyboard::combo: return "combo";
  }
  return "?";
}

std::string_view to_string(Display::Adapter value) {
  switch (value) {
    case Display::Adapter::none: return "none";
    case Display::Adapter::vboxvga: return "vboxvga";
    case Display::Adapter::vmsvga: return "vmsvga";
    case Display::Adapter::vboxsvga: return "vboxsvga";
    case Display::Adapter::vmware_svga: return "vmware_svga";
    case Display::Adapter::qemu_ramfb: return "qemu_ramfb";
    case Display::Adapter::qemu_card: return "qemu_card";
  }
  return "?";
}

std::string_view to_string(Clock::Base value) {
  switch (value) {
    case Clock::Base::local_time: return "local_time";
    case Clock::Base::utc: return "utc";
  }
  return "?";
}

std::string_view to_string(Tpm::Version value) {
  switch (value) {
    case Tpm::Version::v1_2: return "v1_2";
    case Tpm::Version::v2_0: return "v2_0";
    case Tpm::Version::host: return "host";
    case Tpm::Version::swtpm: return "swtpm";
  }
  return "?";
}

std::string_view to_string(BootDevice::Kind value) {
  switch (value) {
    case BootDevice::Kind::none: return "none";
    case BootDevice::Kind::floppy: return "floppy";
    case BootDevice::Kind::cdrom: return "cdrom";
    case BootDevice::Kind::disk: return "disk";
    case BootDevice::Kind::network: return "network";
    case BootDevice::Kind::usb: return "usb";
  }
  return "?";
}

std::string_view to_string(NicNames value) {
  switch (value) {
    case NicNames::unknown: return "unknown";
    case NicNames::by_path: return "by_path";
    case NicNames::by_slot: return "by_slot";
  }
  return "?";
}

std::string_view to_string(ImageFormat value) {
  switch (value) {
    case ImageFormat::unknown: return "unknown";
    case ImageFormat::raw: return "raw";
    case ImageFormat::vdi: return "vdi";
    case ImageFormat::vmdk: return "vmdk";
    case ImageFormat::vhd: return "vhd";
    case ImageFormat::vhdx: return "vhdx";
    case ImageFormat::qcow: return "qcow";
    case ImageFormat::qcow2: return "qcow2";
    case ImageFormat::qed: return "qed";
    case ImageFormat::parallels: return "parallels";
    case ImageFormat::iso: return "iso";
    case ImageFormat::iscsi: return "iscsi";
    case ImageFormat::host_device: return "host_device";
  }
  return "?";
}

std::string_view to_string(MediumType value) {
  switch (value) {
    case MediumType::normal: return "normal";
    case MediumType::immutable: return "immutable";
    case MediumType::writethrough: return "writethrough";
    case MediumType::shareable: return "shareable";
    case MediumType::readonly: return "readonly";
    case MediumType::multiattach: return "multiattach";
  }
  return "?";
}

std::string_view to_string(Device::Kind value) {
  switch (value) {
    case Device::Kind::balloon: return "balloon";
    case Device::Kind::channel: return "channel";
    case Device::Kind::file_system: return "file_system";
    case Device::Kind::host_pci: return "host_pci";
    case Device::Kind::host_usb: return "host_usb";
    case Device::Kind::hub: return "hub";
    case Device::Kind::input: return "input";
    case Device::Kind::iommu: return "iommu";
    case Device::Kind::random: return "random";
    case Device::Kind::redirection: return "redirection";
    case Device::Kind::serial_bus: return "serial_bus";
    case Device::Kind::smartcard: return "smartcard";
    case Device::Kind::sound: return "sound";
    case Device::Kind::video: return "video";
    case Device::Kind::watchdog: return "watchdog";
  }
  return "input";
}

std::string_view to_string(SourceKind value) {
  switch (value) {
    case SourceKind::vbox: return "vbox";
    case SourceKind::vmx: return "vmx";
    case SourceKind::ovf: return "ovf";
    case SourceKind::qemu: return "qemu";
    case SourceKind::vagrant: return "vagrant";
  }
  return "?";
}

std::string_view to_string(OsFamily value) {
  switch (value) {
    case OsFamily::unknown: return "unknown";
    case OsFamily::windows: return "windows";
    case OsFamily::linux: return "linux";
    case OsFamily::bsd: return "bsd";
    case OsFamily::solaris: return "solaris";
    case OsFamily::macos: return "macos";
    case OsFamily::dos: return "dos";
    case OsFamily::os2: return "os2";
    case OsFamily::netware: return "netware";
    case OsFamily::other: return "other";
  }
  return "?";
}

}  // namespace ferry
