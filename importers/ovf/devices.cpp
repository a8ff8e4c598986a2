// SPDX-License-Identifier: Apache-2.0
// Processors, memory, network cards, ports, USB, sound, graphics and what VMware exports as "other" devices.
#include <algorithm>
#include <array>
#include <climits>

#include "importers/ovf/item.hpp"
#include "importers/ovf/ovirt.hpp"
#include "importers/ovf/units.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// An amount of memory below this cannot be meant in bytes: no guest starts in it.
constexpr std::uint64_t kSmallestMemory = std::uint64_t{1} << 20U;
constexpr unsigned kMostProcessors = 4096;  // above what QEMU and any source platform can do

// ---- processor and memory ----

void set_instruction_set(const Item &item, Cpu &cpu) {
  const auto set = item.text("InstructionSet");
  if (!set) return;
  const std::string lower = text::lower_ascii(*set);
  item.take("InstructionSet", "hardware.cpu.architecture");
  if (lower.find("x86") != std::string::npos || lower.find("ia32") != std::string::npos ||
      lower.find("i386") != std::string::npos || lower.find("amd64") != std::string::npos) {
    const bool wide = lower.find("64") != std::string::npos;
    cpu.architecture = wide ? Cpu::Architecture::x86_64 : Cpu::Architecture::x86;
  } else if (lower.find("aarch64") != std::string::npos || lower.find("arm") != std::string::npos) {
    cpu.architecture = Cpu::Architecture::arm64;
  } else {
    throw Error(ErrorKind::unsupported, {.where = item.reader().place(),
                                         .message = "the package is for a processor that virt-ferry does not support",
                                         .found = in_quotes(*set),
                                         .expected = "x86, x86-64 or 64-bit ARM"});
  }
}

// oVirt: num_of_sockets x cpu_per_socket x threads_per_cpu.
unsigned ovirt_processors(const Item &item, unsigned sockets, Cpu &cpu) {
  const unsigned cores = std::clamp(item.number("cpu_per_socket").value_or(1), 1U, kMostProcessors);
  const unsigned threads = std::clamp(item.number("threads_per_cpu").value_or(1), 1U, 64U);
  item.take("num_of_sockets", "hardware.cpu.count");
  item.take("cpu_per_socket", "hardware.cpu.cores_per_socket");
  item.take("threads_per_cpu", "hardware.cpu.threads_per_core");
  cpu.cores_per_socket = cores;
  if (threads > 1) cpu.threads_per_core = threads;
  return std::min(sockets, kMostProcessors) * cores * threads;
}

void add_processor(Context &in, const Item &item, unsigned &count) {
  Cpu &cpu = in.machine.hardware.cpu;
  item.take_identity("hardware.cpu.count");
  item.take("VirtualQuantity", "hardware.cpu.count");
  item.take("ResourceSubType", "hardware.cpu");
  auto quantity = item.number("VirtualQuantity");
  if (const auto sockets = item.number("num_of_sockets")) quantity = ovirt_processors(item, *sockets, cpu);
  if (!quantity || *quantity == 0 || *quantity > kMostProcessors) {
    in.raise(finding::kUnitsGuessed, item.reader().place(),
             "the number of processors " + in_quotes(item.text("VirtualQuantity").value_or("")) +
                 " is not a usable number; 1 is used");
  }
  const bool usable = quantity && *quantity > 0 && *quantity <= kMostProcessors;
  count += usable ? *quantity : 1;
  if (const auto cores = item.number("CoresPerSocket"); cores && *cores > 0) cpu.cores_per_socket = *cores;
  item.take("CoresPerSocket", "hardware.cpu.cores_per_socket");
  set_instruction_set(item, cpu);
  cpu.origin = item.reader().place();
}

void add_memory(Context &in, const Item &item) {
  Memory &memory = in.machine.hardware.memory;
  item.take_identity("hardware.memory.bytes");
  for (const char *child : {"VirtualQuantity", "AllocationUnits", "VirtualQuantityUnits"}) {
    item.take(child, "hardware.memory.bytes");
  }
  memory.origin = item.reader().place();
  const auto amount = item.text("VirtualQuantity");
  const auto units = item.text("AllocationUnits") ? item.text("AllocationUnits") : item.text("VirtualQuantityUnits");
  const auto unit = units ? bytes_per_unit(*units) : std::nullopt;
  auto bytes = amount ? to_bytes(*amount, unit.value_or(1)) : std::nullopt;
  if (amount && (!bytes || *bytes < kSmallestMemory)) {
    // Exporters that leave the units out mean mebibytes; nobody means bytes.
    const auto guessed = to_bytes(*amount, std::uint64_t{1} << 20U);
    in.raise(finding::kUnitsGuessed, memory.origin,
             "the amount of memory, " + in_quotes(*amount) + " " + (units ? in_quotes(*units) : "without units") +
                 ", is read as mebibytes");
    bytes = guessed;
  }
  if (!bytes) {
    throw Error(ErrorKind::malformed, {.where = memory.origin,
                                       .message = "the amount of memory is not a number",
                                       .found = in_quotes(amount.value_or("")),
                                       .expected = "a number in VirtualQuantity"});
  }
  if (*bytes > UINT64_MAX - memory.bytes) memory.bytes = 0;
  memory.bytes += *bytes;
}

// ---- network ----

struct NicSubtype {
  std::string_view name;
  NicModel vmware, virtualbox;
};
constexpr std::array<NicSubtype, 16> kNics{{
    {"e1000", NicModel::e1000_82545em, NicModel::e1000_82540em},
    {"e1000e", NicModel::e1000e, NicModel::e1000e},
    {"pcnet32", NicModel::vlance, NicModel::am79c973},
    {"vlance", NicModel::vlance, NicModel::am79c973},
    {"flexible", NicModel::flexible, NicModel::flexible},
    {"vmxnet", NicModel::vmxnet, NicModel::vmxnet},
    {"vmxnet2", NicModel::vmxnet2, NicModel::vmxnet2},
    {"vmxnet3", NicModel::vmxnet3, NicModel::vmxnet3},
    {"virtio", NicModel::virtio, NicModel::virtio},
    {"virtio-net", NicModel::virtio, NicModel::virtio},
    {"virtionet", NicModel::virtio, NicModel::virtio},
    {"am79c970a", NicModel::am79c970a, NicModel::am79c970a},
    {"am79c973", NicModel::am79c973, NicModel::am79c973},
    {"82540em", NicModel::e1000_82540em, NicModel::e1000_82540em},
    {"82543gc", NicModel::e1000_82543gc, NicModel::e1000_82543gc},
    {"82545em", NicModel::e1000_82545em, NicModel::e1000_82545em},
}};

NicModel nic_model(Context &in, const Item &item) {
  if (in.platform == Platform::ovirt && !item.subtypes().empty()) {
    if (const auto model = ovirt_nic_model(item.subtypes().front())) return *model;
  }
  for (const std::string &name : item.subtypes()) {
    for (const NicSubtype &known : kNics) {
      if (known.name == name) return in.platform == Platform::vmware ? known.vmware : known.virtualbox;
    }
  }
  in.raise(
      finding::kSubtypeUnknown, item.reader().place(),
      item.label() +
          (item.subtypes().empty() ? " names no model" : " is of the unknown model " + in_quotes(item.subtypes()[0])) +
          "; an Intel PRO/1000 is used");
  return in.platform == Platform::vmware ? NicModel::e1000_82545em : NicModel::e1000_82540em;
}

void set_network(const Context &in, const Item &item, Nic &nic) {
  nic.network = std::string(text::trim(item.text("Connection").value_or("")));
  std::string lower = text::lower_ascii(nic.network);
  lower.erase(std::remove_if(lower.begin(), lower.end(), [](char c) { return c == '-' || c == ' ' || c == '_'; }),
              lower.end());
  // A port group of ESX or a network of another platform leads to the outside, whatever its name.
  nic.mode = NicMode::bridged;
  // The names that VirtualBox, VMware Workstation and Fusion give to their own networks.
  if (lower == "nat" || lower == "vmnet8" || lower.empty()) nic.mode = NicMode::nat;
  const bool workstation = lower.starts_with("vmnet") && lower.find_first_not_of("0123456789", 5) == std::string::npos;
  if (workstation && lower != "vmnet8" && lower != "vmnet0") nic.mode = NicMode::custom;
  if (lower.starts_with("hostonly") || lower == "vmnet1") nic.mode = NicMode::host_only;
  if (lower == "internal" || lower == "internalnetwork" || lower == "intnet" || lower.starts_with("lansegment") ||
      lower.starts_with("isolated") || in.isolated.contains(nic.network))
    nic.mode = NicMode::internal;
  if (lower == "natnetwork") nic.mode = NicMode::nat_network;
  if (lower == "none" || lower == "null") nic.mode = NicMode::none;
}

void add_nic(Context &in, const Item &item) {
  auto &nics = in.machine.hardware.nics;
  const std::string field = "hardware.nics." + std::to_string(nics.size());
  Nic nic;
  nic.slot = static_cast<unsigned>(nics.size());
  nic.origin = item.reader().place();
  nic.model = nic_model(in, item);
  set_network(in, item, nic);
  nic.cable_connected = item.boolean("AutomaticAllocation").value_or(true);
  for (const char *child : {"Address", "MACAddress"}) {  // the latter is oVirt's
    const auto address = item.text(child);
    if (const auto mac = address ? MacAddress::parse(text::trim(*address)) : std::nullopt) nic.mac = mac;
  }
  if (const auto linked = item.boolean("Linked"); linked && !*linked) {
    nic.cable_connected = false;
    item.take("Linked", field + ".cable_connected");
  }
  item.take_identity(field);
  item.take("ResourceSubType", field + ".model");
  item.take("AddressOnParent", field + ".slot");
  item.take("AutomaticAllocation", field + ".cable_connected");
  if (nic.mac) item.take("Address", field + ".mac");
  if (nic.mac) item.take("MACAddress", field + ".mac");
  const auto connections = item.reader().children("Connection");
  if (!connections.empty()) connections.front().touch(field + ".network");
  if (const auto network = in.networks.find(nic.network); network != in.networks.end()) {
    (void)network->second.text("name", field + ".network");
  }
  read_nic_config(in, item, nic, field);
  if (!item.instance().empty()) in.boot_name_of[item.instance()] = "ethernet" + std::to_string(nic.slot);
  nics.push_back(std::move(nic));
}

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
  tpm.version = item.has_subtype("vmware.vtpm") ? Tpm::Version::v2_0 : Tpm::Version::v1_2;
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
    return name.find("vtpm") != std::string::npos || name == "tpm" || name.starts_with("tpm-");
  });
}

bool is_nic(const Item &item) {
  const bool port_item = item.reader().element().name == "EthernetPortItem";
  return item.is(Resource::ethernet) || item.is(Resource::other_network) ||
         (port_item && (item.is(Resource::switch_port) || item.is(Resource::ethernet_connection)));
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
  in.machine.hardware.cpu.count = std::clamp(processors, 1U, kMostProcessors);
  std::string without_mac;
  for (const Nic &nic : in.machine.hardware.nics) {
    if (!nic.mac) without_mac += (without_mac.empty() ? "" : ", ") + std::to_string(nic.slot + 1);
  }
  if (!without_mac.empty()) {
    in.raise(finding::kMacGenerated, in.machine.hardware.nics.front().origin,
             "the package gives no MAC address for network card " + without_mac);
  }
}

}  // namespace ferry::ovf
