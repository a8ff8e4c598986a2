// SPDX-License-Identifier: Apache-2.0
// USB controllers and filters. Up to settings version 1.14 one <USBController enabled enabledEhci> that holds the
// filters; since 1.15 <USB> with <Controllers> and <DeviceFilters>. Before 1.3 the filters' attributes were lower case.
#include <array>

#include "importers/vbox/scope.hpp"

namespace ferry::vbox {
namespace {

void add_controller(Scope &scope, UsbController::Type type, Place origin) {
  UsbController controller;
  controller.type = type;
  controller.origin = std::move(origin);
  scope.hw.usb_controllers.push_back(std::move(controller));
}

std::optional<std::string> either(const SettingsReader &element, std::string_view name, std::string_view old,
                                  const std::string &field) {
  auto value = element.text(name, field);
  if (!value) value = element.text(old, field);
  if (value && value->empty()) return std::nullopt;  // an empty pattern matches everything
  return value;
}

void read_filters(Scope &scope, const SettingsReader &list) {
  for (const SettingsReader &element : list.children("DeviceFilter")) {
    const std::string at = scope.field("usb_filters." + std::to_string(scope.hw.usb_filters.size()));
    UsbFilter filter;
    filter.origin = element.place();
    filter.name = element.text("name", at + ".name").value_or("");
    filter.active = element.boolean("active", at + ".active").value_or(true);
    filter.vendor_id = either(element, "vendorId", "vendorid", at + ".vendor_id");
    filter.product_id = either(element, "productId", "productid", at + ".product_id");
    filter.revision = either(element, "revision", "rev", at + ".revision");
    filter.manufacturer = either(element, "manufacturer", "manufacturerstring", at + ".manufacturer");
    filter.product = either(element, "product", "productstring", at + ".product");
    filter.serial_number = either(element, "serialNumber", "serialnumber", at + ".serial_number");
    filter.port = either(element, "port", "portnumber", at + ".port");
    element.settle("remote", Disposition::irrelevant,
                   "whether the filter holds for VirtualBox's remote display clients");
    element.settle("maskedInterfaces", Disposition::dropped, "QEMU passes all interfaces of a USB device");
    element.settle("action", Disposition::irrelevant, "of the host's filters");
    scope.hw.usb_filters.push_back(std::move(filter));
  }
}

}  // namespace

void read_usb(Scope &scope) {
  static constexpr std::array<Word<UsbController::Type>, 3> kTypes{
      {{"OHCI", UsbController::Type::ohci}, {"EHCI", UsbController::Type::ehci}, {"XHCI", UsbController::Type::xhci}}};
  const auto next = [&scope] {
    return scope.field("usb_controllers." + std::to_string(scope.hw.usb_controllers.size()));
  };
  if (const auto old = scope.hardware.child("USBController")) {
    const std::string ohci = next();
    if (old->boolean("enabled", ohci).value_or(false)) add_controller(scope, UsbController::Type::ohci, old->place());
    const bool ehci = old->boolean("enabledEhci", next()).value_or(false);
    if (ehci && !scope.hw.usb_controllers.empty()) {
      add_controller(scope, UsbController::Type::ehci, old->place("enabledEhci"));
    }
    if (scope.hw.usb_controllers.empty()) {
      old->settle("enabled", Disposition::irrelevant, "USB is off");
      old->settle("enabledEhci", Disposition::irrelevant, "USB is off");
    }
    read_filters(scope, *old);
  }
  const auto usb = scope.hardware.child("USB");
  if (!usb) return;
  if (const auto list = usb->child("Controllers")) {
    for (const SettingsReader &element : list->children("Controller")) {
      const std::string at = next();
      const auto type = word<UsbController::Type>(scope.in, element, "type", at + ".type", kTypes);
      element.settle("name", Disposition::irrelevant, "VirtualBox's own name of the controller");
      if (type) add_controller(scope, *type, element.place());
    }
  }
  if (const auto list = usb->child("DeviceFilters")) read_filters(scope, *list);
}

}  // namespace ferry::vbox
