// SPDX-License-Identifier: Apache-2.0
// bootOrder, which counts from 1 over disks and cards together.
#include <algorithm>
#include <utility>
#include <vector>

#include "exporters/boot_rank.hpp"
#include "exporters/kubevirt/mapping.hpp"

namespace ferry::kubevirt {
namespace {

using Kind = BootDevice::Kind;

class BootOrder {
 public:
  explicit BootOrder(Mapping &m) : m_(m) {}

  void add(Kind kind, const std::optional<std::string> &detail) {
    if (kind == Kind::disk) add_disks(detail);
    if (kind == Kind::network) add_cards();
  }

  // What QEMU was told of single devices, the lowest first.
  void add_ranked() {
    std::vector<std::pair<unsigned, Json *>> ranked;
    for (std::size_t i = 0; i < m_.result.disks.size(); ++i) {
      if (const auto &rank = drive(i).boot_index) ranked.emplace_back(*rank, &m_.devices["disks"][i]);
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
    for (const auto &[rank, device] : ranked) take(*device);
  }

 private:
  [[nodiscard]] const Controller &controller(std::size_t disk) const {
    return m_.hardware.controllers[m_.result.disks[disk].controller];
  }
  [[nodiscard]] const Drive &drive(std::size_t disk) const {
    return controller(disk).drives[m_.result.disks[disk].drive];
  }

  void take(Json &device) {
    if (!device.contains("bootOrder")) device["bootOrder"] = ++last_;
  }

  void add_disks(const std::optional<std::string> &detail) {
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < m_.result.disks.size(); ++i) {
      if (!controller(i).bootable && !m_.efi()) continue;
      if (!detail || target::is_named(controller(i), drive(i), *detail)) candidates.push_back(i);
    }
    std::stable_sort(candidates.begin(), candidates.end(), [&](std::size_t a, std::size_t b) {
      return target::boot_rank(controller(a).type) < target::boot_rank(controller(b).type);
    });
    for (const std::size_t i : candidates) take(m_.devices["disks"][i]);
  }

  void add_cards() {
    if (!m_.devices.contains("interfaces")) return;
    for (Json &card : m_.devices["interfaces"]) take(card);
  }

  Mapping &m_;
  unsigned last_ = 0;
};

}  // namespace

void map_boot_order(Mapping &m) {
  BootOrder order(m);
  order.add_ranked();
  for (const BootDevice &device : m.hardware.boot_order) order.add(device.kind, device.detail);
  order.add(Kind::disk, std::nullopt);
  m.keep("boot_order");
}

}  // namespace ferry::kubevirt
