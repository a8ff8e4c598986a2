// SPDX-License-Identifier: Apache-2.0
// The sections beside the hardware: DSP0243 1.x and 2.x (product, EULA, annotation, startup, resource allocation,
// operating system, install, environment files, boot device, scale out, placement groups), VMware's (boot order,
// vService dependencies, IP assignment, storage and placement groups) and vCloud's.
#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "importers/ovf/context.hpp"
#include "importers/ovf/item.hpp"
#include "importers/ovf/ovirt.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

constexpr auto kIrrelevant = Disposition::irrelevant;
constexpr auto kDropped = Disposition::dropped;

struct SectionRule {
  std::string_view name;
  Disposition disposition;
  std::string_view note;
};

constexpr std::string_view kCollection = "belongs to the group of machines, which libvirt does not know";
constexpr std::string_view kOvirt = "belongs to the source's oVirt";
constexpr std::string_view kVcloud = "belongs to the source's vCloud";

// What becomes of what nobody took of a section.
constexpr std::array kSections{
    SectionRule{"References", kIrrelevant, "a file of the package that the machine does not use"},
    SectionRule{"DiskSection", kIrrelevant, "a disk of the package that the machine does not use"},
    SectionRule{"SharedDiskSection", kIrrelevant, "a disk of the package that the machine does not use"},
    SectionRule{"NetworkSection", kIrrelevant, "the list of the package's networks; the cards name theirs"},
    SectionRule{"DeploymentOptionSection", kIrrelevant, "the choice of configurations; one was taken"},
    SectionRule{"Strings", kIrrelevant, "translations of the package's texts"},
    SectionRule{"ProductSection", kIrrelevant, "what the package's vendor says of the product"},
    SectionRule{"PropertySection", kIrrelevant, "what the package's vendor says of the product"},
    SectionRule{"EulaSection", kIrrelevant, "the licence that the vendor asks to be agreed to"},
    SectionRule{"AnnotationSection", kIrrelevant, "a further description of the package"},
    SectionRule{"OperatingSystemSection", kIrrelevant, "a further description of the guest system"},
    SectionRule{"InstallSection", kDropped,
                "the machine is started once by the source platform to finish its "
                "installation; start it once by hand"},
    SectionRule{"EnvironmentFilesSection", kDropped,
                "files that the platform hands to the guest; configure it by hand"},
    SectionRule{"BootDeviceSection", kIrrelevant, "a further boot configuration; the first one is used"},
    SectionRule{"BootOrderSection", kIrrelevant, "names the order of the boot devices"},
    SectionRule{"StartupSection", kDropped,
                "the order in which a group of machines starts; use 'virsh autostart' or "
                "start them in order"},
    SectionRule{"ResourceAllocationSection", kDropped, kCollection},
    SectionRule{"ScaleOutSection", kDropped, "how many copies of the machine may run; migrate it once for each"},
    SectionRule{"PlacementGroupSection", kDropped, kCollection},
    SectionRule{"PlacementSection", kDropped, kCollection},
    SectionRule{"PlacementPolicy", kDropped, kCollection},
    SectionRule{"TagBasedPlacementGroupSection", kDropped, kCollection},
    SectionRule{"TagBasedPlacementSection", kDropped, kCollection},
    SectionRule{"AvailabilitySection", kDropped, kCollection},
    SectionRule{"StorageGroupSection", kIrrelevant, "how the source platform stores the disks"},
    SectionRule{"StorageSection", kIrrelevant, "how the source platform stores the disks"},
    SectionRule{"EncryptionSection", kDropped, "how parts of the package are encrypted"},
    SectionRule{"CpuCompatibilitySection", kDropped,
                "processor features that the guest needs; the new machine has the "
                "host's processor"},
    SectionRule{"IpAssignmentSection", kDropped, "how the source platform gives addresses; the new network decides"},
    SectionRule{"vServiceDependencySection", kDropped, "a service of the source's vCenter"},
    SectionRule{"AffinityGroupsSection", kDropped, kCollection},
    SectionRule{"AffinityLabelsSection", kDropped, kCollection},
    SectionRule{"UserDomainsSection", kIrrelevant, kOvirt},
    SectionRule{"VmExternalDataSection", kDropped, "a TPM's or firmware's state in oVirt's own form"},
    SectionRule{"NumaNodeSection", kDropped, "the new machine has one NUMA node; set more under <cpu>"},
    SectionRule{"SnapshotsSection", kDropped, "snapshots of the source; their disks are not in the package"},
    SectionRule{"LeaseSettingsSection", kIrrelevant, kVcloud},
    SectionRule{"NetworkConfigSection", kDropped, "a network of the source's vCloud; make it with 'virsh net-define'"},
    SectionRule{"NetworkConnectionSection", kDropped, "addresses from the source's vCloud; the new network decides"},
    SectionRule{"GuestCustomizationSection", kDropped, "changes that VMware Tools would make inside the guest"},
    SectionRule{"CustomizationSection", kIrrelevant, kVcloud},
    SectionRule{"RuntimeInfoSection", kIrrelevant, kVcloud},
    SectionRule{"SnapshotSection", kDropped, "snapshots of the source; their disks are not in the package"},
    SectionRule{"DefaultStorageProfileSection", kIrrelevant, kVcloud},
    SectionRule{"VirtualHardwareSection", kIrrelevant, "a label of the hardware"},
    SectionRule{"Signature", kIrrelevant, "an XML signature of the descriptor, which is not checked"},
    SectionRule{"Info", kIrrelevant, "a text for people"},
    SectionRule{"Name", kIrrelevant, "the name of the group of machines"},
};

bool optional(const SettingsReader &section) {
  const auto required = peek_attribute(section, "required");
  return required && parse_boolean(*required) == std::optional(false);
}

// Elements of other namespaces between the Items: DSP0243 lets anybody add them.
void settle_hardware_extensions(Context &in, const SettingsReader &hardware) {
  static constexpr std::array kRead{"Item",        "StorageItem", "EthernetPortItem", "System", "Config",
                                    "ExtraConfig", "Info"};
  for (const SettingsReader &child : hardware.children()) {
    const std::string &name = child.element().name;
    if (std::find(kRead.begin(), kRead.end(), name) != kRead.end()) continue;
    if (name == "VirtualSystemOtherConfigurationData") {  // Citrix, for XenServer
      child.settle_all(kDropped, "a setting of XenServer's; the new machine has QEMU's");
      continue;
    }
    child.settle_all(kDropped, "an element that virt-ferry does not know");
    in.raise(optional(child) ? finding::kSectionOptional : finding::kElementUnknown, child.place(),
             "the element " + in_quotes(name) + " of the hardware is not known");
  }
}

void settle_unknown(Context &in, const Section &section) {
  const bool may_be_ignored = optional(section.reader);
  section.reader.settle_all(kDropped, "a section that virt-ferry does not know");
  const std::string &space = section.reader.element().space;
  in.raise(
      may_be_ignored ? finding::kSectionOptional : finding::kSectionRequired, section.reader.place(),
      "the section " + in_quotes(section.name) + (space.empty() ? "" : " of " + in_quotes(space)) + " is not known");
}

// ---- attributes that any element may have ----

void settle_common(const SettingsReader &element) {
  for (const xml::Attribute &attr : element.element().attributes) {
    const std::string &name = attr.name;
    if (name == "required") element.settle(name, kIrrelevant, "says whether a reader may skip the element");
    if (name == "lang") element.settle(name, kIrrelevant, "the language of the texts");
    if (name == "msgid") element.settle(name, kIrrelevant, "names a translation of the text");
    if (attr.space == "http://www.w3.org/2001/XMLSchema-instance")
      element.settle(name, kIrrelevant, "names an XML type");
  }
  if (element.element().name == "Info") element.settle_all(kIrrelevant, "a text for people");
  for (const SettingsReader &below : element.children()) settle_common(below);
}

void settle_envelope(Context &in) {
  in.envelope.settle("version", kIrrelevant, "the version of the format");
  in.envelope.settle("buildId", kIrrelevant, "the version of the exporter");
  for (const xml::Attribute &attr : in.envelope.element().attributes) {
    in.envelope.settle_if_unknown(attr.name, kIrrelevant, "an attribute of the whole envelope");
  }
}

// vCloud keeps the MAC addresses in a section of their own.
void read_vcloud_connections(Context &in, const Section &section) {
  auto &nics = in.machine.hardware.nics;
  for (const SettingsReader &connection : section.reader.children("NetworkConnection")) {
    const auto index = text::parse_u64(peek(connection, "NetworkConnectionIndex").value_or(""));
    const auto mac = MacAddress::parse(peek(connection, "MACAddress").value_or(""));
    if (!index || *index >= nics.size()) continue;
    const std::string field = "hardware.nics." + std::to_string(*index);
    if (mac && !nics[*index].mac) {
      nics[*index].mac = mac;
      (void)connection.child("MACAddress")->content(field + ".mac");
    }
    if (const auto connected = connection.child("IsConnected")) {
      nics[*index].cable_connected = parse_boolean(connected->element().text).value_or(true);
      (void)connected->content(field + ".cable_connected");
    }
  }
}

}  // namespace

void refuse_encrypted(const Context &in) {
  static constexpr std::array kTelling{"EncryptedKey", "EncryptedData", "DataReference", "CipherData"};
  const std::function<bool(const xml::Element &)> holds = [&](const xml::Element &element) {
    return std::find(kTelling.begin(), kTelling.end(), element.name) != kTelling.end() ||
           std::any_of(element.children.begin(), element.children.end(), holds);
  };
  for (const Section &section : sections(in.envelope)) {
    if (section.name != "EncryptionSection" || !holds(section.reader.element())) continue;
    throw Error(ErrorKind::encrypted,
                {.where = section.reader.place(),
                 .message = "parts of the package are encrypted",
                 .found = "an EncryptionSection with keys or references",
                 .expected = "an unencrypted package",
                 .advice = "Decrypt the package with the tool that made it, or export it again."});
  }
}

void read_connections(Context &in) {
  for (const Section &section : sections(in.system())) {
    if (section.name == "NetworkConnectionSection") read_vcloud_connections(in, section);
  }
}

void settle_sections(Context &in) {
  read_guest_data(in);
  std::vector<SettingsReader> levels{in.envelope};
  levels.insert(levels.end(), in.contents.begin(), in.contents.end());
  for (std::size_t depth = 0; depth < levels.size(); ++depth) {
    if (depth + 1 < levels.size() && depth > 0) levels[depth].settle("id", kIrrelevant, "the group's identity");
    for (const Section &section : sections(levels[depth])) {
      if (section.name == "Name") {  // VirtualBox names its collections; a machine's own name is taken
        section.reader.settle_if_unknown("", kIrrelevant, "the group's name");
        continue;
      }
      const auto rule = std::find_if(kSections.begin(), kSections.end(),
                                     [&](const SectionRule &candidate) { return candidate.name == section.name; });
      if (rule == kSections.end() && is_ovirt_setting(in, section.reader)) continue;  // ovirt.cpp
      if (rule == kSections.end()) {
        settle_unknown(in, section);
        continue;
      }
      if (section.name == "VirtualHardwareSection") {
        section.reader.settle("id", rule->disposition, rule->note);
        section.reader.settle("", rule->disposition, rule->note);
        settle_hardware_extensions(in, section.reader);
      } else {
        section.reader.settle_all(rule->disposition, rule->note);
      }
    }
  }
  settle_envelope(in);
  settle_common(in.envelope);
}

}  // namespace ferry::ovf
