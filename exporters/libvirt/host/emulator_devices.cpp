// SPDX-License-Identifier: Apache-2.0
// QEMU's device list, `-device help`: one line `name "e1000", bus PCI, alias "...", desc "..."` for each device that
// a user can add. The libvirt names on the right are those of libvirt's formatdomain.html.
#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "exporters/libvirt/host/capabilities.hpp"
#include "exporters/libvirt/host/local_host.hpp"

#include "support/error.hpp"
#include "support/subprocess.hpp"

namespace ferry::libvirt {

namespace {

struct DeviceName {
  std::string_view qemu;
  std::string_view libvirt;
  std::set<std::string> HostProfile::*models;
};

constexpr std::array kDeviceNames = {
    DeviceName{"e1000", "e1000", &HostProfile::nic_models},
    DeviceName{"e1000-82544gc", "e1000-82544gc", &HostProfile::nic_models},
    DeviceName{"e1000-82545em", "e1000-82545em", &HostProfile::nic_models},
    DeviceName{"e1000e", "e1000e", &HostProfile::nic_models},
    DeviceName{"ne2k_pci", "ne2k_pci", &HostProfile::nic_models},
    DeviceName{"pcnet", "pcnet", &HostProfile::nic_models},
    DeviceName{"rtl8139", "rtl8139", &HostProfile::nic_models},
    DeviceName{"usb-net", "usb-net", &HostProfile::nic_models},
    DeviceName{"virtio-net-pci", "virtio", &HostProfile::nic_models},
    DeviceName{"virtio-net-pci-transitional", "virtio-transitional", &HostProfile::nic_models},
    DeviceName{"vmxnet3", "vmxnet3", &HostProfile::nic_models},
    DeviceName{"AC97", "ac97", &HostProfile::sound_models},
    DeviceName{"ES1370", "es1370", &HostProfile::sound_models},
    DeviceName{"ich9-intel-hda", "ich9", &HostProfile::sound_models},
    DeviceName{"intel-hda", "ich6", &HostProfile::sound_models},
    DeviceName{"sb16", "sb16", &HostProfile::sound_models},
    DeviceName{"virtio-sound-pci", "virtio", &HostProfile::sound_models},
    DeviceName{"usb-audio", "usb", &HostProfile::sound_models},
    DeviceName{"am53c974", "am53c974", &HostProfile::scsi_models},
    DeviceName{"dc390", "dc390", &HostProfile::scsi_models},
    DeviceName{"lsi53c895a", "lsilogic", &HostProfile::scsi_models},
    DeviceName{"megasas", "lsisas1078", &HostProfile::scsi_models},
    DeviceName{"mptsas1068", "lsisas1068", &HostProfile::scsi_models},
    DeviceName{"pvscsi", "vmpvscsi", &HostProfile::scsi_models},
    DeviceName{"virtio-scsi-pci", "virtio-scsi", &HostProfile::scsi_models},
    DeviceName{"virtio-scsi-pci-transitional", "virtio-transitional", &HostProfile::scsi_models},
    DeviceName{"ich9-usb-ehci1", "ich9-ehci1", &HostProfile::usb_models},
    DeviceName{"ich9-usb-uhci1", "ich9-uhci1", &HostProfile::usb_models},
    DeviceName{"ich9-usb-uhci2", "ich9-uhci2", &HostProfile::usb_models},
    DeviceName{"ich9-usb-uhci3", "ich9-uhci3", &HostProfile::usb_models},
    DeviceName{"nec-usb-xhci", "nec-xhci", &HostProfile::usb_models},
    DeviceName{"pci-ohci", "pci-ohci", &HostProfile::usb_models},
    DeviceName{"piix3-usb-uhci", "piix3-uhci", &HostProfile::usb_models},
    DeviceName{"piix4-usb-uhci", "piix4-uhci", &HostProfile::usb_models},
    DeviceName{"qemu-xhci", "qemu-xhci", &HostProfile::usb_models},
    DeviceName{"usb-ehci", "ehci", &HostProfile::usb_models},
};

void add_device(HostProfile &profile, std::string_view qemu_name) {
  if (qemu_name == "nvme") profile.nvme_device = true;
  if (qemu_name == "ccid-card-passthru") profile.smartcard = true;
  if (qemu_name == "virtio-vga-gl") profile.virgl = true;
  const auto *row = std::ranges::find(kDeviceNames, qemu_name, &DeviceName::qemu);
  if (row != kDeviceNames.end()) (profile.*(row->models)).insert(std::string(row->libvirt));
}

}  // namespace

std::string emulator_device_help(const std::filesystem::path &emulator) {
  if (!emulator.is_absolute()) return {};
  try {
    // Module search variables must not change the answer: the environment is not passed on.
    const subprocess::Result result = subprocess::run({.program = emulator.string(),
                                                       .arguments = {"-machine", "none", "-device", "help"},
                                                       .limits = {.deadline = std::chrono::seconds(20)},
                                                       .bare_environment = true,
                                                       .on_line = {}});
    return result.ok() ? result.output : std::string();
  } catch (const Error &) {
    return {};
  }
}

void add_devices(HostProfile &profile, std::string_view help) {
  constexpr std::string_view kMark = "name \"";
  while (!help.empty()) {
    const std::size_t end = std::min(help.find('\n'), help.size());
    std::string_view line = help.substr(0, end);
    help.remove_prefix(std::min(end + 1, help.size()));
    if (!line.starts_with(kMark)) continue;
    line.remove_prefix(kMark.size());
    add_device(profile, line.substr(0, line.find('"')));
  }
}

void add_upstream_devices(HostProfile &profile) {
  for (const DeviceName &row : kDeviceNames) (profile.*(row.models)).insert(std::string(row.libvirt));
}

}  // namespace ferry::libvirt
