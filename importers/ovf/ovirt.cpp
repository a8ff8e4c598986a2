// SPDX-License-Identifier: Apache-2.0
#include "importers/ovf/ovirt.hpp"

#include <algorithm>
#include <array>

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// oVirt's names of guest systems, as VMware calls the same ones.
struct OsName {
  std::string_view ovirt, vmware;
};
constexpr std::array<OsName, 47> kSystems{{
    {"other", "other"},
    {"other_linux", "otherlinux-64"},
    {"other_linux_kernel_4", "other4xlinux-64"},
    {"rhel_3", "rhel3"},
    {"rhel_3x64", "rhel3-64"},
    {"rhel_4", "rhel4"},
    {"rhel_4x64", "rhel4-64"},
    {"rhel_5", "rhel5"},
    {"rhel_5x64", "rhel5-64"},
    {"rhel_6", "rhel6"},
    {"rhel_6x64", "rhel6-64"},
    {"rhel_7x64", "rhel7-64"},
    {"rhel_atomic7x64", "rhel7-64"},
    {"rhel_8x64", "rhel8-64"},
    {"rhel_9x64", "rhel9-64"},
    {"rhel_10x64", "rhel10-64"},
    {"rhcos_x64", "rhel8-64"},
    {"sles_11", "sles11-64"},
    {"ubuntu_12_04", "ubuntu-64"},
    {"ubuntu_12_10", "ubuntu-64"},
    {"ubuntu_13_04", "ubuntu-64"},
    {"ubuntu_13_10", "ubuntu-64"},
    {"ubuntu_14_04", "ubuntu-64"},
    {"ubuntu_18_04", "ubuntu-64"},
    {"debian_7", "debian7-64"},
    {"debian_9", "debian9-64"},
    {"freebsd", "freebsd"},
    {"freebsdx64", "freebsd-64"},
    {"windows_xp", "winxppro"},
    {"windows_2003", "winnetstandard"},
    {"windows_2003x64", "winnetstandard-64"},
    {"windows_2008", "longhorn"},
    {"windows_2008x64", "longhorn-64"},
    {"windows_2008r2x64", "windows7srv-64"},
    {"windows_7", "windows7"},
    {"windows_7x64", "windows7-64"},
    {"windows_8", "windows8"},
    {"windows_8x64", "windows8-64"},
    {"windows_2012x64", "windows8srv-64"},
    {"windows_2012r2x64", "windows8srv-64"},
    {"windows_10", "windows9"},
    {"windows_10x64", "windows9-64"},
    {"windows_2016x64", "windows9srv-64"},
    {"windows_2019x64", "windows2019srv-64"},
    {"windows_11", "windows11-64"},
    {"windows_2022", "windows2019srvnext-64"},
    {"windows_2025", "windows2022srvnext-64"},
}};

void read_guest_os(Context &in) {
  for (const Section &section : sections(in.system())) {
    if (section.name != "OperatingSystemSection") continue;
    // The section's id is the machine's, which the guest has as its SMBIOS UUID (QEMU stores it little-endian).
    if (const auto id = Uuid::parse(peek_attribute(section.reader, "id").value_or(""))) {
      (void)section.reader.text("id", "hardware.smbios.uuid");
      in.machine.hardware.smbios.uuid = id;
      in.machine.hardware.smbios.uuid_little_endian = true;
      in.machine.uuid = id;
    }
    const std::string name = text::lower_ascii(peek(section.reader, "Description").value_or(""));
    const auto *hit =
        std::find_if(kSystems.begin(), kSystems.end(), [&](const OsName &row) { return row.ovirt == name; });
    if (hit != kSystems.end()) in.machine.guest_os = guest_os_from_vmware(hit->vmware);
  }
}

// BiosType: 0 the cluster's default, 1 i440FX, 2 Q35 with BIOS, 3 Q35 with EFI, 4 with Secure Boot as well.
void read_bios_type(Context &in, const SettingsReader &element) {
  Hardware &hardware = in.machine.hardware;
  const auto type = text::parse_u64(text::trim(element.content("hardware.firmware.type").value_or("")));
  if (!type || *type == 0 || *type > 4) return;
  hardware.chipset = *type == 1 ? Chipset::piix3 : Chipset::ich9;
  if (*type >= 3) hardware.firmware.type = FirmwareType::efi64;
  if (*type == 4) hardware.firmware.secure_boot = true;
  hardware.firmware.origin = element.place();
}

struct DroppedSetting {
  std::string_view name;
  std::string_view note;  // why it is dropped; all others belong to the engine
};
constexpr std::array<DroppedSetting, 8> kDroppedSettings{{
    {"VmInit", "what cloud-init or Sysprep would be given at the first start; give it by a NoCloud image"},
    {"CustomSerialNumber", "a serial number of the user's own; set it in <sysinfo>"},
    {"CustomCpuName", "a CPU model of the user's own; set it in <cpu>"},
    {"CustomEmulatedMachine", "a machine type of the user's own; set it in <os>"},
    {"CpuPinning", "binds processors to the source's host; use <cputune>"},
    {"kernel_url", "a kernel of the source's host"},
    {"initrd_url", "a kernel of the source's host"},
    {"kernel_params", "a kernel of the source's host"},
}};

void hide_secrets(const SettingsReader &element) {
  for (const char *secret : {"rootPassword", "winKey", "customScript", "authorizedKeys"}) element.hide(secret);
}

void read_setting(Context &in, const SettingsReader &element) {
  const std::string &name = element.element().name;
  if (name == "BiosType") return read_bios_type(in, element);
  if (name == "Description") {
    in.machine.description = element.content("description").value_or("");
    return;
  }
  if (name == "VmInit") hide_secrets(element);
  const auto *dropped = std::find_if(kDroppedSettings.begin(), kDroppedSettings.end(),
                                     [&](const DroppedSetting &row) { return row.name == name; });
  if (dropped != kDroppedSettings.end()) return element.settle_all(Disposition::dropped, dropped->note);
  element.settle_all(Disposition::irrelevant, "how oVirt's engine manages the machine");
}

std::optional<SettingsReader> disk_of(const Context &in, const Item &item) {
  const auto resource = item.text("HostResource");
  if (!resource) return std::nullopt;
  for (const auto &[id, disk] : in.disks) {
    if (*resource == id || peek_attribute(disk, "fileRef") == resource || resource->ends_with("/" + id)) return disk;
  }
  return std::nullopt;
}

ControllerType ovirt_type_of(Context &in, const Item &item) {
  const auto disk = disk_of(in, item);
  const std::string bus = text::lower_ascii(disk ? peek_attribute(*disk, "disk-interface").value_or("") : "ide");
  const bool q35 = in.machine.hardware.chipset == Chipset::ich9;
  if (bus == "sata" || (bus == "ide" && q35)) return ControllerType::ahci;
  if (bus == "ide" || bus.empty()) return ControllerType::ide_piix3;
  if (bus == "virtio") {
    in.raise(finding::kHardwareChoice, item.reader().place(),
             item.label() + " is on virtio-blk; it moves to virtio-scsi",
             "Use --disk-bus virtio if the guest has no driver for that or names its disks vda.");
  }
  return ControllerType::virtio_scsi;
}

}  // namespace

bool is_ovirt(const xml::Element &envelope) { return envelope.space == "http://schemas.dmtf.org/ovf/envelope/1/"; }

bool is_ovirt_setting(const Context &in, const SettingsReader &element) {
  const std::string &name = element.element().name;
  return in.platform == Platform::ovirt && name != "Section" && name != "Name" && name != "Info" &&
         !name.ends_with("Section");
}

void read_ovirt_machine(Context &in) {
  read_guest_os(in);
  for (const SettingsReader &element : in.system().children()) {
    if (is_ovirt_setting(in, element)) read_setting(in, element);
  }
}

void read_ovirt_boot_order(Context &in, const std::vector<Item> &items) {
  std::vector<std::pair<unsigned, BootDevice>> order;
  for (const Item &item : items) {
    const auto position = item.number("BootOrder");
    if (!position || *position == 0) continue;
    BootDevice device;
    if (item.is(Resource::cd)) {
      device.kind = BootDevice::Kind::cdrom;
    } else if (item.is(Resource::ethernet)) {
      device.kind = BootDevice::Kind::network;
    } else if (item.is(Resource::disk)) {
      device.kind = BootDevice::Kind::disk;
    } else {
      continue;
    }
    item.take("BootOrder", "hardware.boot_order");
    order.emplace_back(*position, std::move(device));
  }
  std::stable_sort(order.begin(), order.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
  for (auto &[position, device] : order) in.machine.hardware.boot_order.push_back(std::move(device));
}

std::size_t ovirt_controller(Context &in, const Item &item) {
  auto &controllers = in.machine.hardware.controllers;
  const ControllerType type = ovirt_type_of(in, item);
  const auto hit = std::find_if(controllers.begin(), controllers.end(),
                                [&](const Controller &controller) { return controller.type == type; });
  const auto index = static_cast<std::size_t>(hit - controllers.begin());
  if (const auto disk = disk_of(in, item)) {
    (void)disk->text("disk-interface", "hardware.controllers." + std::to_string(index) + ".type");
  }
  if (hit != controllers.end()) return index;
  Controller controller;
  controller.type = type;
  controller.name = type == ControllerType::ahci ? "sata0" : type == ControllerType::virtio_scsi ? "scsi0" : "ide0";
  controller.origin = item.reader().place();
  controllers.push_back(std::move(controller));
  return index;
}

std::optional<NicModel> ovirt_nic_model(std::string_view subtype) {
  // 0 is a card with two faces, rtl8139 and virtio; guests with the driver use the latter. QEMU's rtl8139 (1) has no
  // counterpart among the models that VMware and VirtualBox have.
  if (subtype == "0" || subtype == "3") return NicModel::virtio;
  if (subtype == "2") return NicModel::e1000_82540em;
  if (subtype == "6") return NicModel::e1000e;
  return std::nullopt;
}

void settle_ovirt_device(const Item &item) {
  const std::string type = text::lower_ascii(item.text("Type").value_or(""));
  const bool of_host = type == "hostdev" || type == "redir" || type == "mdev";
  item.reader().settle_all(of_host ? Disposition::dropped : Disposition::irrelevant,
                           of_host ? "a device of the source's host; pass one of this host through by hand"
                                   : "a device of QEMU's own, which the new machine has where it needs it");
}

}  // namespace ferry::ovf
