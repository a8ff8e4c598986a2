// SPDX-License-Identifier: Apache-2.0
// Image formats as QEMU's drivers are called, which is how a machine's document names them.
#pragma once

#include <optional>
#include <string>

#include "model/medium.hpp"

namespace ferry::migration {

// nullopt for a driver of no format of ours.
[[nodiscard]] std::optional<ImageFormat> image_format_of(const std::string &driver);

}  // namespace ferry::migration
