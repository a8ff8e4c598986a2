// SPDX-License-Identifier: Apache-2.0
// What libvirt notes in a machine's log when its guest has crashed.
#pragma once

#include <string>
#include <string_view>

namespace ferry::libvirt {

// Of the machine's last start: "hyper-v: arg1='0x7b', ...". Empty: nothing.
[[nodiscard]] std::string panic_in_log(std::string_view log);
// In the log that the user's session keeps of a machine. Empty also where it cannot be read.
[[nodiscard]] std::string panic_of(const std::string &machine);

}  // namespace ferry::libvirt
