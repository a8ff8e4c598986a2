// SPDX-License-Identifier: Apache-2.0
// Boot order, as <boot order> of each device.
//
// BIOS machines try the source's classes of devices in its order. EFI machines boot by their variables; OVMF
// deletes every Boot#### entry of a device that has no boot index as soon as one device has one, so all disks get
// one, first, and the source's order only ranks what comes after them.
#include <algorithm>

#include "exporters/boot_rank.hpp"
#include "exporters/libvirt/map/storage_buses.hpp"

namespace ferry::libvirt {
namespace {

using Kind = BootDevice::Kind;

// Where neither the source nor its platform says one: what is installed goes before what installs.
constexpr std::array kUnknownOrder = {Kind::disk, Kind::cdrom, Kind::floppy, Kind::network};

class BootOrder {
 public:
  explicit BootOrder(Mapping &m) : m_(m) {}

  void add(Kind kind, const std::optional<std::string> &detail) {
    switch (kind) {
      case Kind::floppy: add_disks("floppy", detail); break;
      case Kind::cdrom: add_disks("cdrom", detail); break;
      case Kind::disk: add_disks("disk", detail); break;
      case Kind::network: add_nics(detail); break;
      case Kind::usb:
      case Kind::none: break;
    }
  }

  // Devices with a rank of their own come first, the lowest of all.
  void add_indexed() {
    std::vector<std::pair<unsigned, std::optional<unsigned> *>> ranked;
    for (std::size_t i = 0; i < m_.domain.disks.size(); ++i) {
      const Drive &drive = controller_of(i).drives[m_.result.disks[i].drive];
      if (drive.boot_index) ranked.emplace_back(*drive.boot_index, &m_.domain.disks[i].boot_order);
    }
    for (std::size_t i = 0; i < m_.domain.interfaces.size(); ++i) {
      const Nic &nic = m_.hardware.nics[i];
      if (nic.boot_index) ranked.emplace_back(*nic.boot_index, &m_.domain.interfaces[i].boot_order);
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
    for (const auto &[index, order] : ranked) *order = ++last_;
  }

 private:
  [[nodiscard]] const Controller &controller_of(std::size_t disk) const {
    return m_.hardware.controllers[m_.result.disks[disk].controller];
  }

  void add_disks(std::string_view device, const std::optional<std::string> &detail) {
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < m_.domain.disks.size(); ++i) {
      const DomainDisk &disk = m_.domain.disks[i];
      if (disk.device != device || disk.boot_order) continue;
      if (!controller_of(i).bootable && !m_.efi()) continue;
      if (detail && !target::is_named(controller_of(i), controller_of(i).drives[m_.result.disks[i].drive], *detail))
        continue;
      candidates.push_back(i);
    }
    std::stable_sort(candidates.begin(), candidates.end(), [&](std::size_t a, std::size_t b) {
      return target::boot_rank(controller_of(a).type) < target::boot_rank(controller_of(b).type);
    });
    for (const std::size_t i : candidates) {
      m_.domain.disks[i].boot_order = ++last_;
      const bool ranked_twice = m_.domain.disks[i].bus == "nvme" && !m_.efi();
      if (ranked_twice && nvme_way(m_.host) == NvmeWay::by_libvirt) rank_controller(m_.domain.disks[i]);
    }
  }

  // libvirt ranks the namespace, which QEMU then names to the firmware without the PCI address of its controller:
  // SeaBIOS takes the controller for one that does not boot [tried: SeaBIOS 1.17, libvirt 12.8, QEMU 11.1]. A rank of
  // the controller's own, next to the namespace's, names it in full. EFI machines boot without, by their variables.
  void rank_controller(const DomainDisk &disk) {
    DomainController *controller = m_.nvme_controller(disk.drive->controller);
    if (controller == nullptr || !controller->alias.empty()) return;
    controller->alias = "ua-nvme" + std::to_string(controller->index);
    m_.domain.qemu_overrides.push_back({controller->alias, {{"bootindex", "unsigned", std::to_string(++last_)}}});
    m_.taint("the boot rank of NVMe disks");
  }

  // `detail` names one card: VMware's "ethernet2".
  void add_nics(const std::optional<std::string> &detail) {
    std::vector<std::size_t> nics;
    for (std::size_t i = 0; i < m_.domain.interfaces.size(); ++i) {
      if (detail && *detail != "ethernet" + std::to_string(m_.hardware.nics[i].slot)) continue;
      if (!m_.domain.interfaces[i].boot_order && m_.domain.interfaces[i].link_up) nics.push_back(i);
    }
    // VirtualBox's boot priority: 0 is the default and comes last.
    const auto priority = [&](std::size_t i) {
      const unsigned value = m_.hardware.nics[i].boot_priority.value_or(0);
      return value == 0 ? ~0U : value;
    };
    std::stable_sort(nics.begin(), nics.end(), [&](std::size_t a, std::size_t b) { return priority(a) < priority(b); });
    for (const std::size_t i : nics) m_.domain.interfaces[i].boot_order = ++last_;
  }

  Mapping &m_;
  unsigned last_ = 0;
};

}  // namespace

void map_boot_order(Mapping &m) {
  BootOrder order(m);
  order.add_indexed();
  if (m.efi()) {
    order.add(Kind::disk, std::nullopt);
    order.add(Kind::cdrom, std::nullopt);
  }
  const auto &devices = m.hardware.boot_order;
  for (const BootDevice &device : devices) order.add(device.kind, device.detail);
  // hddOrder may name only some disks; the others follow, as in VMware.
  if (std::any_of(devices.begin(), devices.end(), [](const BootDevice &d) { return d.kind == Kind::disk; })) {
    order.add(Kind::disk, std::nullopt);
  }
  if (devices.empty()) {
    for (const Kind kind : kUnknownOrder) order.add(kind, std::nullopt);
  }
  if (m.efi()) {
    m.translate("boot_order", "the EFI variables decide; all disks stay bootable");
  } else {
    m.keep("boot_order", "boot order of the devices");
  }
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (devices[i].kind == Kind::usb) m.drop(field_at("boot_order", i), "no USB disk is attached");
  }
}

}  // namespace ferry::libvirt
