// SPDX-License-Identifier: Apache-2.0
// What libvirt calls QEMU's CPU models and features.
#pragma once

#include <string_view>

namespace ferry::qemu {

// libvirt's name of a feature that QEMU calls `name`; empty when libvirt has none.
[[nodiscard]] std::string_view libvirt_feature(std::string_view name);
// A CPU model that libvirt 9.0 knows.
[[nodiscard]] bool is_libvirt_model(std::string_view name);

}  // namespace ferry::qemu
