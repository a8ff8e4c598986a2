// SPDX-License-Identifier: Apache-2.0
// Which of QEMU's network cards stands for which of the source's.
#include <algorithm>
#include <array>

#include "exporters/libvirt/map/nic_parts.hpp"

namespace ferry::libvirt {
namespace {

// libvirt passes any model on to QEMU unchecked; these are QEMU's. 82543GC and the 82583V's closest relatives drive
// the same driver families; the PCnet of QEMU is a 79C970A.
constexpr std::array<NicModelRow, 20> kModels = {{
    {NicModel::am79c960, "Am79C960", "pcnet", false},
    {NicModel::am79c970a, "Am79C970A", "pcnet", true},
    {NicModel::am79c973, "Am79C973", "pcnet", false},
    {NicModel::e1000_82540em, "82540EM", "e1000", true},
    {NicModel::e1000_82543gc, "82543GC", "e1000", false},
    {NicModel::e1000_82545em, "82545EM", "e1000-82545em", true},
    {NicModel::e1000e, "82574L", "e1000e", true},
    {NicModel::e82583v, "82583V", "e1000e", false},
    {NicModel::virtio, "virtio-net", "virtio", true},
    {NicModel::vlance, "vlance (Am79C970A)", "pcnet", true},
    {NicModel::vmxnet, "vmxnet", "pcnet", false},
    {NicModel::vmxnet2, "vmxnet2", "e1000", false},
    {NicModel::vmxnet3, "vmxnet3", "vmxnet3", true},
    {NicModel::flexible, "flexible (vlance or vmxnet)", "pcnet", false},
    {NicModel::ne1000, "NE1000", "ne2k_pci", false},
    {NicModel::ne2000, "NE2000", "ne2k_pci", false},
    {NicModel::wd8003, "WD8003", "ne2k_pci", false},
    {NicModel::wd8013, "WD8013", "ne2k_pci", false},
    {NicModel::elnk2, "3C503", "ne2k_pci", false},
    {NicModel::elnk1, "3C501", "ne2k_pci", false},
}};

constexpr NicModelRow kUsbNet = {NicModel::usbnet, "usbnet", "e1000", false};

}  // namespace

const NicModelRow &nic_model_row(NicModel model) {
  const auto found =
      std::find_if(kModels.begin(), kModels.end(), [&](const NicModelRow &row) { return row.source == model; });
  return found == kModels.end() ? kUsbNet : *found;
}

}  // namespace ferry::libvirt
