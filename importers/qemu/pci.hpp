// SPDX-License-Identifier: Apache-2.0
// The slots that QEMU gives: an address that is named, or else the lowest free slot of the bus, in the order in which
// devices are made (hw/pci/pci.c, do_pci_register_device).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/hardware.hpp"

#include "support/error.hpp"

namespace ferry::qemu {

class PciBuses {
 public:
  // The board's own devices are there from the start.
  PciBuses(bool q35, bool acpi);

  // A bus behind a bridge or a root port (QEMU gives more than one slot there, too); `number` as in PciPlace.
  void add_bus(std::string name, unsigned number);
  // Takes functions of the root bus that are fixed.
  void reserve(unsigned slot, unsigned function);

  // `bus`: its name, empty: the root. `address`: as in addr=, empty: the lowest free slot.
  // Throws Error malformed for what QEMU refuses: no such bus, an address that is taken, a bus that is full.
  PciPlace take(const std::string &bus, const std::string &address, bool multifunction, const Place &where);

  // Buses that are not known count as the root: a file that makes them could not be read.
  void forgive_unknown_buses() { forgiving_ = true; }

  // QEMU's name of the bus with that number.
  [[nodiscard]] std::string name_of(unsigned number) const;

 private:
  struct Bus {
    std::string name;
    unsigned number = 0;
    static constexpr unsigned kSlots = 32;
    std::array<std::array<bool, 8>, 32> used{};
  };
  std::vector<Bus> buses_;
  bool forgiving_ = false;
};

// "10" is slot 16, "1d.7" slot 29 function 7, "0x1.0x2" slot 1 function 2. nullopt for anything else.
[[nodiscard]] std::optional<std::pair<unsigned, unsigned>> parse_pci_address(std::string_view text);

}  // namespace ferry::qemu
