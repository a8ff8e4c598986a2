// SPDX-License-Identifier: Apache-2.0
// USB controllers, redirection, filters; keyboard and pointer.
//
// QEMU's EHCI takes full-speed devices only through companions, so it comes as an ICH9 set in one slot.
#include <algorithm>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {
namespace {

using Type = UsbController::Type;

constexpr unsigned kPiix3UhciFunction = 2;  // of slot 1, on `pc`

constexpr unsigned kSlots = 32;        // of a PCI bus
constexpr unsigned kChipsetSlot = 31;  // of an ICH9, which libvirt keeps for QEMU's own functions of it

// Where the controller is to sit. One that was a function of the ICH9's slot goes to a slot of our layout, the same for
// all machines.
std::optional<unsigned> slot_for(const UsbController &usb) {
  if (usb.pci_slot != kChipsetSlot) return usb.pci_slot;
  return usb.type == Type::ehci ? 11 : 6;
}

class UsbMapper {
 public:
  explicit UsbMapper(Mapping &m) : m_(m) {}

  void map() {
    const auto &controllers = m_.hardware.usb_controllers;
    m_.keep("usb_controllers");
    for (std::size_t i = 0; i < controllers.size(); ++i) add(i, controllers[i]);
    const bool disks = std::any_of(m_.domain.disks.begin(), m_.domain.disks.end(),
                                   [](const DomainDisk &disk) { return disk.bus == "usb"; });
    if (next_index_ == 0 && (disks || wants_usb_input())) add_default();
    if (next_index_ == 0) m_.domain.controllers.push_back({.type = "usb", .model = "none"});
    if (next_index_ > 0 && m_.domain.graphics == "spice" && m_.host.usb_redirection) m_.domain.usb_redirections = 2;
  }

  [[nodiscard]] bool any() const { return next_index_ > 0; }

 private:
  [[nodiscard]] bool wants_usb_input() const {
    const Input &input = m_.hardware.input;
    return input.pointing == Input::Pointing::usb_mouse || input.pointing == Input::Pointing::usb_tablet ||
           input.pointing == Input::Pointing::usb_multi_touch || input.keyboard == Input::Keyboard::usb;
  }

  [[nodiscard]] bool host_has(std::string_view model) const { return unknown_or_has(m_.host.usb_models, model); }

  void controller(std::string model, unsigned index, std::optional<PciAddress> address,
                  std::optional<unsigned> master = {}) {
    DomainController made{.type = "usb", .index = index, .model = std::move(model)};
    made.address = address;
    made.master_port = master;
    m_.domain.controllers.push_back(std::move(made));
  }

  void add_ehci(std::optional<unsigned> slot) {
    const unsigned index = next_index_++;
    auto address = m_.slots.place(slot);
    if (!address) {
      controller("ich9-ehci1", index, std::nullopt);
      return;
    }
    address->function = 7;
    controller("ich9-ehci1", index, address);
    for (unsigned companion = 0; companion < 3; ++companion) {
      controller("ich9-uhci" + std::to_string(companion + 1), index,
                 PciAddress{.slot = address->slot, .function = companion, .multifunction = companion == 0},
                 companion * 2);
    }
  }

  // NEC's chip has drivers for Windows 7 and older; newer systems take any.
  [[nodiscard]] std::string xhci_model() const {
    const std::string &os = m_.machine.guest_os.osinfo_id;
    const bool old_windows = os.ends_with("/7") || os.ends_with("/vista") || os.ends_with("/xp") ||
                             os.ends_with("/2k8") || os.ends_with("/2k8r2");
    if (host_has("qemu-xhci") && !(m_.windows() && old_windows && host_has("nec-xhci"))) return "qemu-xhci";
    return "nec-xhci";
  }

  void add(std::size_t i, const UsbController &usb) {
    const std::string field = field_at("usb_controllers", i);
    const auto slot = slot_for(usb);
    m_.keep(field);
    if (slot && slot == usb.pci_slot && *slot < kSlots) {
      m_.keep(below<UsbController>(field, "pci_slot"));
    } else {
      m_.translate(below<UsbController>(field, "pci_slot"), "another PCI slot");
    }
    if (usb.type == Type::xhci && (host_has("qemu-xhci") || host_has("nec-xhci"))) {
      controller(xhci_model(), next_index_++, m_.slots.place(slot));
      m_.translate(below<UsbController>(field, "type"), m_.domain.controllers.back().model);
    } else if (usb.type == Type::ehci && host_has("ich9-ehci1")) {
      add_ehci(slot);
      m_.translate(below<UsbController>(field, "type"), "ich9-ehci1 with companions");
    } else if (usb.type == Type::ohci && host_has("pci-ohci")) {
      controller("pci-ohci", next_index_++, m_.slots.place(slot));
      m_.keep(below<UsbController>(field, "type"), "pci-ohci");
    } else if (usb.type == Type::uhci && add_uhci(slot)) {
      m_.translate(below<UsbController>(field, "type"), m_.domain.controllers.back().model);
    } else {
      m_.drop(field, "this host's QEMU has no such USB controller");
      m_.raise(kUsbControllerChanged, usb.origin,
               "A USB controller is left out: this host's QEMU has none of this kind.");
    }
  }

  // On `pc` the first is the chipset's own function; others are cards of the same kind.
  bool add_uhci(std::optional<unsigned> slot) {
    if (!host_has("piix3-uhci")) return false;
    const bool chipset = !m_.board.q35 && !uhci_there_;
    uhci_there_ = true;
    controller("piix3-uhci", next_index_++,
               chipset ? PciAddress{.slot = 1, .function = kPiix3UhciFunction} : m_.slots.place(slot));
    return true;
  }

  void add_default() {
    if (!m_.board.q35 && add_uhci(std::nullopt)) return;
    controller(xhci_model(), next_index_++, m_.slots.place(std::nullopt));
  }

  Mapping &m_;
  unsigned next_index_ = 0;
  bool uhci_there_ = false;
};

void map_filters(Mapping &m) {
  const auto &filters = m.hardware.usb_filters;
  m.keep("usb_filters", "none active");
  std::size_t active = 0;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (filters[i].active) ++active;
    m.drop(field_at("usb_filters", i), "attach the host's devices to the guest by hand");
  }
  if (active == 0) return;
  m.raise(kUsbFiltersDropped, filters.front().origin,
          std::to_string(active) + (active == 1 ? " USB filter is" : " USB filters are") +
              " not carried over: no device of this host is attached unasked.");
}

void map_input(Mapping &m, bool usb) {
  const Input &input = m.hardware.input;
  m.keep("input");
  auto &inputs = m.domain.inputs;
  switch (input.pointing) {
    case Input::Pointing::usb_tablet: inputs.push_back({"tablet", "usb"}); break;
    case Input::Pointing::usb_multi_touch:
      inputs.push_back({"tablet", "usb"});
      m.translate("input.pointing", "USB tablet");
      m.raise(kInputChanged, input.origin, "The multi-touch pointer becomes a USB tablet.");
      break;
    case Input::Pointing::usb_mouse: inputs.push_back({"mouse", "usb"}); break;
    case Input::Pointing::combo:
    case Input::Pointing::ps2_mouse:
      // VirtualBox and VMware moved the pointer by their tools; without them the tablet keeps it in step.
      if (!usb || m.domain.graphics.empty()) break;
      inputs.push_back({"tablet", "usb"});
      m.raise(kTabletAdded, input.origin,
              "A USB tablet is added beside the PS/2 mouse, so that the pointer follows without VirtualBox's or "
              "VMware's guest tools.");
      break;
  }
  if (input.keyboard == Input::Keyboard::usb || input.keyboard == Input::Keyboard::combo) {
    if (usb) {
      inputs.push_back({"keyboard", "usb"});
    } else {
      m.translate("input.keyboard", "PS/2");
    }
  }
}

}  // namespace

void reserve_usb_slots(Mapping &m) {
  for (const UsbController &usb : m.hardware.usb_controllers) {
    if (const auto slot = slot_for(usb)) m.slots.reserve(*slot);
  }
}

namespace {

// VirtualBox's reader takes cards of its host's, QEMU's those that the viewer has.
void map_card_reader(Mapping &m, bool usb) {
  m.keep("card_reader");
  if (!m.hardware.card_reader) return;
  const bool spice = m.domain.graphics == "spice" && unknown_or_has(m.host.char_types, "spicevmc");
  if (!usb || !spice || !m.host.smartcard) {
    m.drop("card_reader", usb ? "this host's QEMU has no reader for a viewer's cards" : "the machine has no USB");
    m.raise(kCardReaderDropped, m.hardware.usb_controllers.empty() ? Place{} : m.hardware.usb_controllers[0].origin,
            "The card reader is left out: this host's QEMU has none that a SPICE viewer's cards go into.");
    return;
  }
  m.domain.smartcard = true;
  m.translate("card_reader", "for the cards of who looks at it");
}

}  // namespace

void map_usb_input(Mapping &m) {
  UsbMapper usb(m);
  usb.map();
  map_card_reader(m, usb.any());
  map_filters(m);
  map_input(m, usb.any());
}

}  // namespace ferry::libvirt
