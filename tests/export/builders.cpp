// SPDX-License-Identifier: Apache-2.0
#include "tests/export/builders.hpp"

#include <filesystem>
#include <gtest/gtest.h>

#include "tests/export/real_libvirt.hpp"

namespace ferry::test {

using libvirt::FirmwareDescriptor;
using libvirt::HostProfile;

namespace {

FirmwareDescriptor firmware(std::string code, std::string vars, std::vector<std::string> machines,
                            std::set<std::string> features) {
  FirmwareDescriptor out;
  out.loader = "/usr/share/OVMF/" + code;
  out.nvram_template = "/usr/share/OVMF/" + vars;
  out.architecture = "x86_64";
  out.machines = std::move(machines);
  out.features = std::move(features);
  out.vars_size = 540672;
  return out;
}

}  // namespace

HostProfile debian12() {
  HostProfile host;
  host.name = "Debian 12, libvirt 9.0.0, QEMU 7.2.0";
  host.libvirt_version = 9000000;
  host.qemu_version = 7002000;
  host.emulator = "/usr/bin/qemu-system-x86_64";
  host.machine_types = {"pc", "pc-i440fx-7.2", "q35", "pc-q35-7.2"};
  host.cpu_modes = {"maximum", "host-model", "custom"};
  host.cpu_models = {"qemu64", "Penryn"};
  host.disk_buses = {"ide", "sata", "scsi", "virtio", "usb", "fdc"};
  host.graphics = {"spice", "vnc"};
  host.video_models = {"vga", "qxl", "virtio", "cirrus", "bochs", "vmvga", "none"};
  host.sound_models = {"ac97", "ich6", "ich9", "sb16", "es1370"};
  host.nic_models = {"e1000", "e1000e", "e1000-82545em", "virtio", "vmxnet3", "pcnet", "rtl8139", "ne2k_pci"};
  host.scsi_models = {"virtio-scsi", "lsilogic", "lsisas1068", "vmpvscsi"};
  host.usb_models = {"pci-ohci", "ich9-ehci1", "ich9-uhci1", "nec-xhci", "qemu-xhci", "piix3-uhci"};
  host.tpm_models = {"tpm-crb", "tpm-tis"};
  host.tpm_backends = {"emulator"};
  host.network_backends = {"default"};
  host.filesystem_drivers = {"path", "virtiofs"};
  host.char_types = {"spicevmc", "pty", "unix"};
  host.usb_redirection = true;
  host.swtpm_setup = true;
  host.image_folder = "/var/tmp/images";
  host.firmware = {
      firmware("OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd", {"pc-q35-*"},
               {"secure-boot", "enrolled-keys", "requires-smm"}),
      firmware("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", {"pc-q35-*"}, {"secure-boot", "requires-smm"}),
      firmware("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", {"pc-i440fx-*", "pc-q35-*"}, {})};
  return host;
}

HostProfile debian13() {
  HostProfile host = debian12();
  host.name = "Debian 13, libvirt 11.3.0, QEMU 10.0.0";
  host.libvirt_version = 11003000;
  host.qemu_version = 10000000;
  host.kvm = true;
  host.cpu_modes.insert("host-passthrough");
  host.hyperv_features = {"relaxed", "vapic",  "spinlocks",   "vpindex",  "runtime",
                          "synic",   "stimer", "frequencies", "tlbflush", "ipi"};
  host.network_backends = {"default", "passt"};
  host.passt = true;
  host.virtiofsd = true;
  return host;
}

HostProfile without_spice() {
  HostProfile host = debian12();
  host.name = "no SPICE";
  host.graphics = {"vnc"};
  host.video_models = {"vga", "virtio", "bochs", "none"};
  host.char_types = {"pty", "unix"};
  host.usb_redirection = false;
  host.scsi_models = {"virtio-scsi"};
  host.nic_models = {"e1000e", "virtio", "rtl8139"};
  host.sound_models = {"ich6", "ich9"};
  host.usb_models = {"qemu-xhci"};
  host.disk_buses = {"sata", "scsi", "virtio", "usb"};
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
  input.options.name = "box";
  input.options.random_seed = 1;
  input.field_prefix = "hardware";
}

libvirt::ExportResult Fixture::run() {
  input.machine = &machine;
  input.hardware = &machine.hardware;
  input.host = &host;
  if (input.media.empty()) {
    for (std::size_t c = 0; c < machine.hardware.controllers.size(); ++c) {
      for (std::size_t d = 0; d < machine.hardware.controllers[c].drives.size(); ++d) {
        const Drive &drive = machine.hardware.controllers[c].drives[d];
        if (!drive.medium) continue;
        libvirt::TargetMedium medium;
        medium.controller = c;
        medium.drive = d;
        medium.file = "/var/tmp/images/box-" + std::to_string(c) + "-" + std::to_string(d) +
                      (drive.kind == DriveKind::disk ? ".qcow2" : ".iso");
        medium.format = drive.kind == DriveKind::disk ? "qcow2" : "raw";
        medium.read_only = drive.kind == DriveKind::cdrom;
        input.media.push_back(medium);
      }
    }
  }
  libvirt::ExportResult result = libvirt::export_domain(input);
  expect_acceptable(result.domain_xml, host);
  return result;
}

const xml::Element &element(const xml::Element &root, std::string_view path, std::size_t number) {
  static const xml::Element nothing;
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
      return nothing;
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

bool found(const libvirt::ExportResult &result, std::string_view finding_id) {
  for (const Finding &finding : result.findings) {
    if (finding.id == finding_id) return true;
  }
  return false;
}

const Settlement *settlement(const libvirt::ExportResult &result, std::string_view field) {
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
  EXPECT_FALSE(message.has_value()) << *message << "\n" << domain_xml;
}

}  // namespace ferry::test
