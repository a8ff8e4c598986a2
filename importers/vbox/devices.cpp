// SPDX-License-Identifier: Apache-2.0
// Sound, keyboard and mouse, shared folders, and the devices that libvirt gets no counterpart of.
#include <array>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/scope.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

void read_sound(Scope &scope) {
  static constexpr std::array<Word<Sound::Model>, 4> kModels{{{"AC97", Sound::Model::ac97},
                                                              {"SB16", Sound::Model::sb16},
                                                              {"HDA", Sound::Model::hda},
                                                              {"Virtio-Sound", Sound::Model::virtio}}};
  // Defaults turned round: the adapter in 1.16 (VirtualBox 5.1), its directions in 1.17 (5.2).
  const bool by_default = scope.version().before(16);
  const bool directions = scope.version().before(17);
  const auto element = scope.hardware.child("AudioAdapter");
  Sound sound;
  if (!element) {
    sound.origin = scope.hardware.place();
    if (by_default) scope.hw.sound = std::move(sound);
    return;
  }
  sound.origin = element->place();
  if (!element->boolean("enabled", scope.field("sound")).value_or(by_default)) {
    element->settle_all(Disposition::irrelevant, "the sound card is off");
    return;
  }
  sound.input = element->boolean("enabledIn", scope.field("sound.input")).value_or(directions);
  sound.output = element->boolean("enabledOut", scope.field("sound.output")).value_or(directions);
  if (const auto model = word<Sound::Model>(scope.in, *element, "controller", scope.field("sound.model"), kModels))
    sound.model = *model;
  sound.codec = element->text("codec", scope.field("sound.codec"));
  sound.host_driver = element->text("driver", scope.field("sound.host_driver"));
  if (element->boolean("useDefault", scope.field("sound.host_driver")).value_or(false)) sound.host_driver = "Default";
  for (const SettingsReader &property : element->children("Property")) {
    property.settle_all(Disposition::irrelevant, "how VirtualBox plays sound on the host");
  }
  scope.hw.sound = std::move(sound);
}

void read_input(Scope &scope) {
  static constexpr std::array<Word<Input::Pointing>, 7> kPointing{
      {{"PS2Mouse", Input::Pointing::ps2_mouse},
       {"USBMouse", Input::Pointing::usb_mouse},
       {"USBTablet", Input::Pointing::usb_tablet},
       {"ComboMouse", Input::Pointing::combo},
       {"USBMultiTouch", Input::Pointing::usb_multi_touch},
       {"USBMTScreenPlusPad", Input::Pointing::usb_multi_touch},
       {"None", Input::Pointing::ps2_mouse}}};  // a PC always has the PS/2 port
  static constexpr std::array<Word<Input::Keyboard>, 4> kKeyboards{{{"PS2Keyboard", Input::Keyboard::ps2},
                                                                    {"USBKeyboard", Input::Keyboard::usb},
                                                                    {"ComboKeyboard", Input::Keyboard::combo},
                                                                    {"None", Input::Keyboard::ps2}}};
  Input &input = scope.hw.input;
  input.origin = scope.hardware.place();
  const auto element = scope.hardware.child("HID");
  if (!element) return;
  input.origin = element->place();
  if (const auto pointing =
          word<Input::Pointing>(scope.in, *element, "Pointing", scope.field("input.pointing"), kPointing)) {
    input.pointing = *pointing;
  }
  if (const auto keyboard =
          word<Input::Keyboard>(scope.in, *element, "Keyboard", scope.field("input.keyboard"), kKeyboards)) {
    input.keyboard = *keyboard;
  }
}

void read_shared_folders(Scope &scope) {
  const auto list = scope.hardware.child("SharedFolders");
  if (!list) return;
  for (const SettingsReader &element : list->children("SharedFolder")) {
    const std::string at = scope.field("shared_folders." + std::to_string(scope.hw.shared_folders.size()));
    SharedFolder folder;
    folder.origin = element.place();
    folder.name = element.text("name", at + ".name").value_or("");
    folder.host_path = element.text("hostPath", at + ".host_path").value_or("");
    folder.writable = element.boolean("writable", at + ".writable").value_or(false);
    folder.auto_mount = element.boolean("autoMount", at + ".auto_mount").value_or(false);
    folder.mount_point = element.text("autoMountPoint", at + ".mount_point").value_or("");
    element.settle("symlinkPolicy", Disposition::dropped, "virtiofs has its own rules for symbolic links");
    scope.hw.shared_folders.push_back(std::move(folder));
  }
}

void read_host_pci(Scope &scope) {
  const auto holder = scope.hardware.child("HostPci");
  const auto list = holder ? holder->child("Devices") : std::nullopt;
  if (!list) return;
  for (const SettingsReader &device : list->children("Device")) {
    const std::string *name = device.element().attribute("name");
    const std::string label = name == nullptr ? std::string("a PCI device") : "\"" + text::printable(*name) + "\"";
    scope.in.find(kHostPci, device.place(), label + " of the host was passed through to the guest");
    device.settle_all(Disposition::dropped, "a libvirt session cannot pass PCI devices through");
  }
}

void read_emulated_usb(Scope &scope) {
  const auto holder = scope.hardware.child("EmulatedUSB");
  if (!holder) return;
  for (const SettingsReader &device : holder->children()) {
    const std::string *enabled = device.element().attribute("enabled");
    const bool on = enabled != nullptr && (*enabled == "true" || *enabled == "1");
    if (on && device.element().name == "CardReader")
      scope.hw.card_reader = device.boolean("enabled", scope.field("card_reader")).value_or(false);
    device.settle_all(on ? Disposition::dropped : Disposition::irrelevant,
                      on ? "pass the host's camera through by hand" : "off");
  }
}

// The shared clipboard and files that are dragged and dropped. VirtualBox has both off unless the file says otherwise.
void read_exchange(Scope &scope) {
  using Exchange = Display::Exchange;
  static constexpr std::array<Word<Exchange>, 4> kModes{{{"Disabled", Exchange::off},
                                                         {"HostToGuest", Exchange::to_guest},
                                                         {"GuestToHost", Exchange::to_host},
                                                         {"Bidirectional", Exchange::both}}};
  const auto mode_of = [&](std::string_view name, FieldOf<Hardware> field) {
    const auto element = scope.hardware.child(name);
    if (!element) return Exchange::off;
    const auto mode = word<Exchange>(scope.in, *element, "mode", scope.field(field), kModes);
    element->settle("fileTransfersEnabled", Disposition::irrelevant, "files go the way of those that are dropped");
    return mode.value_or(Exchange::off);
  };
  scope.hw.display.clipboard = mode_of("Clipboard", "display.clipboard");
  scope.hw.display.files = mode_of("DragAndDrop", "display.files");
}

}  // namespace

void read_devices(Scope &scope) {
  read_sound(scope);
  read_exchange(scope);
  read_input(scope);
  read_shared_folders(scope);
  read_host_pci(scope);
  read_emulated_usb(scope);
}

}  // namespace ferry::vbox
