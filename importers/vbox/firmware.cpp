// SPDX-License-Identifier: Apache-2.0
// <Firmware>, <BIOS> (merged into <Firmware> in 1.20), <Paravirt>, <Boot>, <TrustedPlatformModule>, and the SMBIOS
// identity. Facts: VirtualBox's settings schema. The EFI variables (and the state of a TPM) are in the file that
// <NVRAM path> names, or in NAME.nvram beside NAME.vbox without any element.
#include <array>
#include <system_error>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/scope.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::vbox {
namespace {

namespace fs = std::filesystem;

enum class TypeWord { bios, efi, efi32, efi64, efi_dual };

// "EFI" means the width that the CPU shows. Without <LongMode> that was the guest's type in VirtualBox before 4.3
// (settings version 1.14), and since then whatever the host has: 64 bits.
FirmwareType efi_of_the_cpus_width(const Scope &scope) {
  const bool by_default = scope.in.machine.guest_os.is_64bit || scope.version().at_least(14);
  return scope.hw.cpu.long_mode.value_or(by_default) ? FirmwareType::efi64 : FirmwareType::efi32;
}

void read_type(Scope &scope, const SettingsReader &element) {
  // "1" and "2" were written by development builds.
  static constexpr std::array<Word<TypeWord>, 7> kTypes{{{"BIOS", TypeWord::bios},
                                                         {"EFI", TypeWord::efi},
                                                         {"EFI32", TypeWord::efi32},
                                                         {"EFI64", TypeWord::efi64},
                                                         {"EFIDUAL", TypeWord::efi_dual},
                                                         {"1", TypeWord::bios},
                                                         {"2", TypeWord::efi}}};
  const auto type = word<TypeWord>(scope.in, element, "type", scope.field("firmware.type"), kTypes);
  if (!type) return;
  switch (*type) {
    case TypeWord::bios: scope.hw.firmware.type = FirmwareType::bios; return;
    case TypeWord::efi32: scope.hw.firmware.type = FirmwareType::efi32; return;
    case TypeWord::efi64: scope.hw.firmware.type = FirmwareType::efi64; return;
    case TypeWord::efi:
    case TypeWord::efi_dual: scope.hw.firmware.type = efi_of_the_cpus_width(scope); return;
  }
}

void read_boot_menu(Scope &scope, const SettingsReader &bios) {
  static constexpr std::array<Word<bool>, 3> kModes{
      {{"MessageAndMenu", true}, {"MenuOnly", true}, {"Disabled", false}}};
  Firmware &firmware = scope.hw.firmware;
  if (const auto menu = bios.child("BootMenu")) {
    firmware.boot_menu = word<bool>(scope.in, *menu, "mode", scope.field("firmware.boot_menu"), kModes);
  }
  if (const auto logo = bios.child("Logo")) {
    constexpr unsigned kMostMs = 65535;
    const auto shown = small_number(*logo, "displayTime", scope.field("firmware.boot_menu_timeout_ms"), kMostMs);
    if (shown && *shown > 0) firmware.boot_menu_timeout_ms = shown;
    logo->settle_all(Disposition::irrelevant, "the picture that VirtualBox's firmware shows");
  }
}

void read_apic_mode(Scope &scope, const SettingsReader &bios) {
  const auto element = bios.child("APIC");
  if (!element) return;
  const auto mode = element->text("mode", scope.field("cpu.apic"));
  if (mode && text::iequals_ascii(*mode, "Disabled")) scope.hw.cpu.apic = false;
}

void read_smbios(Scope &scope, const std::optional<SettingsReader> &bios) {
  Smbios &smbios = scope.hw.smbios;
  smbios.older_than_2_6 = true;  // VirtualBox's firmware says SMBIOS 2.5
  smbios.uuid_little_endian = false;
  smbios.origin = scope.hardware.place("uuid");
  smbios.uuid = scope.in.machine.uuid;
  if (const auto own = scope.hardware.text("uuid", scope.field("smbios.uuid"))) {
    const auto uuid = Uuid::parse(text::trim(*own));
    if (!uuid) {
      throw Error(ErrorKind::malformed, {.where = scope.hardware.place("uuid"),
                                         .message = "the hardware's UUID cannot be understood",
                                         .found = "\"" + text::printable(*own) + "\"",
                                         .expected = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}"});
    }
    if (!uuid->is_nil()) smbios.uuid = uuid;
  }
  if (!bios) return;
  smbios.uuid_little_endian =
      enabled_child(*bios, "SmbiosUuidLittleEndian", scope.field("smbios.uuid_little_endian")).value_or(false);
  const auto serial = enabled_child(*bios, "AutoSerialNumGen", scope.field("smbios.strings"));
  if (serial.value_or(false) && smbios.uuid) smbios.strings["system.serial"] = "VirtualBox-" + smbios.uuid->text();
}

void note_encryption(Scope &scope, const SettingsReader &element) {
  const auto id = element.text("keyId", scope.field("firmware.nvram_encrypted"));
  const auto store = element.text("keyStore", scope.field("firmware.nvram_encrypted"));
  element.hide("keyStore");
  if (!id.value_or("").empty() || !store.value_or("").empty()) {
    scope.hw.firmware.nvram_encrypted = true;
    scope.in.find(kNvramEncrypted, element.place(), "the EFI variables of this machine are encrypted");
  }
}

void read_nvram(Scope &scope, const std::optional<SettingsReader> &bios) {
  Firmware &firmware = scope.hw.firmware;
  const auto element = bios ? bios->child("NVRAM") : std::nullopt;
  const bool used = firmware.type != FirmwareType::bios || scope.hw.tpm.has_value();
  std::string location;
  if (element) {
    location = element->text("path", scope.field("firmware.nvram_file")).value_or("");
    element->settle("enabled", Disposition::irrelevant, "the file of variables is there or not");
    note_encryption(scope, *element);
  }
  // Inside an OVF the package's own files count.
  if (used && scope.in.media == nullptr && scope.is_current()) scope.in.embedded_nvram = location;
  if (!used || scope.in.media == nullptr) return;
  if (location.empty() && scope.is_current()) {
    const fs::path beside = scope.in.folder / (scope.in.file.stem().string() + ".nvram");
    std::error_code ignored;
    if (on_host::is_regular_file(beside, ignored)) firmware.nvram_file = beside;
    return;
  }
  if (location.empty()) return;
  const names::Found found = names::find(location, scope.in.folder, scope.in.places);
  if (found.file) {
    firmware.nvram_file = found.file;
  } else if (firmware.type != FirmwareType::bios) {
    scope.in.find(
        kNvramMissing, element->place("path"),
        "the file of EFI variables \"" + text::printable(location) + "\" does not exist; " + found.searched());
  }
}

void read_boot_order(Scope &scope) {
  static constexpr std::array<Word<BootDevice::Kind>, 5> kDevices{{{"None", BootDevice::Kind::none},
                                                                   {"Floppy", BootDevice::Kind::floppy},
                                                                   {"DVD", BootDevice::Kind::cdrom},
                                                                   {"HardDisk", BootDevice::Kind::disk},
                                                                   {"Network", BootDevice::Kind::network}}};
  auto &order = scope.hw.boot_order;
  const auto boot = scope.hardware.child("Boot");
  if (!boot) return;
  std::map<unsigned, BootDevice::Kind> by_position;
  for (const SettingsReader &entry : boot->children("Order")) {
    constexpr unsigned kPositions = 9;  // the interface has four, the firmware nine
    const auto position = small_number(entry, "position", scope.field("boot_order"), kPositions);
    const auto device = word<BootDevice::Kind>(scope.in, entry, "device", scope.field("boot_order"), kDevices);
    if (position && device) by_position[*position] = *device;
  }
  for (const auto &[position, kind] : by_position) {
    if (kind != BootDevice::Kind::none) order.push_back({kind, {}});
  }
  if (order.empty()) order.push_back({BootDevice::Kind::none, {}});  // the user wants none of them
}

void read_tpm(Scope &scope) {
  enum class Kind { none, v1_2, v2_0, host, swtpm };
  static constexpr std::array<Word<Kind>, 5> kKinds{
      {{"None", Kind::none}, {"v1_2", Kind::v1_2}, {"v2_0", Kind::v2_0}, {"Host", Kind::host}, {"Swtpm", Kind::swtpm}}};
  const auto element = scope.hardware.child("TrustedPlatformModule");
  if (!element) return;
  const auto kind = word<Kind>(scope.in, *element, "type", scope.field("tpm.version"), kKinds).value_or(Kind::none);
  if (kind != Kind::none) {
    Tpm tpm;
    tpm.origin = element->place();
    switch (kind) {
      case Kind::v1_2: tpm.version = Tpm::Version::v1_2; break;
      case Kind::host: tpm.version = Tpm::Version::host; break;
      case Kind::swtpm: tpm.version = Tpm::Version::swtpm; break;
      default: tpm.version = Tpm::Version::v2_0; break;
    }
    scope.hw.tpm = tpm;
  }
  element->settle("location", Disposition::dropped, "where VirtualBox reaches the TPM; libvirt starts its own");
  if (element->element().attribute("location") != nullptr && element->element().attribute("location")->empty()) {
    element->settle("location", Disposition::irrelevant, "empty");
  }
  for (const std::string_view secret : {"keyId", "keyStore"}) {
    if (element->element().attribute(secret) == nullptr) continue;
    if (scope.hw.tpm) scope.hw.tpm->state_encrypted = true;
    element->settle(secret, Disposition::dropped, "the key of the TPM's state");
    element->hide(secret);
  }
}

// What "Default" stands for. Facts: VirtualBox's manual, "Paravirtualization Providers": Hyper-V for Windows from
// Vista on, KVM for Linux from 2.6.25 on, minimal for macOS, none for others.
Paravirtualization default_provider(const GuestOs &guest) {
  const std::string_view id = guest.source_id;
  if (guest.family == OsFamily::macos || id.starts_with("MacOS")) return Paravirtualization::minimal;
  if (guest.family == OsFamily::windows || id.starts_with("Windows")) {
    for (const std::string_view old :
         {"Windows31", "Windows95", "Windows98", "WindowsMe", "WindowsNT", "Windows2000", "WindowsXP", "Windows2003"}) {
      if (id.starts_with(old)) return Paravirtualization::none;
    }
    return Paravirtualization::hyperv;
  }
  if (guest.family == OsFamily::linux && !id.starts_with("Linux22") && !id.starts_with("Linux24")) {
    return Paravirtualization::kvm;
  }
  return Paravirtualization::none;
}

void read_paravirtualization(Scope &scope) {
  enum class Provider { from_guest, none, legacy, minimal, hyperv, kvm };
  static constexpr std::array<Word<Provider>, 6> kProviders{{{"Default", Provider::from_guest},
                                                             {"None", Provider::none},
                                                             {"Legacy", Provider::legacy},
                                                             {"Minimal", Provider::minimal},
                                                             {"HyperV", Provider::hyperv},
                                                             {"KVM", Provider::kvm}}};
  Provider provider = scope.version().at_least(16) ? Provider::from_guest : Provider::legacy;
  if (const auto element = scope.hardware.child("Paravirt")) {
    provider = word<Provider>(scope.in, *element, "provider", scope.field("paravirtualization"), kProviders)
                   .value_or(provider);
    element->settle("debug", Disposition::irrelevant, "debugging of VirtualBox's own interface");
  }
  switch (provider) {
    case Provider::from_guest:
      scope.hw.paravirtualization = scope.hw.cpu.architecture == Cpu::Architecture::arm64
                                        ? Paravirtualization::none  // x86's alone
                                        : default_provider(scope.in.machine.guest_os);
      break;
    case Provider::none: scope.hw.paravirtualization = Paravirtualization::none; break;
    case Provider::legacy: scope.hw.paravirtualization = Paravirtualization::legacy; break;
    case Provider::minimal: scope.hw.paravirtualization = Paravirtualization::minimal; break;
    case Provider::hyperv: scope.hw.paravirtualization = Paravirtualization::hyperv; break;
    case Provider::kvm: scope.hw.paravirtualization = Paravirtualization::kvm; break;
  }
}

// The element with the firmware's switches: <BIOS>, and since 1.20 <Firmware>. Where only one of them has any, that one
// counts, whatever the version.
std::optional<SettingsReader> switches_of(const Scope &scope, const std::optional<SettingsReader> &firmware) {
  const auto bios = scope.hardware.child("BIOS");
  if (!bios || !firmware || firmware->children().empty()) return bios ? bios : firmware;
  const bool merged = scope.version().at_least(20);
  const SettingsReader &other = merged ? *bios : *firmware;
  other.settle_all(Disposition::irrelevant,
                   merged ? "since 1.20 the switches in <Firmware> count" : "before 1.20 the switches in <BIOS> count");
  return merged ? firmware : bios;
}

}  // namespace

void read_firmware(Scope &scope) {
  Firmware &firmware = scope.hw.firmware;
  firmware.origin = scope.hardware.place();
  firmware.ioapic = false;  // VirtualBox's default, whatever QEMU's is
  const auto element = scope.hardware.child("Firmware");
  if (element) {
    firmware.origin = element->place();
    read_type(scope, *element);
  }
  const auto bios = switches_of(scope, element);
  read_tpm(scope);
  if (bios) {
    firmware.acpi = enabled_child(*bios, "ACPI", scope.field("firmware.acpi")).value_or(true);
    firmware.ioapic = enabled_child(*bios, "IOAPIC", scope.field("firmware.ioapic")).value_or(false);
    if (const auto secure = enabled_child(*bios, "SecureBoot", scope.field("firmware.secure_boot"))) {
      firmware.secure_boot = secure;
    }
    if (const auto offset = bios->child("TimeOffset")) {
      scope.hw.clock.offset_ms = offset->signed_number("value", scope.field("clock.offset_ms")).value_or(0);
    }
    read_boot_menu(scope, *bios);
    read_apic_mode(scope, *bios);
  }
  read_smbios(scope, bios);
  read_nvram(scope, bios);
  read_boot_order(scope);
  read_paravirtualization(scope);
}

}  // namespace ferry::vbox
