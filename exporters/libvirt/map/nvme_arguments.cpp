// SPDX-License-Identifier: Apache-2.0
// NVMe disks where libvirt has none (before 11.5) and QEMU does: as arguments of QEMU's, which libvirt passes on. It
// knows nothing of such a disk then, and takes no snapshots of it.
//
// Tried: QEMU 7.2 under libvirt 9.0 boots from it with SeaBIOS. A controller with one namespace is given that as a
// property of its own, so that its boot rank is the controller's, which is what SeaBIOS starts from.
#include <algorithm>

#include "exporters/libvirt/map/storage_buses.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

// A value of an option of QEMU's.
std::string escaped(const std::string &text) {
  std::string out;
  for (const char c : text) out += c == ',' ? std::string(",,") : std::string(1, c);
  return out;
}

std::string drive_argument(const DomainDisk &disk, const std::string &id) {
  std::string out = "file=" + escaped(disk.file) + ",format=" + disk.format + ",if=none,id=" + id;
  if (!disk.discard.empty()) out += ",discard=" + disk.discard;
  if (!disk.cache.empty()) out += ",cache=" + disk.cache;
  if (disk.read_only) out += ",readonly=on";
  if (disk.transient) out += ",snapshot=on";
  return out;
}

void add(Mapping &m, const char *option, std::string value) {
  m.domain.qemu_arguments.insert(m.domain.qemu_arguments.end(), {option, std::move(value)});
}

// Next to the slots that libvirt gives out, its buses have these names.
std::string place(const Mapping &m, const DomainController &controller) {
  const PciAddress address = controller.address.value_or(PciAddress{});
  return std::string(",bus=") + (m.board.q35 ? "pcie.0" : "pci.0") + ",addr=0x" + text::hex(address.slot, 2);
}

void add_controller(Mapping &m, const DomainController &controller, const std::vector<DomainDisk> &disks) {
  const std::string id = "ua-nvme" + std::to_string(controller.index);
  std::string device = "nvme,id=" + id + ",serial=" + escaped(controller.serial) + place(m, controller);
  const auto drive_id = [](const DomainDisk &disk) { return "ua-" + disk.target; };
  for (const DomainDisk &disk : disks) add(m, "-drive", drive_argument(disk, drive_id(disk)));
  const auto rank = [](const DomainDisk &disk) {
    return disk.boot_order ? ",bootindex=" + std::to_string(*disk.boot_order) : std::string();
  };
  if (disks.size() == 1 && disks[0].drive->unit == 0)
    return add(m, "-device", device + ",drive=" + drive_id(disks[0]) + rank(disks[0]));
  add(m, "-device", std::move(device));
  for (const DomainDisk &disk : disks) {
    add(m, "-device",
        "nvme-ns,bus=" + id + ",drive=" + drive_id(disk) + ",nsid=" + std::to_string(disk.drive->unit + 1) +
            rank(disk));
  }
}

}  // namespace

void map_nvme_arguments(Mapping &m) {
  if (nvme_way(m.host) == NvmeWay::by_libvirt) return;
  for (const DomainController &controller : m.domain.controllers) {
    if (controller.type != "nvme") continue;
    std::vector<DomainDisk> disks;
    for (const DomainDisk &disk : m.domain.disks) {
      if (disk.bus == "nvme" && disk.drive->controller == controller.index) disks.push_back(disk);
    }
    if (!disks.empty()) add_controller(m, controller, disks);
  }
  const auto erased = std::erase_if(m.domain.disks, [](const DomainDisk &disk) { return disk.bus == "nvme"; });
  std::erase_if(m.domain.controllers, [](const DomainController &controller) { return controller.type == "nvme"; });
  if (erased == 0) return;
  for (target::Disk &disk : m.result.disks) disk.unmanaged = disk.bus == "nvme";
  m.raise(kDomainTainted, {},
          "The domain has QEMU arguments that libvirt does not check: NVMe disks, which this host's libvirt does not "
          "have.",
          "Keep these arguments, which are the machine's disks: libvirt marks the running domain as tainted, which is "
          "harmless.");
  m.raise(kNvmeByArguments, {},
          erased == 1
              ? "libvirt passes an NVMe disk on to QEMU without knowing of it: virt-manager does not show it, and "
                "snapshots leave it out."
              : "libvirt passes NVMe disks on to QEMU without knowing of them: virt-manager does not show them, "
                "and snapshots leave them out.");
}

}  // namespace ferry::libvirt
