// SPDX-License-Identifier: Apache-2.0
// The settings that say nothing about the guest, or that libvirt has no place for: one table by element, one by
// attribute, so that the published vocabulary of all versions is accounted for. What is in neither stays unknown.
#include <algorithm>
#include <array>

#include "importers/vbox/scope.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

struct ElementNote {
  std::string_view element;
  Disposition disposition;
  std::string_view note;
};
constexpr std::string_view kRecording = "recording of the guest's screen by VirtualBox";
// The element and everything in it, as far as nobody took it.
constexpr std::array<ElementNote, 13> kElements{{
    {"Teleporter", Disposition::irrelevant, "moving the running machine to another VirtualBox"},
    {"FaultTolerance", Disposition::irrelevant, "keeping a second VirtualBox in step; never finished there"},
    {"Debugging", Disposition::irrelevant, "debugging of VirtualBox's virtual machine monitor"},
    {"Recording", Disposition::irrelevant, kRecording},
    {"VideoCapture", Disposition::irrelevant, kRecording},
    {"VideoRecording", Disposition::irrelevant, kRecording},
    {"GuestProperties", Disposition::irrelevant, "what VirtualBox and its Guest Additions told each other"},
    {"Frontend", Disposition::irrelevant, "how VirtualBox shows the machine"},
    {"PXEDebug", Disposition::irrelevant, "debugging of VirtualBox's network boot"},
    {"Logo", Disposition::irrelevant, "the picture that VirtualBox's firmware shows"},
    {"IoBandwidth", Disposition::dropped, "a limit of VirtualBox 3.2; limit the disks with <iotune> in the domain"},
    {"IoCache", Disposition::irrelevant, "caching inside VirtualBox; each disk of the domain has its own cache mode"},
    {"DisabledModes", Disposition::irrelevant, "what was set for modes that are not in use"},
}};

struct AttributeNote {
  std::string_view element, attribute;
  Disposition disposition;
  std::string_view note;
};
constexpr std::string_view kHost = "how VirtualBox runs the machine on its host";
constexpr std::string_view kKeys = "a key of the encrypted state or logs";
constexpr std::array<AttributeNote, 31> kAttributes{{
    {"VirtualBox", "version", Disposition::irrelevant, "the version of the settings' format"},
    {"VirtualBox", "schemaLocation", Disposition::irrelevant, "of the XML itself"},
    {"Machine", "version", Disposition::irrelevant, "the version of the settings' format"},
    {"Machine", "required", Disposition::irrelevant, "of the OVF envelope"},
    {"Machine", "nameSync", Disposition::irrelevant, "whether VirtualBox renames the folder with the machine"},
    {"Machine", "directoryIncludesUUID", Disposition::irrelevant, "how VirtualBox names the folder"},
    {"Machine", "snapshotFolder", Disposition::irrelevant, "where VirtualBox puts new snapshots"},
    {"Machine", "lastStateChange", Disposition::irrelevant, "when the machine was last started or stopped"},
    {"Machine", "processPriority", Disposition::irrelevant, kHost},
    {"Machine", "VMProcessPriority", Disposition::irrelevant, kHost},
    {"Machine", "executionEngine", Disposition::irrelevant, kHost},
    {"Machine", "icon", Disposition::irrelevant, "a picture for VirtualBox's list"},
    {"Machine", "stateKeyId", Disposition::dropped, kKeys},
    {"Machine", "stateKeyStore", Disposition::dropped, kKeys},
    {"Machine", "logKeyId", Disposition::irrelevant, kKeys},
    {"Machine", "logKeyStore", Disposition::irrelevant, kKeys},
    {"Snapshot", "Description", Disposition::irrelevant, "empty"},
    {"Hardware", "version", Disposition::irrelevant, "the version of VirtualBox's own guest interface"},
    {"Guest", "statisticsUpdateInterval", Disposition::irrelevant, "how often the Guest Additions report"},
    {"Guest", "StatisticsUpdateInterval", Disposition::irrelevant, "how often the Guest Additions report"},
    {"Guest", "MemoryBalloonSize", Disposition::irrelevant, "the old spelling of a value that stands beside it"},
    {"HostOnlyNetwork", "id", Disposition::irrelevant, "VirtualBox's own identity of the network"},
    {"Platform", "exclusiveHwVirt", Disposition::irrelevant, kHost},
    {"Properties", "exclusiveHwVirt", Disposition::irrelevant, kHost},
    {"x86", "exclusiveHwVirt", Disposition::irrelevant, kHost},
    {"IDEController", "type", Disposition::irrelevant, "the kind of the IDE controller"},
    {"AudioAdapter", "useDefault", Disposition::irrelevant, "how VirtualBox plays sound on the host"},
    {"AttachedDevice", "Description", Disposition::irrelevant, "a note"},
    {"NVRAM", "enabled", Disposition::irrelevant, "the file of variables is there or not"},
    {"Description", "", Disposition::irrelevant, "empty"},
    {"CPUCount", "", Disposition::irrelevant, "empty"},
}};

constexpr std::array<std::string_view, 41> kContainers{"Autostart",
                                                       "BIOS",
                                                       "BandwidthGroups",
                                                       "Boot",
                                                       "CPU",
                                                       "Clipboard",
                                                       "Controllers",
                                                       "CpuIdTree",
                                                       "CpuTree",
                                                       "DVDImages",
                                                       "DeviceFilters",
                                                       "Devices",
                                                       "Display",
                                                       "DragAndDrop",
                                                       "EmulatedUSB",
                                                       "ExtraData",
                                                       "Firmware",
                                                       "FloppyImages",
                                                       "Groups",
                                                       "Guest",
                                                       "HID",
                                                       "HardDiskAttachments",
                                                       "HardDisks",
                                                       "HostPci",
                                                       "IO",
                                                       "LPT",
                                                       "Lpt",
                                                       "MediaRegistry",
                                                       "Network",
                                                       "Paravirt",
                                                       "RemoteDisplay",
                                                       "SharedFolders",
                                                       "Snapshots",
                                                       "StorageControllers",
                                                       "UART",
                                                       "USB",
                                                       "USBController",
                                                       "Uart",
                                                       "VRDEProperties",
                                                       "arm",
                                                       "x86"};

bool is_on(const SettingsReader &element) {
  const std::string *enabled = element.element().attribute("enabled");
  return enabled != nullptr && (same_word("true", *enabled) || same_word("1", *enabled));
}

// Media that the machine's registry lists and no drive holds, in no state.
void settle_media(const SettingsReader &registry) {
  registry.settle_all(Disposition::irrelevant, "a medium that is in none of the machine's drives");
}

void hide_secrets(const SettingsReader &element) {
  for (const std::string_view name : {"password", "stateKeyStore", "logKeyStore", "keyStore"}) element.hide(name);
  const std::string *name = element.element().attribute("name");
  if (name == nullptr) return;
  const std::string lower = text::lower_ascii(*name);
  for (const std::string_view word : {"password", "secret", "privatekey", "keystore"}) {
    if (lower.find(word) != std::string::npos) element.hide("value");
  }
}

void settle_element(const SettingsReader &element) {
  const std::string &name = element.element().name;
  if (name == "Hardware") element.settle_if_unknown("clipboardMode", Disposition::dropped, "install spice-vdagent");
  if (name == "Autostart") {
    element.settle_all(is_on(element) ? Disposition::dropped : Disposition::irrelevant,
                       is_on(element) ? "run \"virsh autostart\" with the domain's name" : "off");
  }
  if (name == "MediaRegistry" || name == "DiskRegistry") settle_media(element);
  for (const ElementNote &row : kElements) {
    if (row.element == name) element.settle_all(row.disposition, row.note);
  }
  for (const AttributeNote &row : kAttributes) {
    if (row.element == name) element.settle_if_unknown(row.attribute, row.disposition, row.note);
  }
  const xml::Element &raw = element.element();
  const bool empty = raw.attributes.empty() && raw.children.empty() && raw.text.empty();
  if (empty && std::find(kContainers.begin(), kContainers.end(), name) != kContainers.end()) {
    element.settle_if_unknown("", Disposition::irrelevant, "nothing is set here");
  }
}

}  // namespace

void settle_housekeeping(Import &in, const SettingsReader &root) {
  hide_secrets(root);
  settle_element(root);
  for (const SettingsReader &below : root.children()) settle_housekeeping(in, below);
}

}  // namespace ferry::vbox
