// SPDX-License-Identifier: Apache-2.0
// What lies in drives for CDs and floppies: images of the user's that any machine may show its guest, and the old
// platforms' own, which no machine needs here.
#pragma once

#include <filesystem>
#include <string_view>

#include "model/hardware.hpp"

namespace ferry::migration {

// A file that is an image for such a drive, by its content or its name; and not, say, a letter or a disk. Never throws.
[[nodiscard]] bool is_removable_image(const std::filesystem::path &file, DriveKind kind);

// VirtualBox's Guest Additions or VMware's tools, by where the source says they are: in the folders of the product,
// which may be on another host.
[[nodiscard]] bool is_platform_tools(std::string_view location);

}  // namespace ferry::migration
