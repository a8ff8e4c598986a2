// SPDX-License-Identifier: Apache-2.0
#include "tests/export/builders.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "importers/vbox/defaults.hpp"
#include "importers/vmware/defaults.hpp"
#include "model/fields.hpp"
#include "tests/export/real_libvirt.hpp"
#include "tests/paths.hpp"

namespace ferry::test {

using libvirt::HostProfile;

namespace {

HostProfile recorded(const std::string &name) {
  return libvirt::load_host_profile(FERRY_SOURCE_DIR "/fixtures/hosts/" + name + ".json");
}

}  // namespace

HostProfile debian12() { return recorded("debian-12"); }
HostProfile debian13() { return recorded("debian-13"); }

HostProfile debian_sid() { return recorded("debian-sid"); }
HostProfile without_spice() { return recorded("no-spice"); }

HostProfile with_kvm(HostProfile host) {
  host.kvm = true;
  host.cpu_modes.insert("host-passthrough");
  host.hyperv_features = {"relaxed", "vapic",  "spinlocks",   "vpindex",  "runtime",
                          "synic",   "stimer", "frequencies", "tlbflush", "ipi"};
  return host;
}

HostProfile with_few_devices() {
  HostProfile host = without_spice();
  host.name = "an enterprise build of QEMU: no old devices";
  host.video_models = {"vga", "virtio", "bochs", "none"};
  host.scsi_models = {"virtio-scsi"};
  host.nic_models = {"e1000e", "virtio", "rtl8139"};
  host.sound_models = {"ich6", "ich9"};
  host.usb_models = {"qemu-xhci"};
  host.disk_buses = {"sata", "scsi", "virtio", "usb"};
  host.machine_types = {"q35", "pc-q35-9.2"};
  host.swtpm_setup = false;
  return host;
}

Drive disk_drive(unsigned port, std::string_view uuid) {
  Drive drive;
  drive.port = port;
  drive.medium = Medium{};
  ImageFile image;
  image.declared_location = "disk" + std::to_string(port) + ".vdi";
  image.uuid = Uuid::parse(uuid);
  drive.medium->chain.push_back(image);
  drive.serial = "VB11111111-5555555" + std::to_string(port % 10);
  return drive;
}

Drive ide_disk(unsigned channel, unsigned unit) {
  Drive drive = disk_drive(channel);
  drive.device = unit;
  return drive;
}

Drive cd_drive(unsigned port, unsigned device) {
  Drive drive;
  drive.kind = DriveKind::cdrom;
  drive.port = port;
  drive.device = device;
  return drive;
}

Controller controller(ControllerType type, std::string name, std::vector<Drive> drives) {
  Controller out;
  out.type = type;
  out.name = std::move(name);
  out.drives = std::move(drives);
  return out;
}

Machine virtualbox_machine() {
  Machine machine;
  machine.source.kind = SourceKind::vbox;
  machine.source.file = "/home/user/VirtualBox VMs/box/box.vbox";
  machine.name = "box";
  machine.guest_os = {"Debian_64", "Debian (64-bit)", OsFamily::linux, true, "http://debian.org/debian/12"};
  Hardware &hw = machine.hardware;
  hw.memory.bytes = std::uint64_t{1} << 30U;
  hw.cpu.count = 2;
  hw.controllers = {controller(ControllerType::ahci, "SATA", {disk_drive(0)}),
                    controller(ControllerType::ide_piix4, "IDE", {cd_drive(1)})};
  Nic nic;
  nic.mac = MacAddress::parse("080027112233");
  nic.pci_slot = 3;
  hw.nics = {nic};
  hw.sound = Sound{};
  hw.usb_controllers = {UsbController{}};
  hw.input.pointing = Input::Pointing::usb_tablet;
  hw.smbios.uuid = Uuid::parse("00112233-4455-6677-8899-aabbccddeeff");
  hw.smbios.uuid_little_endian = false;
  hw.smbios.older_than_2_6 = true;
  hw.clock.base = Clock::Base::utc;
  return machine;
}

Machine vmware_machine() {
  Machine machine = virtualbox_machine();
  machine.source.kind = SourceKind::vmx;
  machine.source.file = "/home/user/vmware/box/box.vmx";
  Hardware &hw = machine.hardware;
  hw.chipset = Chipset::i440bx_vmware;
  hw.display.adapter = Display::Adapter::vmware_svga;
  hw.controllers = {controller(ControllerType::pvscsi, "scsi0", {disk_drive(0)}),
                    controller(ControllerType::ide_vmware, "ide1", {cd_drive(1)})};
  hw.nics[0].pci_slot = 33;
  hw.sound = Sound{.model = Sound::Model::hda};
  return machine;
}

Fixture::Fixture(Machine m) : machine(std::move(m)) {
  input.identity.name = "box";
  input.identity.uuid = *Uuid::parse("00112233-4455-4677-8899-aabbccddeeff");
  input.field_prefix = "hardware";
}

target::Result Fixture::run() {
  target::Result result = map();
  expect_acceptable(result.document, host);
  return result;
}

void Fixture::run_and_start() {
  const std::filesystem::path folder = real_libvirt_folder();
  make_media(folder, "raw");
  for (const target::Medium &medium : input.media) {
    std::ofstream(medium.file).close();
    std::filesystem::resize_file(medium.file, 1U << 20U);
  }
  const target::Result result = map();
  bool skipped = false;
  const auto message = start_in_real_libvirt(result.document, skipped);
  EXPECT_FALSE(message.has_value()) << *message << "\n" << result.document;
}

void Fixture::make_media(const std::filesystem::path &folder, const std::string &disk_format) {
  for (std::size_t c = 0; c < machine.hardware.controllers.size(); ++c) {
    for (std::size_t d = 0; d < machine.hardware.controllers[c].drives.size(); ++d) {
      const Drive &drive = machine.hardware.controllers[c].drives[d];
      if (!drive.medium) continue;
      const bool disk = drive.kind == DriveKind::disk;
      target::Medium medium;
      medium.controller = c;
      medium.drive = d;
      medium.file = folder / ("box-" + std::to_string(c) + "-" + std::to_string(d) + (disk ? ".disk" : ".iso"));
      medium.format = disk ? disk_format : "raw";
      medium.read_only = drive.kind == DriveKind::cdrom;
      if (change_media) change_media(medium);
      input.media.push_back(medium);
    }
  }
}

target::Result Fixture::map() {
  exported = machine;
  if (machine.source.kind == SourceKind::vbox) vbox::apply_defaults(exported.hardware);
  if (machine.source.kind == SourceKind::vmx) vmware::apply_defaults(exported.hardware);
  input.machine = &exported;
  input.hardware = &exported.hardware;
  input.host = &host;
  if (input.media.empty()) make_media("/var/tmp/images", "qcow2");
  if (input.identity.title.empty()) input.identity.title = machine.name;
  for (std::size_t i = input.identity.cards.size(); i < machine.hardware.nics.size(); ++i) {
    const MacAddress generated{{0x52, 0x54, 0x00, 0x00, 0x00, static_cast<std::uint8_t>(i + 1)}};
    input.identity.cards.push_back({machine.hardware.nics[i].mac.value_or(generated), {}});
  }
  target::Result result = libvirt::export_domain(input);
  for (const Settlement &settled : result.settlements) EXPECT_TRUE(has_field<Machine>(settled.field)) << settled.field;
  return result;
}

xml::Element domain(const target::Result &result) { return xml::parse(result.document, "domain.xml"); }

const xml::Element &element(const xml::Element &root, std::string_view path, std::size_t number) {
  static const xml::Element kNothing;
  const xml::Element *at = &root;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    std::size_t skip = last ? number : 0;
    const xml::Element *next = nullptr;
    for (const xml::Element &child : at->children) {
      if (child.name == name && skip-- == 0) {
        next = &child;
        break;
      }
    }
    if (next == nullptr) {
      ADD_FAILURE() << "no <" << name << "> in " << at->path;
      return kNothing;
    }
    at = next;
    path = last ? std::string_view{} : path.substr(slash + 1);
  }
  return *at;
}

std::size_t count(const xml::Element &root, std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const xml::Element &parent = slash == std::string_view::npos ? root : element(root, path.substr(0, slash));
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  std::size_t total = 0;
  for (const xml::Element &child : parent.children) total += child.name == name ? 1U : 0U;
  return total;
}

std::string attribute(const xml::Element &element, std::string_view name) {
  const std::string *value = element.attribute(name);
  return value == nullptr ? std::string{} : *value;
}

int slot_of(const xml::Element &device) {
  const xml::Element *address = device.child("address");
  if (address == nullptr || attribute(*address, "type") != "pci") return -1;
  return std::stoi(attribute(*address, "slot"));
}

bool found(const target::Result &result, std::string_view finding_id) {
  for (const Finding &finding : result.findings) {
    if (finding.id == finding_id) return true;
  }
  return false;
}

const Settlement *settlement(const target::Result &result, std::string_view field) {
  while (!field.empty()) {
    const Settlement *last = nullptr;
    for (const Settlement &candidate : result.settlements) {
      if (candidate.field == field) last = &candidate;
    }
    if (last != nullptr) return last;
    const std::size_t dot = field.rfind('.');
    field = dot == std::string_view::npos ? std::string_view{} : field.substr(0, dot);
  }
  return nullptr;
}

void expect_acceptable(const std::string &domain_xml, const HostProfile &host) {
  const std::filesystem::path schema = "/usr/share/libvirt/schemas/domain.rng";
  // A domain for a newer libvirt may say what this one's schema does not know.
  if (host.libvirt_version > real_libvirt_version() && real_libvirt_version() != 0) return;
  if (std::filesystem::exists(schema)) {
    const auto messages = xml::validate_relaxng(domain_xml, schema);
    EXPECT_TRUE(messages.empty()) << messages.front() << "\n" << domain_xml;
  }
  if (host.kvm) return;  // refused where there is none
  bool skipped = false;
  const auto message = define_in_real_libvirt(domain_xml, skipped);
  // The profile has SPICE; the host that the tests run on need not (Debian 13 without qemu-system-modules-spice).
  if (message && message->find("spice graphics are not supported") != std::string::npos) return;
  EXPECT_FALSE(message.has_value()) << *message << "\n" << domain_xml;
}

Fixture with(ControllerType type, std::vector<Drive> drives, bool vmware) {
  Fixture fixture(vmware ? vmware_machine() : virtualbox_machine());
  fixture.machine.hardware.controllers = {controller(type, "c", std::move(drives))};
  return fixture;
}

std::string place(const target::Result &result, std::size_t number) {
  const xml::Element root = domain(result);
  const xml::Element &disk = element(root, "devices/disk", number);
  std::string text = attribute(element(disk, "target"), "bus");
  if (disk.child("address") == nullptr) return text;
  const xml::Element &address = element(disk, "address");
  return text + " " + attribute(address, "controller") + ":" + attribute(address, "bus") + ":" +
         attribute(address, "target") + ":" + attribute(address, "unit");
}

}  // namespace ferry::test
