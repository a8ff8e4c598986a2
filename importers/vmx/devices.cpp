// SPDX-License-Identifier: Apache-2.0
// Sound, USB, display, clock, TPM and shared folders.
#include <algorithm>

#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

constexpr std::string_view kSlotNote =
    "only the slots of disk and USB controllers and of network cards are kept; drivers find this device at any slot";

void add_usb(Reader &reader, const char *name, UsbController::Type type, Hardware &hardware) {
  const std::string field = reader.field("usb_controllers." + std::to_string(hardware.usb_controllers.size()));
  if (!reader.settings.present(name, false, field)) return;
  UsbController controller;
  controller.type = type;
  controller.pci_slot = read_pci_slot(reader, name, field + ".pci_slot");
  controller.origin = reader.settings.place(std::string(name) + ".present");
  hardware.usb_controllers.push_back(std::move(controller));
}

// The devices on VMware's USB buses. "hid" is its own absolute pointing device, "hub" its own hub.
void read_usb_devices(Reader &reader, const std::string &bus, Hardware &hardware) {
  for (const unsigned index : reader.settings.indices(bus + ":")) {
    const std::string name = bus + ":" + std::to_string(index);
    if (is_usb_drive(reader.settings, name)) continue;
    if (!reader.settings.present(name, false, reader.field("input"))) continue;
    const std::string type =
        text::lower_ascii(reader.settings.filled(name + ".deviceType", reader.field("input.pointing")).value_or(""));
    if (type == "hid") {
      hardware.input.pointing = Input::Pointing::usb_tablet;
      hardware.input.origin = reader.settings.place(name + ".deviceType");
      reader.settings.settle_rest(name + ".", Disposition::irrelevant,
                                  "where VMware's own pointing device is plugged in");
    } else if (type == "hub" || type.empty()) {
      reader.settings.settle_rest(name + ".", Disposition::irrelevant, "VMware's own hub");
      reader.settings.settle(name + ".deviceType", Disposition::irrelevant, "VMware's own hub");
      reader.settings.settle(name + ".present", Disposition::irrelevant, "VMware's own hub");
    } else {
      reader.settings.settle_rest(name + ".", Disposition::dropped,
                                  "the USB device is not carried over; attach it by hand");
      reader.settings.settle(name + ".deviceType", Disposition::dropped,
                             "the USB device is not carried over; attach it by hand");
      reader.settings.settle(name + ".present", Disposition::dropped,
                             "the USB device is not carried over; attach it by hand");
      if (reader.report) reader.find(kPassthrough, name + ".deviceType", name + " is a USB device of the kind " + type);
    }
  }
}

std::optional<std::string> usb_id(std::string_view text) {
  if (text.substr(0, 2) == "0x" || text.substr(0, 2) == "0X") text.remove_prefix(2);
  if (text.empty() || text.size() > 4) return std::nullopt;
  std::string out = text::lower_ascii(text);
  if (out.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  return std::string(4 - out.size(), '0') + out;
}

// "0x0951:0x1625", or words such as "name:Kingston vid:0951 pid:1625 path:1/2 autoclean:1".
UsbFilter parse_filter(std::string_view value) {
  UsbFilter filter;
  filter.name = value;
  const std::size_t colon = value.find(':');
  if (value.substr(0, 2) == "0x" && colon != std::string_view::npos) {
    filter.vendor_id = usb_id(value.substr(0, colon));
    filter.product_id = usb_id(value.substr(colon + 1));
    return filter;
  }
  while (!value.empty()) {
    const std::size_t blank = std::min(value.find(' '), value.size());
    const std::string_view word = value.substr(0, blank);
    if (word.substr(0, 4) == "vid:") filter.vendor_id = usb_id(word.substr(4));
    if (word.substr(0, 4) == "pid:") filter.product_id = usb_id(word.substr(4));
    if (word.substr(0, 5) == "path:") filter.port = std::string(word.substr(5));
    if (word.substr(0, 7) == "serial:") filter.serial_number = std::string(word.substr(7));
    value.remove_prefix(std::min(blank + 1, value.size()));
  }
  return filter;
}

void read_usb_filters(Reader &reader, Hardware &hardware) {
  for (const std::string &key : reader.settings.keys_with("usb.autoconnect.device")) {
    const std::string field = reader.field("usb_filters." + std::to_string(hardware.usb_filters.size()));
    const auto value = reader.settings.filled(key, field);
    if (!value) {
      reader.settings.settle(key, Disposition::irrelevant, "no device is named");
      continue;
    }
    UsbFilter filter = parse_filter(*value);
    filter.origin = reader.settings.place(key);
    hardware.usb_filters.push_back(std::move(filter));
  }
}

// What VMware Tools hand on. Workstation allows it unless the file forbids it, ESXi the other way round: silence is
// none of both.
void read_exchange(Reader &reader, Display &display) {
  using Exchange = Display::Exchange;
  Settings &settings = reader.settings;
  const std::string clipboard = reader.field("display.clipboard");
  const auto no_copy = settings.boolean("isolation.tools.copy.disable", clipboard);  // out of the guest
  const auto no_paste = settings.boolean("isolation.tools.paste.disable", clipboard);
  if (no_copy || no_paste) {
    const bool out = !no_copy.value_or(false), in = !no_paste.value_or(false);
    display.clipboard = out ? (in ? Exchange::both : Exchange::to_host) : (in ? Exchange::to_guest : Exchange::off);
  }
  if (const auto off = settings.boolean("isolation.tools.dnd.disable", reader.field("display.files")))
    display.files = *off ? Exchange::off : Exchange::both;
}

void read_remote_display(Reader &reader, Display &display) {
  Settings &settings = reader.settings;
  const std::string field = reader.field("display.remote");
  bool told = !reader.report;
  for (const char *key : {"RemoteDisplay.vnc.password", "RemoteDisplay.vnc.key"}) {
    if (!settings.has(key)) continue;
    settings.hide(key);
    settings.settle(key, Disposition::dropped, "passwords are never carried over; set one on the new machine");
    if (!told) reader.find(kPassword, key, "the VNC display had a password");
    told = true;
  }
  const auto enabled = settings.boolean("RemoteDisplay.vnc.enabled", field + ".enabled");
  const auto port = settings.filled("RemoteDisplay.vnc.port", field + ".ports");
  const auto address = settings.filled("RemoteDisplay.vnc.ip", field + ".address");
  if (!enabled && !port && !address) return;
  Display::Remote remote;
  remote.enabled = enabled.value_or(false);
  remote.ports = port.value_or("5900");  // VMware's own default
  remote.address = address.value_or("");
  remote.origin = settings.place("RemoteDisplay.vnc.enabled");
  display.remote = std::move(remote);
}

}  // namespace

void read_sound(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  if (!settings.present("sound", false, reader.field("sound"))) return;
  Sound sound;
  sound.origin = settings.place("sound.present");
  sound.model = Sound::Model::es1371;
  if (const auto device = settings.filled("sound.virtualDev", reader.field("sound.model"))) {
    if (text::iequals_ascii(*device, "sb16")) {
      sound.model = Sound::Model::sb16;
    } else if (text::iequals_ascii(*device, "hdaudio")) {
      sound.model = Sound::Model::hda_vmware;
    } else if (!text::iequals_ascii(*device, "es1371")) {
      reader.find(kBadValue, "sound.virtualDev", "\"" + text::printable(*device) + "\" is not a known sound card");
    }
  }
  const auto device = settings.filled("sound.fileName", reader.field("sound.host_driver"));
  if (device && *device != "-1") sound.host_driver = *device;
  settings.settle("sound.pciSlotNumber", Disposition::dropped, kSlotNote);
  hardware.sound = std::move(sound);
}

void read_usb(Reader &reader, Hardware &hardware) {
  add_usb(reader, "usb", UsbController::Type::uhci, hardware);
  add_usb(reader, "ehci", UsbController::Type::ehci, hardware);
  add_usb(reader, "usb_xhci", UsbController::Type::xhci, hardware);
  for (const char *bus : {"usb", "ehci", "usb_xhci"}) read_usb_devices(reader, bus, hardware);
  read_usb_filters(reader, hardware);
  const auto keyboard = reader.settings.boolean("keyboard.vusb.enable", reader.field("input.keyboard"));
  if (keyboard.value_or(false)) hardware.input.keyboard = Input::Keyboard::usb;
  const auto mouse = reader.settings.boolean("mouse.vusb.enable", reader.field("input.pointing"));
  const auto basic = reader.settings.boolean("mouse.vusb.useBasicMouse", reader.field("input.pointing"));
  if (mouse.value_or(false)) {
    hardware.input.pointing = basic.value_or(false) ? Input::Pointing::usb_mouse : Input::Pointing::usb_tablet;
  }
}

void read_display(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  Display &display = hardware.display;
  display.origin = settings.place("svga.present");
  const bool there = settings.present("svga", true, reader.field("display.adapter"));
  display.adapter = there ? Display::Adapter::vmware_svga : Display::Adapter::none;
  const auto memory = settings.number("svga.vramSize", reader.field("display.video_memory_bytes"));
  if (memory && *memory > 0) display.video_memory_bytes = static_cast<std::uint64_t>(*memory);
  const auto heads = settings.number("svga.numDisplays", reader.field("display.monitors"));
  if (heads && *heads > 0 && *heads <= 16) display.monitors = static_cast<unsigned>(*heads);
  display.accelerate_3d = settings.boolean("mks.enable3d", reader.field("display.accelerate_3d")).value_or(false);
  read_remote_display(reader, display);
  read_exchange(reader, display);
}

// VMware starts the virtual clock at its host's local time and remembers in the nvram file how far the guest
// moved it since; so the clock holds what the guest keeps there: local time for Windows, DOS and OS/2, UTC for
// others. rtc.diffFromUTC (seconds) overrides both.
void read_clock(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  Clock &clock = hardware.clock;
  clock.origin = settings.place("rtc.diffFromUTC");
  const OsFamily family = reader.guest.family;
  const bool local = family == OsFamily::windows || family == OsFamily::dos || family == OsFamily::os2;
  clock.base = local ? Clock::Base::local_time : Clock::Base::utc;
  const auto difference = settings.number("rtc.diffFromUTC", reader.field("clock.offset_ms"));
  constexpr std::int64_t kHundredYears = 100LL * 366 * 24 * 3600;
  if (difference && *difference >= -kHundredYears && *difference <= kHundredYears) {
    clock.base = Clock::Base::utc;
    clock.offset_ms = *difference * 1000;
  }
  if (settings.has("rtc.startTime")) {
    settings.settle("rtc.startTime", Disposition::dropped,
                    "the clock starts at the real time; use <clock offset='absolute'> to pin it again");
    if (reader.report) reader.find(kFixedTime, "rtc.startTime", "rtc.startTime is " + *settings.peek("rtc.startTime"));
  }
  if (settings.has("hpet0.present")) clock.hpet = settings.boolean("hpet0.present", reader.field("clock.hpet"));
}

// pciPassthruN: a PCI device of the source's host, or a share of its graphics card (vgpu).
void read_passthrough(Reader &reader) {
  for (const unsigned index : reader.settings.indices("pciPassthru")) {
    const std::string name = "pciPassthru" + std::to_string(index);
    const std::string *there = reader.settings.peek(name + ".present");
    if (!reader.report || there == nullptr || !parse_boolean(*there).value_or(false)) continue;
    const std::string *vgpu = reader.settings.peek(name + ".vgpu");
    reader.find(kPassthrough, name + ".present",
                name + (vgpu == nullptr ? " is a PCI device of the source's host"
                                        : " is the virtual graphics card \"" + text::printable(*vgpu) + "\""));
  }
}

void read_tpm(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  const bool there = settings.boolean("vtpm.present", reader.field("tpm")).value_or(false);
  const std::string made =
      text::lower_ascii(settings.filled("managedvm.autoAddVTPM", reader.field("tpm")).value_or(""));
  if (!there && made != "software") return;
  Tpm tpm;
  tpm.version = Tpm::Version::v2_0;
  tpm.state_encrypted = there;  // autoAddVTPM keeps its state unencrypted beside the machine or has none yet
  tpm.origin = settings.place(there ? "vtpm.present" : "managedvm.autoAddVTPM");
  hardware.tpm = std::move(tpm);
}

void read_shared_folders(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  const bool off = settings.boolean("isolation.tools.hgfs.disable", reader.field("shared_folders")).value_or(false);
  for (const unsigned index : settings.indices("sharedFolder")) {
    const std::string name = "sharedFolder" + std::to_string(index);
    const std::string field = reader.field("shared_folders." + std::to_string(hardware.shared_folders.size()));
    if (!settings.present(name, false, field)) continue;
    const bool enabled = settings.boolean(name + ".enabled", field).value_or(true);
    const bool readable = settings.boolean(name + ".readAccess", field).value_or(true);
    if (off || !enabled || !readable) {
      for (const char *key : {".present", ".enabled", ".readAccess"}) {
        settings.settle(name + key, Disposition::irrelevant, "the folder is switched off; the guest does not see it");
      }
      settings.settle_rest(text::lower_ascii(name) + ".", Disposition::irrelevant,
                           "the folder is switched off; the guest does not see it");
      continue;
    }
    SharedFolder folder;
    folder.name = settings.filled(name + ".guestName", field + ".name").value_or(name);
    folder.host_path = settings.filled(name + ".hostPath", field + ".host_path").value_or("");
    folder.writable = settings.boolean(name + ".writeAccess", field + ".writable").value_or(false);
    folder.auto_mount = true;  // VMware's tools mount every folder under /mnt/hgfs or \\vmware-host
    folder.origin = settings.place(name + ".present");
    hardware.shared_folders.push_back(std::move(folder));
  }
}

}  // namespace ferry::vmx
