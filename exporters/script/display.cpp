// SPDX-License-Identifier: Apache-2.0
// Screen, sound, and what is plugged in by way of the viewer. The screen is reached by a socket in the run folder: a
// port would be open to every user of the host, and may be taken.
#include <algorithm>
#include <array>

#include "exporters/script/maker.hpp"

namespace ferry::script {
namespace {

constexpr unsigned kKibPerMib = 1024;

std::string viewer(const Maker &m, const std::string &protocol) {
  return "remote-viewer \"" + protocol + "+unix://${XDG_RUNTIME_DIR}/" + m.run_folder() + "/" + protocol + ".sock\"";
}

void add_screen(Maker &m) {
  bool any = false;
  for (const xml::Element *graphics : children(m.devices, "graphics")) {
    const std::string type = attribute(graphics, "type");
    if (!attribute(graphics, "passwd").empty())
      m.report(kSecret, "The password of the " + type + " screen is not written.");
    if (attribute(graphics->child("gl"), "enable") == "yes")
      m.report(kLeftOut, "The screen's OpenGL is left out: it needs a display of the host.");
    if (type == "spice" && !m.has_spice) {
      m.group("screen: " + viewer(m, "spice"));
      Keys keys("unix=on");
      keys.set("addr", Maker::in_run_folder("spice.sock")).on("disable-ticketing");
      if (attribute(graphics->child("clipboard"), "copypaste") == "no") keys.on("disable-copy-paste");
      if (attribute(graphics->child("filetransfer"), "enable") == "no") keys.on("disable-agent-file-xfer");
      m.option("-spice", keys);
      m.has_spice = true;
    } else if (type == "vnc") {
      m.group("screen: " + viewer(m, "vnc"));
      m.option("-vnc", Word("unix:").add(Maker::in_run_folder("vnc.sock").in_list()));
    } else if (type == "sdl" || type == "egl-headless") {
      m.group("screen");
      m.option("-display", Word(type == "sdl" ? "sdl" : "egl-headless"));
    } else {
      m.report(kDeviceLeftOut, "A screen of the type '" + type + "' is left out.");
      continue;
    }
    any = true;
  }
  if (any) return;
  m.group("no screen");
  m.option("-display", Word("none"));
}

struct VideoModel {
  const char *libvirt;
  const char *first;    // with VGA
  const char *further;  // without
};
constexpr std::array<VideoModel, 7> kVideo{{{"vga", "VGA", "secondary-vga"},
                                            {"cirrus", "cirrus-vga", "cirrus-vga"},
                                            {"vmvga", "vmware-svga", "vmware-svga"},
                                            {"qxl", "qxl-vga", "qxl"},
                                            {"virtio", "virtio-vga", "virtio-gpu-pci"},
                                            {"bochs", "bochs-display", "bochs-display"},
                                            {"ramfb", "ramfb", "ramfb"}}};

// libvirt's sizes are KiB, QEMU's of each model its own.
void add_video_memory(const xml::Element &model, const std::string &type, Keys &keys) {
  const auto kib = [&](const char *name) { return number(attribute(&model, name)).value_or(0); };
  if (type == "qxl") {
    if (kib("ram") != 0) keys.set("ram_size", std::uint64_t{kib("ram")} * 1024);
    if (kib("vram") != 0) keys.set("vram_size", std::uint64_t{kib("vram")} * 1024);
    if (!attribute(&model, "vram64").empty()) keys.set("vram64_size_mb", kib("vram64") / kKibPerMib);
    if (kib("vgamem") != 0) keys.set("vgamem_mb", kib("vgamem") / kKibPerMib);
  } else if ((type == "vga" || type == "vmvga") && kib("vram") >= kKibPerMib) {
    keys.set("vgamem_mb", kib("vram") / kKibPerMib);
  } else if (type == "bochs" && kib("vram") != 0) {
    keys.set("vgamem", Word(std::to_string(kib("vram")) + "k"));
  }
  const std::string heads = attribute(&model, "heads");
  if ((type == "qxl" || type == "virtio") && !heads.empty()) keys.set("max_outputs", Word(heads));
}

void add_video(Maker &m) {
  unsigned index = 0;
  for (const xml::Element *video : children(m.devices, "video")) {
    const xml::Element *model = video->child("model");
    const std::string type = attribute(model, "type");
    if (type == "none") continue;
    const auto *const row =
        std::find_if(kVideo.begin(), kVideo.end(), [&](const VideoModel &one) { return type == one.libvirt; });
    if (row == kVideo.end()) {
      m.report(kDeviceLeftOut, "The screen's card of the model '" + type + "' is left out.");
      continue;
    }
    const bool primary = index == 0 || attribute(model, "primary") == "yes";
    Keys keys(primary ? row->first : row->further);
    keys.set("id", Word(m.id(*video, "video" + std::to_string(index))));
    add_video_memory(*model, type, keys);
    if (type != "ramfb") m.place_pci(keys, *video, m.q35 ? 1U : 2U);
    m.device(keys, *video);
    ++index;
  }
}

// The desktop's sound goes by the viewer, where there is one.
void add_sound(Maker &m) {
  const auto cards = children(m.devices, "sound");
  if (cards.empty()) return;
  m.group("sound");
  const std::string asked = attribute(m.devices.child("audio"), "type");
  m.option("-audiodev", Keys(asked == "none" ? "none" : m.has_spice ? "spice" : "pa").set("id", "audio1"));
  unsigned index = 0;
  for (const xml::Element *sound : cards) {
    const std::string model = attribute(sound, "model"), id = m.id(*sound, "sound" + std::to_string(index++));
    const bool hda = model == "ich6" || model == "ich9";
    Keys keys(model == "ich6"     ? "intel-hda"
              : model == "ich9"   ? "ich9-intel-hda"
              : model == "ac97"   ? "AC97"
              : model == "es1370" ? "ES1370"
              : model == "usb"    ? "usb-audio"
                                  : "sb16");
    if (!hda && model != "ac97" && model != "es1370" && model != "usb" && model != "sb16") {
      m.report(kDeviceLeftOut, "The sound card of the model '" + model + "' is left out.");
      continue;
    }
    keys.set("id", Word(id));
    if (!hda) keys.set("audiodev", "audio1");
    if (model == "usb") m.place_usb(keys, *sound);
    if (model != "usb" && model != "sb16") m.place_pci(keys, *sound);
    m.device(keys, *sound);
    if (!hda) continue;
    auto codecs = children(*sound, "codec");
    unsigned cad = 0;
    do {
      const std::string codec = codecs.empty() ? "" : attribute(codecs[cad], "type");
      Keys part(codec == "micro" ? "hda-micro" : codec == "output" ? "hda-output" : "hda-duplex");
      m.option("-device", part.set("bus", Word(id + ".0")).set("cad", cad).set("audiodev", "audio1"));
    } while (++cad < codecs.size());
  }
}

}  // namespace

void add_display(Maker &m) {
  add_screen(m);
  add_video(m);
  add_sound(m);
}

}  // namespace ferry::script
