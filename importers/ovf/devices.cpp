// SPDX-License-Identifier: Apache-2.0
// Ports, USB, sound, graphics and what VMware exports as "other" devices; and whose turn an Item is.
#include <algorithm>
#include <array>
#include <climits>

#include "importers/ovf/device_parts.hpp"
#include "importers/ovf/item.hpp"
#include "importers/ovf/ovirt.hpp"
#include "importers/ovf/units.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// ---- ports ----

CharPort::Backend port_backend(std::string_view subtype, std::string_view path) {
  const std::string lower = text::lower_ascii(path);
  if (subtype.ends_with(".thinprint")) return CharPort::Backend::thin_print;
  if (subtype.ends_with(".pipe")) return CharPort::Backend::pipe;
  if (subtype.ends_with(".file")) return CharPort::Backend::file;
  if (subtype.ends_with(".device")) return CharPort::Backend::host_device;
  if (lower.starts_with("tcp:") || lower.starts_with("telnet:") || subtype.ends_with(".uri"))
    return CharPort::Backend::tcp;
  if (lower.starts_with("/dev/") || lower.starts_with("com")) return CharPort::Backend::host_device;
  if (lower.starts_with("file:")) return CharPort::Backend::file;
  return CharPort::Backend::disconnected;
}

void add_port(const Item &item, std::vector<CharPort> &ports, const std::string &list) {
  const std::string field = "hardware." + list + "." + std::to_string(ports.size());
  CharPort port;
  port.slot = static_cast<unsigned>(ports.size());
  port.origin = item.reader().place();
  port.path = item.text("HostResource").value_or(item.text("Address").value_or(""));
  port.backend = port_backend(item.subtypes().empty() ? "" : item.subtypes().front(), port.path);
  if (port.backend == CharPort::Backend::disconnected) port.path.clear();
  if (port.backend == CharPort::Backend::tcp) {
    if (const std::size_t slashes = port.path.find("://"); slashes != std::string::npos)
      port.path.erase(0, slashes + 3);
    port.server = true;  // the source platform listens unless its proxy settings, which OVF lacks, say otherwise
  }
  port.connected_at_start = item.boolean("AutomaticAllocation").value_or(true);
  item.take_identity(field);
  item.take("ResourceSubType", field + ".backend");
  item.take("HostResource", field + ".path");
  item.take("Address", field + ".path");
  item.take("AutomaticAllocation", field + ".connected_at_start");
  ports.push_back(std::move(port));
}

// ---- USB, sound, display, others ----

void add_usb(Context &in, const Item &item) {
  if (text::lower_ascii(item.text("UsbPolicy").value_or("")) == "disabled") {  // oVirt
    item.reader().settle_all(Disposition::irrelevant, "there is no USB controller");
    return;
  }
  auto &controllers = in.machine.hardware.usb_controllers;
  const std::string field = "hardware.usb_controllers." + std::to_string(controllers.size());
  const auto any = [&](std::string_view part) {
    return std::any_of(item.subtypes().begin(), item.subtypes().end(),
                       [&](const std::string &name) { return name.find(part) != std::string::npos; });
  };
  UsbController controller;
  controller.origin = item.reader().place();
  controller.type = in.platform == Platform::vmware ? UsbController::Type::uhci : UsbController::Type::ohci;
  if (any("ehci")) controller.type = UsbController::Type::ehci;
  if (any("xhci")) controller.type = UsbController::Type::xhci;
  item.take_identity(field);
  item.take("ResourceSubType", field + ".type");
  controllers.push_back(std::move(controller));
  read_usb_config(in, item, field);
}

void add_sound(Context &in, const Item &item) {
  Sound sound;
  sound.origin = item.reader().place();
  sound.model = in.platform == Platform::vmware ? Sound::Model::es1371 : Sound::Model::ac97;
  for (const std::string &name : item.subtypes()) {
    if (name.find("hda") != std::string::npos || name.starts_with("ich"))
      sound.model = in.platform == Platform::vmware ? Sound::Model::hda_vmware : Sound::Model::hda;
    if (name.find("sb16") != std::string::npos) sound.model = Sound::Model::sb16;
    if (name.find("ac97") != std::string::npos) sound.model = Sound::Model::ac97;
    // VirtualBox writes "ensoniq1371" for whatever card the machine has.
    if (name.find("ensoniq") != std::string::npos && in.platform != Platform::virtualbox)
      sound.model = Sound::Model::es1371;
  }
  item.take_identity("hardware.sound");
  item.take("ResourceSubType", "hardware.sound.model");
  item.take("AddressOnParent", "hardware.sound");
  in.machine.hardware.sound = std::move(sound);
}

void add_display(Context &in, const Item &item) {
  Display &display = in.machine.hardware.display;
  display.origin = item.reader().place();
  item.take_identity("hardware.display");
  item.take("ResourceSubType", "hardware.display.adapter");
  read_display_config(in, item, display);
}

void add_tpm(Context &in, const Item &item) {
  Tpm tpm;
  tpm.origin = item.reader().place();
  const bool old = std::any_of(item.subtypes().begin(), item.subtypes().end(), [](const std::string &name) {
    return name.find("1.2") != std::string::npos || name.find("1_2") != std::string::npos;
  });
  tpm.version = old ? Tpm::Version::v1_2 : Tpm::Version::v2_0;
  tpm.state_encrypted = true;  // OVF carries the device, never its state
  item.take_identity("hardware.tpm");
  item.take("ResourceSubType", "hardware.tpm.version");
  in.machine.hardware.tpm = std::move(tpm);
}

struct OtherDevice {
  std::string_view prefix;  // of the subtype
  std::string_view note;    // empty: irrelevant housekeeping is said instead
};
constexpr std::array<OtherDevice, 8> kOthers{{
    {"vmware.pci.passthrough",
     "a device of the source host; add one of this host's to the new machine with virt-manager"},
    {"vmware.vgpu", "a part of the source host's graphics card"},
    {"vmware.nvdimm", "persistent memory has no counterpart here; its content is not in the package"},
    {"vmware.precisionclock", "VMware's clock device for guests; use the guest's NTP client, or KVM's ptp clock"},
    {"vmware.wdt", "VMware's watchdog; add libvirt's own with virt-manager if the guest uses it"},
    {"vmware.watchdog", "VMware's watchdog; add libvirt's own with virt-manager if the guest uses it"},
    {"vmware.sgx", "SGX memory of the source host's processor"},
    {"vmware.usb.", "a USB device of the source host; attach it to the new machine with virt-manager"},
}};

void drop(Context &in, const Item &item, std::string_view why) {
  in.raise(finding::kDeviceDropped, item.reader().place(), item.label() + " was left out: " + std::string(why));
  item.reader().settle_all(Disposition::dropped, why);
}

void add_other(Context &in, const Item &item) {
  if (in.platform == Platform::ovirt && item.text("Type") && item.text("Type") != "tpm")
    return settle_ovirt_device(item);
  const std::string subtype = item.subtypes().empty() ? "" : item.subtypes().front();
  if (subtype.find("soundcard") != std::string::npos) return add_sound(in, item);
  if (subtype.find("tpm") != std::string::npos) return add_tpm(in, item);
  if (subtype == "vmware.vmci") {
    item.reader().settle_all(Disposition::irrelevant, "VMware's channel between guest and host, for VMware Tools");
    return;
  }
  if (subtype == "vmware.keyboard" || subtype == "vmware.pointingdevice" || subtype == "vmware.ps2") {
    item.reader().settle_all(Disposition::irrelevant, "keyboard and mouse, which every machine has");
    return;
  }
  for (const OtherDevice &known : kOthers) {
    if (subtype.starts_with(known.prefix)) return drop(in, item, known.note);
  }
  drop(in, item, "virt-ferry does not know this kind of device");
}

std::string_view dropped_because(const Item &item) {
  switch (static_cast<Resource>(item.type())) {
    case Resource::fibre_channel:
    case Resource::iscsi:
    case Resource::infiniband: return "an adapter to the source host's storage network";
    case Resource::tape: return "a tape drive of the source host";
    case Resource::firewire: return "QEMU has no FireWire controller";
    case Resource::io_slot:
    case Resource::io_device: return "a device or slot of the source host";
    case Resource::partitionable_unit:
    case Resource::base_partition:
    case Resource::power:
    case Resource::cooling: return "a resource of the source host, not of the machine";
    case Resource::switch_port:
    case Resource::ethernet_connection: return "a port of the source host's switch, not a network card";
    case Resource::other_storage: return "persistent memory has no counterpart here; its content is not in the package";
    default: return "virt-ferry does not know its ResourceType";
  }
}

// VMware numbers its vTPM 1 or 34, neither of which means a TPM: the subtype decides.
bool is_tpm(const Item &item) {
  return std::any_of(item.subtypes().begin(), item.subtypes().end(), [](const std::string &name) {
    return name.find("vtpm") != std::string::npos || name.find("virtualtpm") != std::string::npos || name == "tpm" ||
           name.starts_with("tpm-") || name.starts_with("tpm_");
  });
}

// Cards come by their place on their parent, not by the order of the Items; those that name none keep their turn behind
// them.
std::vector<const Item *> in_order(const std::vector<Item> &items) {
  std::vector<const Item *> out, nics;
  for (const Item &item : items) {
    out.push_back(&item);
    if (is_nic(item)) nics.push_back(&item);
  }
  std::stable_sort(nics.begin(), nics.end(), [](const Item *a, const Item *b) {
    return a->number("AddressOnParent").value_or(UINT_MAX) < b->number("AddressOnParent").value_or(UINT_MAX);
  });
  auto next = nics.begin();
  for (const Item *&place : out) {
    if (is_nic(*place)) place = *next++;
  }
  return out;
}

void add_device(Context &in, const Item &item, unsigned &processors) {
  Hardware &hardware = in.machine.hardware;
  if (is_tpm(item)) return add_tpm(in, item);
  const bool port_item = item.reader().element().name == "EthernetPortItem";
  switch (static_cast<Resource>(item.type())) {
    case Resource::processor: return add_processor(in, item, processors);
    case Resource::memory: return add_memory(in, item);
    case Resource::ethernet:
    case Resource::other_network: return add_nic(in, item);
    case Resource::switch_port:
    case Resource::ethernet_connection: return port_item ? add_nic(in, item) : drop(in, item, dropped_because(item));
    case Resource::serial: return add_port(item, hardware.serial_ports, "serial_ports");
    case Resource::parallel: return add_port(item, hardware.parallel_ports, "parallel_ports");
    case Resource::usb: return add_usb(in, item);
    case Resource::graphics: return add_display(in, item);
    case Resource::sound: return add_sound(in, item);
    case Resource::other: return add_other(in, item);
    case Resource::computer: return item.reader().settle_all(Disposition::irrelevant, "names the machine itself");
    case Resource::ide:
    case Resource::scsi:
    case Resource::floppy:
    case Resource::cd:
    case Resource::dvd:
    case Resource::disk:
    case Resource::storage_extent:
    case Resource::logical_disk:
    case Resource::storage_volume: return;  // controllers.cpp, drives.cpp
    case Resource::other_storage:
      if (item.has_subtype("vmware.nvdimm.controller") || item.has_subtype("vmware.nvdimm.device")) {
        drop(in, item, dropped_because(item));
      }
      return;
    default:
      if (in.platform == Platform::ovirt && item.text("Type")) return settle_ovirt_device(item);
      return drop(in, item, dropped_because(item));
  }
}

}  // namespace

void add_devices(Context &in, const std::vector<Item> &items) {
  unsigned processors = 0;
  for (const Item *item : in_order(items)) add_device(in, *item, processors);
  set_processors(in, processors);
  report_generated_macs(in);
}

}  // namespace ferry::ovf
