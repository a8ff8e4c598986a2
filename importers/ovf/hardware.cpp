// SPDX-License-Identifier: Apache-2.0
// VirtualHardwareSection (DSP0243): one or several, each for the platforms that vssd:VirtualSystemType names.
#include <algorithm>
#include <array>

#include "importers/ovf/item.hpp"
#include "importers/ovf/ovirt.hpp"
#include "importers/vbox/defaults.hpp"
#include "importers/vmware/defaults.hpp"
#include "importers/vmware/smbios.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

std::string system_type(const SettingsReader &section) {
  const auto system = section.child("System");
  if (!system) return {};
  return peek(*system, "VirtualSystemType").value_or(peek(*system, "VSType").value_or(""));
}

// Of platforms whose own conventions are not known here; a package that names one is no other's.
constexpr std::array<std::string_view, 6> kOtherHypervisors{"xen", "hvm", "kvm", "qemu", "hyper", "ahv"};

// A list: "vmx-07 vmx-08", "foobar, vmx-04, xen3".
Platform platform_of(const std::string &type) {
  const std::string lower = text::lower_ascii(type);
  if (lower.find("virtualbox") != std::string::npos) return Platform::virtualbox;
  if (lower.find("vmx-") != std::string::npos) return Platform::vmware;
  return Platform::other;
}

bool names_another(const std::string &type) {
  const std::string lower = text::lower_ascii(type);
  return std::any_of(kOtherHypervisors.begin(), kOtherHypervisors.end(),
                     [&](std::string_view name) { return lower.find(name) != std::string::npos; });
}

bool has_space(const xml::Element &element, std::string_view space) {
  return element.space == space ||
         std::any_of(element.attributes.begin(), element.attributes.end(),
                     [&](const xml::Attribute &attribute) { return attribute.space == space; }) ||
         std::any_of(element.children.begin(), element.children.end(),
                     [&](const xml::Element &below) { return has_space(below, space); });
}

// A package whose type names no platform: by the extensions that the machine's own part of it uses.
Platform platform_of_content(const xml::Element &system) {
  constexpr std::string_view kVmware = "http://www.vmware.com/schema/ovf";
  constexpr std::string_view kVirtualBox = "http://www.virtualbox.org/ovf/machine";
  if (has_space(system, kVmware)) return Platform::vmware;
  return has_space(system, kVirtualBox) ? Platform::virtualbox : Platform::other;
}

bool is_known(const std::string &type) {
  const std::string lower = text::lower_ascii(type);
  return platform_of(type) != Platform::other || lower.find("kvm") != std::string::npos ||
         lower.find("qemu") != std::string::npos;
}

// The first description for a platform that we know, else the first. DSP0243 leaves the choice to the reader.
std::optional<SettingsReader> choose_section(Context &in) {
  std::vector<SettingsReader> found;
  for (const Section &section : sections(in.system())) {
    if (section.name == "VirtualHardwareSection") found.push_back(section.reader);
  }
  if (found.empty()) return std::nullopt;
  auto chosen = std::find_if(found.begin(), found.end(),
                             [](const SettingsReader &section) { return is_known(system_type(section)); });
  if (chosen == found.end()) chosen = found.begin();
  if (found.size() > 1) {
    in.raise(finding::kHardwareChoice, chosen->place(),
             "out of " + std::to_string(found.size()) + " hardware descriptions, the one for " +
                 in_quotes(system_type(*chosen)) + " is used");
  }
  for (auto other = found.begin(); other != found.end(); ++other) {
    if (other != chosen) other->settle_all(Disposition::irrelevant, "describes the machine for another platform");
  }
  return *chosen;
}

void set_platform_defaults(Context &in) {
  Hardware &hardware = in.machine.hardware;
  switch (in.platform) {
    case Platform::vmware:
      hardware.chipset = Chipset::i440bx_vmware;
      hardware.display.adapter = Display::Adapter::vmware_svga;
      break;
    case Platform::ovirt: break;  // BiosType says, see ovirt.cpp
    case Platform::virtualbox:
    case Platform::other:
      hardware.chipset = Chipset::piix3;
      hardware.display.adapter = Display::Adapter::vboxvga;
      break;
  }
  // OVF says nothing of the clock. It holds what the guest keeps there: local time for these, UTC for all others.
  const OsFamily family = in.machine.guest_os.family;
  const bool local = family == OsFamily::windows || family == OsFamily::dos || family == OsFamily::os2;
  hardware.clock.base = local ? Clock::Base::local_time : Clock::Base::utc;
}

// The newest "vmx-N" of a list; 0 without one.
unsigned vmx_version(const std::string &type) {
  const std::string lower = text::lower_ascii(type);
  unsigned newest = 0;
  for (std::size_t at = lower.find("vmx-"); at != std::string::npos; at = lower.find("vmx-", at + 4)) {
    unsigned number = 0;
    for (std::size_t i = at + 4; i < lower.size() && lower[i] >= '0' && lower[i] <= '9' && number < 1000; ++i) {
      number = number * 10 + static_cast<unsigned>(lower[i] - '0');
    }
    newest = std::max(newest, number);
  }
  return newest;
}

void finish_smbios(Context &in, const std::string &type) {
  Hardware &hardware = in.machine.hardware;
  if (in.platform != Platform::vmware || !hardware.smbios.uuid) return;
  hardware.smbios.older_than_2_6 = vmware::has_old_smbios(hardware.firmware.type, vmx_version(type));
  hardware.smbios.strings["system.serial"] = vmware::serial_number(*hardware.smbios.uuid);
}

// CIM_VirtualSystemSettingData.
void settle_system(const SettingsReader &section) {
  const auto system = section.child("System");
  if (!system) return;
  system->settle("", Disposition::irrelevant, "says nothing about the platform");
  for (const SettingsReader &child : system->children()) {
    const std::string &name = child.element().name;
    if (name == "VirtualSystemType" || name == "VSType") child.touch("hardware.chipset");
    if (name == "VirtualSystemIdentifier" || name == "VSIdentifier") child.touch("name");
    if (name.starts_with("Automatic")) {
      child.settle_all(Disposition::dropped, "libvirt starts and stops machines with the host: use 'virsh autostart'");
    }
    child.settle_all(Disposition::irrelevant, "housekeeping of the source platform");
  }
}

}  // namespace

void read_hardware(Context &in) {
  const auto section = choose_section(in);
  if (!section) {
    throw Error(ErrorKind::malformed, {.where = in.system().place(),
                                       .message = "the package does not describe the machine's hardware",
                                       .found = "a VirtualSystem without a VirtualHardwareSection",
                                       .expected = "a VirtualHardwareSection",
                                       .advice = "Export the machine again."});
  }
  const std::string type = system_type(*section);
  if (in.platform != Platform::ovirt) in.platform = platform_of(type);
  if (in.platform == Platform::other && !names_another(type)) {
    in.platform = platform_of_content(in.system().element());
  }
  in.machine.source.product = type;
  set_platform_defaults(in);
  if (!in.machine.guest_os.is_64bit) in.machine.hardware.cpu.architecture = Cpu::Architecture::x86;
  settle_system(*section);
  const std::vector<Item> items = select_items(in, *section);
  if (in.platform == Platform::ovirt) read_ovirt_boot_order(in, items);
  add_controllers(in, items);
  add_drives(in, items);
  add_devices(in, items);
  for (const Item &item : items) {
    settle_item(in, item);
    settle_device_config(item);
  }
  for (const auto &[step, instance] : in.boot_instances) {
    const auto name = in.boot_name_of.find(instance);
    if (name != in.boot_name_of.end() && step < in.machine.hardware.boot_order.size())
      in.machine.hardware.boot_order.at(step).detail = name->second;
  }
  read_vmware_config(in, *section);
  in.machine.hardware.smbios.origin = section->place();
  finish_smbios(in, type);
  if (!in.machine.hardware.smbios.uuid) {
    in.raise(finding::kUuidNotStated, section->place(), "the package states no SMBIOS UUID; a new one is generated");
  }
}

void apply_platform_defaults(Context &in) {
  switch (in.platform) {
    case Platform::virtualbox: vbox::apply_defaults(in.machine.hardware); break;
    case Platform::vmware: vmware::apply_defaults(in.machine.hardware); break;
    case Platform::ovirt:
    case Platform::other: break;  // what is not stated is not known
  }
}

}  // namespace ferry::ovf
