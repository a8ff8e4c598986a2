// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/pci.hpp"

#include <algorithm>
#include <charconv>

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

std::optional<unsigned> hexadecimal(std::string_view text, unsigned limit) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > limit) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::pair<unsigned, unsigned>> parse_pci_address(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto slot = hexadecimal(text.substr(0, dot), 31);
  const auto function = dot == std::string_view::npos ? std::optional(0U) : hexadecimal(text.substr(dot + 1), 7);
  if (!slot || !function) return std::nullopt;
  return std::pair{*slot, *function};
}

PciBuses::PciBuses(bool q35, bool acpi) {
  Bus root{.name = q35 ? "pcie.0" : "pci.0"};
  buses_.push_back(root);
  reserve(0, 0);
  if (q35) {
    for (const unsigned function : {0U, 2U, 3U}) reserve(0x1f, function);  // ISA bridge, SATA, SMBus
  } else {
    for (const unsigned function : {0U, 1U}) reserve(1, function);  // ISA bridge, IDE
    if (acpi) reserve(1, 3);                                        // power management
  }
}

void PciBuses::add_bus(std::string name, unsigned number) {
  buses_.push_back({.name = std::move(name), .number = number});
}

void PciBuses::reserve(unsigned slot, unsigned function) { buses_.front().used[slot][function] = true; }

std::string PciBuses::name_of(unsigned number) const {
  const auto found = std::find_if(buses_.begin(), buses_.end(), [&](const Bus &bus) { return bus.number == number; });
  return found == buses_.end() ? std::string{} : found->name;
}

PciPlace PciBuses::take(const std::string &bus_name, const std::string &address, bool multifunction,
                        const Place &where) {
  const auto refuse = [&](std::string message, std::string_view found) {
    throw Error(ErrorKind::malformed, {.where = where,
                                       .message = std::move(message),
                                       .found = text::printable(found),
                                       .advice = "Correct the command: QEMU itself would refuse it."});
  };
  auto bus = buses_.begin();
  if (!bus_name.empty()) {
    bus = std::find_if(buses_.begin(), buses_.end(), [&](const Bus &one) { return one.name == bus_name; });
    if (bus == buses_.end() && (bus_name == "pci.0" || bus_name == "pcie.0" || bus_name == "pci")) bus = buses_.begin();
    if (bus == buses_.end() && forgiving_) return take({}, {}, multifunction, where);
    if (bus == buses_.end()) refuse("there is no PCI bus of this name", bus_name);
  }
  PciPlace out{.bus = bus->number, .multifunction = multifunction};
  if (!address.empty()) {
    const auto parsed = parse_pci_address(address);
    if (!parsed) refuse("this is no PCI address", address);
    std::tie(out.slot, out.function) = *parsed;
    if (bus->used[out.slot][out.function] && forgiving_) return take({}, {}, multifunction, where);
    if (bus->used[out.slot][out.function]) refuse("the PCI address is taken by another device", address);
  } else {
    while (out.slot < Bus::kSlots && bus->used[out.slot][0]) ++out.slot;
    if (out.slot >= Bus::kSlots) refuse("the PCI bus has no free slot", bus->name);
  }
  bus->used[out.slot][out.function] = true;
  return out;
}

}  // namespace ferry::qemu
