// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/trial_domain.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "exporters/libvirt/edit/guest_system.hpp"
#include "exporters/libvirt/edit/tree.hpp"

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::libvirt::edit {
namespace {

constexpr std::string_view kQemuNamespace = "http://libvirt.org/schemas/domain/qemu/1.0";

[[noreturn]] void cannot_try(const std::string &device, const std::string &why) {
  throw Error(ErrorKind::unsupported, {.where = {.path = device},
                                       .message = "a trial cannot leave this untouched, so the machine is not started",
                                       .found = why});
}

Element parsed_domain(const std::string &domain_xml) { return xml::parse(domain_xml, "libvirt domain"); }

const Element &devices_of(const Element &domain) {
  static const Element kNone;
  const Element *devices = domain.child("devices");
  return devices == nullptr ? kNone : *devices;
}

// Nothing is written to it.
bool is_read_only(const Element &disk) {
  return attribute(disk, "device") == "cdrom" || disk.child("readonly") != nullptr || disk.child("source") == nullptr;
}

bool is_encrypted(const Element &element) {
  return element.name == "encryption" ||
         std::any_of(element.children.begin(), element.children.end(), [](const Element &one) {
           return one.name != "backingStore" && one.name != "mirror" && is_encrypted(one);
         });
}

target::WritableDisk writable(const Element &disk) {
  const std::string name = attribute(disk, "target", "dev"), type = attribute(disk, "type"),
                    device = attribute(disk, "device");
  const std::string place = "disk " + name;
  if (device == "lun") cannot_try(place, "a whole SCSI device of the host");
  if (type != "file" && type != "block") cannot_try(place, "a disk of type \"" + text::printable(type) + '"');
  if (is_encrypted(disk)) cannot_try(place, "an encrypted disk");
  if (disk.child("source")->child("slices") != nullptr) cannot_try(place, "a part of a file");
  const std::string format = attribute(disk, "driver", "type");
  return {name, attribute(disk, "source", type == "file" ? "file" : "dev"), format.empty() ? "raw" : format};
}

bool is_uefi(const Element &domain) {
  const Element *os = domain.child("os");
  return os != nullptr && (attribute(*os, "firmware") == "efi" || os->child("nvram") != nullptr ||
                           attribute(*os, "loader", "type") == "pflash");
}

std::string store_of(const Element &domain) {
  const Element *os = domain.child("os");
  const Element *nvram = os == nullptr ? nullptr : os->child("nvram");
  if (nvram == nullptr) return {};
  if (!attribute(*nvram, "type").empty() && attribute(*nvram, "type") != "file")
    cannot_try("os/nvram", "a variable store that is not a file of this host");
  const std::string format = attribute(*nvram, "format");
  if (!format.empty() && format != "raw") cannot_try("os/nvram", "a variable store in " + text::printable(format));
  return nvram->child("source") != nullptr ? attribute(*nvram, "source", "file") : nvram->text;
}

// QEMU options with which the user could have given the machine files that libvirt does not know of.
void refuse_files_of_arguments(const Element &domain) {
  const Element *line = domain.child("commandline");
  if (line == nullptr) return;
  for (const Element &argument : line->children) {
    const std::string value = attribute(argument, "value");
    static const std::set<std::string_view> kFiles = {
        "-drive",  "-blockdev", "-hda",    "-hdb",    "-hdc", "-hdd",     "-fda", "-fdb",      "-pflash",  "-fsdev",
        "-virtfs", "-chardev",  "-serial", "-netdev", "-nic", "-monitor", "-qmp", "-mem-path", "-incoming"};
    if (kFiles.contains(value)) cannot_try("qemu:commandline", text::printable(value));
    for (const char *word : {"mem-path=", "hostfwd="})
      if (value.find(word) != std::string::npos) cannot_try("qemu:commandline", text::printable(value));
  }
}

// What is left out, as sentences.
std::vector<std::string> left_out_of(const Element &domain) {
  std::vector<std::string> out;
  for (const Element &device : devices_of(domain).children) {
    if (device.name == "hostdev") out.emplace_back("A device of the host is not given to the machine.");
    if (device.name == "filesystem" && attribute(device, "driver", "type") == "virtiofs")
      out.push_back("The folder " + text::printable(attribute(device, "target", "dir")) + " is not shared.");
    if (device.name == "tpm" && attribute(device, "backend", "type") != "emulator")
      out.emplace_back("The host's TPM is not given to the machine.");
    if (device.name == "memory" && attribute(device, "model").find("nvdimm") != std::string::npos)
      cannot_try("memory", "an NVDIMM");
  }
  return out;
}

// ---- the domain of the trial ----

void edit_identity(Element &domain, const target::TrialParts &parts) {
  const Element *uuid = domain.child("uuid");
  const std::string before = uuid == nullptr ? std::string() : uuid->text;
  remove_attribute(domain, "id");
  // The mark of the run that made it: this machine is not that one.
  remove_children(domain, "metadata");
  child_or_new(domain, "title").text = parts.title;
  child_or_new(domain, "name").text = parts.name;
  child_or_new(domain, "uuid").text = parts.uuid;
  child_or_new(domain, "on_poweroff").text = "destroy";
  child_or_new(domain, "on_crash").text = "preserve";  // its last picture is to be seen
  if (before.empty() || before == parts.uuid) return;
  for (Element &sysinfo : domain.children) {
    if (sysinfo.name != "sysinfo") continue;
    for (Element &entry : child_or_new(sysinfo, "system").children)
      if (attribute(entry, "name") == "uuid") entry.text = parts.uuid;  // libvirt wants them equal
  }
  // QEMU takes the last one.
  Element *line = child(domain, "commandline");
  if (line == nullptr) line = &add_child(domain, "commandline");
  line->space = kQemuNamespace;
  for (const std::string &word : {std::string("-smbios"), "type=1,uuid=" + before}) {
    Element &argument = add_child(*line, "arg");
    argument.space = kQemuNamespace;
    set(argument, "value", word);
  }
}

void edit_store(Element &domain, const target::TrialParts &parts) {
  if (!is_uefi(domain) || parts.store.empty()) return;
  Element &nvram = child_or_new(child_or_new(domain, "os"), "nvram");
  // What makes a new one where there is none yet stays.
  const Element copy = nvram;
  nvram.attributes.clear();
  nvram.children.clear();
  for (const char *name : {"template", "templateFormat"})
    if (!attribute(copy, name).empty()) set(nvram, name, attribute(copy, name));
  nvram.text = parts.store.string();
}

void edit_disk(Element &disk, const target::TrialParts &parts) {
  for (const char *name : {"transient", "shareable", "mirror"}) remove_children(disk, name);
  if (is_read_only(disk)) return;
  const auto overlay = parts.overlays.find(attribute(disk, "target", "dev"));
  if (overlay == parts.overlays.end()) return;
  remove_children(disk, "backingStore");
  set(disk, "type", "file");
  Element &driver = child_or_new(disk, "driver");
  set(driver, "type", "qcow2");
  for (const char *name : {"io", "iothread", "queues"}) remove_attribute(driver, name);
  Element &source = *child(disk, "source");
  source.attributes.clear();
  source.children.clear();
  set(source, "file", overlay->second.string());
}

// The same card with the same address, on a network that ends in QEMU.
void edit_card(Element &card) {
  static const std::set<std::string_view> kStays = {"mac", "model", "address", "rom", "acpi", "boot", "alias"};
  std::erase_if(card.children, [](const Element &one) { return !kStays.contains(one.name); });
  card.attributes.clear();
  set(card, "type", "user");
  set(add_child(card, "link"), "state", "down");
}

void edit_display(Element &display) {
  const std::string type = attribute(display, "type");
  if (type == "egl-headless") return;
  const bool spice = type == "spice";
  std::erase_if(display.children, [](const Element &one) { return one.name != "gl" && one.name != "image"; });
  display.attributes.clear();
  set(display, "type", spice ? "spice" : "vnc");
  set(add_child(display, "listen"), "type", "none");
  if (!spice) return;
  set(add_child(display, "clipboard"), "copypaste", "no");
  set(add_child(display, "filetransfer"), "enable", "no");
}

// A serial or parallel port, without what is at its other end.
void edit_port(Element &port, const std::string &file) {
  static const std::set<std::string_view> kOtherEnd = {"source", "protocol", "log"};
  std::erase_if(port.children, [](const Element &one) { return kOtherEnd.contains(one.name); });
  port.attributes.clear();
  set(port, "type", file.empty() ? "null" : "file");
  if (!file.empty()) set(add_child(port, "source"), "path", file);
}

void edit_channel(Element &channel) {
  const std::string type = attribute(channel, "type");
  if (type == "spicevmc" || type == "qemu-vdagent") return;
  if (type == "unix") {  // libvirt makes a socket of its own
    remove_children(channel, "source");
    return;
  }
  if (type == "spiceport") return;
  remove_children(channel, "source");
  remove_children(channel, "protocol");
  channel.attributes.clear();
  set(channel, "type", "null");
}

void edit_folder(Element &folder) {
  if (folder.child("readonly") == nullptr) add_child(folder, "readonly");
}

void edit_audio(Element &audio) {
  const std::string id = attribute(audio, "id");
  if (attribute(audio, "type") == "spice") return;
  audio.attributes.clear();
  audio.children.clear();
  set(set(audio, "id", id), "type", "none");
}

bool is_left_out(const Element &device) {
  static const std::set<std::string_view> kNames = {"hostdev", "smartcard", "vsock", "lease", "shmem", "console"};
  if (kNames.contains(device.name)) return true;
  if (device.name == "filesystem") return attribute(device, "driver", "type") == "virtiofs";
  if (device.name == "tpm") return attribute(device, "backend", "type") != "emulator";
  if (device.name == "input") return attribute(device, "type") == "evdev" || attribute(device, "type") == "passthrough";
  if (device.name == "rng") return attribute(device, "backend", "model") == "egd";
  return device.name == "redirdev" && attribute(device, "type") != "spicevmc";
}

void edit_devices(Element &domain, const target::TrialParts &parts) {
  Element &devices = child_or_new(domain, "devices");
  std::erase_if(devices.children, is_left_out);  // and <console>, which stands for the first serial port
  std::size_t serials = 0;
  for (Element &device : devices.children) {
    if (device.name == "disk") edit_disk(device, parts);
    if (device.name == "interface") edit_card(device);
    if (device.name == "graphics") edit_display(device);
    if (device.name == "serial") edit_port(device, serials++ == 0 ? parts.console.string() : std::string());
    if (device.name == "parallel") edit_port(device, {});
    if (device.name == "channel") edit_channel(device);
    if (device.name == "filesystem") edit_folder(device);
    if (device.name == "audio") edit_audio(device);
    if (device.name == "watchdog") set(device, "action", "none");
  }
  // UEFI says on the first serial port what it says on the screen, in a font that nobody else has.
  if (serials == 0 && is_uefi(domain)) {
    edit_port(add_child(devices, "serial"), parts.console.string());
  }
}

// Where KVM is, Windows says by Hyper-V's registers with which code it has stopped; its screen has that in a picture.
void add_crash_registers(Element &domain) {
  if (attribute(domain, "type") != "kvm" || !names_windows(domain)) return;
  Element &devices = child_or_new(domain, "devices");
  for (const Element &device : devices.children)
    if (device.name == "panic" && attribute(device, "model") == "hyperv") return;
  set(add_child(devices, "panic"), "model", "hyperv");
}

}  // namespace

target::TrialNeeds trial_needs(const std::string &domain_xml) {
  const Element domain = parsed_domain(domain_xml);
  refuse_files_of_arguments(domain);
  target::TrialNeeds out;
  if (const Element *name = domain.child("name")) out.name = name->text;
  if (const Element *uuid = domain.child("uuid")) out.uuid = uuid->text;
  out.emulated = attribute(domain, "type") == "qemu";
  out.left_out = left_out_of(domain);
  out.store = store_of(domain);
  for (const Element &device : devices_of(domain).children) {
    if (device.name == "disk" && !is_read_only(device)) out.disks.push_back(writable(device));
    if (device.name == "tpm" && attribute(device, "backend", "type") == "emulator")
      out.tpm_folder = attribute(device, "backend", "version") == "1.2" ? "tpm1.2" : "tpm2";
  }
  return out;
}

std::string trial_domain(const std::string &domain_xml, const target::TrialParts &parts) {
  (void)trial_needs(domain_xml);
  Element domain = parsed_domain(domain_xml);
  edit_store(domain, parts);
  edit_devices(domain, parts);
  add_crash_registers(domain);
  edit_identity(domain, parts);
  return as_text(domain);
}

}  // namespace ferry::libvirt::edit
