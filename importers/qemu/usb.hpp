// SPDX-License-Identifier: Apache-2.0
// The ports that QEMU gives to USB devices (hw/usb/bus.c): the first free one, and a hub of its own in the last.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "model/hardware.hpp"

#include "support/error.hpp"

namespace ferry::qemu {

class UsbBuses {
 public:
  // `controller`: index in Hardware::usb_controllers.
  void add_bus(const std::string &name, unsigned controller, unsigned ports);
  // A bus of that name; empty: any.
  [[nodiscard]] bool has(const std::string &name) const;

  struct Taken {
    UsbPlace place;
    std::vector<UsbPlace> hubs;  // that QEMU made for it
  };
  // `bus`: its name ("xhci.0"), empty: the newest one. `port`: as asked, empty: the first free one.
  // Throws Error malformed for what QEMU refuses.
  Taken take(const std::string &bus, const std::string &port, bool is_hub, const Place &where);

 private:
  struct Bus {
    std::string name;
    unsigned controller = 0;
    std::deque<std::string> free;
  };
  static void plug_hub(Bus &bus, const std::string &port);
  std::vector<Bus> buses_;
  unsigned unnamed_ = 0;
};

}  // namespace ferry::qemu
