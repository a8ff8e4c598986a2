// SPDX-License-Identifier: Apache-2.0
// Reading VirtualBox's settings files whole.
#pragma once

#include <filesystem>
#include <string>

namespace ferry::vbox {

// Reads a whole settings file. Throws Error missing when it is not there, io when it is not a regular file or
// cannot be read, malformed over 64 MiB (the XML reader's limit).
[[nodiscard]] std::string read_settings_file(const std::filesystem::path &file);

}  // namespace ferry::vbox
