// SPDX-License-Identifier: Apache-2.0
// Machine type and PCI root.
//
// VirtualBox PIIX3 is QEMU's `pc`, ICH9 is `q35`: the same chipsets. VMware's 440BX is nearest to `pc`; its EFI
// machines and those whose NIC names must stay go to `q35`. What overrides that: Secure Boot needs SMM, which only
// q35 firmware has; libvirt refuses IDE on q35, so a machine that boots from IDE stays on `pc`.
// The alias ("pc", "q35") is written, as virt-install does: libvirt replaces it by the host's newest version when
// the domain is defined, so the guest's board does not change with later updates of QEMU.
#include <algorithm>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {
namespace {

bool has_ide_disk(const Hardware &hardware) {
  return std::any_of(hardware.controllers.begin(), hardware.controllers.end(), [](const Controller &controller) {
    return is_ide(controller.type) && std::any_of(controller.drives.begin(), controller.drives.end(),
                                                  [](const Drive &drive) { return drive.kind == DriveKind::disk; });
  });
}

bool prefers_q35(const Hardware &hardware, const Machine *machine, const target::Choices *options) {
  const bool efi = hardware.firmware.type != FirmwareType::bios;
  if (has_ide_disk(hardware)) return false;
  if (options != nullptr && options->disk_bus == target::DiskBus::ide) return false;
  if (hardware.chipset == Chipset::ich9) return true;
  if (hardware.chipset == Chipset::piix3) return false;
  const bool keep_names = options != nullptr && options->keep_nic_names.value_or(false);
  const bool names_matter = machine == nullptr || machine->guest_os.family == OsFamily::linux ||
                            machine->guest_os.family == OsFamily::unknown;
  return efi || (keep_names && names_matter);
}

void report_choice(Mapping &m) {
  const bool was_q35 = m.hardware.chipset == Chipset::ich9;
  const bool was_pc = m.hardware.chipset == Chipset::piix3;
  if (was_q35 && !m.board.q35) {
    m.raise(kBoardChanged, m.hardware.firmware.origin,
            "The ICH9 chipset becomes an i440FX board ('pc'): the machine has IDE disks, which libvirt has only there.",
            "If the guest has an AHCI driver, use --disk-bus sata to keep the ICH9 board.");
  }
  if (was_pc && m.board.q35) {
    m.raise(kBoardChanged, m.hardware.firmware.origin,
            "The PIIX3 chipset becomes a Q35 board: Secure Boot, or this host's QEMU, needs that.");
  }
  if (m.board.q35 ? was_q35 : was_pc) {
    m.keep("chipset", m.board.q35 ? "machine type q35" : "machine type pc");
  } else {
    m.translate("chipset", m.board.q35 ? "machine type q35" : "machine type pc (i440FX, PIIX3)");
  }
}

}  // namespace

bool has_board(const HostProfile &host, bool q35) {
  if (unknown_or_has(host.machine_types, q35 ? "q35" : "pc")) return true;
  const std::string prefix = q35 ? "pc-q35-" : "pc-i440fx-";
  return std::any_of(host.machine_types.begin(), host.machine_types.end(),
                     [&](const std::string &type) { return type.starts_with(prefix); });
}

Board choose_board(const Hardware &hardware, const Machine *machine, const HostProfile &host,
                   const target::Choices *options, bool secure_boot) {
  Board board;
  if (hardware.described_by_qemu()) {
    board.q35 = hardware.chipset == Chipset::ich9;
    return board;
  }
  board.q35 = secure_boot || prefers_q35(hardware, machine, options);
  if (options != nullptr && options->disk_bus && *options->disk_bus != target::DiskBus::ide &&
      hardware.chipset == Chipset::ich9) {
    board.q35 = true;
  }
  const bool efi = hardware.firmware.type != FirmwareType::bios;
  if (efi && !firmware_exists(hardware, host, secure_boot, board.q35) &&
      firmware_exists(hardware, host, secure_boot, !board.q35)) {
    board.q35 = !board.q35;
  }
  if (!has_board(host, board.q35)) {
    board.q35 = !board.q35;
    if (secure_boot || !has_board(host, board.q35)) {
      throw Error(ErrorKind::unsupported, {.message = "this host's QEMU has no machine type for the guest",
                                           .expected = secure_boot ? "q35" : "pc or q35",
                                           .advice = "Install qemu-system-x86, or plan for another host."});
    }
  }
  board.root_port_names = board.q35 && hardware.platform.nic_names == NicNames::by_slot && options != nullptr &&
                          options->keep_nic_names.value_or(false);
  return board;
}

namespace {

void raise_no_kvm(Mapping &m) {
  std::string message = "The machine will be emulated in software, which is slow", advice;
  switch (m.host.kvm_lack) {
    case KvmLack::unknown: break;
    case KvmLack::processor:
      message += ": this host's processor has no VT-x or AMD-V, or the firmware has it off";
      advice =
          "Turn on virtualization in the host's firmware; if the host is a virtual machine itself, turn on nesting "
          "where it runs.";
      break;
    case KvmLack::module:
      message += ": the kernel's module for KVM is not loaded";
      advice =
          "Load it with 'sudo modprobe kvm_intel' or 'sudo modprobe kvm_amd'; where that fails, turn on "
          "virtualization in the host's firmware.";
      break;
    case KvmLack::access:
      message += ": this user may not open /dev/kvm";
      advice = "Join the group that may, with 'sudo usermod -aG kvm \"$USER\"', and log in again.";
      break;
  }
  m.raise(kNoKvm, {}, message + ".", advice);
}

}  // namespace

void map_emulator(Mapping &m) {
  if (m.hardware.chipset == Chipset::armv8_virtual || m.hardware.cpu.architecture == Cpu::Architecture::arm64) {
    throw Error(ErrorKind::unsupported,
                {.where = m.hardware.cpu.origin,
                 .message = "the machine is an ARM machine",
                 .found = "ARMv8",
                 .expected = "x86",
                 .advice = "Reinstall the guest on an ARM host: virt-ferry makes x86 machines."});
  }
  m.domain.type = m.host.kvm ? "kvm" : "qemu";
  m.domain.emulator = m.host.emulator.string();
  if (!m.host.kvm) {
    raise_no_kvm(m);
  }
}

void map_board(Mapping &m) {
  m.domain.os.machine = m.board.q35 ? "q35" : "pc";
  report_choice(m);

  DomainController root{.type = "pci", .index = 0, .model = m.board.q35 ? "pcie-root" : "pci-root"};
  // Without ACPI hotplug the guest names its NICs by path (enp0s3).
  const bool by_path = m.hardware.platform.nic_names == NicNames::by_path;
  const bool names = by_path && m.options.keep_nic_names.value_or(true) && !m.hardware.nics.empty();
  if (!m.board.q35 && names && m.host_has_libvirt(7, 9)) root.hotplug = false;
  m.domain.controllers.push_back(root);
}

}  // namespace ferry::libvirt
