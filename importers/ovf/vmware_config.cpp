// SPDX-License-Identifier: Apache-2.0
// vmw:Config and vmw:ExtraConfig of the whole machine.
#include <algorithm>
#include <array>

#include "importers/ovf/item.hpp"
#include "importers/ovf/vmware_setting.hpp"
#include "importers/vmware/boot_order.hpp"
#include "importers/vmware/guest_info.hpp"
#include "importers/vmware/known_keys.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

constexpr std::int64_t kHundredYears = 100LL * 366 * 24 * 3600;  // no clock is off by more

void set_firmware(Context &in, const Setting &setting) {
  Firmware &firmware = in.machine.hardware.firmware;
  const std::string value = text::lower_ascii(text::trim(setting.value()));
  firmware.type = value == "efi" ? FirmwareType::efi64 : FirmwareType::bios;
  firmware.origin = setting.place();
  setting.take("hardware.firmware.type");
}

bool take_machine_config(Context &in, const Setting &setting) {
  Hardware &hardware = in.machine.hardware;
  const std::string key = text::lower_ascii(setting.key());
  if (key == "firmware") {
    set_firmware(in, setting);
  } else if (key == "bootoptions.efisecurebootenabled" || key == "uefi.secureboot.enabled") {
    hardware.firmware.secure_boot = setting.on();
    setting.take("hardware.firmware.secure_boot");
  } else if ((key == "bootoptions.bootdelay" || key == "bios.bootdelay") && setting.number()) {
    hardware.firmware.boot_menu_timeout_ms = static_cast<unsigned>(std::min<std::uint64_t>(*setting.number(), 65535));
    setting.take("hardware.firmware.boot_menu_timeout_ms");
  } else if (key == "cpuhotaddenabled" || key == "vcpu.hotadd") {
    hardware.cpu.hotplug = setting.on();
    setting.take("hardware.cpu.hotplug");
  } else if (key == "memoryhotaddenabled" || key == "mem.hotadd") {
    hardware.memory.hot_add = setting.on();
    setting.take("hardware.memory.hot_add");
  } else if (key == "nestedhvenabled" || key == "vhv.enable") {
    hardware.cpu.nested_virtualization = setting.on();
    setting.take("hardware.cpu.nested_virtualization");
  } else if (key == "simultaneousthreads" && setting.number() && *setting.number() > 1 && *setting.number() <= 64) {
    hardware.cpu.threads_per_core = static_cast<unsigned>(*setting.number());
    setting.take("hardware.cpu.threads_per_core");
  } else if (key == "hpet0.present") {
    hardware.clock.hpet = setting.on();
    setting.take("hardware.clock.hpet");
  } else if ((key == "uuid" || key == "uuid.bios") && Uuid::parse(setting.value())) {
    // config.uuid of the vSphere API and uuid.bios of .vmx files: the bytes as they lie in the SMBIOS table.
    hardware.smbios.uuid = Uuid::parse(setting.value());
    hardware.smbios.uuid_little_endian = false;
    setting.take("hardware.smbios.uuid");
  } else if ((key == "virtualsmcpresent" || key == "smc.present") && parse_boolean(setting.value())) {
    in.machine.extra["smc.present"] = setting.on() ? "true" : "false";
    setting.take("extra.smc.present");
  } else {
    return false;
  }
  return true;
}

// "nvram" = "ovf:/file/file2" or "name.nvram".
void set_nvram(Context &in, const Setting &setting) {
  setting.take("hardware.firmware.nvram_file");
  std::string id(text::trim(setting.value()));
  if (id.starts_with("ovf:")) id.erase(0, 4);
  if (id.starts_with("/file/")) id.erase(0, 6);
  // The value may name the file itself; then it need not be declared.
  std::optional<FileRange> found;
  if (in.files.find(id) != in.files.end()) {
    ImageFile file;
    resolve_file(in, id, file, setting.place(), "hardware.firmware.nvram_file");
    if (file.pieces.size() == 1 && !file.gzip) found = file.pieces.front();
  } else {
    for (const std::string &name : member_names(id, setting.place())) {
      if (!found) found = in.package.find(name, setting.place(), in.options.places).range;
    }
    if (!found)
      in.raise(finding::kFileMissing, setting.place(),
               "the firmware variables " + in_quotes(id) + " are not in the package");
  }
  if (found) attach_nvram(in, *found);
}

// "scsi0:1.virtualSSD" -> the drive on unit 1 of bus 0; its model field. nullptr when there is none.
Drive *drive_at(Context &in, std::string_view device, std::string &field) {
  const std::size_t digits = device.find_first_of("0123456789"), colon = device.find(':');
  if (digits == std::string_view::npos || colon == std::string_view::npos || colon < digits) return nullptr;
  const std::string_view bus = device.substr(0, colon);
  const auto unit = text::parse_u64(device.substr(colon + 1));
  auto &controllers = in.machine.hardware.controllers;
  for (std::size_t c = 0; c < controllers.size(); ++c) {
    if (controllers[c].name != bus) continue;
    for (std::size_t d = 0; d < controllers[c].drives.size(); ++d) {
      if (controllers[c].drives[d].port != unit) continue;
      field = "hardware.controllers." + std::to_string(c) + ".drives." + std::to_string(d);
      return &controllers[c].drives[d];
    }
  }
  return nullptr;
}

bool take_drive_key(Context &in, const Setting &setting, std::string_view device, std::string_view name) {
  std::string field;
  Drive *drive = drive_at(in, device, field);
  if (drive == nullptr || name != "virtualssd") return false;
  drive->nonrotational = setting.on();
  setting.take(field + ".nonrotational");
  return true;
}

bool take_nic_key(Context &in, const Setting &setting, std::string_view device, std::string_view name) {
  if (!device.starts_with("ethernet")) return false;
  const auto index = text::parse_u64(device.substr(8));
  auto &nics = in.machine.hardware.nics;
  if (!index || *index >= nics.size()) return false;
  Nic &nic = nics[*index];
  const std::string field = "hardware.nics." + std::to_string(*index);
  if (name == "pcislotnumber" && slot(setting)) {
    nic.pci_slot = slot(setting);
    setting.take(field + ".pci_slot");
  } else if ((name == "address" || name == "generatedaddress") && MacAddress::parse(setting.value())) {
    nic.mac = MacAddress::parse(setting.value());
    setting.take(field + ".mac");
  } else {
    return false;
  }
  return true;
}

bool take_controller_key(Context &in, const Setting &setting, std::string_view device, std::string_view name) {
  if (name != "pcislotnumber" || !slot(setting)) return false;
  auto &controllers = in.machine.hardware.controllers;
  for (std::size_t c = 0; c < controllers.size(); ++c) {
    if (controllers[c].name != device) continue;
    controllers[c].pci_slot = slot(setting);
    setting.take("hardware.controllers." + std::to_string(c) + ".pci_slot");
    return true;
  }
  return false;
}

// What a guest can see of the machine and OVF has no word for; as importers/vmx/ reads the same keys.
bool take_guest_visible_key(Context &in, const Setting &setting, const std::string &key) {
  Hardware &hardware = in.machine.hardware;
  const auto seconds = text::parse_i64(text::trim(setting.value()));
  if (key == "hypervisor.cpuid.v0" && !setting.on()) {
    hardware.cpu.features.push_back({"hypervisor", false});
    setting.take("hardware.cpu.features");
  } else if (key == "rtc.difffromutc" && seconds && *seconds > -kHundredYears && *seconds < kHundredYears) {
    hardware.clock.base = Clock::Base::utc;
    hardware.clock.offset_ms = *seconds * 1000;
    setting.take("hardware.clock.offset_ms");
  } else if (key == "smbios.assettag" && !setting.value().empty()) {
    hardware.smbios.strings["chassis.asset"] = setting.value();
    setting.take("hardware.smbios.strings");
  } else if (key == "disk.enableuuid" && setting.on()) {
    in.machine.extra["disk.enable_uuid"] = "true";
    setting.take("extra.disk.enable_uuid");
  } else {
    return false;
  }
  return true;
}

// Keys of .vmx files that other parts of the package cannot say.
bool take_vmx_key(Context &in, const Setting &setting) {
  const std::string key = text::lower_ascii(setting.key());
  if (key == "nvram") {
    if (text::trim(setting.value()).empty()) {
      setting.settle(Disposition::irrelevant, "names no file");
    } else {
      set_nvram(in, setting);
    }
    return true;
  }
  Hardware &hardware = in.machine.hardware;
  if (key == "svga.vramsize" && setting.number()) {
    hardware.display.video_memory_bytes = *setting.number();
    setting.take("hardware.display.video_memory_bytes");
    return true;
  }
  if (key == "mks.enable3d") {
    hardware.display.accelerate_3d = setting.on();
    setting.take("hardware.display.accelerate_3d");
    return true;
  }
  if (take_guest_visible_key(in, setting, key)) return true;
  const std::size_t dot = key.find('.');
  if (dot == std::string::npos) return false;
  const std::string device = key.substr(0, dot), name = key.substr(dot + 1);
  return take_drive_key(in, setting, device, name) || take_nic_key(in, setting, device, name) ||
         take_controller_key(in, setting, device, name);
}

// The BIOS's order of devices and disks: two keys that say one thing.
void read_bios_order(Context &in, const SettingsReader &hardware_section) {
  std::string classes, disks;
  for (const Setting &setting : settings(hardware_section, "ExtraConfig")) {
    const std::string key = text::lower_ascii(setting.key());
    if (key != "bios.bootorder" && key != "bios.hddorder") continue;
    (key == "bios.bootorder" ? classes : disks) = setting.value();
    setting.take("hardware.boot_order");
    setting.settle(Disposition::irrelevant, "a further attribute of the setting");
  }
  vmware::BootOrder order = vmware::boot_order(classes, disks);
  if (!order.devices.empty()) in.machine.hardware.boot_order = std::move(order.devices);
}

// guestinfo.*: what VMware hands to the guest; as importers/vmx/ reads the same keys. True for those that were taken.
std::set<std::string> read_guest_info(Context &in, const SettingsReader &hardware_section) {
  constexpr std::string_view kPrefix = "guestinfo.";
  vmware::GuestInfo values;
  std::map<std::string, Setting> settings_of;
  for (const Setting &setting : settings(hardware_section, "ExtraConfig")) {
    const std::string key = text::lower_ascii(setting.key());
    if (!key.starts_with(kPrefix)) continue;
    values.emplace(key.substr(kPrefix.size()), setting.value());
    settings_of.emplace(key.substr(kPrefix.size()), setting);
  }
  vmware::GuestInfoRead read = vmware::read_guest_info(values, in.package.shown_as());
  for (const auto &problem : read.problems)
    in.raise(finding::kGuestData, settings_of.at(problem.key).place(),
             "guestinfo." + problem.key + " cannot be handed to the guest: " + problem.why);
  std::set<std::string> out;
  if (vmware::is_empty(read.data)) return out;
  for (const auto &[key, field] : read.fields) {
    settings_of.at(key).take("guest_data." + field);
    settings_of.at(key).settle(Disposition::irrelevant, "a further attribute of the setting");
    out.insert(std::string(kPrefix) + key);
  }
  read.data.origin = settings_of.at(read.fields.begin()->first).place();
  in.machine.guest_data = std::move(read.data);
  return out;
}

}  // namespace

void read_vmware_config(Context &in, const SettingsReader &hardware_section) {
  for (const Setting &setting : settings(hardware_section, "Config")) {
    if (take_machine_config(in, setting)) {
      setting.settle(Disposition::irrelevant, "a further attribute of the setting");
      continue;
    }
    settle_by(vmware::find_machine_config_key(setting.key()), setting);
  }
  read_bios_order(in, hardware_section);
  const std::set<std::string> guest_info = read_guest_info(in, hardware_section);
  for (const Setting &setting : settings(hardware_section, "ExtraConfig")) {
    if (guest_info.contains(text::lower_ascii(setting.key()))) continue;
    if (take_machine_config(in, setting) || take_vmx_key(in, setting)) {
      setting.settle(Disposition::irrelevant, "a further attribute of the setting");
      continue;
    }
    settle_by(extra_config_rule(setting.key()), setting);
  }
}

}  // namespace ferry::ovf
