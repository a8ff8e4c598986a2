// SPDX-License-Identifier: Apache-2.0
#include "importers/vbox/slots.hpp"

#include <algorithm>
#include <array>

namespace ferry::vbox {
namespace {

constexpr std::array<unsigned, 8> kNicSlots{3, 8, 9, 10, 16, 17, 18, 19};

}  // namespace

unsigned adapter_count(Chipset chipset) {
  constexpr unsigned kPiix3 = 8;
  constexpr unsigned kIch9 = 36;
  constexpr unsigned kArm = 64;
  switch (chipset) {
    case Chipset::ich9: return kIch9;
    case Chipset::armv8_virtual: return kArm;
    default: return kPiix3;
  }
}

NicSlots::NicSlots(Chipset chipset, const std::vector<unsigned> &enabled_adapters) : chipset_(chipset) {
  for (unsigned adapter = 0; adapter < kNicSlots.size(); ++adapter) {
    const bool used = std::find(enabled_adapters.begin(), enabled_adapters.end(), adapter) != enabled_adapters.end();
    if (!used) free_.push_back(kNicSlots[adapter]);
  }
}

NicPlace NicSlots::place(unsigned adapter) {
  if (chipset_ == Chipset::armv8_virtual) return {};
  if (adapter < kNicSlots.size()) return {kNicSlots[adapter], false};
  if (free_.empty()) return {std::nullopt, true};
  const unsigned slot = free_.front();
  free_.erase(free_.begin());
  return {slot, false};
}

std::optional<unsigned> controller_slot(ControllerType type, unsigned index, Chipset chipset, bool iommu) {
  const bool piix3 = chipset == Chipset::piix3;
  if (index > 0) return std::nullopt;  // behind a bridge
  if (chipset == Chipset::armv8_virtual) {
    switch (type) {
      case ControllerType::virtio_scsi: return 3;
      case ControllerType::nvme: return 4;
      case ControllerType::ahci: return 16;
      case ControllerType::lsilogic_sas: return 17;
      default: return std::nullopt;
    }
  }
  switch (type) {
    case ControllerType::ide_piix3:
    case ControllerType::ide_piix4:
    case ControllerType::ide_ich6: return piix3 ? std::optional(1U) : std::nullopt;
    case ControllerType::ahci: return piix3 ? 13 : 31;
    case ControllerType::nvme: return 14;
    case ControllerType::virtio_scsi: return 15;
    case ControllerType::lsilogic: return iommu && !piix3 ? 23 : 20;  // an IOMMU's I/O APIC takes slot 20
    case ControllerType::buslogic: return 21;
    case ControllerType::lsilogic_sas: return 22;
    default: return std::nullopt;
  }
}

std::optional<unsigned> usb_slot(UsbController::Type type, Chipset chipset) {
  if (chipset == Chipset::armv8_virtual) return std::nullopt;
  const bool piix3 = chipset == Chipset::piix3;
  switch (type) {
    case UsbController::Type::ohci: return piix3 ? 6 : 31;
    case UsbController::Type::ehci: return piix3 ? 11 : 31;
    case UsbController::Type::xhci: return 12;
    default: return std::nullopt;
  }
}

std::optional<unsigned> sound_slot(Sound::Model model, Chipset chipset) {
  if (chipset == Chipset::armv8_virtual || model == Sound::Model::sb16) return std::nullopt;  // ISA
  return 5;
}

bool is_off_pci(NicModel model) {
  switch (model) {
    case NicModel::am79c960:
    case NicModel::ne1000:
    case NicModel::ne2000:
    case NicModel::wd8003:
    case NicModel::wd8013:
    case NicModel::elnk1:
    case NicModel::elnk2:
    case NicModel::usbnet: return true;
    default: return false;
  }
}

}  // namespace ferry::vbox
