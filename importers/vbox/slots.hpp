// SPDX-License-Identifier: Apache-2.0
// Where VirtualBox puts its devices on the guest's PCI bus. Seen on VirtualBox 6.1 and 7.0, and its rules.
#pragma once

#include <optional>
#include <vector>

#include "model/hardware.hpp"

namespace ferry::vbox {

// How many adapters the board has: settings of further ones lie idle.
[[nodiscard]] unsigned adapter_count(Chipset chipset);

struct NicPlace {
  std::optional<unsigned> slot;  // on bus 0
  bool behind_bridge = false;
};
// Gives the places of the enabled adapters, in the order of their numbers. The first eight have slots of their own;
// ICH9's further ones take, in order, what those left free, and then go behind a bridge.
class NicSlots {
 public:
  NicSlots(Chipset chipset, const std::vector<unsigned> &enabled_adapters);
  // Call once for each enabled adapter, with rising numbers.
  [[nodiscard]] NicPlace place(unsigned adapter);

 private:
  Chipset chipset_;
  std::vector<unsigned> free_;
};

// Bus 0 slot of controller `index` (from 0) of its type; nullopt where it has none, is not on bus 0, or is a USB or
// ISA device. AHCI on ICH9 is function 2 of slot 31 and IDE on PIIX3 function 1 of slot 1, as on QEMU's boards.
[[nodiscard]] std::optional<unsigned> controller_slot(ControllerType type, unsigned index, Chipset chipset, bool iommu);

// The same for a USB controller; OHCI and EHCI on ICH9 are functions 4 and 5 of slot 31.
[[nodiscard]] std::optional<unsigned> usb_slot(UsbController::Type type, Chipset chipset);
// The same for the sound card.
[[nodiscard]] std::optional<unsigned> sound_slot(Sound::Model model, Chipset chipset);

// True for cards of the ISA bus and of USB.
[[nodiscard]] bool is_off_pci(NicModel model);

}  // namespace ferry::vbox
