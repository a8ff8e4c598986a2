// SPDX-License-Identifier: Apache-2.0
// Firmware: which image pair of the host's, and how libvirt is told.
//
// Loader and variable store always come from one descriptor: a 4 MB image with a 2 MB store starts with all
// variables ignored, the other way round damages the store (measured, QEMU 7.2 with OVMF 2022.11). libvirt's
// firmware='efi' is not used: it chooses by its own order, and on Debian 12 takes the Secure Boot build.
#include <algorithm>
#include <fnmatch.h>

#include "exporters/libvirt/host/connection_uri.hpp"
#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {
namespace {

// One of the descriptor's globs ("pc-q35-*") takes a machine of this board that the host has.
bool runs_on(const target::FirmwareImage &firmware, const HostProfile &host, bool q35) {
  const std::string prefix = q35 ? "pc-q35-" : "pc-i440fx-";
  const auto takes = [&](const std::string &machine) {
    return std::any_of(firmware.machines.begin(), firmware.machines.end(),
                       [&](const std::string &glob) { return ::fnmatch(glob.c_str(), machine.c_str(), 0) == 0; });
  };
  if (host.machine_types.empty()) return takes(prefix + "7.2");
  return std::any_of(host.machine_types.begin(), host.machine_types.end(),
                     [&](const std::string &machine) { return machine.starts_with(prefix) && takes(machine); });
}

// 0: does not suit; higher is better. `blank`: the variables that will be carried include keys of the source's own,
// which must not meet the vendor's.
int suitability(const target::FirmwareImage &firmware, bool secure_boot, bool blank, bool q35) {
  const bool secure = firmware.features.contains("secure-boot");
  const bool smm = firmware.features.contains("requires-smm");
  const bool enrolled = firmware.features.contains("enrolled-keys");
  if (smm && !q35) return 0;
  if (secure_boot && !secure) return 0;
  int score = 1;
  if (firmware.vars_size != 0x20000) score += 1;  // the 2 MB build's store: less room than the sources' own
  if (secure_boot) {
    if (enrolled != blank) score += 8;
  } else {
    if (!enrolled) score += 8;  // keys in the store would switch Secure Boot on
    if (!smm) score += 4;
    if (!secure) score += 2;
  }
  return score;
}

const target::FirmwareImage *best(const Hardware &hardware, const HostProfile &host, bool secure_boot, bool q35) {
  const std::string_view architecture = hardware.firmware.type == FirmwareType::efi32 ? "i386" : "x86_64";
  const bool blank = hardware.firmware.nvram_keys;
  const target::FirmwareImage *chosen = nullptr;
  int best_score = 0;
  for (const target::FirmwareImage &firmware : host.firmware) {
    if (firmware.architecture != architecture || !runs_on(firmware, host, q35)) continue;
    const int score = suitability(firmware, secure_boot, blank, q35);
    if (score > best_score) {  // of equals the host's own first choice stays
      chosen = &firmware;
      best_score = score;
    }
  }
  return chosen;
}

void map_boot_menu(Mapping &m) {
  const Firmware &firmware = m.hardware.firmware;
  m.domain.os.boot_menu = firmware.boot_menu.value_or(false);
  m.keep("firmware.boot_menu");
  m.keep("firmware.boot_menu_timeout_ms");
  if (!firmware.boot_menu_timeout_ms) return;
  if (!m.domain.os.boot_menu) {
    m.drop("firmware.boot_menu_timeout_ms", "there is no boot menu to wait for");
    return;
  }
  // libvirt takes 0 to 65535 ms.
  m.domain.os.boot_menu_timeout_ms = std::min(*firmware.boot_menu_timeout_ms, 65535U);
}

void map_acpi(Mapping &m) {
  const Firmware &firmware = m.hardware.firmware;
  m.domain.features.acpi = firmware.acpi || m.efi();
  m.keep("firmware.acpi");
  if (!firmware.acpi && m.efi()) m.translate("firmware.acpi", "on: libvirt's EFI machines need ACPI");
  m.keep("firmware.ioapic");
  if (!firmware.ioapic) {
    m.translate("firmware.ioapic", "on: QEMU's PC boards always have an I/O APIC");
    m.raise(
        kIoapicAlwaysOn, firmware.origin,
        "The machine had no I/O APIC; QEMU always has one. A guest that was installed without one may need repair.");
  }
}

}  // namespace

std::optional<target::FirmwareImage> choose_firmware(const Hardware &hardware, const HostProfile &host,
                                                     bool secure_boot) {
  if (hardware.firmware.type == FirmwareType::bios) return std::nullopt;
  const Board board = choose_board(hardware, nullptr, host, nullptr, secure_boot);
  if (const target::FirmwareImage *found = best(hardware, host, secure_boot, board.q35)) return *found;
  const std::string_view bits = hardware.firmware.type == FirmwareType::efi32 ? "32-bit " : "";
  if (ConnectionUri::parse(host.uri).is_flatpak()) {
    throw Error(ErrorKind::unsupported,
                {.where = hardware.firmware.origin,
                 .message = "the EFI firmware inside of a flatpak cannot be read from here",
                 .expected = "a machine with a BIOS, or the host's own libvirt",
                 .advice = "Install libvirt on this computer, and use --connect qemu:///session."});
  }
  throw Error(ErrorKind::unsupported,
              {.where = hardware.firmware.origin,
               .message = "the host has no EFI firmware for this machine",
               .found = std::to_string(host.firmware.size()) + " firmware descriptors",
               .expected = std::string(bits) + "EFI firmware" + (secure_boot ? " with Secure Boot" : "") +
                           " for machine type " + (board.q35 ? "q35" : "pc"),
               .advice = bits.empty() ? "Install OVMF (package ovmf or edk2-ovmf)."
                                      : "Install 32-bit OVMF (package ovmf-ia32 or edk2-ovmf-ia32)."});
}

bool firmware_exists(const Hardware &hardware, const HostProfile &host, bool secure_boot, bool q35) {
  return best(hardware, host, secure_boot, q35) != nullptr;
}

void map_firmware(Mapping &m) {
  const Firmware &firmware = m.hardware.firmware;
  m.keep("firmware");
  map_acpi(m);
  map_boot_menu(m);
  if (!m.efi()) {
    m.keep("firmware.type", "BIOS (SeaBIOS)");
    m.keep("firmware.secure_boot", "a BIOS machine has none");
    m.translate("firmware.nvram_file", "a BIOS machine keeps no EFI variables");
    return;
  }
  const bool secure_boot = m.input.firmware ? m.input.firmware->secure_boot : firmware.secure_boot.value_or(false);
  const target::FirmwareImage descriptor =
      m.input.firmware ? m.input.firmware->descriptor : *choose_firmware(m.hardware, m.host, secure_boot);
  const bool smm = descriptor.features.contains("requires-smm");
  DomainOs &os = m.domain.os;
  os.loader = descriptor.loader.string();
  os.nvram_template = descriptor.nvram_template.string();
  if (m.input.firmware) os.nvram = m.input.firmware->nvram.string();
  os.secure_loader = smm && descriptor.features.contains("secure-boot");
  m.domain.features.smm = smm;
  m.translate("firmware.type", "EFI firmware " + descriptor.loader.filename().string());
  m.keep("firmware.secure_boot", secure_boot ? "on" : "off");
  if (firmware.secure_boot == true && !secure_boot) {
    m.drop("firmware.secure_boot", "off: this host's firmware or the variable store does not allow it");
  }
  m.translate("firmware.nvram_file", "the variable store is created from the host's template");
}

}  // namespace ferry::libvirt
