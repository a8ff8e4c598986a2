// SPDX-License-Identifier: Apache-2.0
// The Vagrantfile of a box, as far as it is a list of settings. Ruby is not run: what is no assignment of a plain value
// to an option of a provider or of the configuration is given as it stands, and so is what hangs on a condition.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::vagrant {

struct Assignment {
  // "libvirt.memory", "vmware_desktop.vmx.memsize", "config.vm.base_mac": the provider's or the configuration's name
  // in place of the variable's.
  std::string option;
  std::string value;   // without quotes or colon; of a call what follows its name: "libvirt.random" ":model => 'x'"
  bool plain = false;  // a text, symbol, number, truth value or nil that is assigned unconditionally
  std::uint64_t line = 0;
};

[[nodiscard]] std::vector<Assignment> read_vagrantfile(std::string_view text);

}  // namespace ferry::vagrant
