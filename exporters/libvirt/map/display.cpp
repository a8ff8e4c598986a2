// SPDX-License-Identifier: Apache-2.0
// Display, video card and sound.
//
// SPICE where the host has it, because GNOME Boxes opens nothing else, otherwise VNC. Neither listens on a port:
// virt-manager, virt-viewer and Boxes are handed a connection by libvirt, and other users of the host get none.
#include <algorithm>
#include <array>
#include <bit>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {
namespace {

using Adapter = Display::Adapter;

// The standard VGA card works in every guest without a driver. Linux has virtio-gpu from 4.4 on, which resizes with
// the window; it starts as a VGA card, so older kernels work too. 'vmvga' only on request: it is unmaintained.
std::string wanted_model(const Mapping &m) {
  if (m.options.video_model == target::VideoModel::virtio_3d) return "virtio";
  if (m.options.video_model) return std::string(to_string(*m.options.video_model));
  const bool svga = m.hardware.display.adapter == Adapter::vmsvga || m.hardware.display.adapter == Adapter::vmware_svga;
  return svga && m.linux_guest() ? "virtio" : "vga";
}

std::string available_model(Mapping &m, const std::string &wanted) {
  if (unknown_or_has(m.host.video_models, wanted)) return wanted;
  if (m.options.video_model) {
    throw Error(ErrorKind::unsupported, {.message = "this host's QEMU has no such video card",
                                         .found = wanted,
                                         .expected = "a model that 'virsh domcapabilities' lists",
                                         .advice = "Use another --video, or leave it out."});
  }
  constexpr std::array<std::string_view, 5> kOthers = {"vga", "virtio", "qxl", "bochs", "cirrus"};
  for (const std::string_view model : kOthers) {
    if (has(m.host.video_models, model)) return std::string(model);
  }
  return wanted;
}

unsigned video_memory_kib(const Display &display) {
  constexpr std::uint64_t kLeast = 16384, kMost = 262144;  // what QEMU's VGA takes
  const std::uint64_t kib = std::clamp(display.video_memory_bytes.value_or(0) / 1024, kLeast, kMost);
  return static_cast<unsigned>(std::bit_ceil(kib));
}

// Virgl: the guest's OpenGL is drawn by the host's GPU. Linux has the driver; the viewer must be on this host.
void map_virgl(Mapping &m) {
  if (m.options.video_model != target::VideoModel::virtio_3d) return;
  if (!m.linux_guest() || !m.host.virgl)
    throw Error(ErrorKind::unsupported,
                {.message = "3D acceleration cannot be had",
                 .found = m.linux_guest() ? "a host whose QEMU has no virtio-vga-gl, or whose GPU this user may not use"
                                          : "a guest that is not Linux",
                 .expected = "a Linux guest, and QEMU with virgl",
                 .advice = "Use --video virtio, or leave it out."});
  m.domain.video.accelerated = true;
}

void map_monitors(Mapping &m) {
  const Display &display = m.hardware.display;
  const bool several = m.domain.video.model == "virtio" || m.domain.video.model == "qxl";
  m.keep("display.monitors");
  if (display.monitors <= 1) return;
  if (several) {
    const unsigned most = m.domain.video.model == "qxl" ? 4U : 16U;
    m.domain.video.heads = std::min(display.monitors, most);
    return;
  }
  m.drop("display.monitors", "this video card has one head; --video qxl or virtio has more");
  m.raise(kMonitorsReduced, display.origin,
          "The machine had " + std::to_string(display.monitors) + " monitors; its new video card has one.");
}

void map_video(Mapping &m) {
  const Display &display = m.hardware.display;
  DomainVideo &video = m.domain.video;
  video.model = available_model(m, wanted_model(m));
  video.address = m.slots.take(kVideoSlot);
  if (!video.address) video.address = m.slots.place(std::nullopt);
  m.translate("display.adapter", "video model " + video.model);
  m.keep("display.video_memory_bytes");
  if (video.model == "vga" || video.model == "qxl" || video.model == "vmvga" || video.model == "cirrus") {
    video.vram_kib = video_memory_kib(display);
    m.translate("display.video_memory_bytes", std::to_string(*video.vram_kib / 1024) + " MiB");
  } else {
    m.translate("display.video_memory_bytes", "this card takes what it needs");
  }
  map_virgl(m);
  map_monitors(m);
}

void map_graphics(Mapping &m) {
  if (has(m.host.graphics, "spice") || m.host.graphics.empty()) {
    m.domain.graphics = "spice";
    m.domain.spice_channel = unknown_or_has(m.host.char_types, "spicevmc");
  } else if (has(m.host.graphics, "vnc")) {
    m.domain.graphics = "vnc";
    m.raise(kNoSpice, {}, "This host has no SPICE: the display is VNC, which GNOME Boxes does not open.");
  } else {
    m.raise(kNoDisplay, {}, "This host's QEMU has neither SPICE nor VNC: the machine has no display.");
  }
}

void map_acceleration(Mapping &m) {
  const Display &display = m.hardware.display;
  m.keep("display.accelerate_3d", "off");
  m.keep("display.accelerate_2d", "off");
  const bool virgl = m.options.video_model == target::VideoModel::virtio_3d;
  if (display.accelerate_3d && virgl) {
    m.translate("display.accelerate_3d", "virtio-gpu's, by virgl");
  } else if (display.accelerate_3d) {
    m.drop("display.accelerate_3d", "the guest's 3D driver is VirtualBox's or VMware's own");
    const bool possible = m.linux_guest() && m.host.virgl;
    m.raise(k3dDropped, display.origin, "3D acceleration is not carried over: its driver is the source platform's own.",
            possible ? "Use --video virtio-3d: this host's GPU draws for the guest then." : "");
  }
  if (display.accelerate_2d) m.drop("display.accelerate_2d", "the 2D driver is VirtualBox's own");
  if (!display.remote) return;
  if (!display.remote->enabled) {
    m.keep("display.remote", "off");
    return;
  }
  m.drop("display.remote", "the display listens on no port");
  m.raise(kRemoteDisplayDropped, display.remote->origin,
          "The machine's remote display (ports " + display.remote->ports + ") is not opened to the network.");
}

// Both platforms' tables of an IOMMU can be had on the newer board alone.
void map_iommu(Mapping &m) {
  m.keep("iommu");
  if (!m.hardware.iommu.value_or(false)) return;
  if (m.board.q35) {
    m.domain.iommu = "intel";
    m.translate("iommu", "model intel");
  } else {
    m.drop("iommu", "the i440FX board has none");
  }
}

std::string wanted_sound(const Mapping &m, const Sound &sound) {
  constexpr unsigned kVirtioSound = 10'004'000;  // libvirt that knows the model
  switch (sound.model) {
    case Sound::Model::virtio: return m.host.libvirt_version >= kVirtioSound ? "virtio" : "ich9";
    case Sound::Model::ac97: return "ac97";
    case Sound::Model::sb16: return "sb16";
    case Sound::Model::hda: return "ich6";
    case Sound::Model::hda_vmware: return m.board.q35 ? "ich9" : "ich6";  // neither is it: the board's own
    case Sound::Model::es1371: return "es1370";
  }
  return "ich6";
}

}  // namespace

// What the source did not allow between guest and viewer, the new machine does not either. SPICE's clipboard goes both
// ways or none, and files go to the guest alone.
void map_exchange(Mapping &m) {
  using Exchange = Display::Exchange;
  const Display &display = m.hardware.display;
  m.keep("display.clipboard");
  m.keep("display.files");
  if (display.clipboard) {
    m.domain.clipboard = *display.clipboard == Exchange::both;
    const bool one_way = !m.domain.clipboard && *display.clipboard != Exchange::off;
    if (one_way) m.translate("display.clipboard", "off: SPICE's clipboard goes both ways or none");
  }
  if (!display.files) return;
  m.domain.file_transfer = *display.files == Exchange::both || *display.files == Exchange::to_guest;
  if (*display.files == Exchange::both) m.translate("display.files", "to the guest alone");
  if (*display.files == Exchange::to_host) m.translate("display.files", "off: SPICE takes files to the guest alone");
}

void map_display(Mapping &m) {
  const Display &display = m.hardware.display;
  m.keep("display");
  map_acceleration(m);
  map_exchange(m);
  map_iommu(m);
  if (display.adapter == Adapter::none && !m.options.video_model) {
    m.domain.video.model = "none";
    m.keep("display.adapter", "none");
    return;
  }
  map_video(m);
  map_graphics(m);
}

void map_sound(Mapping &m) {
  m.keep("sound");
  if (!m.hardware.sound) return;
  const Sound &sound = *m.hardware.sound;
  DomainSound out{.model = wanted_sound(m, sound)};
  const bool near =
      sound.model == Sound::Model::es1371 || (sound.model == Sound::Model::virtio && out.model != "virtio");
  bool changed = near;
  if (!unknown_or_has(m.host.sound_models, out.model)) {
    constexpr std::array<std::string_view, 4> kOthers = {"ich6", "ich9", "ac97", "es1370"};
    const auto other = std::find_if(kOthers.begin(), kOthers.end(),
                                    [&](std::string_view model) { return has(m.host.sound_models, model); });
    if (other == kOthers.end()) {
      m.drop("sound", "this host's QEMU has no sound card");
      m.raise(kSoundDropped, sound.origin, "This host's QEMU has no sound card; the machine is silent.");
      return;
    }
    out.model = *other;
    changed = true;
  }
  if (changed) {
    m.translate("sound.model", out.model);
    m.raise(kSoundChanged, sound.origin, "The sound card becomes " + out.model + ", the nearest that this host has.");
  } else {
    m.keep("sound.model", out.model);
  }
  const bool hda = out.model == "ich6" || out.model == "ich9";
  if (hda) out.codec = sound.input ? "duplex" : "output";
  if (out.model != "sb16") out.address = m.slots.place(sound.pci_slot);
  if (sound.pci_slot && out.address && out.address->slot == *sound.pci_slot) {
    m.keep("sound.pci_slot");
  } else {
    m.translate("sound.pci_slot", "another PCI slot");
  }
  m.translate("sound.codec", hda ? "HDA codec " + out.codec : "QEMU's own");
  m.translate("sound.host_driver", m.domain.graphics == "spice" ? "through SPICE" : "none");
  m.keep("sound.output");
  m.keep("sound.input");
  m.domain.audio = m.domain.graphics == "spice" ? "spice" : "none";
  if (m.domain.audio == "none") {
    m.raise(kSoundSilent, sound.origin, "The sound card is there, but without SPICE nothing plays on the host.");
  }
  m.domain.sound = out;
}

// QEMU's guest agent tells the host its name and addresses and shuts down in order where it is installed; without it
// nothing answers. Its channel and SPICE's need a virtio-serial controller, which the source did not have: it comes
// last, so that it takes no slot from anything that the guest knows. A machine of QEMU has the channels that it had.
void place_channels(Mapping &m) {
  m.domain.agent_channel = !m.hardware.described_by_qemu() && unknown_or_has(m.host.char_types, "unix");
  m.domain.folder_channel = m.domain.spice_channel;  // the same module of QEMU has both
  if (!m.domain.spice_channel && !m.domain.agent_channel) return;
  DomainController controller{.type = "virtio-serial"};
  controller.address = m.slots.place(std::nullopt);
  m.domain.controllers.push_back(std::move(controller));
}

}  // namespace ferry::libvirt
