// SPDX-License-Identifier: Apache-2.0
// <Display> and <RemoteDisplay> (VRDE). Facts: VirtualBox's settings schema. Before 1.5 some attributes began with a
// capital; before 4.0 the port and address were attributes, later they are properties.
#include <array>

#include "importers/vbox/scope.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

constexpr std::string_view kVrde =
    "belongs to VirtualBox's remote display server; libvirt's display has its own settings";

void read_adapter(Scope &scope, const SettingsReader &element) {
  static constexpr std::array<Word<Display::Adapter>, 5> kAdapters{{{"VBoxVGA", Display::Adapter::vboxvga},
                                                                    {"VMSVGA", Display::Adapter::vmsvga},
                                                                    {"VBoxSVGA", Display::Adapter::vboxsvga},
                                                                    {"QemuRamFB", Display::Adapter::qemu_ramfb},
                                                                    {"None", Display::Adapter::none}}};
  constexpr unsigned kMostMebibytes = 4096;
  constexpr unsigned kMostMonitors = 64;
  constexpr unsigned kMebibyte = 20;  // as a shift
  Display &display = scope.hw.display;
  display.origin = element.place();
  const auto adapter =
      word<Display::Adapter>(scope.in, element, "controller", scope.field("display.adapter"), kAdapters);
  if (adapter) display.adapter = *adapter;
  const auto memory = small_number(element, "VRAMSize", scope.field("display.video_memory_bytes"), kMostMebibytes);
  if (memory) display.video_memory_bytes = std::uint64_t{*memory} << kMebibyte;
  for (const std::string_view name : {"MonitorCount", "monitorCount"}) {
    const auto monitors = small_number(element, name, scope.field("display.monitors"), kMostMonitors);
    if (monitors && *monitors > 0) display.monitors = *monitors;
  }
  for (const std::string_view name : {"Accelerate3D", "accelerate3D"}) {
    if (const auto on = element.boolean(name, scope.field("display.accelerate_3d"))) display.accelerate_3d = *on;
  }
  if (const auto on = element.boolean("accelerate2DVideo", scope.field("display.accelerate_2d"))) {
    display.accelerate_2d = *on;
  }
}

void read_vrde_property(Scope &scope, const SettingsReader &property, Display::Remote &remote) {
  const std::string *name = property.element().attribute("name");
  if (name == nullptr) return;
  if (*name == "TCP/Ports") {
    remote.ports = property.text("value", scope.field("display.remote.ports")).value_or("");
    property.settle("name", Disposition::irrelevant, "the name of a property");
  } else if (*name == "TCP/Address") {
    remote.address = property.text("value", scope.field("display.remote.address")).value_or("");
    property.settle("name", Disposition::irrelevant, "the name of a property");
  } else {
    property.settle_all(Disposition::dropped, kVrde);
  }
  const std::string lower = text::lower_ascii(*name);
  if (lower.find("password") != std::string::npos || lower.find("privatekey") != std::string::npos) {
    property.hide("value");
  }
}

void read_remote(Scope &scope, const SettingsReader &element) {
  Display::Remote remote;
  remote.origin = element.place();
  // Before 1.16 it was on unless the file said no.
  remote.enabled =
      element.boolean("enabled", scope.field("display.remote.enabled")).value_or(scope.version().before(16));
  remote.ports = element.text("port", scope.field("display.remote.ports")).value_or("");
  remote.address = element.text("netAddress", scope.field("display.remote.address")).value_or("");
  if (const auto properties = element.child("VRDEProperties")) {
    for (const SettingsReader &property : properties->children("Property")) {
      read_vrde_property(scope, property, remote);
    }
  }
  element.settle_all(remote.enabled ? Disposition::dropped : Disposition::irrelevant,
                     remote.enabled ? kVrde : "VirtualBox's remote display server is off");
  scope.hw.display.remote = std::move(remote);
}

}  // namespace

void read_display(Scope &scope) {
  constexpr std::uint64_t kDefaultVideoMemory = std::uint64_t{8} << 20U;  // bytes
  Display &display = scope.hw.display;
  display.origin = scope.hardware.place();
  display.adapter = Display::Adapter::vboxvga;  // in all versions where the file does not say
  display.video_memory_bytes = kDefaultVideoMemory;
  if (const auto element = scope.hardware.child("Display")) read_adapter(scope, *element);
  if (const auto element = scope.hardware.child("RemoteDisplay")) read_remote(scope, *element);
}

}  // namespace ferry::vbox
