// SPDX-License-Identifier: Apache-2.0
// Sound, pointer, display, and what KubeVirt has no counterpart of.
#include "exporters/kubevirt/mapping.hpp"
#include "model/names.hpp"

namespace ferry::kubevirt {
namespace {

void map_sound(Mapping &m) {
  const auto &sound = m.hardware.sound;
  if (!sound) return;
  const bool hda = sound->model == Sound::Model::hda || sound->model == Sound::Model::hda_vmware;
  if (!hda && sound->model != Sound::Model::ac97) {
    m.drop("sound", "KubeVirt has HDA and AC'97 only");
    return m.raise(kDeviceDropped, sound->origin,
                   "The sound card " + std::string(to_string(sound->model)) + " is left out.");
  }
  m.devices["sound"] = {{"name", "sound"}, {"model", hda ? "ich9" : "ac97"}};
  m.translate("sound", hda ? "ich9" : "ac97");
}

void map_input(Mapping &m) {
  m.translate("input", "PS/2 keyboard and mouse");
  const Input::Pointing pointing = m.hardware.input.pointing;
  if (pointing != Input::Pointing::usb_tablet && pointing != Input::Pointing::usb_multi_touch) return;
  m.devices["inputs"] = Json::array({{{"type", "tablet"}, {"bus", "usb"}, {"name", "tablet"}}});
  m.translate("input.pointing", "a USB tablet");
}

void map_display(Mapping &m) {
  m.translate("display", "the cluster's display, reached by 'virtctl vnc'");
  m.drop_if(m.hardware.display.accelerate_3d, "display.accelerate_3d", "KubeVirt's display has no 3D");
  m.drop_if(m.hardware.display.accelerate_2d, "display.accelerate_2d", "there is no video acceleration");
  if (m.hardware.display.monitors > 1) m.drop("display.monitors", "KubeVirt's display has one");
  if (m.hardware.display.adapter == Display::Adapter::none) m.devices["autoattachGraphicsDevice"] = false;
}

void drop_ports(Mapping &m) {
  for (std::size_t i = 0; i < m.hardware.serial_ports.size(); ++i) {
    if (i == 0) {
      m.translate(field_at("serial_ports", i), "the serial console, reached by 'virtctl console'");
    } else {
      m.drop(field_at("serial_ports", i), "KubeVirt has one serial port");
      m.raise(kDeviceDropped, m.hardware.serial_ports[i].origin,
              "Serial port " + std::to_string(i + 1) + " is left out: KubeVirt has one.");
    }
  }
  for (const CharPort &port : m.hardware.parallel_ports)
    m.raise(kDeviceDropped, port.origin, "A parallel port is left out.");
}

void drop_folders(Mapping &m) {
  for (const SharedFolder &folder : m.hardware.shared_folders)
    m.raise(kDeviceDropped, folder.origin,
            "The shared folder '" + folder.name + "' is left out: it is a folder of the old host.");
}

void drop_devices(Mapping &m) {
  for (std::size_t i = 0; i < m.hardware.devices.size(); ++i) {
    const Device &device = m.hardware.devices[i];
    const std::string field = field_at("devices", i);
    switch (device.kind) {
      case Device::Kind::random:
        m.devices["rng"] = Json::object();
        m.keep(field);
        break;
      case Device::Kind::balloon: m.keep(field); break;
      case Device::Kind::channel:
      case Device::Kind::serial_bus: m.translate(field, "KubeVirt's own channel of the guest's agent"); break;
      case Device::Kind::video:
      case Device::Kind::input:
      case Device::Kind::hub: m.translate(field, "KubeVirt's own"); break;
      default:
        m.drop(field, "KubeVirt does not have it");
        m.raise(kDeviceDropped, device.origin, "The device " + device.device + " is left out.");
    }
  }
  if (m.hardware.qemu_arguments.empty()) return;
  m.drop("qemu_arguments", "KubeVirt takes no arguments of QEMU's");
  m.raise(kArgumentsDropped, m.machine.origin,
          m.hardware.qemu_arguments.size() == 1
              ? "One QEMU argument is left out."
              : std::to_string(m.hardware.qemu_arguments.size()) + " QEMU arguments are left out.");
}

}  // namespace

void map_devices(Mapping &m) {
  map_sound(m);
  map_input(m);
  map_display(m);
  drop_ports(m);
  drop_folders(m);
  drop_devices(m);
  m.translate("usb_controllers", "KubeVirt adds one where a device needs it");
  m.drop_if(m.hardware.card_reader, "card_reader", "KubeVirt has none");
  m.drop_if(m.hardware.iommu, "iommu", "KubeVirt has none");
}

}  // namespace ferry::kubevirt
