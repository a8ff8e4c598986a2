// SPDX-License-Identifier: Apache-2.0
// -readconfig: a file that holds options in INI form (util/qemu-config.c).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "importers/qemu/launch.hpp"

namespace ferry::qemu {

// The words that the file stands for; nullopt when it cannot be understood.
[[nodiscard]] std::optional<std::vector<LaunchWord>> read_config(std::string_view text,
                                                                 const std::filesystem::path &file);

}  // namespace ferry::qemu
