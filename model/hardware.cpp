// SPDX-License-Identifier: Apache-2.0
#include "model/hardware.hpp"

#include <string>
#include <utility>

namespace ferry {

bool is_ide(ControllerType type) {
  return type == ControllerType::ide_piix3 || type == ControllerType::ide_piix4 || type == ControllerType::ide_ich6 ||
         type == ControllerType::ide_vmware;
}

void add_forward(Nic &nic, PortForward forward) {
  constexpr std::size_t kMostForwards = 4096;  // each one holds a port of the host, of which there are 65,535
  if (nic.forwards.size() >= kMostForwards) {
    throw Error(ErrorKind::malformed, {.where = forward.origin,
                                       .message = "the network card has more port forwards than any machine",
                                       .found = "more than " + std::to_string(kMostForwards),
                                       .expected = "at most " + std::to_string(kMostForwards),
                                       .advice = "Remove the port forwards that are not needed."});
  }
  nic.forwards.push_back(std::move(forward));
}

}  // namespace ferry
