// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/usb.hpp"

#include <algorithm>

#include "support/text.hpp"

namespace ferry::qemu {
namespace {
constexpr unsigned kHubPorts = 8;
}

void UsbBuses::add_bus(const std::string &name, unsigned controller, unsigned ports) {
  Bus bus;
  bus.name = name.empty() ? "usb-bus." + std::to_string(unnamed_++) : name + ".0";
  bus.controller = controller;
  for (unsigned port = 1; port <= ports; ++port) bus.free.push_back(std::to_string(port));
  buses_.push_back(std::move(bus));
}

void UsbBuses::plug_hub(Bus &bus, const std::string &port) {
  for (unsigned i = 1; i <= kHubPorts; ++i) bus.free.push_back(port + "." + std::to_string(i));
}

bool UsbBuses::has(const std::string &name) const {
  return std::any_of(buses_.begin(), buses_.end(),
                     [&](const Bus &one) { return name.empty() || one.name == name || one.name == name + ".0"; });
}

UsbBuses::Taken UsbBuses::take(const std::string &name, const std::string &port, bool is_hub, const Place &where) {
  const auto refuse = [&](std::string message, std::string_view found) {
    throw Error(ErrorKind::malformed, {.where = where,
                                       .message = std::move(message),
                                       .found = text::printable(found),
                                       .advice = "Correct the command: QEMU itself would refuse it."});
  };
  if (buses_.empty()) refuse("a USB device has no controller", "no -usb and no USB controller");
  auto bus = std::prev(buses_.end());
  if (!name.empty()) {
    bus = std::find_if(buses_.begin(), buses_.end(),
                       [&](const Bus &one) { return one.name == name || one.name == name + ".0"; });
    if (bus == buses_.end()) refuse("there is no USB bus of this name", name);
  }
  Taken out;
  out.place.controller = bus->controller;
  if (!port.empty()) {
    const auto found = std::find(bus->free.begin(), bus->free.end(), port);
    if (found == bus->free.end()) refuse("the USB port is taken, or the controller has none of that number", port);
    bus->free.erase(found);
    out.place.port = port;
  } else {
    if (bus->free.size() == 1 && !is_hub) {
      const std::string last = bus->free.front();
      bus->free.pop_front();
      plug_hub(*bus, last);
      out.hubs.push_back({bus->controller, last});
    }
    if (bus->free.empty()) refuse("the USB bus has no free port", bus->name);
    out.place.port = bus->free.front();
    bus->free.pop_front();
  }
  if (is_hub) plug_hub(*bus, out.place.port);
  return out;
}

}  // namespace ferry::qemu
